"""The same script and keys on a cluster of three nodes."""

import pytest
from limiter.cluster import ClusterStore
from limiter.limiter import Limiter
from limiter.policy import Policy, Rate, RuleSet, Scope

TIERED = tuple(Policy(scope.value, 50, Rate(1, 3_600), scope=scope) for scope in Scope)
SINGLE = (Policy("a", 5, Rate(1, 3_600)), Policy("b", 9, Rate(1, 3_600)))


@pytest.fixture
def cluster(start_server, wait_until):
    """Start three nodes; each is told its third of the slots, and to meet the first."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    nodes = [start_server(*options) for _ in range(3)]
    clients = [node.client() for node in nodes]
    for client, slots in zip(clients, [(0, 5_460), (5_461, 10_922), (10_923, 16_383)], strict=True):
        client.execute_command("CLUSTER ADDSLOTSRANGE", *slots)
        client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port, nodes[0].bus_port)
    wait_until(
        lambda: all(
            client.execute_command("CLUSTER INFO")["cluster_state"] == "ok"
            and client.execute_command("CLUSTER INFO")["cluster_known_nodes"] == "3"
            for client in clients
        )
    )
    for client in clients:
        client.close()
    return nodes


async def test_a_cluster_decides_like_one_server(cluster, secret):
    store = ClusterStore(cluster[0].url, timeout_seconds=2)
    limiters = [
        Limiter(RuleSet("single", SINGLE), store, secret=secret),
        Limiter(RuleSet("tiered", TIERED), store, secret=secret),
    ]
    clients = [f"client-{number}" for number in range(30)]

    for limiter, burst in zip(limiters, (30 * 5, 50), strict=True):  # a bucket each; one for all
        allowed = [limiter.decide(client).allowed for client in clients for _ in range(3)]
        allowed += [(await limiter.adecide(client)).allowed for client in clients for _ in range(3)]
        modes = {limiter.decide(client).mode for client in clients}

        assert sum(allowed) == burst
        assert modes <= {"exact", "cached"}
    await store.aclose()


def test_the_keys_of_a_decision_share_a_slot_and_clients_do_not(cluster, secret):
    store = ClusterStore(cluster[0].url, timeout_seconds=2)
    limiter = Limiter(RuleSet("single", SINGLE), store, secret=secret)
    for number in range(30):
        limiter.decide(f"client-{number}")

    sizes = []
    for node in cluster:
        with node.client() as client:
            sizes.append(client.dbsize())

    assert sum(sizes) == 60
    assert all(size > 0 and size % 2 == 0 for size in sizes)


def test_a_script_that_a_node_forgot_is_loaded_again(cluster, secret):
    limiter = Limiter(
        RuleSet("single", SINGLE), ClusterStore(cluster[0].url, timeout_seconds=2), secret=secret
    )
    limiter.decide("client")
    for node in cluster:
        with node.client() as client:
            client.script_flush()

    assert limiter.decide("client").mode == "exact"
    assert limiter.peek("client").outcomes[0].remaining == 3
    assert limiter.reset("client") == 2


def test_a_cluster_that_is_gone_is_a_failure_like_any_other(cluster, secret):
    limiter = Limiter(RuleSet("single", SINGLE), ClusterStore(cluster[0].url), secret=secret)
    limiter.decide("client")
    for node in cluster:
        node.kill()

    assert limiter.decide("client").mode == "local"
