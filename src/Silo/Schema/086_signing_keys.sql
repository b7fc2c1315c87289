-- A key is published before it signs, so that every node and every verifier that caches knows it by then; after the next one signs it only verifies,
-- until no token of it is left. One that leaked is withdrawn at once. Of keys that are over the private part is gone.
alter table signing_keys alter column protected_key drop not null;
alter table signing_keys add column signs_at timestamptz not null default clock_timestamp();
alter table signing_keys add column withdrawn_at timestamptz;
