-- The schema as it is after every migration, for readers: tables with their indexes and triggers, views, functions.
-- Generated from a database, so never edit it: UPDATE_SCHEMA=1 dotnet test --project tests/Cluster.Tests --filter-class '*SchemaTextTests'

CREATE TABLE account_emails (
    digest bytea NOT NULL,
    account uuid NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX account_emails_account ON account_emails USING btree (account);

CREATE TABLE account_passkeys (
    digest bytea NOT NULL,
    account uuid NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX account_passkeys_account ON account_passkeys USING btree (account);

CREATE TABLE api_key_uses (
    api_key uuid NOT NULL,
    used_at timestamp with time zone NOT NULL,
    PRIMARY KEY (api_key)
);

CREATE TABLE database_cluster (
    singleton boolean NOT NULL DEFAULT true,
    cluster_id text NOT NULL,
    claimed_at timestamp with time zone NOT NULL DEFAULT now(),
    PRIMARY KEY (singleton),
    CHECK (singleton)
);

CREATE TABLE followers (
    name text NOT NULL,
    generation integer NOT NULL,
    building integer,
    stage text,
    requested_at timestamp with time zone,
    requested_by text,
    rebuilt_at timestamp with time zone,
    rebuild_fault text,
    node text,
    fault_position bigint,
    fault_detail text,
    fault_is_of_event boolean NOT NULL DEFAULT false,
    fault_since timestamp with time zone,
    newest integer NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
);

CREATE TABLE keyed_commands (
    command_id uuid NOT NULL,
    resource uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (command_id)
);
CREATE INDEX keyed_commands_at ON keyed_commands USING btree (at);

CREATE TABLE log_epochs (
    epoch integer NOT NULL,
    lineage uuid,
    system_identifier bigint NOT NULL,
    database oid NOT NULL,
    timeline integer NOT NULL,
    began_after bigint NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (epoch)
);

CREATE TABLE mt_doc_deadletterevent (
    id uuid NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE mt_event_progression (
    name character varying NOT NULL,
    last_seq_id bigint,
    last_updated timestamp with time zone DEFAULT transaction_timestamp(),
    mode character varying DEFAULT 'none'::character varying,
    rebuild_threshold integer DEFAULT 0,
    assigned_node integer DEFAULT 0,
    heartbeat timestamp with time zone,
    agent_status character varying(20),
    pause_reason text,
    running_on_node integer,
    warning_behind_threshold bigint,
    critical_behind_threshold bigint,
    failure_category character varying(50),
    failure_event_sequence bigint,
    failure_event_type character varying(500),
    failure_event_tenant_id character varying(500),
    PRIMARY KEY (name)
);

CREATE TABLE mt_event_projection_floors (
    name character varying NOT NULL,
    tenant_id character varying NOT NULL,
    floor bigint NOT NULL,
    last_updated timestamp with time zone DEFAULT transaction_timestamp(),
    PRIMARY KEY (name, tenant_id)
);

CREATE TABLE mt_events (
    seq_id bigint NOT NULL,
    id uuid NOT NULL,
    stream_id uuid,
    version bigint NOT NULL,
    data jsonb NOT NULL,
    bdata bytea,
    type character varying(500) NOT NULL,
    "timestamp" timestamp with time zone NOT NULL DEFAULT (the time of the migration),
    tenant_id character varying DEFAULT '*DEFAULT*'::character varying,
    mt_dotnet_type character varying,
    correlation_id character varying,
    causation_id character varying,
    headers jsonb,
    user_name character varying,
    is_skipped boolean DEFAULT false,
    is_archived boolean DEFAULT false,
    PRIMARY KEY (seq_id),
    FOREIGN KEY (stream_id) REFERENCES mt_streams(id) ON DELETE CASCADE
);
CREATE INDEX mt_events_access ON mt_events USING btree (seq_id) WHERE ((type)::text = ANY ('{account.deleted,account.disabled,account.enabled,account.password_changed,account.roles_changed,account.sessions_ended,api_key.revoked,role.changed,role.created,role.deleted,session.authenticated,session.ended}'::text[]));
CREATE INDEX mt_events_accounts ON mt_events USING btree (seq_id) WHERE ((type)::text = 'account.registered'::text);
CREATE INDEX mt_events_audit ON mt_events USING btree (seq_id) WHERE ((type)::text !~~ 'resource.%'::text);
CREATE INDEX mt_events_commands ON mt_events USING btree (stream_id, causation_id) WHERE (headers ? 'fingerprint'::text);
CREATE INDEX mt_events_of_account ON mt_events USING btree (((data ->> 'account'::text)), seq_id) WHERE ((type)::text = ANY ((ARRAY['session.started'::character varying, 'api_key.created'::character varying])::text[]));
CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mt_events USING btree (stream_id, version);
CREATE TRIGGER hide_from_version_before BEFORE INSERT ON mt_events FOR EACH ROW WHEN (((new.type)::text ~~ 'subscription.%'::text)) EXECUTE FUNCTION hide_from_version_before();
CREATE TRIGGER mt_events_hold_order BEFORE INSERT ON mt_events FOR EACH STATEMENT EXECUTE FUNCTION hold_log_order();

CREATE TABLE mt_high_water_skips (
    ending_sequence bigint NOT NULL,
    starting_sequence bigint NOT NULL,
    "timestamp" timestamp with time zone DEFAULT transaction_timestamp(),
    PRIMARY KEY (ending_sequence)
);

CREATE TABLE mt_streams (
    id uuid NOT NULL,
    type character varying,
    version bigint,
    "timestamp" timestamp with time zone NOT NULL DEFAULT now(),
    created timestamp with time zone NOT NULL DEFAULT now(),
    tenant_id character varying DEFAULT '*DEFAULT*'::character varying,
    compacted_version bigint NOT NULL DEFAULT 0,
    is_archived boolean DEFAULT false,
    PRIMARY KEY (id)
);

CREATE TABLE orleansmembershiptable (
    deploymentid text NOT NULL,
    address text NOT NULL,
    port integer NOT NULL,
    generation integer NOT NULL,
    siloname text NOT NULL,
    hostname text NOT NULL,
    status integer NOT NULL,
    proxyport integer NOT NULL,
    suspecttimes text,
    starttime timestamp with time zone NOT NULL,
    iamalivetime timestamp with time zone NOT NULL,
    PRIMARY KEY (deploymentid, address, port, generation),
    FOREIGN KEY (deploymentid) REFERENCES orleansmembershipversiontable(deploymentid) ON DELETE CASCADE
);

CREATE TABLE orleansmembershipversiontable (
    deploymentid text NOT NULL,
    version integer NOT NULL DEFAULT 0,
    PRIMARY KEY (deploymentid)
);

CREATE TABLE orleansquery (
    querykey text NOT NULL,
    querytext text NOT NULL,
    PRIMARY KEY (querykey)
);

CREATE TABLE orleansreminderstable (
    serviceid text NOT NULL,
    grainid text NOT NULL,
    remindername text NOT NULL,
    starttime timestamp with time zone NOT NULL,
    period bigint NOT NULL,
    grainhash integer NOT NULL,
    version integer NOT NULL DEFAULT 0,
    PRIMARY KEY (serviceid, grainid, remindername)
);
CREATE INDEX orleansreminderstable_by_hash ON orleansreminderstable USING btree (serviceid, grainhash);

CREATE TABLE orleansstorage (
    grainidhash integer NOT NULL,
    grainidn0 bigint NOT NULL,
    grainidn1 bigint NOT NULL,
    graintypehash integer NOT NULL,
    graintypestring text NOT NULL,
    grainidextensionstring text,
    serviceid text NOT NULL,
    payloadbinary bytea,
    modifiedon timestamp with time zone NOT NULL DEFAULT now(),
    version integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (grainidhash, graintypehash, grainidn0, grainidn1, serviceid, graintypestring, grainidextensionstring)
);

CREATE UNLOGGED TABLE rate_limits (
    bucket text NOT NULL,
    key text NOT NULL,
    start bigint NOT NULL,
    ends bigint NOT NULL,
    granted integer NOT NULL,
    PRIMARY KEY (bucket, key)
);

CREATE TABLE resource_index_1 (
    member integer NOT NULL,
    resource uuid NOT NULL,
    number numeric,
    text text COLLATE "C",
    collated text COLLATE "und-x-icu",
    PRIMARY KEY (member, resource)
);
CREATE INDEX resource_index_1_collated ON resource_index_1 USING btree (member, collated, resource) WHERE (collated IS NOT NULL);
CREATE INDEX resource_index_1_numbers ON resource_index_1 USING btree (member, number, resource) WHERE (number IS NOT NULL);
CREATE INDEX resource_index_1_texts ON resource_index_1 USING btree (member, text, resource) WHERE (text IS NOT NULL);
CREATE INDEX resource_index_1_without ON resource_index_1 USING btree (member, resource) WHERE ((number IS NULL) AND (text IS NULL));

CREATE TABLE resource_index_members_1 (
    member integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    type text COLLATE "C" NOT NULL,
    pointer text COLLATE "C" NOT NULL,
    declared timestamp with time zone NOT NULL,
    is_time boolean NOT NULL,
    path text[] NOT NULL,
    since bigint NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'building'::text,
    place_time timestamp with time zone NOT NULL DEFAULT 'infinity'::timestamp with time zone,
    place_id uuid NOT NULL DEFAULT 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid,
    text_order text COLLATE "C" NOT NULL DEFAULT 'C'::text,
    PRIMARY KEY (member),
    CHECK ((state = ANY (ARRAY['building'::text, 'ready'::text, 'leaving'::text])))
);
CREATE INDEX resource_index_members_1_type ON resource_index_members_1 USING btree (type);

CREATE TABLE resource_references (
    source uuid NOT NULL,
    field integer NOT NULL,
    target uuid NOT NULL,
    PRIMARY KEY (source, field, target)
);
CREATE INDEX resource_references_target ON resource_references USING btree (target, source);

CREATE TABLE resource_statistics_1 (
    scope text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    day date NOT NULL,
    live bigint NOT NULL,
    PRIMARY KEY (scope, type, status, day)
) WITH (fillfactor=50);
CREATE INDEX resource_statistics_1_totals ON resource_statistics_1 USING btree (scope, type, status) WHERE (day = 'infinity'::date);

CREATE TABLE resource_views_1 (
    id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    metadata jsonb NOT NULL,
    owner text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    deleted_at timestamp with time zone,
    words tsvector NOT NULL,
    type_version bigint,
    PRIMARY KEY (id)
);
ALTER TABLE resource_views_1 ALTER COLUMN words SET STATISTICS 400;
CREATE INDEX resource_views_1_created ON resource_views_1 USING btree (created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX resource_views_1_deleted ON resource_views_1 USING btree (created_at DESC, id DESC) WHERE (deleted_at IS NOT NULL);
CREATE INDEX resource_views_1_deleted_owner ON resource_views_1 USING btree (owner, created_at DESC, id DESC) WHERE (deleted_at IS NOT NULL);
CREATE INDEX resource_views_1_metadata ON resource_views_1 USING gin (metadata jsonb_path_ops) WITH (gin_pending_list_limit='128');
CREATE INDEX resource_views_1_name ON resource_views_1 USING btree (name, id) WHERE (deleted_at IS NULL);
CREATE INDEX resource_views_1_owner ON resource_views_1 USING btree (owner, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX resource_views_1_status ON resource_views_1 USING btree (status, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX resource_views_1_type ON resource_views_1 USING btree (type, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX resource_views_1_updated ON resource_views_1 USING btree (updated_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX resource_views_1_words ON resource_views_1 USING gin (words) WITH (gin_pending_list_limit='128');
CREATE TRIGGER words_of_changed_rows AFTER UPDATE ON resource_views_1 REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION keep_resource_words('1');
CREATE TRIGGER words_of_new_rows AFTER INSERT ON resource_views_1 REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION keep_resource_words('1');

CREATE TABLE resource_words_1 (
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (word)
);

CREATE TABLE root_key (
    one boolean NOT NULL DEFAULT true,
    sealed bytea NOT NULL,
    PRIMARY KEY (one),
    CHECK (one)
);

CREATE TABLE schema_scripts (
    name text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now(),
    checksum text,
    PRIMARY KEY (name)
);

CREATE TABLE signing_keys (
    kid text NOT NULL,
    protected_key bytea,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    signs_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    withdrawn_at timestamp with time zone,
    PRIMARY KEY (kid)
);

CREATE TABLE skipped_events (
    "position" bigint NOT NULL,
    follower text NOT NULL,
    reason text NOT NULL,
    skipped_by text NOT NULL,
    skipped_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (follower, "position")
);

CREATE TABLE stream_milestones (
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    "position" bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    format text NOT NULL,
    state jsonb NOT NULL,
    PRIMARY KEY (stream_id, version)
);

CREATE TABLE stream_snapshots (
    stream_id uuid NOT NULL,
    format text NOT NULL,
    version bigint NOT NULL,
    "position" bigint NOT NULL,
    state jsonb NOT NULL,
    PRIMARY KEY (stream_id)
);

CREATE TABLE subscription_attempts (
    subscription uuid NOT NULL,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at timestamp with time zone NOT NULL,
    event uuid NOT NULL,
    resource uuid NOT NULL,
    "position" bigint NOT NULL,
    attempt integer NOT NULL,
    outcome text NOT NULL,
    status integer,
    detail text,
    milliseconds integer,
    PRIMARY KEY (subscription, id),
    FOREIGN KEY (subscription) REFERENCES subscriptions(id) ON DELETE CASCADE
);

CREATE TABLE subscription_leases (
    id uuid NOT NULL,
    subscription uuid NOT NULL,
    consumer text NOT NULL,
    until timestamp with time zone NOT NULL,
    positions bigint[] NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (subscription) REFERENCES subscriptions(id) ON DELETE CASCADE
);
CREATE INDEX subscription_leases_of ON subscription_leases USING btree (subscription);

CREATE TABLE subscription_parked (
    subscription uuid NOT NULL,
    resource uuid NOT NULL,
    start bigint NOT NULL,
    "position" bigint NOT NULL,
    attempts integer NOT NULL,
    retry_at timestamp with time zone,
    error text NOT NULL,
    since timestamp with time zone NOT NULL,
    PRIMARY KEY (subscription, resource),
    FOREIGN KEY (subscription) REFERENCES subscriptions(id) ON DELETE CASCADE
);

CREATE TABLE subscription_secrets (
    id uuid NOT NULL,
    subscription uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (subscription) REFERENCES subscriptions(id) ON DELETE CASCADE
);
CREATE INDEX subscription_secrets_of ON subscription_secrets USING btree (subscription);

CREATE TABLE subscriptions (
    id uuid NOT NULL,
    owner uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    filter jsonb NOT NULL,
    kind text NOT NULL,
    url text,
    secret bytea,
    previous_secret bytea,
    previous_until timestamp with time zone,
    state text NOT NULL DEFAULT 'active'::text,
    "position" bigint NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 0,
    last_error text,
    last_error_at timestamp with time zone,
    last_success_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    delivery jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    followed_state text,
    api_key uuid,
    PRIMARY KEY (id),
    UNIQUE (owner, name),
    CHECK ((state = ANY (ARRAY['creating'::text, 'active'::text, 'paused'::text, 'disabled'::text])))
) WITH (fillfactor=50);
CREATE TRIGGER keep_maker_key BEFORE UPDATE OF state ON subscriptions FOR EACH ROW WHEN (((old.state = 'creating'::text) AND (new.state <> 'creating'::text) AND (new.api_key IS NULL))) EXECUTE FUNCTION keep_maker_key();
CREATE TRIGGER keep_subscription_delivery BEFORE INSERT ON subscriptions FOR EACH ROW EXECUTE FUNCTION keep_subscription_delivery();

CREATE TABLE swept_type_rules (
    type uuid NOT NULL,
    rule integer NOT NULL,
    PRIMARY KEY (type, rule)
);

CREATE TABLE type_changes (
    change uuid NOT NULL,
    type uuid NOT NULL,
    after_time timestamp with time zone,
    after_id uuid,
    checked bigint NOT NULL DEFAULT 0,
    offending bigint NOT NULL DEFAULT 0,
    offenders jsonb NOT NULL DEFAULT '[]'::jsonb,
    migrated bigint NOT NULL DEFAULT 0,
    not_before timestamp with time zone,
    PRIMARY KEY (change)
);

CREATE TABLE unchanged_commands (
    stream_id uuid NOT NULL,
    command_id uuid NOT NULL,
    fingerprint text NOT NULL,
    version bigint NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream_id, command_id)
);
CREATE INDEX unchanged_commands_at ON unchanged_commands USING btree (at);

CREATE TABLE unique_claims (
    scope uuid NOT NULL,
    rule integer NOT NULL,
    value bytea NOT NULL,
    resource uuid NOT NULL,
    PRIMARY KEY (scope, rule, value)
);

CREATE TABLE vault (
    id uuid NOT NULL,
    subject uuid NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id)
);
CREATE INDEX vault_subject ON vault USING btree (subject);

CREATE SEQUENCE mt_events_sequence AS bigint INCREMENT 1 START 1;

CREATE VIEW resource_index AS
    SELECT member, resource, number, text, collated FROM resource_index_1;

CREATE VIEW resource_index_members AS
    SELECT member, type, pointer, declared, is_time, state, text_order FROM resource_index_members_1;

CREATE VIEW resource_statistics AS
    SELECT scope, type, status, day, live FROM resource_statistics_1 WHERE (day <> 'infinity'::date);

CREATE VIEW resource_totals AS
    SELECT scope, type, status, live FROM resource_statistics_1 WHERE (day = 'infinity'::date);

CREATE VIEW resource_views AS
    SELECT id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, words, type_version FROM resource_views_1;

CREATE VIEW resource_views_position AS
    SELECT COALESCE(( SELECT last_seq_id FROM mt_event_progression WHERE ((name)::text = 'resource_views:All'::text)), (0)::bigint) AS "position", 1 AS generation;

CREATE VIEW resource_words AS
    SELECT word FROM resource_words_1;

CREATE VIEW resources AS
    SELECT id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, type_version FROM resource_views;

CREATE OR REPLACE FUNCTION account_roles(account uuid)
 RETURNS TABLE(roles text[])
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
    select array(
        select jsonb_array_elements_text(r.data -> 'roles')
        from (
            select data from mt_events where stream_id = account and type in ('account.registered', 'account.roles_changed') order by version desc limit 1
        ) r
        where coalesce((
            select type from mt_events where stream_id = account and type in ('account.disabled', 'account.enabled', 'account.deleted')
            order by version desc limit 1), 'account.enabled') = 'account.enabled')
$function$;

CREATE OR REPLACE PROCEDURE public.advance_follower(IN shard text, IN from_position bigint, IN to_position bigint)
 LANGUAGE plpgsql
AS $procedure$
begin
    if from_position = 0 then
        insert into mt_event_progression (name, last_seq_id) values (shard, to_position) on conflict (name) do nothing;
        if found then return; end if;
    end if;
    update mt_event_progression set last_seq_id = to_position, last_updated = transaction_timestamp() where name = shard and last_seq_id = from_position;
    if not found then raise exception 'Another node has moved % on.', shard using errcode = 'serialization_failure'; end if;
end $procedure$;

CREATE OR REPLACE FUNCTION api_key_permissions(key uuid, moment timestamp with time zone)
 RETURNS TABLE(permissions text[])
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
    select array(select jsonb_array_elements_text(c.data -> 'permissions'))
    from mt_events c
    where c.stream_id = key and c.version = 1 and c.type = 'api_key.created'
        and coalesce((c.data ->> 'expiresAt')::timestamptz > moment, true)
        and not exists (select from mt_events r where r.stream_id = key and r.type = 'api_key.revoked')
$function$;

CREATE OR REPLACE FUNCTION append_events(stream_ids uuid[], expected_versions bigint[], event_counts integer[], command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[], event_streams integer[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[])
 RETURNS TABLE(ordinal bigint, appended boolean, version bigint, positions bigint[], appended_at timestamp with time zone)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET lock_timeout TO '2s'
AS $function$
#variable_conflict use_column
declare
    declared text;
begin
    perform pg_advisory_xact_lock(7238163);
    select min(name) into declared
    from (
        select distinct case when e.event_type = 'resource.created' then e.body ->> 'type'
            else (select f.data ->> 'type' from mt_events f where f.stream_id = stream_ids[e.stream] and f.version = 1) end as name
        from unnest(event_streams, event_types, bodies) e(stream, event_type, body)
        where is_of_resource(e.event_type)
    ) named
    where is_declared(name);
    -- Those nodes send each append of a refused call again by itself, and answer the one that is refused with LG as if the database were away.
    if declared is not null then
        raise exception 'The type % is declared. Only nodes that know its rules may write its resources.', declared
            using errcode = case cardinality(stream_ids) when 1 then 'LG003' else '0A000' end;
    end if;

    return query
    select a.ordinal, a.outcome = 0, case when a.outcome = 0 then expected_versions[a.ordinal] + event_counts[a.ordinal] else a.detail end, a.positions, a.appended_at
    from append_events(
        stream_ids, expected_versions, event_counts, command_ids, actors, correlation_ids, command_headers, event_streams, event_ids, event_types, clr_types, bodies,
        array_fill(0, array[cardinality(stream_ids)]), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}') a
    order by a.ordinal;
end
$function$;

CREATE OR REPLACE FUNCTION append_events(stream_ids uuid[], expected_versions bigint[], event_counts integer[], command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[], event_streams integer[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[], append_fences integer[], fence_ids uuid[], fence_positions bigint[], claim_appends integer[], claim_scopes uuid[], claim_rules integer[], claim_values bytea[], claim_takes boolean[], reference_appends integer[], reference_fields integer[], reference_targets uuid[], reference_types text[], reference_takes boolean[], unreferenced integer[])
 RETURNS TABLE(ordinal bigint, outcome smallint, detail bigint, positions bigint[], appended_at timestamp with time zone)
 LANGUAGE plpgsql
AS $function$
begin
    return query
    select a.*
    from append_events(
        stream_ids, expected_versions, event_counts, command_ids, actors, correlation_ids, command_headers, event_streams, event_ids, event_types, clr_types, bodies,
        append_fences, fence_ids, fence_positions, claim_appends, claim_scopes, claim_rules, claim_values, claim_takes,
        reference_appends, reference_fields, reference_targets, reference_types, reference_takes, unreferenced, '{}', '{}') a;
end
$function$;

CREATE OR REPLACE FUNCTION append_events(stream_ids uuid[], expected_versions bigint[], event_counts integer[], command_ids text[], actors text[], correlation_ids text[], command_headers jsonb[], event_streams integer[], event_ids uuid[], event_types text[], clr_types text[], bodies jsonb[], append_fences integer[], fence_ids uuid[], fence_positions bigint[], claim_appends integer[], claim_scopes uuid[], claim_rules integer[], claim_values bytea[], claim_takes boolean[], reference_appends integer[], reference_fields integer[], reference_targets uuid[], reference_types text[], reference_takes boolean[], unreferenced integer[], append_units integer[], unit_ends timestamp with time zone[])
 RETURNS TABLE(ordinal bigint, outcome smallint, detail bigint, positions bigint[], appended_at timestamp with time zone)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET lock_timeout TO '2s'
AS $function$
#variable_conflict use_column
declare
    moment timestamptz;
    currents bigint[];
    outcomes smallint[];
    details bigint[];
    times timestamptz[];
    drawn bigint[];
    last_position bigint;
    deleted uuid[];
    failed record;
begin
    perform pg_advisory_xact_lock(7238163);
    if server_timeline() is distinct from (select timeline from log_epochs order by epoch desc limit 1) then
        raise exception 'The server is on a new time line, on which no epoch of the log has begun.' using errcode = 'LG001';
    end if;
    -- A crash of the server must not lose what was acknowledged.
    if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
    select head into last_position from log_head();
    if pg_sequence_last_value('mt_events_sequence') < last_position then
        raise exception 'The sequence of positions was set back behind %.', last_position using errcode = 'LG002';
    end if;
    moment := clock_timestamp();

    select array_agg(coalesce(s.version, 0) order by a.ordinal),
        array_agg(case when coalesce(s.version, 0) = a.expected and s.is_archived is not true then 0 else 1 end::smallint order by a.ordinal),
        array_agg(greatest(moment, s.timestamp) order by a.ordinal)
    into currents, outcomes, times
    from unnest(stream_ids, expected_versions) with ordinality a(stream_id, expected, ordinal)
    left join lateral (select version, timestamp, is_archived from mt_streams where id = a.stream_id limit 1) s on true;
    details := currents;
    if cardinality(append_units) > 0 then
        for i in 1 .. cardinality(append_units) loop
            if append_units[i] > 0 and outcomes[i] = 0 and unit_ends[append_units[i]] <= moment then
                outcomes[i] := 1;
            end if;
        end loop;
    end if;

    -- Guards come after the versions: an append that is in the log already does not stand in its own way.
    if cardinality(fence_ids) > 0 then
        for failed in
            select f.n as fence, coalesce(head.position, 0) as position from unnest(fence_ids, fence_positions) with ordinality f(id, position, n)
            left join lateral (select e.seq_id as position from mt_events e where e.stream_id = f.id order by e.version desc limit 1) head on true
            where coalesce(head.position, 0) <> f.position
        loop
            for i in 1 .. cardinality(append_fences) loop
                if append_fences[i] = failed.fence and outcomes[i] = 0 then
                    outcomes[i] := 2;
                    details[i] := failed.position;
                end if;
            end loop;
        end loop;
    end if;
    if cardinality(claim_appends) > 0 then
        for failed in
            select c.append, min(c.n) as n
            from unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) with ordinality c(append, scope, rule, value, takes, n)
            cross join lateral (select resource from unique_claims where scope = c.scope and rule = c.rule and value = c.value limit 1) held
            where c.takes and outcomes[c.append] = 0 and held.resource <> stream_ids[c.append]
            group by c.append
        loop
            outcomes[failed.append] := 3;
            details[failed.append] := failed.n;
        end loop;
    end if;
    if cardinality(reference_appends) > 0 then
        for failed in
            select r.append, min(r.n) as n
            from unnest(reference_appends, reference_targets, reference_types, reference_takes) with ordinality r(append, target, type, takes, n)
            left join lateral (
                select e.data ->> 'type' as type from mt_events e where e.stream_id = r.target and e.version = 1 and e.type = 'resource.created' limit 1
            ) first on true
            left join lateral (select e.type from mt_events e where e.stream_id = r.target order by e.version desc limit 1) last on true
            where r.takes and outcomes[r.append] = 0 and r.target <> stream_ids[r.append]
                and (first.type is distinct from r.type or last.type = 'resource.deleted')
            group by r.append
        loop
            outcomes[failed.append] := 4;
            details[failed.append] := failed.n;
        end loop;
    end if;
    if cardinality(unreferenced) > 0 then
        for failed in
            select u.append from unnest(unreferenced) u(append)
            where outcomes[u.append] = 0 and coalesce(append_units[u.append], 0) = 0
                and exists (select from resource_references where target = stream_ids[u.append] and source <> stream_ids[u.append])
        loop
            outcomes[failed.append] := 5;
        end loop;
    end if;
    if cardinality(append_units) > 0 then
        for failed in
            select c.append, c.n
            from (
                select append, n, row_number() over (partition by scope, rule, value order by n) as nth
                from unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) with ordinality c(append, scope, rule, value, takes, n)
                where takes and append_units[append] > 0
            ) c
            where c.nth > 1 and outcomes[c.append] = 0
        loop
            outcomes[failed.append] := 3;
            details[failed.append] := failed.n;
        end loop;
        select array_agg(stream_ids[e.stream]) into deleted
        from unnest(event_streams, event_types) e(stream, type) where e.type = 'resource.deleted' and append_units[e.stream] > 0;
        for failed in
            select r.append, min(r.n) as n
            from unnest(reference_appends, reference_targets, reference_takes) with ordinality r(append, target, takes, n)
            where r.takes and append_units[r.append] > 0 and outcomes[r.append] = 0 and r.target = any (deleted)
            group by r.append
        loop
            outcomes[failed.append] := 4;
            details[failed.append] := failed.n;
        end loop;
        -- Counted, not joined: a unit may have a thousand members, and these joins would be nested loops.
        for failed in
            select max(append) as append
            from (
                select u.append, append_units[u.append] as unit, stream_ids[u.append] as target,
                    (select count(*) from resource_references where target = stream_ids[u.append] and source <> stream_ids[u.append]) as referring
                from unnest(unreferenced) u(append) where append_units[u.append] > 0 and outcomes[u.append] = 0
                union all
                select null, append_units[e.append], e.target, -1
                from (
                    select distinct append, field, target
                    from unnest(reference_appends, reference_fields, reference_targets, reference_takes) r(append, field, target, takes)
                    where not takes and append_units[append] > 0 and target <> stream_ids[append]
                ) e
                where exists (select from resource_references made where made.source = stream_ids[e.append] and made.field = e.field and made.target = e.target)
            ) counted
            group by unit, target
            having max(append) is not null and sum(referring) > 0
        loop
            outcomes[failed.append] := 5;
        end loop;
        for failed in
            select unit, min(n) as n from unnest(append_units, outcomes) with ordinality u(unit, outcome, n) where unit > 0 and outcome > 0 group by unit
        loop
            for i in 1 .. cardinality(append_units) loop
                if append_units[i] = failed.unit and outcomes[i] = 0 then
                    outcomes[i] := 6;
                    details[i] := failed.n;
                end if;
            end loop;
        end loop;
    end if;

    insert into mt_streams (id, version, timestamp, created)
    select stream_id, event_count, at, at
    from unnest(stream_ids, event_counts, currents, outcomes, times) a(stream_id, event_count, current, outcome, at)
    where outcome = 0 and current = 0;

    update mt_streams s set version = a.current + a.event_count, timestamp = a.at
    from unnest(stream_ids, event_counts, currents, outcomes, times) a(stream_id, event_count, current, outcome, at)
    where s.id = a.stream_id and a.outcome = 0 and a.current > 0;

    if cardinality(claim_appends) > 0 then
        delete from unique_claims held using unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) c(append, scope, rule, value, takes)
        where not c.takes and outcomes[c.append] = 0
            and held.scope = c.scope and held.rule = c.rule and held.value = c.value and held.resource = stream_ids[c.append];
        -- Two that take one value in one call violate the key.
        insert into unique_claims (scope, rule, value, resource)
        select c.scope, c.rule, c.value, stream_ids[c.append]
        from unnest(claim_appends, claim_scopes, claim_rules, claim_values, claim_takes) c(append, scope, rule, value, takes)
        where c.takes and outcomes[c.append] = 0
            and not exists (select from unique_claims held where held.scope = c.scope and held.rule = c.rule and held.value = c.value);
    end if;
    if cardinality(reference_appends) > 0 then
        delete from resource_references made using unnest(reference_appends, reference_fields, reference_targets, reference_takes) r(append, field, target, takes)
        where not r.takes and outcomes[r.append] = 0 and made.source = stream_ids[r.append] and made.field = r.field and made.target = r.target;
        insert into resource_references (source, field, target)
        select stream_ids[r.append], r.field, r.target
        from unnest(reference_appends, reference_fields, reference_targets, reference_takes) r(append, field, target, takes)
        where r.takes and outcomes[r.append] = 0
        on conflict do nothing;
    end if;

    with written as (
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name)
        select nextval('mt_events_sequence'), event_id, stream_ids[stream], expected_versions[stream] + nth, body, event_type, times[stream], clr_type,
            correlation_ids[stream], command_ids[stream], command_headers[stream], actors[stream]
        from (
            select e.*, row_number() over (partition by e.stream order by e.ordinal) as nth
            from unnest(event_streams, event_ids, event_types, clr_types, bodies) with ordinality
                e(stream, event_id, event_type, clr_type, body, ordinal)
            where outcomes[e.stream] = 0
            order by e.ordinal
        ) numbered
        returning seq_id
    )
    select array_agg(seq_id order by seq_id) into drawn from written;
    -- As with blocks of numbers by session.
    if drawn[1] <= last_position then
        raise exception 'The position % was drawn behind %.', drawn[1], last_position using errcode = 'LG002';
    end if;
    -- A commit that writes nothing waits for no standby, though what it says was written before may not be there yet.
    if drawn is null then
        if exists (select from mt_events e where e.stream_id = any (stream_ids) and e.id = any (event_ids)) then
            perform pg_logical_emit_message(true, 'resources', 'repeated');
        end if;
    end if;

    return query
    select a.ordinal, case when earlier.positions is null then a.outcome else 0 end::smallint, a.detail,
        case when a.outcome = 0 then drawn[(a.before_accepted + 1)::int : (a.before_accepted + a.event_count)::int] else earlier.positions end,
        case when a.outcome = 0 then a.at else earlier.at end
    from (
        select u.*,
            sum(u.event_count) over w - u.event_count as before,
            sum(case when u.outcome = 0 then u.event_count else 0 end) over w - case when u.outcome = 0 then u.event_count else 0 end as before_accepted
        from unnest(stream_ids, expected_versions, event_counts, outcomes, details, times) with ordinality
            u(stream_id, expected, event_count, outcome, detail, at, ordinal)
        window w as (order by u.ordinal)
    ) a
    left join lateral (
        select array_agg(seq_id order by version) as positions, min(timestamp) as at
        from mt_events
        where a.outcome = 1 and stream_id = a.stream_id and version between a.expected + 1 and a.expected + a.event_count
        having bool_or(id = event_ids[(a.before + 1)::int])
    ) earlier on true
    order by a.ordinal;
end
$function$;

CREATE OR REPLACE FUNCTION begin_log_epoch()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    place record;
    last_position bigint;
    moved_to bigint;
    log_stream constant uuid := '00000000-0000-8000-8000-00006c6f6700';
    stream_version bigint;
begin
    perform pg_advisory_xact_lock(7238163);
    select * into place from log_place();
    if place.is_elsewhere is false and place.timeline <= place.known_timeline then return place.epoch; end if;

    select head into last_position from log_head();
    select setval('mt_events_sequence', greatest(last_position, last_value) + 10000000) into moved_to from mt_events_sequence;
    insert into log_epochs (epoch, lineage, system_identifier, database, timeline, began_after)
    select place.epoch + 1, case when place.is_elsewhere then gen_random_uuid() else place.lineage end, system_identifier,
        (select oid from pg_database where datname = current_database()), place.timeline, last_position
    from pg_control_system();

    -- The event says what may be lost, in the place from which on nothing is.
    insert into mt_streams (id, version, timestamp, created) values (log_stream, 1, clock_timestamp(), clock_timestamp())
    on conflict (id) do update set version = mt_streams.version + 1, timestamp = clock_timestamp() returning version into stream_version;
    insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, user_name)
    values (nextval('mt_events_sequence'), gen_random_uuid(), log_stream, stream_version,
        jsonb_build_object('epoch', place.epoch + 1, 'lastPosition', last_position)
            || case when place.is_elsewhere then '{}' else jsonb_build_object('from', place.known_timeline, 'to', place.timeline) end,
        case when place.is_elsewhere then 'log.restored' else 'log.timeline_changed' end, clock_timestamp(),
        'Resources.Grains.' || case when place.is_elsewhere then 'LogRestored' else 'LogTimelineChanged' end || ', Resources.Grains', 'system');
    return place.epoch + 1;
end $function$;

CREATE OR REPLACE FUNCTION changes_access(event_type text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (event_type = ANY ('{account.deleted,account.disabled,account.enabled,account.password_changed,account.roles_changed,account.sessions_ended,api_key.revoked,role.changed,role.created,role.deleted,session.authenticated,session.ended}'::text[]));

CREATE OR REPLACE FUNCTION create_resource_collation(generation integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    execute format('
        alter table resource_index_members_%1$s add column if not exists text_order text collate "C" not null default ''C'';
        alter table resource_index_%1$s add column if not exists collated text collate %2$I;
        create index if not exists resource_index_%1$s_collated on resource_index_%1$s (member, collated, resource) where collated is not null',
        generation, coalesce((select collname from pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace), 'C'));
end $function$;

CREATE OR REPLACE FUNCTION create_resource_index(generation integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    execute format('
        create table if not exists resource_index_members_%1$s (
            member int generated always as identity primary key,
            type text collate "C" not null,
            pointer text collate "C" not null,
            -- When the type was declared, and whether the texts of the member are times.
            declared timestamptz not null,
            is_time boolean not null,
            path text[] not null,
            -- Behind this position of the log, resources of the type are written as such.
            since bigint not null,
            state text collate "C" not null default ''building'' check (state in (''building'', ''ready'', ''leaving'')),
            place_time timestamptz not null default ''infinity'',
            place_id uuid not null default ''ffffffff-ffff-ffff-ffff-ffffffffffff''
        );
        create index if not exists resource_index_members_%1$s_type on resource_index_members_%1$s (type);
        -- A number, a text, or neither where the resource lacks the member.
        create table if not exists resource_index_%1$s (
            member int, resource uuid, number numeric, text text collate "C", primary key (member, resource)
        );
        create index if not exists resource_index_%1$s_numbers on resource_index_%1$s (member, number, resource) where number is not null;
        create index if not exists resource_index_%1$s_texts on resource_index_%1$s (member, text, resource) where text is not null;
        create index if not exists resource_index_%1$s_without on resource_index_%1$s (member, resource) where number is null and text is null', generation);
end $function$;

CREATE OR REPLACE FUNCTION create_resource_view_tables(generation integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    execute format('
        create table if not exists resource_views_%1$s (
            id uuid primary key,
            type text collate "C" not null,
            name text collate "C" not null,
            status text collate "C" not null,
            metadata jsonb not null,
            owner text collate "C" not null,
            version bigint not null,
            created_at timestamptz not null,
            created_by text collate "C" not null,
            updated_at timestamptz not null,
            updated_by text collate "C" not null,
            deleted_at timestamptz,
            -- Words of the metadata, and of the name with weight A.
            words tsvector not null
        );
        -- Live resources by what lists show, and by whom: scope is an owner, or * for all; day is that of creation, or infinity for all.
        create table if not exists resource_statistics_%1$s (
            scope text collate "C",
            type text collate "C",
            status text collate "C",
            day date,
            live bigint not null,
            primary key (scope, type, status, day)
        ) with (fillfactor = 50);
        create index if not exists resource_statistics_%1$s_totals on resource_statistics_%1$s (scope, type, status) where day = ''infinity''', generation);
end $function$;

CREATE OR REPLACE FUNCTION create_resource_views(generation integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    perform create_resource_view_tables(generation);
    execute format('alter table resource_views_%s add column if not exists type_version bigint', generation);
    perform create_resource_words(generation);
    perform create_resource_index(generation);
    perform create_resource_collation(generation);
end $function$;

CREATE OR REPLACE FUNCTION create_resource_words(generation integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    execute format('
        create table if not exists resource_words_%1$s (word text collate "C" primary key);
        create or replace trigger words_of_new_rows after insert on resource_views_%1$s
            referencing new table as written for each statement execute function keep_resource_words(%1$s);
        create or replace trigger words_of_changed_rows after update on resource_views_%1$s
            referencing new table as written for each statement execute function keep_resource_words(%1$s);
        -- How common a word is decides the plan; by default PostgreSQL keeps that of a thousand words.
        alter table resource_views_%1$s alter column words set statistics 400', generation);
end $function$;

CREATE OR REPLACE FUNCTION drop_other_resource_view_tables(generation integer, building integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    leftover text;
begin
    for leftover in
        select relname from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_(views|statistics)_[0-9]+$'
            and substring(relname from '[0-9]+$')::int not in (generation, coalesce(building, generation))
    loop
        execute format('drop table %I', leftover);
    end loop;
    delete from mt_event_progression
    where name like 'resource\_views:%' and name not in (follower_shard('resource_views', generation), follower_shard('resource_views', coalesce(building, generation)));
end $function$;

CREATE OR REPLACE FUNCTION drop_other_resource_views(generation integer, building integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    leftover text;
begin
    perform drop_other_resource_view_tables(generation, building);
    for leftover in
        select relname from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^resource_(words|index|index_members)_[0-9]+$'
            and substring(relname from '[0-9]+$')::int not in (generation, coalesce(building, generation))
    loop
        execute format('drop table %I', leftover);
    end loop;
end $function$;

CREATE OR REPLACE FUNCTION enter_type_rules(of_scope uuid, proposed_at bigint, streams uuid[], versions bigint[], claim_rows integer[], claim_rules integer[], claim_values bytea[], reference_rows integer[], reference_fields integer[], reference_targets uuid[], reference_types text[])
 RETURNS TABLE(claim bigint, reference bigint)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET lock_timeout TO '2s'
AS $function$
#variable_conflict use_column
declare
    current boolean[];
begin
    perform pg_advisory_xact_lock(7238163);
    if proposed_at is distinct from (select e.seq_id from mt_events e where e.stream_id = of_scope order by e.version desc limit 1) then
        return query select null::bigint, null::bigint;
        return;
    end if;
    select array_agg(coalesce(s.version = r.version, false) order by r.n) into current
    from unnest(streams, versions) with ordinality r(stream, version, n)
    left join lateral (select version from mt_streams where id = r.stream limit 1) s on true;

    insert into unique_claims (scope, rule, value, resource)
    select of_scope, c.rule, c.value, streams[c.at] from unnest(claim_rows, claim_rules, claim_values) with ordinality c(at, rule, value, n)
    where current[c.at] order by c.n on conflict do nothing;
    insert into resource_references (source, field, target)
    select streams[r.at], r.field, r.target from unnest(reference_rows, reference_fields, reference_targets, reference_types) r(at, field, target, type)
    where current[r.at] and (
        r.target = streams[r.at]
        or exists (select from mt_events e where e.stream_id = r.target and e.version = 1 and e.type = 'resource.created' and e.data ->> 'type' = r.type)
            and (select e.type from mt_events e where e.stream_id = r.target order by e.version desc limit 1) <> 'resource.deleted'
    ) on conflict do nothing;

    return query
        select c.n, null::bigint from unnest(claim_rows, claim_rules, claim_values) with ordinality c(at, rule, value, n)
        where current[c.at] and (select resource from unique_claims where scope = of_scope and rule = c.rule and value = c.value) <> streams[c.at]
        union all
        select null, r.n from unnest(reference_rows, reference_fields, reference_targets) with ordinality r(at, field, target, n)
        where current[r.at] and not exists (select from resource_references where source = streams[r.at] and field = r.field and target = r.target);
end $function$;

CREATE OR REPLACE FUNCTION follower_lock(follower text)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$ select case when follower = 'resource_views' then 0 else hashtext(follower)::bigint << 32 end | 7238164 $function$;

CREATE OR REPLACE FUNCTION follower_shard(follower text, generation integer)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$ select follower || case when generation > 1 then ':V' || generation else '' end || ':All' $function$;

CREATE OR REPLACE FUNCTION has_collation(asked text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    select exists (
        select from pg_attribute a join pg_collation c on c.oid = a.attcollation
        where a.attrelid = to_regclass('resource_index') and a.attname = 'collated' and c.collname = asked)
$function$;

CREATE OR REPLACE FUNCTION hide_from_version_before()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.is_skipped := true;
    return new;
end $function$;

CREATE OR REPLACE FUNCTION hold_log_order()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    perform pg_advisory_xact_lock(7238163);
    return null;
end $function$;

CREATE OR REPLACE FUNCTION index_resource_views(generation integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    -- A node that died here may have left a session that still builds; it ends when it notices.
    perform pg_advisory_xact_lock(7238165);
    execute format('
        create index if not exists resource_views_%1$s_created on resource_views_%1$s (created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_updated on resource_views_%1$s (updated_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_status on resource_views_%1$s (status, created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_type on resource_views_%1$s (type, created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_owner on resource_views_%1$s (owner, created_at desc, id desc) where deleted_at is null;
        create index if not exists resource_views_%1$s_name on resource_views_%1$s (name, id) where deleted_at is null;
        create index if not exists resource_views_%1$s_deleted_owner on resource_views_%1$s (owner, created_at desc, id desc) where deleted_at is not null;
        create index if not exists resource_views_%1$s_deleted on resource_views_%1$s (created_at desc, id desc) where deleted_at is not null;
        create index if not exists resource_views_%1$s_metadata on resource_views_%1$s using gin (metadata jsonb_path_ops) with (gin_pending_list_limit = 128);
        create index if not exists resource_views_%1$s_words on resource_views_%1$s using gin (words) with (gin_pending_list_limit = 128);
        analyze resource_views_%1$s', generation);
end $function$;

CREATE OR REPLACE FUNCTION indexed_number(value jsonb)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select case jsonb_typeof(value) when 'number' then value::numeric end $function$;

CREATE OR REPLACE FUNCTION indexed_text(value jsonb, is_time boolean)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
    select case jsonb_typeof(value)
        when 'string' then case when is_time then indexed_time(value #>> '{}') else left(value #>> '{}', 256) end
        when 'boolean' then value #>> '{}'
    end
$function$;

CREATE OR REPLACE FUNCTION indexed_time(value text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
    return to_char(value::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
exception when data_exception then
    return left(value, 256);
end $function$;

CREATE OR REPLACE FUNCTION is_declared(name text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
AS $function$
declare
    definition uuid := type_stream(name);
    last text;
begin
    select e.type into last from mt_events e where e.stream_id = definition order by e.version desc limit 1;
    if last = 'type.change_abandoned' then
        select e.type into last from mt_events e where e.stream_id = definition and e.type in ('type.changed', 'type.deleted') order by e.version desc limit 1;
    end if;
    return last is not null and last <> 'type.deleted';
end $function$;

CREATE OR REPLACE FUNCTION is_of_resource(event_type text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (event_type ~~ 'resource.%'::text);

CREATE OR REPLACE FUNCTION is_seen(resource_type text, owner text, account text, types text[], own boolean, own_types text[])
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((account IS NULL) OR (resource_type = ANY (types)) OR ((owner = account) AND (own OR (resource_type = ANY (own_types)))));

CREATE OR REPLACE FUNCTION keep_maker_key()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    new.api_key := maker_key(new.id);
    return new;
end
$function$;

CREATE OR REPLACE FUNCTION keep_resource_words()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    execute format('insert into resource_words_%s select distinct unnest(tsvector_to_array(words)) collate "C" from written order by 1 on conflict do nothing', tg_argv[0]);
    return null;
end $function$;

CREATE OR REPLACE FUNCTION keep_subscription_delivery()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
    if new.delivery is null then
        new.delivery := jsonb_strip_nulls(jsonb_build_object('kind', new.kind, 'url', new.url));
    end if;
    new.kind := new.delivery ->> 'kind';
    new.url := new.delivery ->> 'url';
    return new;
end $function$;

CREATE OR REPLACE FUNCTION log_head()
 RETURNS TABLE(head bigint)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select coalesce((select seq_id from mt_events order by seq_id desc limit 1), 0) $function$;

CREATE OR REPLACE FUNCTION log_place(OUT epoch integer, OUT lineage uuid, OUT is_standby boolean, OUT is_elsewhere boolean, OUT known_timeline integer, OUT timeline integer, OUT cache bigint)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
begin
    is_standby := pg_is_in_recovery();
    if not is_standby then timeline := server_timeline(); end if;
    select e.epoch, e.lineage, e.timeline, e.system_identifier <> s.system_identifier or e.database <> d.oid into epoch, lineage, known_timeline, is_elsewhere
    from log_epochs e, pg_control_system() s, pg_database d where d.datname = current_database() order by e.epoch desc limit 1;
    select seqcache into cache from pg_sequence where seqrelid = 'mt_events_sequence'::regclass;
end $function$;

CREATE OR REPLACE FUNCTION maker_key(subscription uuid)
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$
    select k.stream_id
    from mt_events c join mt_events k on k.stream_id = (c.headers ->> 'session')::uuid and k.version = 1 and k.type = 'api_key.created'
    where c.stream_id = subscription and c.version = 1 and c.type = 'subscription.created'
$function$;

CREATE OR REPLACE FUNCTION publish_resource_view_tables(generation integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
    execute format('
        create or replace view resource_views_position as
            select coalesce((select last_seq_id from mt_event_progression where name = %2$L), 0) as position, %1$s as generation;
        create or replace view resource_views as
            select id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, words, type_version from resource_views_%1$s;
        create or replace view resource_statistics as select scope, type, status, day, live from resource_statistics_%1$s where day <> ''infinity'';
        create or replace view resource_totals as select scope, type, status, live from resource_statistics_%1$s where day = ''infinity''',
        generation, follower_shard('resource_views', generation));
end $function$;

CREATE OR REPLACE FUNCTION publish_resource_views(generation integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
    if (select count(distinct attcollation) from pg_attribute
        where attrelid in (to_regclass('resource_index'), to_regclass(format('resource_index_%s', generation))) and attname = 'collated') > 1 then
        execute 'drop view resource_index';
    end if;
    execute format('
        create or replace view resource_words as select word from resource_words_%1$s;
        create or replace view resource_index_members as select member, type, pointer, declared, is_time, state, text_order from resource_index_members_%1$s;
        create or replace view resource_index as select member, resource, number, text, collated from resource_index_%1$s', generation);
    perform publish_resource_view_tables(generation);
end $function$;

CREATE OR REPLACE FUNCTION read_access(after bigint, most integer)
 RETURNS TABLE(seq_id bigint, stream_id uuid, version bigint, at timestamp with time zone, type text, data text)
 LANGUAGE plpgsql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
AS $function$
#variable_conflict use_column
begin
    return query
        select e.seq_id, e.stream_id, e.version, e.timestamp, e.type::text, e.data::text
        from mt_events e where changes_access(e.type) and e.seq_id > after order by e.seq_id limit most;
end $function$;

CREATE OR REPLACE FUNCTION read_followed(follower text, beginning text, after bigint, upto bigint, scanned integer, most integer, bytes integer)
 RETURNS TABLE(seq_id bigint, id uuid, stream_id uuid, version bigint, type text, at timestamp with time zone, actor text, data text)
 LANGUAGE plpgsql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_sort TO 'off'
AS $function$
#variable_conflict use_column
declare
    reach bigint;
    found_bytes int := 0;
    found_events int := 0;
    stored jsonb;
begin
    select case when count(*) < scanned then upto else max(s.seq_id) end into reach
    from (select e.seq_id from mt_events e where e.seq_id > after and e.seq_id <= upto order by e.seq_id limit scanned) s;
    for seq_id, id, stream_id, version, type, at, actor, stored in
        select e.seq_id, e.id, e.stream_id, e.version, e.type::text, e.timestamp, e.user_name::text, e.data from mt_events e
        where e.seq_id > after and e.seq_id <= reach and starts_with(e.type, beginning)
            and not exists (select from skipped_events s where s.follower = read_followed.follower and s.position = e.seq_id)
        order by e.seq_id limit most
    loop
        data := stored::text;
        return next;
        found_events := found_events + 1;
        found_bytes := found_bytes + octet_length(data);
        if found_events = most or found_bytes > bytes then return; end if;
    end loop;
    return query select reach, null::uuid, null::uuid, null::bigint, null::text, null::timestamptz, null::text, null::text;
end $function$;

CREATE OR REPLACE FUNCTION read_log(after bigint, scanned integer, most integer, of_resource uuid, of_events text[], of_type text, of_owner text, account text, types text[], own boolean, own_types text[])
 RETURNS TABLE(reached bigint, seq_id bigint, id uuid, type text, stream_id uuid, version bigint, at timestamp with time zone, actor text, correlation_id text, data text, resource_type text, owner text)
 LANGUAGE plpgsql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_sort TO 'off'
AS $function$
#variable_conflict use_column
declare
    reach bigint;
    behind bigint;
begin
    if of_resource is null then
        select max(s.seq_id) into reach from (select e.seq_id from mt_events e where e.seq_id > after order by e.seq_id limit scanned) s;
        return query
            select reach, e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data::text, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.seq_id > after and e.seq_id <= reach and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.seq_id limit most;
    else
        select e.seq_id into reach from mt_events e order by e.seq_id desc limit 1;
        -- Mostly the position is that of one of its events: then its index leads on from there.
        select e.version into behind from mt_events e where e.seq_id = after and e.stream_id = of_resource;
        return query
            select reach, e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data::text, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.stream_id = of_resource and e.version > coalesce(behind, 0) and e.seq_id > after and e.seq_id <= reach and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.version limit most;
    end if;
    if not found then return query select reach, null::bigint, null::uuid, null::text, null::uuid, null::bigint, null::timestamptz, null::text, null::text, null::text, null::text, null::text; end if;
end $function$;

CREATE OR REPLACE FUNCTION read_log_page(after bigint, scanned integer, most integer, bytes bigint, of_resource uuid, of_events text[], of_type text, of_owner text, account text, types text[], own boolean, own_types text[])
 RETURNS TABLE(reached bigint, seq_id bigint, id uuid, type text, stream_id uuid, version bigint, at timestamp with time zone, actor text, correlation_id text, data text, resource_type text, owner text)
 LANGUAGE plpgsql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_sort TO 'off'
AS $function$
#variable_conflict use_column
declare
    behind bigint;
    -- A loop reads rows ahead: their text is made when they are taken.
    stored jsonb;
    found_events int := 0;
    found_bytes bigint := 0;
begin
    if of_resource is null then
        select max(s.seq_id) into reached from (select e.seq_id from mt_events e where e.seq_id > after order by e.seq_id limit scanned) s;
        for seq_id, id, type, stream_id, version, at, actor, correlation_id, stored, resource_type, owner in
            select e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.seq_id > after and e.seq_id <= reached and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.seq_id limit most
        loop
            data := stored::text;
            return next;
            found_events := found_events + 1;
            found_bytes := found_bytes + octet_length(data);
            exit when found_bytes >= bytes;
        end loop;
    else
        select e.seq_id into reached from mt_events e order by e.seq_id desc limit 1;
        -- Mostly the position is that of one of its events: then its index leads on from there.
        select e.version into behind from mt_events e where e.seq_id = after and e.stream_id = of_resource;
        for seq_id, id, type, stream_id, version, at, actor, correlation_id, stored, resource_type, owner in
            select e.seq_id, e.id, e.type::text, e.stream_id, e.version, e.timestamp, coalesce(e.user_name::text, ''), e.correlation_id::text, e.data, coalesce(f.data ->> 'type', ''), coalesce(f.data ->> 'owner', '')
            from mt_events e left join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.stream_id = of_resource and e.version > coalesce(behind, 0) and e.seq_id > after and e.seq_id <= reached and is_of_resource(e.type)
                and (of_events is null or e.type = any (of_events)) and (of_type is null or f.data ->> 'type' = of_type)
                and (of_owner is null or f.data ->> 'owner' = of_owner) and is_seen(f.data ->> 'type', f.data ->> 'owner', account, types, own, own_types)
            order by e.version limit most
        loop
            data := stored::text;
            return next;
            found_events := found_events + 1;
            found_bytes := found_bytes + octet_length(data);
            exit when found_bytes >= bytes;
        end loop;
    end if;
    if found_events = 0 then return next; end if;
end $function$;

CREATE OR REPLACE FUNCTION restore_log_indexes()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION secure_read_model(name text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
    signature text;
begin
    foreach signature in array array['create_%s(int)', 'index_%s(int)', 'publish_%s(int)', 'drop_other_%s(int, int)'] loop
        signature := format(signature, name);
        execute format('alter function %s security definer', signature);
        execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
        execute format('revoke all on function %s from public', signature);
    end loop;
end $function$;

CREATE OR REPLACE FUNCTION server_timeline()
 RETURNS integer
 LANGUAGE sql
 PARALLEL SAFE
AS $function$ select ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int $function$;

CREATE OR REPLACE FUNCTION type_lock(type uuid)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$ select hashtext(type::text)::bigint << 32 | 7238166 $function$;

CREATE OR REPLACE FUNCTION type_stream(name text)
 RETURNS uuid
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
    hash bytea := substr(sha256(convert_to('type' || E'\n' || name, 'UTF8')), 1, 16);
begin
    return encode(set_byte(set_byte(hash, 6, (get_byte(hash, 6) & 15) | 128), 8, (get_byte(hash, 8) & 63) | 128), 'hex')::uuid;
end $function$;

-- Marten's own functions:
-- mt_archive_stream(uuid)
-- mt_grams_array(text,boolean)
-- mt_grams_query(text,boolean)
-- mt_grams_vector(text,boolean)
-- mt_immutable_date(text)
-- mt_immutable_time(text)
-- mt_immutable_timestamp(text)
-- mt_immutable_timestamptz(text)
-- mt_jsonb_append(jsonb,text[],jsonb,boolean,jsonb)
-- mt_jsonb_append_key_value(jsonb,text[],jsonb,boolean)
-- mt_jsonb_copy(jsonb,text[],text[])
-- mt_jsonb_duplicate(jsonb,text[],jsonb)
-- mt_jsonb_fix_null_parent(jsonb,text[])
-- mt_jsonb_increment(jsonb,text[],numeric)
-- mt_jsonb_insert(jsonb,text[],jsonb,integer,boolean,jsonb)
-- mt_jsonb_move(jsonb,text[],text)
-- mt_jsonb_patch(jsonb,jsonb)
-- mt_jsonb_path_to_array(text,character)
-- mt_jsonb_remove(jsonb,text[],jsonb)
-- mt_jsonb_remove_key(jsonb,text[],text)
-- mt_mark_event_progression(character varying,bigint)
-- mt_mark_progression_with_skip(character varying,bigint,bigint)
-- mt_quick_append_events(uuid,character varying,character varying,uuid[],character varying[],character varying[],jsonb[],bytea[],character varying[],character varying[],jsonb[],character varying[],timestamp with time zone[],bigint)
-- mt_safe_unaccent(boolean,text)
