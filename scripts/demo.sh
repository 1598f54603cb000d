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
run --env demo plan --out demo.plan
run --env demo apply demo.plan
run --env demo plan --detailed-exitcode | tee "$folder/second-plan.txt"
if ! grep -q '^No changes\.' "$folder/second-plan.txt"; then
    echo "error: the second plan should be empty" >&2
    exit 1
fi
cat <<END

What you saw: a project of YAML files was checked without a network (validate),
an empty account was read and every change to it was shown, with its requests (plan --out),
exactly that saved plan was applied, each object with the id that it got (apply demo.plan),
and the next plan was empty: the account is what the files say (plan --detailed-exitcode).
Your own account is as near: reconciler init --adopt https://youraccount.api-us1.com
END
