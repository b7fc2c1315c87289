-- The key from which digests, checksums and the keys of sessions are derived, encrypted under the operator's master key. So these stay as they are
-- when that one is changed. Made by the first node that starts.
create table root_key (
    one boolean primary key default true check (one),
    sealed bytea not null
);
