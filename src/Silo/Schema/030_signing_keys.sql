-- Keys that sign access tokens, shared by all nodes; the private part is encrypted under the operator's master key.
create table signing_keys (
    kid text primary key,
    protected_key bytea not null,
    created_at timestamptz not null default clock_timestamp()
);
