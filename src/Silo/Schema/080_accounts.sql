-- Secrets, and what names a person, encrypted under the operator's master key. Events carry only a secret's id, so that the log can be kept for ever
-- and an account still be forgotten: its secrets are deleted, and what remains says nothing.
create table vault (
    id uuid primary key,
    subject uuid not null,
    sealed bytea not null,
    created_at timestamptz not null default clock_timestamp()
);
create index vault_subject on vault (subject);

-- Which account an e-mail address belongs to. The digest is keyed by the master key: who has only the database cannot try addresses.
create table account_emails (
    digest bytea primary key,
    account uuid not null
);
create index account_emails_account on account_emails (account);

-- Which account a passkey belongs to, by the same kind of digest of its credential's id.
create table account_passkeys (
    digest bytea primary key,
    account uuid not null
);
create index account_passkeys_account on account_passkeys (account);

-- When a key was last used, to a few minutes: too frequent for events.
create table api_key_uses (
    api_key uuid primary key,
    used_at timestamptz not null
);

-- What followers of access, and audits, read of the log.
create index mt_events_access on mt_events (seq_id) where type not like 'resource.%';
create index mt_events_accounts on mt_events (seq_id) where type = 'account.registered';
-- The sessions and keys of an account.
create index mt_events_of_account on mt_events ((data ->> 'account'), seq_id) where type in ('session.started', 'api_key.created');

-- Headers now say of every event by which session it came, and from where; a command that came with an Idempotency-Key is still recognised.
drop index mt_events_commands;
create index mt_events_commands on mt_events (stream_id, causation_id) where headers ? 'fingerprint';

-- Accounts are events now.
drop table if exists mt_doc_account;
