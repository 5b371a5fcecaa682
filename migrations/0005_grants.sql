-- The right of one person or agent to call one server, under at most one policy. Without a policy it may call nothing.

CREATE TABLE grants (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    server_id    uuid        NOT NULL,
    policy_id    uuid,
    label        text        NOT NULL,
    identity     text        NOT NULL,
    token_hash   bytea       NOT NULL,
    sealed_token bytea       NOT NULL,
    hint         text        NOT NULL,
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL,
    rotated_at   timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT grants_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT grants_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT grants_policy_fkey FOREIGN KEY (tenant_id, server_id, policy_id)
        REFERENCES policies (tenant_id, server_id, id),
    CONSTRAINT grants_token_hash_size CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX grants_token_hash_idx ON grants (token_hash);
CREATE INDEX grants_server_idx ON grants (tenant_id, server_id);
CREATE INDEX grants_policy_idx ON grants (tenant_id, policy_id);

ALTER TABLE grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE grants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON grants TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON grants FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT, UPDATE (policy_id, token_hash, sealed_token, hint, rotated_at, expires_at, revoked_at)
    ON grants TO tollgate_app;
GRANT SELECT ON grants TO tollgate_system;
