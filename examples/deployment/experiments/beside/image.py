"""An image whose build needs two of the settings, as `collectstatic` does, and what Docker tells of it."""

import os
import subprocess
from collections.abc import Mapping
from secrets import token_hex

HISTORY = "image history"
BUILT = {
    "as_usual": """
ARG SECRET_KEY
ARG DATABASE_URL
RUN python manage.py check --settings config.settings_as_usual
""",
    "blue_green": """
RUN --mount=type=secret,id=SECRET_KEY,mode=0444 --mount=type=secret,id=DATABASE_URL,mode=0444 \\
    SECRET_KEY_FILE=/run/secrets/SECRET_KEY DATABASE_URL_FILE=/run/secrets/DATABASE_URL \\
    python manage.py check
""",
}


def history(container: str, lines: str) -> tuple[str, set[str]]:
    """Build an image on that of a container; return what Docker tells of it, and the secrets of the build."""
    base = docker("inspect", "--format", "{{.Image}}", container).strip()
    cores = {"SECRET_KEY": token_hex(16), "DATABASE_URL": token_hex(16)}
    told = cores | {"DATABASE_URL": f"postgres://planted:{cores['DATABASE_URL']}@postgres/nexus"}
    name = f"no-secret-in-sight-{token_hex(4)}"
    given = [
        word for each in told for word in ("--build-arg", each, "--secret", f"id={each},env={each}")
    ]
    try:
        docker("tag", base, f"{name}:base")
        docker(
            "build", "--quiet", "--tag", name, *given, "-", fed=f"FROM {name}:base{lines}", env=told
        )
        said = docker("history", "--no-trunc", name) + docker("image", "inspect", name)
    finally:
        docker("image", "rm", "--force", name, f"{name}:base")
    return said, set(cores.values())


def docker(*words: str, fed: str = "", env: Mapping[str, str] | None = None) -> str:
    command = subprocess.run(
        ["docker", *words],
        input=fed,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if command.returncode:
        raise RuntimeError(f"docker {words[0]}: {command.stderr.strip()[-300:]}")
    return command.stdout
