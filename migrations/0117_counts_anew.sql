-- Counts of what was in the log before there were any: 0113 took them as the owner of the tables, whom row level security shows
-- no row of `decisions` unless it is a superuser or has BYPASSRLS. Where all is counted, nothing is written.

-- Whoever writes a batch holds its tenant's head, so nobody is about to write counts; and no day comes or goes meanwhile.
SET LOCAL work_mem = '128MB';
LOCK TABLE audit_heads IN EXCLUSIVE MODE;
LOCK TABLE decisions IN SHARE UPDATE EXCLUSIVE MODE;

DO $$
DECLARE
    partition text;
    there     bigint;
    missing   bigint := 0;
BEGIN
    -- Partition by partition: those are not under row level security.
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'decisions'::regclass LOOP
        EXECUTE format('SELECT count(*) FROM %s', partition) INTO there;
        missing := missing + there;
    END LOOP;
    SELECT missing - coalesce(sum(count), 0) INTO missing FROM decision_hours;
    IF missing = 0 THEN
        RETURN;
    END IF;

    -- The counts by grant are right: 0115 took them like this.
    TRUNCATE decision_hours, decision_server_hours, decision_tool_hours;
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'decisions'::regclass LOOP
        EXECUTE format($insert$
            INSERT INTO decision_hours (tenant_id, hour, server_id, tool, rule, outcome, count, last)
            SELECT tenant_id, date_trunc('hour', decided_at, 'UTC'), coalesce(server_id, '00000000-0000-0000-0000-000000000000'),
                coalesce(tool, ''), coalesce(rule, ''), outcome, count(*), max(decided_at)
            FROM %s GROUP BY 1, 2, 3, 4, 5, 6
            ORDER BY 1, 2, 3, 4, 5, 6$insert$, partition);
    END LOOP;

    INSERT INTO decision_server_hours (tenant_id, hour, server_id, outcome, count)
    SELECT tenant_id, hour, server_id, outcome, sum(count) FROM decision_hours
    WHERE server_id <> '00000000-0000-0000-0000-000000000000' GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT tenant_id, hour, 'ffffffff-ffff-ffff-ffff-ffffffffffff', outcome, sum(count) FROM decision_hours GROUP BY 1, 2, 4
    ORDER BY 1, 2;

    INSERT INTO decision_tool_hours (tenant_id, hour, tool, outcome, count)
    SELECT tenant_id, hour, tool, outcome, sum(count) FROM decision_hours WHERE tool <> '' GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2;
END
$$;
