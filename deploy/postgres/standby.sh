#!/bin/sh
# Copies the primary on the first start, then follows it through its replication slot.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    until pg_basebackup -d "host=$PRIMARY_HOST port=${PRIMARY_PORT:-5432} user=replicator password=$REPLICATION_PASSWORD" -D "$PGDATA" -R -X stream -S standby; do
        sleep 2
    done
    chmod 700 "$PGDATA"
fi
exec postgres "$@"
