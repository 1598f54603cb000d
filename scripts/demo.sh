#!/usr/bin/env bash
# The main job on the built-in emulator, in a throw-away copy of examples/agency: demo.sh RECONCILER.
set -euo pipefail
reconciler=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$root/examples/agency/." "$folder"
rm -rf "$folder/state"
cd "$folder"

run() {
    printf '\n$ reconciler %s\n' "$*"
    "$reconciler" "$@" </dev/null
}

run --env demo validate
run --env demo plan
run --env demo apply --auto-approve
run --env demo plan --detailed-exitcode | tee "$folder/second-plan.txt"
if ! grep -q '^No changes\.' "$folder/second-plan.txt"; then
    echo "error: the second plan should be empty" >&2
    exit 1
fi
