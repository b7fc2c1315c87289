#!/usr/bin/env bash
# What a newcomer does with a fresh clone, on a machine whose PostgreSQL is out of sight: starts it, pastes the lines of
# the README, and stops it with Ctrl-C. NewcomerTests runs this as root, in namespaces of its own:
#   newcomer.sh FOLDER USER HOME PORT [among-the-sources]
# FOLDER has the clone, and gets a folder HOME for USER. What is printed says what was seen and how long it took.
set -euo pipefail
folder=$1 user=$2 home=$1/$3 port=$4 how=${5:-}

# The machine's PostgreSQL, wherever it is.
mkdir -p "$folder/nothing"
for place in /usr/lib/postgresql /opt/homebrew/opt /usr/local/opt; do
    [ ! -d "$place" ] || mount --bind "$folder/nothing" "$place"
done
for program in initdb pg_ctl postgres; do
    while found=$(type -P $program); do mount --bind /dev/null "$(readlink -f "$found")"; done
done

# Root's data are below /var/lib, which is the machine's; so are root's packages, which others cannot enter.
mkdir -p "$folder/state" "$folder/packages" "$home/tmp" "$home/.nuget/NuGet"
mount --bind "$folder/state" /var/lib
mount --bind "${NUGET_PACKAGES:-$HOME/.nuget/packages}" "$folder/packages"
# How the machine reaches its registries is no part of the first start.
for setting in .npmrc .nuget/NuGet/NuGet.Config; do
    [ ! -f "$HOME/$setting" ] || cp "$HOME/$setting" "$home/$setting"
done
chown -R "$user" "$home" "$folder/clone"
cd "$folder/clone"

# Settings that build machines have and newcomers do not: without them compilers and build servers stay warm.
as_user() {
    env -u UseSharedCompilation -u MSBUILDDISABLENODEREUSE -u DOTNET_CLI_USE_MSBUILD_SERVER -u XDG_DATA_HOME -u XDG_CACHE_HOME -u DOTNET_CLI_HOME -u ConnectionStrings__Resources HOME="$home" \
        TMPDIR="$home/tmp" NUGET_PACKAGES="$folder/packages" ASPNETCORE_URLS="http://localhost:$port" \
        setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --clear-groups "$@"
}

if [ "$how" = among-the-sources ]; then
    mv "$home/.local/share/resources" src/Api/.data
    trap 'rm -rf src/Api/.data' EXIT
    mkdir -p "$home/.local/share/resources"
    ln -s "$PWD/src/Api/.data/admin-password" "$home/.local/share/resources/admin-password"
fi

# With job control, a job has a process group of its own, as in a terminal.
set -m
: >"$folder/output" # An earlier run was ready too.
began=$(date +%s.%N)
(umask 077 && as_user dotnet run --project src/Api) >"$folder/output" 2>&1 &
node=$!
until grep -q 'Resources is ready' "$folder/output"; do
    kill -0 $node || { cat "$folder/output"; exit 1; }
    sleep 0.1
done

# The stream of the last line has no end.
awk '/^```/ { if (taken) exit; within = 0 } /^PASSWORD=/ { within = taken = 1 } within' README.md |
    sed -e "s,localhost:8080,localhost:$port,; s/curl -sN/timeout 3 curl -sN/" \
        -e "s/Idempotency-Key: first/Idempotency-Key: $began/" -e '/^# Change it/i echo "written: $ID $(date +%s.%N)"' >"$folder/lines.sh"
as_user bash "$folder/lines.sh" | tee "$folder/answers" || true
written=$(awk '/^written: ./ { print $3 }' "$folder/answers")

stopped=$(date +%s.%N)
kill -INT -$node
wait $node || true
cat "$folder/output"
awk -v began="$began" -v written="$written" -v stopped="$stopped" -v ended="$(date +%s.%N)" \
    'BEGIN { printf "write after %.1f s, stop in %.1f s\n", written - began, ended - stopped }'
# Nothing of the node's is left, its PostgreSQL included.
if pgrep -u "$user" -f 'Resources.Api|bin/postgres' || pgrep -f '[p]ostgres -c cluster_name'; then echo "something is left"; fi
