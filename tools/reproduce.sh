#!/usr/bin/env bash
# Builds the last commit twice, in two folders, and compares every assembly of ours byte by byte.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
    git clone --quiet --no-hardlinks . "$work/$1"
    (
        cd "$work/$1"
        dotnet restore src/Api --locked-mode -v q -nologo
        dotnet build src/Api -c Release --no-restore -p:ContinuousIntegrationBuild=true -v q -nologo
        cd src/Api/bin/Release/net10.0
        sha256sum Resources.*.dll Resources.*.pdb
    ) >"$work/$1.sums"
    grep -E '^[0-9a-f]{64} ' "$work/$1.sums" >"$work/$1.hashes"
}

build one
build another

[ "$(wc -l <"$work/one.hashes")" -ge 8 ] || { cat "$work/one.sums"; echo "There are fewer assemblies than expected."; exit 1; }
diff "$work/one.hashes" "$work/another.hashes" || { echo "Two builds of one commit differ."; exit 1; }
echo "Two builds of one commit are the same."
