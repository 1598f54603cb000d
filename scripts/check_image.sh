#!/usr/bin/env bash
# Build the image and try the program and every extra in it: check_image.sh.
# Where there is no container runtime, or it cannot get the base image, that is said and counts as skipped.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tag=reconciler-check:$$
base=$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' "$root/Containerfile")

skip() {
    echo "skipped: the image was not built: $1"
    exit 0
}

runtime=
for name in podman docker; do
    if command -v "$name" >/dev/null && timeout 20 "$name" info >/dev/null 2>&1; then
        runtime=$name
        break
    fi
done
[ -n "$runtime" ] || skip "no container runtime answers on this machine (podman or docker)"
timeout 300 "$runtime" pull --quiet "$base" >/dev/null || skip "$runtime cannot get the base image $base"

"$runtime" build --tag "$tag" --file "$root/Containerfile" "$root"
trap '"$runtime" rmi --force "$tag" >/dev/null' EXIT
"$runtime" run --rm "$tag" version
"$runtime" run --rm --entrypoint python "$tag" -c 'import cel_expr_python, dbos, obstore, prometheus_client, psycopg, psycopg_pool, pyrage
import opentelemetry.exporter.otlp.proto.http'
[ "$("$runtime" run --rm --entrypoint id "$tag" -u)" != 0 ]
echo "the image has the program and every extra, and does not run as root"
