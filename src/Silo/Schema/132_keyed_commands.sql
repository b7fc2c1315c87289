-- Commands with a key for whatever resource has a unique value: a repetition is for the resource that the first one was for. A node
-- removes them after two days; the API promises one.
create table keyed_commands (
    command_id uuid primary key,
    resource uuid not null,
    at timestamptz not null default clock_timestamp()
);

create index keyed_commands_at on keyed_commands (at);
