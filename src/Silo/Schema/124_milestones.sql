-- The state of a long stream at every so many versions, so that a read of its past folds few events. May be emptied at any time.
create table stream_milestones (
    stream_id uuid not null,
    version bigint not null,
    position bigint not null,
    at timestamptz not null,
    format text not null,
    state jsonb not null,
    primary key (stream_id, version)
);
