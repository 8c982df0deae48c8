#!/bin/sh
# Makes .venv from requirements.lock. Takes the uv on PATH, else puts one into the environment itself.
set -eu
python=$1
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "error: $python: Python 3.11 or newer is needed; install it, or say 'make PYTHON=/path/to/python3.12 ...'" >&2
    exit 2
fi
if command -v uv >/dev/null 2>&1; then
    [ -x .venv/bin/python ] || uv venv --quiet --python "$(command -v "$python")" .venv
    uv=uv
else
    if ! [ -x .venv/bin/python ]; then
        "$python" -m venv .venv || {
            echo "error: $python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2
            exit 2
        }
    fi
    if ! [ -x .venv/bin/uv ]; then
        # The version and hashes of the lock file, as for everything else.
        awk '/^uv==/ { found = 1; print; next } found && /^ / { print; next } found { exit }' requirements.lock \
            >.venv/uv.txt
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
    fi
    uv=.venv/bin/uv
fi
VIRTUAL_ENV=$PWD/.venv "$uv" pip sync --quiet --require-hashes requirements.lock
# uv itself is part of the lock, so the environment's own copy is there after the sync.
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
