-- Upstream servers, the tools they listed, and the credentials that are sent to them.

CREATE TABLE servers (
    tenant_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    name             text        NOT NULL,
    upstream_url     text        NOT NULL,
    catalogue_entry  text,
    state            text        NOT NULL,
    state_message    text        NOT NULL,
    protocol_version text,
    upstream_name    text,
    checked_at       timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    CONSTRAINT servers_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT servers_name_key UNIQUE (tenant_id, name),
    CONSTRAINT servers_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
-- The gateway is called with a server's id alone.
CREATE INDEX servers_id_idx ON servers (id);

-- INVARIANT: `position` follows the order in which the upstream listed its tools.
CREATE TABLE server_tools (
    tenant_id     uuid        NOT NULL,
    server_id     uuid        NOT NULL,
    name          text        NOT NULL,
    position      integer     NOT NULL,
    title         text,
    description   text,
    input_schema  jsonb       NOT NULL,
    annotations   jsonb,
    digest        bytea       NOT NULL,
    first_seen_at timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    CONSTRAINT server_tools_pkey PRIMARY KEY (tenant_id, server_id, name),
    CONSTRAINT server_tools_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT server_tools_digest_size CHECK (octet_length(digest) = 32)
);

-- A header that is sent to the upstream. `sealed` is bound to its row, so a copy in another row can't be opened.
CREATE TABLE sealed_credentials (
    tenant_id  uuid        NOT NULL,
    server_id  uuid        NOT NULL,
    name       text        NOT NULL,
    sealed     bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT sealed_credentials_pkey PRIMARY KEY (tenant_id, server_id, name),
    CONSTRAINT sealed_credentials_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE servers ENABLE ROW LEVEL SECURITY;
ALTER TABLE servers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON servers TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON servers FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON servers TO tollgate_app;
GRANT SELECT ON servers TO tollgate_system;

ALTER TABLE server_tools ENABLE ROW LEVEL SECURITY;
ALTER TABLE server_tools FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON server_tools TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON server_tools FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON server_tools TO tollgate_app;
GRANT SELECT ON server_tools TO tollgate_system;

ALTER TABLE sealed_credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE sealed_credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sealed_credentials TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON sealed_credentials FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT, DELETE ON sealed_credentials TO tollgate_app;
GRANT SELECT ON sealed_credentials TO tollgate_system;
