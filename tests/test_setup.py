"""`setup.sh` and the Makefile, as machines of many kinds meet them; nothing is installed."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nexus.catalog import ROOT
from nexus.lab.server import LAB_PORT
from nexus.stacks.processes import wait_until

UV = """#!/bin/sh
echo "$@" >> uv.log
case "$1" in
    venv) mkdir -p .venv/bin; printf '#!/bin/sh\\n' > .venv/bin/python; chmod +x .venv/bin/python;;
    --version) echo uv 0.13.0;;
esac
"""


@pytest.fixture
def checkout(open_folder):
    """A checkout whose uv only notes what it is asked for, on a machine with one Python."""
    folder = open_folder / "a checkout"
    (folder / "programs").mkdir(parents=True)
    for name in ("setup.sh", "Makefile", ".python-version"):
        shutil.copy(ROOT / name, folder)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("toy==1.0\n", encoding="utf-8")
    uv = folder / "programs" / "uv"
    uv.write_text(UV, encoding="utf-8")
    uv.chmod(0o755)
    (folder / "programs" / "python3.12").symlink_to(sys.executable)
    return folder


def environment(folder: Path) -> dict[str, str]:
    for name in (
        "python3.14",
        "python3.13",
        "python3",
        "python",
    ):  # those of this machine do not answer
        shim = folder / "programs" / name
        if not shim.exists():
            shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
            shim.chmod(0o755)
    return {"PATH": f"{folder / 'programs'}{os.pathsep}{os.defpath}"}


def setup(folder: Path, **more) -> subprocess.CompletedProcess[str]:
    command = ["sh", "setup.sh", "requirements.txt", "run"]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=180,
        **more,
    )


def asked(folder: Path) -> list[str]:
    return (folder / "uv.log").read_text(encoding="utf-8").splitlines()


def test_python_that_is_there_is_used_by_its_path_and_none_is_downloaded(checkout):
    done = setup(checkout)

    assert done.returncode == 0, done.stderr
    made = next(line for line in asked(checkout) if line.startswith("venv"))
    assert (
        made == f"venv --quiet --no-python-downloads --python {checkout}/programs/python3.12 .venv"
    )


def test_without_any_python_uv_brings_one(checkout):
    (checkout / "programs" / "python3.12").unlink()
    (checkout / "programs" / "python3.12").write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    (checkout / "programs" / "python3.12").chmod(0o755)

    assert setup(checkout).returncode == 0
    assert "venv --quiet --python 3.13 .venv" in asked(checkout)


def test_environment_of_a_moved_checkout_is_made_again(checkout):
    command = ["make", ".venv/run.stamp"]
    env = environment(checkout)
    for _ in range(2):
        subprocess.run(command, cwd=checkout, env=env, check=True, capture_output=True)
    assert sum(line.startswith("venv") for line in asked(checkout)) == 1

    moved = checkout.with_name("moved elsewhere")
    checkout.rename(moved)
    done = subprocess.run(
        command, cwd=moved, env=environment(moved), check=True, capture_output=True
    )

    assert b"is of another folder" in done.stderr
    assert sum(line.startswith("venv") for line in asked(moved)) == 2


def test_second_setup_waits_says_so_at_once_and_the_lock_ends_with_its_owner(checkout):
    (checkout / ".nexus").mkdir()
    lock = checkout / ".nexus" / "setup.lock"
    said = checkout / "said"
    holder = subprocess.Popen(
        ["sh", "-c", f"exec 9>'{lock}'; flock 9; touch '{said}'; exec sleep 600"],
    )
    assert wait_until(said.exists, 30)
    waiting = subprocess.Popen(
        ["sh", "setup.sh", "requirements.txt", "run"],
        cwd=checkout,
        env=environment(checkout),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    try:
        assert waiting.stderr.readline().startswith(b"Another setup of this folder runs")
        assert waiting.poll() is None
        holder.kill()
        holder.wait()
        assert waiting.wait(60) == 0
    finally:
        holder.kill()
        waiting.stderr.close()
        waiting.wait(60)


def test_lock_works_without_the_program_flock(checkout):
    links = checkout / "links"
    links.mkdir()
    for name in ("sh", "cat", "mkdir", "rmdir", "rm", "grep", "touch", "chmod"):
        (links / name).symlink_to(shutil.which(name))
    env = {"PATH": f"{checkout / 'programs'}{os.pathsep}{links}"}
    environment(checkout)
    (checkout / ".nexus").mkdir()
    command = [shutil.which("sh"), "setup.sh", "requirements.txt", "run"]
    with (checkout / ".nexus" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen(
            command, cwd=checkout, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert waiting.stderr.readline().startswith(b"Another setup of this folder runs")
    try:
        assert waiting.wait(60) == 0
    finally:
        waiting.stderr.close()


def test_folder_of_another_user_is_one_sentence(checkout):
    if os.geteuid() == 0:
        (checkout / ".nexus").mkdir()
        shutil.chown(checkout.parent, 65534)
        done = setup(checkout, user=65534, group=65534, extra_groups=[])
    else:
        (checkout / ".nexus").mkdir(mode=0o500)
        done = setup(checkout)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "is not yours to write: run make as its owner, or in a checkout of your own."
    )


def test_tools_are_given_text_as_utf_8_whatever_the_terminal_speaks(checkout):
    with (checkout / "Makefile").open("a", encoding="utf-8") as makefile:
        makefile.write("told:\n\t@echo $$PYTHONUTF8\n")
    env = environment(checkout) | {"LC_ALL": "C", "PYTHONUTF8": "0"}

    told = subprocess.run(["make", "told"], cwd=checkout, env=env, capture_output=True, check=True)

    assert told.stdout == b"1\n"


def test_devcontainer_opens_the_lab_with_the_python_of_the_repository():
    found = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert found["image"] == f"python:{(ROOT / '.python-version').read_text().strip()}"
    assert found["forwardPorts"] == [LAB_PORT]
    assert list(found["portsAttributes"]) == [str(LAB_PORT)]
    for name in ("postCreateCommand", "postAttachCommand"):
        assert found[name].removeprefix("make ") in targets


def test_processes_keep_what_they_compiled_whatever_the_shell_says():
    """There are hundreds: each compiled the same 900 modules."""
    done = subprocess.run(
        ["make", "--silent", "-f", "Makefile", "-f", "-", "said"],
        input="said:\n\t@env\n",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "PYTHONUTF8=1" in done.stdout
    assert "PYTHONDONTWRITEBYTECODE" not in done.stdout
