-- Logging in to upstream servers by OAuth: one connection for the whole organisation, or one for each identity.

-- `headers`: a server's sealed headers are all that is sent to it. `shared`: also the token of the connection of identity ''.
-- `identity`: also the token of the connection of the grant's identity.
ALTER TABLE servers ADD COLUMN login text NOT NULL DEFAULT 'headers';
ALTER TABLE servers ADD CONSTRAINT servers_login_known CHECK (login IN ('headers', 'shared', 'identity'));

-- This installation as a client of an authorization server: registered by hand, or by itself.
CREATE TABLE upstream_clients (
    tenant_id     uuid        NOT NULL,
    server_id     uuid        NOT NULL,
    issuer        text        NOT NULL,
    client_id     text        NOT NULL,
    sealed_secret bytea,
    auth          text        NOT NULL,
    by_hand       boolean     NOT NULL,
    redirect_uri  text        NOT NULL,
    created_at    timestamptz NOT NULL,
    CONSTRAINT upstream_clients_pkey PRIMARY KEY (tenant_id, server_id, issuer),
    CONSTRAINT upstream_clients_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT upstream_clients_auth_known CHECK (auth IN ('none', 'client_secret_basic', 'client_secret_post'))
);

-- INVARIANT: `sealed` is replaced only by who holds `renewing_until`, together with a raised `version`. A connection that is
-- made anew has another id, so tokens of the one before can't come back.
CREATE TABLE connections (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    server_id      uuid        NOT NULL,
    identity       text        NOT NULL,
    issuer         text        NOT NULL,
    resource       text        NOT NULL,
    scopes         text        NOT NULL,
    -- What the upstream asked for beyond them.
    wanted_scopes  text        NOT NULL DEFAULT '',
    sealed         bytea       NOT NULL,
    version        bigint      NOT NULL DEFAULT 1,
    obtained_at    timestamptz NOT NULL,
    expires_at     timestamptz,
    renewable      boolean     NOT NULL,
    renewing_until timestamptz,
    -- Why it must be made anew, in words.
    trouble        text,
    connected_by   text        NOT NULL,
    connected_at   timestamptz NOT NULL,
    CONSTRAINT connections_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT connections_identity_key UNIQUE (tenant_id, server_id, identity),
    CONSTRAINT connections_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE
);

-- Links by which somebody connects who need not be able to log in here. Good for one connection.
CREATE TABLE connect_links (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    server_id  uuid        NOT NULL,
    identity   text        NOT NULL,
    token_hash bytea       NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT connect_links_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT connect_links_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT connect_links_token_hash_size CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX connect_links_token_hash_idx ON connect_links (token_hash);

-- What was asked of an authorization server, until the answer comes: once, from the same browser, within minutes.
CREATE TABLE authorizations (
    tenant_id  uuid        NOT NULL,
    state_hash bytea       NOT NULL,
    server_id  uuid        NOT NULL,
    identity   text        NOT NULL,
    browser    bytea       NOT NULL,
    user_id    uuid,
    link_id    uuid,
    sealed     bytea       NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT authorizations_pkey PRIMARY KEY (tenant_id, state_hash),
    CONSTRAINT authorizations_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT authorizations_link_fkey FOREIGN KEY (tenant_id, link_id)
        REFERENCES connect_links (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT authorizations_somebody CHECK ((user_id IS NULL) <> (link_id IS NULL)),
    CONSTRAINT authorizations_hash_sizes CHECK (octet_length(state_hash) = 32 AND octet_length(browser) = 32)
);
-- The answer is known by its state alone.
CREATE INDEX authorizations_state_hash_idx ON authorizations (state_hash);

-- Who came by a link acts as that link.
ALTER TABLE admin_events DROP CONSTRAINT admin_events_actor_known;
ALTER TABLE admin_events ADD CONSTRAINT admin_events_actor_known CHECK (actor_kind IN ('user', 'key', 'link'));

ALTER TABLE upstream_clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE upstream_clients FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON upstream_clients TO tollgate_app USING (tenant_id = app_tenant_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON upstream_clients TO tollgate_app;

ALTER TABLE connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE connections FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON connections TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON connections TO tollgate_system USING (true);
GRANT SELECT, INSERT, DELETE ON connections TO tollgate_app;
GRANT SELECT, UPDATE (wanted_scopes, scopes, sealed, version, obtained_at, expires_at, renewable, renewing_until, trouble)
    ON connections TO tollgate_system;

ALTER TABLE connect_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE connect_links FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON connect_links TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON connect_links FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT, DELETE ON connect_links TO tollgate_app;
GRANT SELECT ON connect_links TO tollgate_system;

ALTER TABLE authorizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorizations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authorizations TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON authorizations TO tollgate_system USING (true);
GRANT SELECT, INSERT, DELETE ON authorizations TO tollgate_app;
GRANT SELECT, DELETE ON authorizations TO tollgate_system;
