#!/bin/sh
# Make or update .venv from a hashed lock: sh setup.sh LOCK STAMP...
# Needs uv, or any Python 3.12 or newer.
set -eu
lock=$1
shift

# Two first runs at once would build the same folder.
mkdir -p .nexus
tries=0
until mkdir .nexus/setup.lock 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then
        echo "Another setup seems to run; if none does, remove .nexus/setup.lock and try again." >&2
        exit 1
    fi
    sleep 1
done
trap 'rmdir .nexus/setup.lock' EXIT
trap 'exit 130' INT TERM HUP

newest() {
    # A shim on PATH may exist and still refuse to run: only a Python that answers counts.
    for candidate in python3.14 python3.13 python3.12 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}

if [ ! -x .venv/bin/python ]; then
    python=$(newest)
    if uv --version >/dev/null 2>&1; then
        uv venv --quiet --python "${python:-3.13}" .venv
    elif [ -n "$python" ]; then
        "$python" -m venv .venv
    else
        echo "Python 3.12 or newer, or uv, is needed: install one of them and run the command again." >&2
        exit 1
    fi
fi

echo "Installing the harness ($(grep -c '==' "$lock") packages) ..."
if [ -x .venv/bin/uv ]; then
    .venv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python "$lock"
elif uv --version >/dev/null 2>&1; then
    uv pip sync --quiet --require-hashes --python .venv/bin/python "$lock"
else
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
fi
for stamp in "$@"; do
    touch ".venv/$stamp.stamp"
done
