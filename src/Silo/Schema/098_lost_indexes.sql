-- Builds before this one let Marten drop these at every start after the first. They are made anew where they are missing.
create index if not exists mt_events_access on mt_events (seq_id) where type not like 'resource.%';
create index if not exists mt_events_accounts on mt_events (seq_id) where type = 'account.registered';
create index if not exists mt_events_of_account on mt_events ((data ->> 'account'), seq_id) where type in ('session.started', 'api_key.created');
create index if not exists mt_events_commands on mt_events (stream_id, causation_id) where headers ? 'fingerprint';
