-- Subscriptions: who gets which events of the log, how, and how far they are. An activation that takes one raises its epoch and writes
-- only while it still has that number; whoever changes a setting raises the revision, by which the activation notices.
create table subscriptions (
    id uuid primary key,
    owner uuid not null,
    name text collate "C" not null,
    filter jsonb not null,
    kind text not null check (kind in ('webhook', 'pull')),
    url text,
    -- Encrypted under the operator's master key. The one before the last rotation signs too, until its time is over.
    secret bytea,
    previous_secret bytea,
    previous_until timestamptz,
    state text not null default 'active' check (state in ('active', 'paused', 'disabled')),
    -- Every event that the filter takes, at or below this position, is delivered or belongs to a parked resource.
    position bigint not null,
    epoch bigint not null default 0,
    revision bigint not null default 0,
    last_error text,
    last_error_at timestamptz,
    last_success_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    unique (owner, name)
) with (fillfactor = 50);

-- Resources whose events are held back from start on: position is that of the first one that is not delivered. Without a time of the next attempt they wait for a replay.
create table subscription_parked (
    subscription uuid not null references subscriptions on delete cascade,
    resource uuid not null,
    start bigint not null,
    position bigint not null,
    attempts int not null,
    retry_at timestamptz,
    error text not null,
    since timestamptz not null,
    primary key (subscription, resource)
);

-- Events that a consumer of a pull subscription has, and until when.
create table subscription_leases (
    id uuid primary key,
    subscription uuid not null references subscriptions on delete cascade,
    consumer text not null,
    until timestamptz not null,
    positions bigint[] not null
);
create index subscription_leases_of on subscription_leases (subscription);

-- The latest attempts of each subscription.
create table subscription_attempts (
    subscription uuid not null references subscriptions on delete cascade,
    id bigint generated always as identity,
    at timestamptz not null,
    event uuid not null,
    resource uuid not null,
    position bigint not null,
    attempt int not null,
    outcome text not null,
    status int,
    detail text,
    milliseconds int,
    primary key (subscription, id)
);
