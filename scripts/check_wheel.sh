#!/usr/bin/env bash
# Build the wheel, install it as the action does, into a new environment, and use it in an empty folder: check_wheel.sh PYTHON.
# Needs a package index (or a pip cache) for hatchling and the runtime dependencies.
set -euo pipefail
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
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

# As the action installs it: its step Install, first without extras, then with one.
action_install() {
    local step
    step=$("$python" -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["runs"]["steps"][0]["run"])' "$root/action.yml")
    env PATH="$(dirname "$python"):$PATH" RUNNER_TEMP="$folder" \
        SOURCE=/nowhere VERSION="$wheel" EXTRAS="$1" bash --noprofile --norc -eo pipefail -c "$step"
}
action_install ""
mkdir "$folder/project"
cd "$folder/project"
reconciler=$folder/reconciler/bin/reconciler
"$reconciler" init >/dev/null
"$reconciler" plan --format html >plan.html
grep -q '<html' plan.html
"$reconciler" apply --auto-approve --quiet >/dev/null
"$reconciler" plan --detailed-exitcode
"$reconciler" fmt --check

echo 'policies: [{name: cel, message: stopped by CEL, when: "true"}]' >>reconciler.yaml
if "$reconciler" plan >said 2>&1 || ! grep -qF 'activecampaign-reconciler[policy]' said; then
    echo "error: a CEL policy without the extra is not refused with its name" >&2 && cat said >&2 && exit 1
fi
action_install policy
code=0
"$reconciler" plan >said 2>&1 || code=$?
if [ "$code" != 7 ] || ! grep -q 'stopped by CEL' said; then
    echo "error: a CEL policy does not hold with the extra" >&2 && cat said >&2 && exit 1
fi
# As the README installs it, in one line: with pipx and with uv, where they can be had. In CI both have to be tried.
tools=$folder/tools
"$python" -m venv "$tools"
tried=()
for tool in pipx uv; do
    if ! "$tools/bin/python" -m pip --disable-pip-version-check install --quiet "$tool" >said 2>&1; then
        [ -z "${CI:-}" ] || { echo "error: $tool cannot be installed, so that the install line was not tried" >&2 && cat said >&2 && exit 1; }
        echo "skipped: $tool cannot be installed here"
        continue
    fi
    mkdir -p "$folder/$tool/project"
    case $tool in
    pipx) PIPX_HOME="$folder/pipx/home" PIPX_BIN_DIR="$folder/pipx/bin" "$tools/bin/pipx" install --quiet --python "$python" "$wheel" ;;
    uv)
        UV_CACHE_DIR="$folder/uv/cache" UV_TOOL_DIR="$folder/uv/home" UV_TOOL_BIN_DIR="$folder/uv/bin" \
            "$tools/bin/uv" tool install --quiet --python "$python" "$wheel"
        ;;
    esac
    (cd "$folder/$tool/project" && PATH="$folder/$tool/bin:/usr/bin:/bin" && reconciler init >/dev/null && reconciler plan >/dev/null && reconciler fmt --check)
    tried+=("$tool")
done
echo "installed in one line with: ${tried[*]:-nothing}"
echo "the wheel is complete and works, without extras and with one: $(basename "$wheel")"
