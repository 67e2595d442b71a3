"""A cluster of three nodes: the same script and keys, and a node that is taken for a whole server."""

import gc
import warnings

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from limiter.limiter import Limiter
from limiter.policy import Policy, Rate, RuleSet
from limiter.store import RedisStore
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

pytest_plugins = ["tests.site"]

RULES = RuleSet("two", (Policy("a", 5, Rate(1, 3_600)), Policy("b", 9, Rate(1, 3_600))))


@pytest.fixture(scope="module")
def nodes(start_shared_server, wait_until):
    """Start three nodes; each is told its third of the slots, and to meet the first.

    Once for all tests: a node serves nobody for two seconds after its start.
    """
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "60000")
    nodes = [start_shared_server(*options) for _ in range(3)]
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


@pytest.fixture
def limiter(nodes, secret):
    for node in nodes:
        with node.client() as client:
            client.flushall()  # what another test left has not expired yet
    cluster = RedisCluster.from_url(
        nodes[0].url, socket_timeout=20, socket_connect_timeout=20, retry=Retry(NoBackoff(), 1)
    )
    yield Limiter(RULES, RedisStore(cluster), secret=secret)
    cluster.close()
    with warnings.catch_warnings():  # of nodes that are gone redis-py forgets the connections open
        warnings.simplefilter("ignore", ResourceWarning)
        del cluster
        gc.collect()


@pytest.mark.report(
    "animir/node-rate-limiter-flexible#283",
    "the URL names one node of a cluster, and clients of other slots fail",
    "the release check asks for several slots and says so",
)
def test_a_node_of_a_cluster_is_named(nodes, settings):
    settings.REDIS_URL = nodes[0].url

    with pytest.raises(SystemCheckError, match="is a node of a cluster: give RedisStore a RedisCl"):
        call_command("check", "--tag", "services")


def test_a_cluster_decides_like_one_server_and_fails_like_one(limiter, nodes):
    clients = [f"client-{number}" for number in range(30)]

    allowed = [limiter.decide(client).allowed for client in clients for _ in range(6)]

    assert sum(allowed) == 30 * 5
    sizes = []
    for node in nodes:
        with node.client() as client:
            sizes.append(client.dbsize())
    assert sum(sizes) == 60
    assert all(size > 0 and size % 2 == 0 for size in sizes)

    for node in nodes:
        with node.client() as client:
            client.script_flush()
    assert limiter.decide("after the scripts were lost").degraded is None

    for node in nodes:  # at the very end: they are those of all tests here
        node.kill()
    assert limiter.decide("after the nodes were lost").degraded == "local"
