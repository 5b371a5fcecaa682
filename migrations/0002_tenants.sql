-- Organisations, who belongs to them, and the keys to their management API.

-- The tenant of this transaction; null, which equals nothing, where none was set.
CREATE FUNCTION app_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;

CREATE TABLE tenants (
    id           uuid        NOT NULL,
    slug         text        NOT NULL,
    name         text        NOT NULL,
    config_epoch bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    CONSTRAINT tenants_pkey PRIMARY KEY (id),
    CONSTRAINT tenants_slug_key UNIQUE (slug)
);

-- INVARIANT: a change that raises the epoch commits before the time it was given, or not at all. The mark that it set in
-- the ledger beforehand outlives that time by far, so no gateway can take the state before it for the current one.
CREATE FUNCTION commit_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(clock_timestamp() > nullif(current_setting('app.commit_by', true), '')::timestamptz, true) THEN
        RAISE EXCEPTION 'the change took too long' USING ERRCODE = 'TG001';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER tenants_commit_in_time
    AFTER UPDATE OF config_epoch ON tenants
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION commit_in_time();

CREATE TABLE memberships (
    tenant_id  uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    role       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT memberships_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT memberships_role_known CHECK (role IN ('viewer', 'editor', 'admin', 'owner'))
);
CREATE INDEX memberships_user_idx ON memberships (user_id);

CREATE TABLE api_keys (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    label        text        NOT NULL,
    role         text        NOT NULL,
    token_hash   bytea       NOT NULL,
    hint         text        NOT NULL,
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_role_known CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
    CONSTRAINT api_keys_token_hash_size CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX api_keys_token_hash_idx ON api_keys (token_hash);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenants TO tollgate_app USING (id = app_tenant_id());
CREATE POLICY system ON tenants TO tollgate_system USING (true);
GRANT SELECT, UPDATE (name, config_epoch) ON tenants TO tollgate_app;
GRANT SELECT, INSERT ON tenants TO tollgate_system;

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON memberships TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON memberships TO tollgate_system USING (true);
GRANT SELECT ON memberships TO tollgate_app;
GRANT SELECT, INSERT ON memberships TO tollgate_system;

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON api_keys TO tollgate_system USING (true);
GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_keys TO tollgate_app;
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO tollgate_system;
