-- The cluster to which this database belongs. Nodes of another one would remember what these change, and the other way round.
create table database_cluster (
    singleton boolean primary key default true check (singleton),
    cluster_id text not null,
    claimed_at timestamptz not null default now()
);
