-- What 0114 made of days that had been dropped before it: as the owner of the tables it saw no heads, unless it was a superuser or
-- had BYPASSRLS (see 0117). Where it saw them, nothing is written. Drains wait meanwhile.

CREATE POLICY owner ON audit_heads TO CURRENT_USER USING (true);
CREATE POLICY owner ON audit_batches TO CURRENT_USER USING (true);
CREATE POLICY owner ON audit_anchors TO CURRENT_USER USING (true);

-- The next that is kept follows from what the oldest batch that is there says; a head that was met by retention since has all.
WITH missed AS (
    UPDATE audit_heads SET kept_behind = number WHERE kept_from IS NOT NULL AND kept_behind IS NULL
    RETURNING tenant_id, kept_from, number, hash
)
INSERT INTO audit_anchors (tenant_id, day, number, hash)
SELECT h.tenant_id, (h.kept_from AT TIME ZONE 'UTC')::date - 2, coalesce(b.number - 1, h.number), coalesce(b.previous, h.hash)
FROM missed h
LEFT JOIN LATERAL (SELECT number, previous FROM audit_batches b WHERE b.tenant_id = h.tenant_id ORDER BY number LIMIT 1) b ON true
WHERE coalesce(b.number - 1, h.number) > 0
ON CONFLICT DO NOTHING;

DROP POLICY owner ON audit_heads;
DROP POLICY owner ON audit_batches;
DROP POLICY owner ON audit_anchors;
