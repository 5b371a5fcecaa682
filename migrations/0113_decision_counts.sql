-- Numbers over the log, kept with its rows: charts and statistics read these and not the rows.

-- INVARIANT: both are written in the transaction that adds or completes the rows, by what it did: so they agree with the rows.
-- They are in no chain: rows can be counted anew. What a row has none of is an empty text or the id of zeros.

-- Rows of an hour; `last` is the newest of them. `rule` is that of a refusal.
CREATE TABLE decision_hours (
    tenant_id uuid        NOT NULL,
    hour      timestamptz NOT NULL,
    server_id uuid        NOT NULL,
    tool      text        NOT NULL,
    rule      text        NOT NULL,
    outcome   text        NOT NULL,
    count     bigint      NOT NULL,
    last      timestamptz NOT NULL,
    CONSTRAINT decision_hours_pkey PRIMARY KEY (tenant_id, hour, server_id, tool, rule, outcome)
) WITH (fillfactor = 70);
CREATE INDEX decision_hours_tool_idx ON decision_hours (tenant_id, tool text_pattern_ops, hour);
CREATE INDEX decision_hours_rule_idx ON decision_hours (tenant_id, rule, hour) WHERE rule <> '';

-- Rows of a day, UTC, by who called.
CREATE TABLE decision_days (
    tenant_id uuid        NOT NULL,
    day       date        NOT NULL,
    grant_id  uuid        NOT NULL,
    identity  text        NOT NULL,
    client    text        NOT NULL,
    outcome   text        NOT NULL,
    count     bigint      NOT NULL,
    last      timestamptz NOT NULL,
    CONSTRAINT decision_days_pkey PRIMARY KEY (tenant_id, grant_id, day, identity, client, outcome)
) WITH (fillfactor = 70);
CREATE INDEX decision_days_identity_idx ON decision_days (tenant_id, identity, day);

INSERT INTO decision_hours (tenant_id, hour, server_id, tool, rule, outcome, count, last)
SELECT tenant_id, date_trunc('hour', decided_at, 'UTC'), coalesce(server_id, '00000000-0000-0000-0000-000000000000'),
    coalesce(tool, ''), coalesce(rule, ''), outcome, count(*), max(decided_at)
FROM decisions GROUP BY 1, 2, 3, 4, 5, 6;

INSERT INTO decision_days (tenant_id, day, grant_id, identity, client, outcome, count, last)
SELECT tenant_id, (decided_at AT TIME ZONE 'UTC')::date, grant_id, coalesce(identity, ''), coalesce(client_name, ''),
    outcome, count(*), max(decided_at)
FROM decisions WHERE grant_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6;

ALTER TABLE decision_hours ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision_hours FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON decision_hours TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON decision_hours TO tollgate_system USING (true);
GRANT SELECT ON decision_hours TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (count, last) ON decision_hours TO tollgate_system;

ALTER TABLE decision_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision_days FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON decision_days TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON decision_days TO tollgate_system USING (true);
GRANT SELECT ON decision_days TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (count, last) ON decision_days TO tollgate_system;

-- As before; and the counts go with their rows.
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
    DELETE FROM decision_days WHERE day < first_kept;
END
$$;

-- What a search is led by: each filter of the log in the order of time. Texts are compared by their bytes, so that beginnings
-- are found too.
CREATE INDEX decisions_identity_idx ON decisions (tenant_id, identity text_pattern_ops, decided_at);
CREATE INDEX decisions_tool_idx ON decisions (tenant_id, tool text_pattern_ops, decided_at);
CREATE INDEX decisions_rule_idx ON decisions (tenant_id, rule text_pattern_ops, decided_at) WHERE rule IS NOT NULL;
CREATE INDEX decisions_refused_idx ON decisions (tenant_id, decided_at, outcome) WHERE outcome <> 'allow';
