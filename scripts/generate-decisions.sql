-- One day of a realistic log, added by the server itself. Variables: day (a date), rows (of that day), seed.
-- Half of the rows and more are one tenant's; the others share the rest, 2,000 of them. Hours are busy and quiet, a few servers,
-- grants and tools are used most, nine calls of ten are allowed. The rows are in no chain.
SELECT setseed(:seed) \g /dev/null
INSERT INTO decisions (tenant_id, decided_at, id, batch, decided, forwards, server_id, server_name, grant_id, grant_label,
    identity, client_name, client_version, protocol_version, method, tool, rule, message, policy_id, policy_name,
    policy_version, argument_keys, argument_digest, limit_rule, limit_used, limit_max, limit_resets_at, trace_id,
    judged_micros, request_bytes, closed_batch, closed_at, failed, upstream_status, gateway_micros, upstream_micros,
    response_bytes, refunded)
SELECT tenant, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(noise, 1, 3) || '8'
        || substr(noise, 4, 15))::uuid,
    batch, decided, decided = 'allow', server, 'server-' || s, grant_id, 'agent ' || g, 'person' || g % 700 || '@example.com',
    (ARRAY['claude-code', 'cursor', 'vscode', 'inspector'])[1 + g % 4], '2.' || g % 9, '2025-11-25', 'tools/call',
    'flowforge_tool_' || t, CASE WHEN decided <> 'allow' THEN '/tools/flowforge_tool_' || t || '/deny_if/' || t % 3 END,
    CASE WHEN decided <> 'allow' THEN 'This is refused by the policy of the organisation.' END,
    md5('policy' || tenant)::uuid, 'Support', 3, ARRAY['limit', 'run_id'], md5(noise) || md5(noise || 'x'),
    '/tools/flowforge_tool_' || t || '/limits/0', 17, 100, at + interval '40 seconds', md5('trace' || noise),
    120 + (n * 7919) % 400, 230, CASE WHEN decided = 'allow' THEN batch END,
    CASE WHEN decided = 'allow' THEN at + interval '14 milliseconds' END, CASE WHEN decided = 'allow' THEN n % 61 = 0 END,
    CASE WHEN decided = 'allow' THEN 200 END, 350 + (n * 31) % 300, 9000 + (n * 104729) % 30000, 900 + n % 4000,
    CASE WHEN decided = 'allow' THEN false END
FROM (
    SELECT n, at, tenant, s, g, t, md5('server' || tenant || s)::uuid AS server, md5('grant' || tenant || g)::uuid AS grant_id,
        ((extract(epoch FROM at) - 1700000000) * 5)::bigint AS batch, md5(n || 'd' || at || random()) AS noise,
        CASE WHEN o < 0.92 THEN 'allow' WHEN o < 0.955 THEN 'deny' WHEN o < 0.985 THEN 'limit' WHEN o < 0.992 THEN 'hidden'
             WHEN o < 0.997 THEN 'pending' ELSE 'malformed' END AS decided
    FROM (
        SELECT n, o, :'day'::timestamptz + (n + random()) * interval '24 hours' / :rows AS at,
            md5('tenant' || CASE WHEN who < 0.6 THEN 0 ELSE 1 + floor(2000 * b * b)::int END)::uuid AS tenant,
            floor((CASE WHEN who < 0.6 THEN 40 ELSE 3 END) * s * s)::int AS s,
            floor((CASE WHEN who < 0.6 THEN 2000 ELSE 8 END) * g * g)::int AS g,
            floor((CASE WHEN who < 0.6 THEN 400 ELSE 49 END) * t * t * t)::int AS t
        FROM (SELECT n, random() AS who, random() AS b, random() AS s, random() AS g, random() AS t, random() AS o
              FROM generate_series(0::bigint, :rows - 1) AS n) AS dice
    ) AS drawn
) AS named
ORDER BY at;
