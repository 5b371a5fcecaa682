-- Smaller counts for charts: of the whole organisation, of a server, of a tool, and by hour instead of by day of a grant.

-- INVARIANT: as with `decision_hours`, which stays: all are written in the transaction that adds or completes the rows, by what it did.
-- Whoever writes waits until everything is counted. The version before reads `decision_days` as it did, but can't write it: its drains
-- leave decisions in the stream for those of this version, so that none is left out of the new counts.
SET LOCAL work_mem = '128MB';
SET LOCAL maintenance_work_mem = '512MB';
LOCK TABLE decision_hours, decision_days IN EXCLUSIVE MODE;

-- Rows of an hour by server. The server of ones (ffffffff-...) stands for all of them, and for what names none.
CREATE TABLE decision_server_hours (
    tenant_id uuid        NOT NULL,
    hour      timestamptz NOT NULL,
    server_id uuid        NOT NULL,
    outcome   text        NOT NULL,
    count     bigint      NOT NULL,
    CONSTRAINT decision_server_hours_pkey PRIMARY KEY (tenant_id, hour, server_id, outcome)
) WITH (fillfactor = 70);

-- Rows of an hour that name a tool, by tool, of whatever server.
CREATE TABLE decision_tool_hours (
    tenant_id uuid        NOT NULL,
    hour      timestamptz NOT NULL,
    tool      text        NOT NULL,
    outcome   text        NOT NULL,
    count     bigint      NOT NULL,
    CONSTRAINT decision_tool_hours_pkey PRIMARY KEY (tenant_id, hour, tool, outcome)
) WITH (fillfactor = 70);

-- Rows of an hour by who called; `last` is the newest of them.
CREATE TABLE decision_grant_hours (
    tenant_id uuid        NOT NULL,
    hour      timestamptz NOT NULL,
    grant_id  uuid        NOT NULL,
    identity  text        NOT NULL,
    client    text        NOT NULL,
    outcome   text        NOT NULL,
    count     bigint      NOT NULL,
    last      timestamptz NOT NULL,
    CONSTRAINT decision_grant_hours_pkey PRIMARY KEY (tenant_id, grant_id, hour, identity, client, outcome)
) WITH (fillfactor = 70);
CREATE INDEX decision_grant_hours_identity_idx ON decision_grant_hours (tenant_id, identity, hour);

INSERT INTO decision_server_hours (tenant_id, hour, server_id, outcome, count)
SELECT tenant_id, hour, server_id, outcome, sum(count) FROM decision_hours
WHERE server_id <> '00000000-0000-0000-0000-000000000000' GROUP BY 1, 2, 3, 4
UNION ALL
SELECT tenant_id, hour, 'ffffffff-ffff-ffff-ffff-ffffffffffff', outcome, sum(count) FROM decision_hours GROUP BY 1, 2, 4
ORDER BY 1, 2;

INSERT INTO decision_tool_hours (tenant_id, hour, tool, outcome, count)
SELECT tenant_id, hour, tool, outcome, sum(count) FROM decision_hours WHERE tool <> '' GROUP BY 1, 2, 3, 4
ORDER BY 1, 2;

-- Partition by partition: those are not under row level security, which the owner of `decisions` is. An hour is in one of them.
DO $$
DECLARE
    partition text;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'decisions'::regclass LOOP
        EXECUTE format($insert$
            INSERT INTO decision_grant_hours (tenant_id, hour, grant_id, identity, client, outcome, count, last)
            SELECT tenant_id, date_trunc('hour', decided_at, 'UTC'), grant_id, coalesce(identity, ''), coalesce(client_name, ''),
                outcome, count(*), max(decided_at)
            FROM %s WHERE grant_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
            ORDER BY 1, 2$insert$, partition);
    END LOOP;
END
$$;

DROP TABLE decision_days;
CREATE VIEW decision_days WITH (security_invoker = true) AS
SELECT tenant_id, (hour AT TIME ZONE 'UTC')::date AS day, grant_id, identity, client, outcome, sum(count)::bigint AS count,
    max(last) AS last
FROM decision_grant_hours GROUP BY 1, 2, 3, 4, 5, 6;
GRANT SELECT ON decision_days TO tollgate_app;

-- As a drain leaves them: the counts of an hour beside each other. The migration that brought them in did not.
CLUSTER decision_hours USING decision_hours_pkey;

-- A rule is looked up together with tools; and the refusals of some hours without going through all that was allowed.
DROP INDEX decision_hours_rule_idx;
CREATE INDEX decision_hours_rule_idx ON decision_hours (tenant_id, rule, tool text_pattern_ops, hour) WHERE rule <> '';
CREATE INDEX decision_hours_refused_idx ON decision_hours (tenant_id, hour) WHERE rule <> '';

ALTER TABLE decision_server_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision_server_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON decision_server_hours TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON decision_server_hours TO tollgate_system USING (true);
CREATE POLICY owner ON decision_server_hours TO CURRENT_USER USING (true);
GRANT SELECT ON decision_server_hours TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (count) ON decision_server_hours TO tollgate_system;

ALTER TABLE decision_tool_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision_tool_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON decision_tool_hours TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON decision_tool_hours TO tollgate_system USING (true);
CREATE POLICY owner ON decision_tool_hours TO CURRENT_USER USING (true);
GRANT SELECT ON decision_tool_hours TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (count) ON decision_tool_hours TO tollgate_system;

ALTER TABLE decision_grant_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision_grant_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON decision_grant_hours TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON decision_grant_hours TO tollgate_system USING (true);
CREATE POLICY owner ON decision_grant_hours TO CURRENT_USER USING (true);
GRANT SELECT ON decision_grant_hours TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (count, last) ON decision_grant_hours TO tollgate_system;

-- As before, with the counts that there are now.
CREATE OR REPLACE FUNCTION drop_log_partitions(first_kept date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    partition text;
BEGIN
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE (i.inhparent = 'decisions'::regclass AND c.relname < to_char(first_kept, '"decisions_"YYYYMMDD')
            OR i.inhparent = 'audit_batches'::regclass
                AND c.relname < to_char(first_kept - 1, '"audit_batches_"YYYYMMDD'))
            AND c.relname ~ '_[0-9]{8}$'
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
    END LOOP;
    DELETE FROM decisions_default WHERE decided_at < first_kept::timestamptz;
    DELETE FROM audit_batches_default WHERE written_at < (first_kept - 1)::timestamptz;
    DELETE FROM decision_hours WHERE hour < first_kept::timestamptz;
    DELETE FROM decision_server_hours WHERE hour < first_kept::timestamptz;
    DELETE FROM decision_tool_hours WHERE hour < first_kept::timestamptz;
    DELETE FROM decision_grant_hours WHERE hour < first_kept::timestamptz;
END
$$;
