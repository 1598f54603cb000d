#!/bin/sh
# Release what baseline/ holds as a version that clients can include: sh release.sh v2
# The folder becomes a Git repository of its own; a host for it is a remote more.
set -eu
cd "$(dirname "$0")/baseline"
[ -d .git ] || git init --quiet --initial-branch main
git add --all
git -c user.name=agency -c user.email=agency@example.com -c commit.gpgsign=false commit --quiet --message "$1"
git tag "$1"
