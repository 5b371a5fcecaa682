-- The audit log: one row a request, a day a partition, and the chain of hashes that shows whether a row was touched.

-- INVARIANT: rows are added by the system role and, while they are open, completed by it, once. Nothing else changes or
-- removes them but dropping a whole day. What belongs to the completion is behind `closed_batch`.
CREATE TABLE decisions (
    tenant_id        uuid        NOT NULL,
    decided_at       timestamptz NOT NULL,
    id               uuid        NOT NULL,
    batch            bigint      NOT NULL,
    decided          text        NOT NULL,
    forwards         boolean     NOT NULL,
    counting_until   timestamptz,
    server_id        uuid,
    server_name      text,
    grant_id         uuid,
    grant_label      text,
    identity         text,
    client_name      text,
    client_version   text,
    address          text,
    protocol_version text,
    method           text,
    tool             text,
    rule             text,
    message          text,
    condition        text,
    policy_id        uuid,
    policy_name      text,
    policy_version   integer,
    argument_keys    text[]      NOT NULL,
    argument_digest  text,
    limit_rule       text,
    limit_used       bigint,
    limit_max        bigint,
    limit_resets_at  timestamptz,
    shadow_outcome   text,
    shadow_rule      text,
    shadow_message   text,
    trace_id         text,
    judged_micros    bigint,
    request_bytes    bigint,
    closed_batch     bigint,
    closed_at        timestamptz,
    lost             boolean,
    failed           boolean,
    failure          text,
    upstream_status  integer,
    gateway_micros   bigint,
    upstream_micros  bigint,
    response_bytes   bigint,
    refunded         boolean,
    repeats          bigint,
    outcome          text        NOT NULL GENERATED ALWAYS AS (CASE WHEN failed THEN 'error' ELSE decided END) STORED,
    completion       text        NOT NULL GENERATED ALWAYS AS (
        CASE WHEN lost THEN 'unknown'
             WHEN closed_at IS NULL AND (forwards OR counting_until IS NOT NULL) THEN 'open'
             ELSE 'closed' END) STORED,
    CONSTRAINT decisions_pkey PRIMARY KEY (tenant_id, decided_at, id),
    CONSTRAINT decisions_decided_known CHECK (decided IN
        ('allow', 'deny', 'hidden', 'limit', 'pending', 'error', 'unauthenticated', 'malformed')),
    CONSTRAINT decisions_closed_in_a_batch CHECK ((closed_at IS NULL) = (closed_batch IS NULL))
) PARTITION BY RANGE (decided_at);

-- For a day that has no partition: nothing is lost for want of one.
CREATE TABLE decisions_default PARTITION OF decisions DEFAULT;

CREATE INDEX decisions_batch_idx ON decisions (tenant_id, batch);
CREATE INDEX decisions_closed_batch_idx ON decisions (tenant_id, closed_batch) WHERE closed_batch > batch;
CREATE INDEX decisions_server_idx ON decisions (tenant_id, server_id, decided_at);
CREATE INDEX decisions_grant_idx ON decisions (tenant_id, grant_id, decided_at);
CREATE INDEX decisions_open_idx ON decisions (decided_at) WHERE completion = 'open';

-- What one transaction of a tenant added and completed: an entry of 57 bytes each (`audit::chain`), and a hash over it and
-- the batch before. Kept as long as its rows are.
CREATE TABLE audit_batches (
    tenant_id  uuid        NOT NULL,
    written_at timestamptz NOT NULL,
    number     bigint      NOT NULL,
    previous   bytea       NOT NULL,
    entries    bytea       NOT NULL,
    hash       bytea       NOT NULL,
    CONSTRAINT audit_batches_pkey PRIMARY KEY (tenant_id, written_at, number),
    CONSTRAINT audit_batches_hash_size CHECK (octet_length(previous) = 32 AND octet_length(hash) = 32)
) PARTITION BY RANGE (written_at);
CREATE TABLE audit_batches_default PARTITION OF audit_batches DEFAULT;
CREATE INDEX audit_batches_number_idx ON audit_batches (tenant_id, number);

-- The last batch of each tenant. Whoever writes one holds this row, so that batches follow each other.
CREATE TABLE audit_heads (
    tenant_id uuid        NOT NULL,
    number    bigint      NOT NULL,
    hash      bytea       NOT NULL,
    kept_from timestamptz,
    CONSTRAINT audit_heads_pkey PRIMARY KEY (tenant_id)
);

-- Closings that came before their decision.
CREATE TABLE early_closings (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    closing    jsonb       NOT NULL,
    arrived_at timestamptz NOT NULL,
    CONSTRAINT early_closings_pkey PRIMARY KEY (tenant_id, id)
);

CREATE FUNCTION decision_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.completion = 'closed' OR NEW.closed_at IS NULL THEN
        RAISE EXCEPTION 'a decision is completed once' USING ERRCODE = 'TG002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER decisions_complete_once BEFORE UPDATE ON decisions FOR EACH ROW EXECUTE FUNCTION decision_is_open();

-- Partitions for `days` days from `first` on. Run as the owner of the tables; a day that the default partition already
-- holds rows of stays there.
CREATE FUNCTION make_log_partitions(first date, days integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parent text;
    day    date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['decisions', 'audit_batches'] LOOP
        FOR day IN SELECT first + n FROM generate_series(0, least(days, 366) - 1) n LOOP
            IF to_regclass(parent || to_char(day, '"_"YYYYMMDD')) IS NULL THEN
                BEGIN
                    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                        parent || to_char(day, '"_"YYYYMMDD'), parent, day::timestamptz, (day + 1)::timestamptz);
                EXCEPTION WHEN check_violation OR unique_violation OR duplicate_table THEN
                    NULL;
                END;
            END IF;
        END LOOP;
    END LOOP;
END
$$;

-- Drops all days before `first_kept`. Batches are kept a day longer: a row may be written shortly after it was decided.
CREATE FUNCTION drop_log_partitions(first_kept date) RETURNS void
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
END
$$;

ALTER TABLE decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE decisions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON decisions TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON decisions TO tollgate_system USING (true);
GRANT SELECT ON decisions TO tollgate_app;
GRANT SELECT, INSERT, UPDATE (closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros,
    upstream_micros, response_bytes, refunded, repeats) ON decisions TO tollgate_system;

ALTER TABLE audit_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_batches TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON audit_batches TO tollgate_system USING (true);
GRANT SELECT ON audit_batches TO tollgate_app;
GRANT SELECT, INSERT ON audit_batches TO tollgate_system;

ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_heads TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON audit_heads TO tollgate_system USING (true);
GRANT SELECT ON audit_heads TO tollgate_app;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO tollgate_system;

ALTER TABLE early_closings ENABLE ROW LEVEL SECURITY;
ALTER TABLE early_closings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON early_closings TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON early_closings TO tollgate_system USING (true);
GRANT SELECT, INSERT, DELETE ON early_closings TO tollgate_system;

REVOKE EXECUTE ON FUNCTION make_log_partitions(date, integer), drop_log_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_log_partitions(date, integer), drop_log_partitions(date) TO tollgate_system;
