-- Where a chain begins whose old days were dropped.

-- The last batch of each day that was dropped: the next that is kept follows from the newest of these. Kept for ever, so that a
-- day's head that somebody wrote down can still be compared.
CREATE TABLE audit_anchors (
    tenant_id uuid   NOT NULL,
    day       date   NOT NULL,
    number    bigint NOT NULL,
    hash      bytea  NOT NULL,
    CONSTRAINT audit_anchors_pkey PRIMARY KEY (tenant_id, day),
    CONSTRAINT audit_anchors_hash_size CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_anchors_number_idx ON audit_anchors (tenant_id, number);

-- `kept_from`: rows decided before were dropped, if they were of a batch up to `kept_behind`. What was written later is there,
-- however old it is, until the next day is dropped.
ALTER TABLE audit_heads ADD COLUMN kept_behind bigint;
UPDATE audit_heads SET kept_behind = number WHERE kept_from IS NOT NULL;

-- Days that were dropped before there were anchors: the oldest batch that is kept says what it follows from.
INSERT INTO audit_anchors (tenant_id, day, number, hash)
SELECT h.tenant_id, (h.kept_from AT TIME ZONE 'UTC')::date - 2, coalesce(b.number - 1, h.number), coalesce(b.previous, h.hash)
FROM audit_heads h
LEFT JOIN LATERAL (SELECT number, previous FROM audit_batches b WHERE b.tenant_id = h.tenant_id ORDER BY number LIMIT 1) b ON true
WHERE h.kept_from IS NOT NULL AND coalesce(b.number - 1, h.number) > 0;

ALTER TABLE audit_anchors ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_anchors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_anchors TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON audit_anchors TO tollgate_system USING (true);
GRANT SELECT ON audit_anchors TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (number, hash) ON audit_anchors TO tollgate_system;

-- `drop_log_partitions` removes counts as the owner of the tables, for whom row level security holds, too, unless it is a superuser.
CREATE POLICY owner ON decision_hours TO CURRENT_USER USING (true);
CREATE POLICY owner ON decision_days TO CURRENT_USER USING (true);
