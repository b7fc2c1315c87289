-- concurrently
-- The indexes of the log, beside appends. A start that finds one missing runs this again: nodes of older releases drop indexes that their
-- Marten does not know.
create index concurrently if not exists mt_events_audit on mt_events (seq_id) where type not like 'resource.%';
create index concurrently if not exists mt_events_access on mt_events (seq_id) where type::text = any ('{account.deleted,account.disabled,account.enabled,account.password_changed,account.roles_changed,account.sessions_ended,api_key.revoked,role.changed,role.created,role.deleted,session.authenticated,session.ended}');
create index concurrently if not exists mt_events_accounts on mt_events (seq_id) where type = 'account.registered';
create index concurrently if not exists mt_events_of_account on mt_events ((data ->> 'account'), seq_id) where type in ('session.started', 'api_key.created');
create index concurrently if not exists mt_events_commands on mt_events (stream_id, causation_id) where headers ? 'fingerprint';
