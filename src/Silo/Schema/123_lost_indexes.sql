-- A node of the version before that starts after these scripts drops every index of the log that its Marten does not know. Every later start of
-- a node that may migrate makes them anew. To be dropped when no such node can be there any more.
create or replace function restore_log_indexes() returns void language plpgsql as $$
begin
    if to_regclass('mt_events_audit') is null then
        create index mt_events_audit on mt_events (seq_id) where type not like 'resource.%';
    end if;
    if to_regclass('mt_events_access') is null then
        create index mt_events_access on mt_events (seq_id) where type::text = any ('{account.deleted,account.disabled,account.enabled,account.password_changed,account.roles_changed,account.sessions_ended,api_key.revoked,role.changed,role.created,role.deleted,session.authenticated,session.ended}');
    end if;
    if to_regclass('mt_events_accounts') is null then
        create index mt_events_accounts on mt_events (seq_id) where type = 'account.registered';
    end if;
    if to_regclass('mt_events_of_account') is null then
        create index mt_events_of_account on mt_events ((data ->> 'account'), seq_id) where type in ('session.started', 'api_key.created');
    end if;
    if to_regclass('mt_events_commands') is null then
        create index mt_events_commands on mt_events (stream_id, causation_id) where headers ? 'fingerprint';
    end if;
end $$;
