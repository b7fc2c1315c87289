-- Commands with a key that changed nothing, and so have no event: a repetition is answered by what the stream was at that version. A node
-- removes them after two days; the API promises one.
create table unchanged_commands (
    stream_id uuid not null,
    command_id uuid not null,
    fingerprint text not null,
    version bigint not null,
    at timestamptz not null default clock_timestamp(),
    primary key (stream_id, command_id)
);

create index unchanged_commands_at on unchanged_commands (at);
