#!/bin/sh
# Make or update .venv from a hashed lock: sh setup.sh LOCK STAMP...
# Needs uv, or any Python 3.12 or newer.
set -eu
umask 022 # programs that run as another user read what is installed
lock=$1
shift

refuse() {
    echo "$1" >&2
    exit 1
}

newest() {
    # A shim on PATH may exist and still refuse to run: only a Python that answers counts.
    for candidate in python3.14 python3.13 python3.12 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

lock_setup() {
    # The lock is the open file's, which this shell and what it starts hold: it ends with them.
    if command -v flock >/dev/null; then
        flock "$@" 9
    elif [ -n "$python" ]; then
        "$python" -c 'import fcntl, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))' \
            "$@" 2>/dev/null
    fi
}

python=$(newest)
for place in . .nexus .nexus/setup.lock .venv; do
    if [ -e "$place" ] && [ ! -w "$place" ]; then
        refuse "$PWD/$place is not yours to write: run make as its owner, or in a checkout of your own."
    fi
done
# Two first runs at once would build the same folder.
mkdir -p .nexus
[ ! -d .nexus/setup.lock ] || rmdir .nexus/setup.lock
exec 9>.nexus/setup.lock
if ! lock_setup -n; then
    echo "Another setup of this folder runs; waiting for its end ..." >&2
    lock_setup
fi

here=$(pwd -P)
if [ ! -x .venv/bin/python ] || [ "$(cat .venv/place 2>/dev/null)" != "$here" ]; then
    [ ! -e .venv/place ] || echo "The environment in .venv is of another folder or Python: making it again ..." >&2
    rm -rf .venv
    if uv --version >/dev/null 2>&1; then
        if [ -n "$python" ]; then
            # By its path: by a name or a version uv might choose, or download, another one.
            uv venv --quiet --no-python-downloads --python "$python" .venv
        else
            uv venv --quiet --python 3.13 .venv
        fi
    elif [ -n "$python" ]; then
        "$python" -m venv .venv
    else
        refuse "Python 3.12 or newer, or uv, is needed: install one of them and run the command again."
    fi
    echo "$here" >.venv/place
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
