#!/usr/bin/env bash
# Build the wheel, install it alone into a new environment, and use it in an empty folder: check_wheel.sh PYTHON.
# Needs a package index (or a pip cache) for hatchling and the runtime dependencies.
set -euo pipefail
python=$1
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$python" -m pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir "$folder/dist" "$root"
wheel=$(echo "$folder"/dist/*.whl)
# What git tracks below the package has to be in the wheel: templates of the report, py.typed, every module.
"$python" - "$wheel" "$root" <<'END'
import subprocess, sys, zipfile

wheel, root = sys.argv[1:]
command = ["git", "-C", root, "ls-files", "reconciler"]
wanted = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
missing = sorted(wanted - set(zipfile.ZipFile(wheel).namelist()))
sys.exit(f"error: not in the wheel: {', '.join(missing)}" if missing else 0)
END

"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check install --quiet "$wheel"
mkdir "$folder/project"
cd "$folder/project"
reconciler=$folder/venv/bin/reconciler
"$reconciler" init >/dev/null
"$reconciler" plan --format html >plan.html
grep -q '<html' plan.html
"$reconciler" apply --auto-approve --quiet >/dev/null
"$reconciler" plan --detailed-exitcode
echo "the wheel is complete and works: $(basename "$wheel")"
