#!/bin/sh
# Create a virtual environment with pip: make_venv.sh PYTHON FOLDER.
# A bare Debian has python3 without the venv package; root may install it, others are told how.
set -eu
python=$1
folder=$2

if ! command -v "$python" >/dev/null 2>&1; then
    echo "error: $python was not found; install Python 3.11 or newer, or say: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: $("$python" --version) is too old; Python 3.11 or newer is needed: make PYTHON=python3.12" >&2
    exit 1
fi
has_venv() { "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; }

package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
if ! has_venv && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing $package, which this machine's Python lacks"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null
fi
if ! has_venv; then
    echo "error: $python has no venv module; on Debian and Ubuntu: sudo apt install $package" >&2
    exit 1
fi
echo "creating $folder with $("$python" --version)"
"$python" -m venv "$folder"
