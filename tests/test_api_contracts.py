"""What a frontend makes of the contract: types that compile, and a collection whose calls are answered.

The judges are those of others: openapi-typescript, the TypeScript compiler, openapi-to-postmanv2, newman.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nexus import catalog
from nexus.environment import ensure_environment, locked, state_dir
from nexus.experiment import ask
from nexus.stacks.embedded import EmbeddedStack

EXAMPLE = catalog.example("api_contracts")
CLIENT = EXAMPLE.path / "client"
RELEASES = EXAMPLE.path / "flights" / "releases"
# Run in Postman, after each call of the collection.
ANSWERED = "pm.test('answered', () => pm.expect(pm.response.code).to.be.oneOf([200, 201, 204]))"
# How npm calls it when its registry cannot be reached; anything else is a fault of this repository.
AWAY = re.compile(
    r"npm error code (ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EPROTO"
    r"|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E5\d\d)\b"
)
UNSEEN = "no frontend was compiled, and no collection was run"


@pytest.fixture(scope="module")
def programs() -> Path:
    """Where the programs of `client/package.json` are; installed once."""
    if not shutil.which("npm"):
        pytest.skip(f"no npm on the PATH, {UNSEEN}: install Node.js 20 or later with npm")
    wanted = (CLIENT / "package.json").read_text()
    folder = state_dir(EXAMPLE) / "npm"
    with locked(folder.with_suffix(".lock")):
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text(wanted)
            asked = [
                "npm",
                "install",
                "--no-package-lock",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--fetch-retries=1",
            ]
            if away := registry_is_away(asked, folder):
                pytest.skip(away)
            stamp.write_text(wanted)
    return folder / "node_modules" / ".bin"


def registry_is_away(install: list[str], folder: Path) -> str | None:
    """Install; return one sentence if the registry cannot be reached; fail with what npm says otherwise."""
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if found := AWAY.search(done.stderr):
        return (
            f"npm does not reach its registry ({found[1]}), {UNSEEN}: "
            "connect this machine, or let `npm config set registry` name one that answers"
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return None


def run(command: list[str | Path], folder: Path, code: int = 0) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("npm"), reason=f"no npm on the PATH, {UNSEEN}")
def test_registry_that_is_away_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # nobody listens there
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    shutil.copy(CLIENT / "package.json", tmp_path)

    said = registry_is_away(["npm", "install", "--ignore-scripts"], tmp_path)

    assert said
    assert said.startswith(
        "npm does not reach its registry (ECONNREFUSED), no frontend was compiled"
    )
    assert "npm config set registry" in said


def compiled(programs: Path, folder: Path, release: str, code: int = 0) -> str:
    """Make types of a release, compile the client with them, and return what the compiler says."""
    for name in ("client.ts", "tsconfig.json"):
        shutil.copy(CLIENT / name, folder)
    contract = RELEASES / f"{release}.yaml"
    run([programs / "openapi-typescript", contract, "-o", "contract.d.ts"], folder)
    return run([programs / "tsc", "--project", "."], folder, code)


@pytest.mark.parametrize("release", ["2025", "2026"])
def test_frontend_of_last_year_compiles_against_both_releases(programs, tmp_path, release):
    assert compiled(programs, tmp_path, release) == ""


def test_frontend_does_not_compile_against_what_changed_in_place(programs, tmp_path):
    said = compiled(programs, tmp_path, "in_place", code=2)

    assert len(re.findall(r"^client\.ts\(", said, re.MULTILINE)) == 3
    for found in ("'early' is missing", "'null' is not assignable", "'carrier' does not exist"):
        assert found in said
    assert (
        "distance" not in said.partition("does not exist on type")[0]
    )  # nor does anybody see the unit


def test_frontend_calls_of_the_collection_are_answered(programs, tmp_path):
    ensure_environment(EXAMPLE)
    with EmbeddedStack(EXAMPLE, tmp_path / "stack") as stack:
        contract = ask(f"{stack.url}/api/kept/schema/").body
        (tmp_path / "contract.json").write_bytes(contract)
        example = "requestParametersResolution=Example,parametersResolution=Example"
        convert = [programs / "openapi2postmanv2", "-s", "contract.json", "-o", "collection.json"]
        run([*convert, "-O", example], tmp_path)
        collection = json.loads((tmp_path / "collection.json").read_text())
        collection["event"] = [{"listen": "test", "script": {"exec": [ANSWERED]}}]
        (tmp_path / "collection.json").write_text(json.dumps(collection))
        address = ["--env-var", f"baseUrl={stack.url}/api/kept"]
        report = ["--reporters", "json", "--reporter-json-export", "report.json"]
        run([programs / "newman", "run", "collection.json", *address, *report], tmp_path)

    made = json.loads((tmp_path / "report.json").read_text())["run"]["stats"]
    assert made["assertions"] == {"total": 5, "pending": 0, "failed": 0}
