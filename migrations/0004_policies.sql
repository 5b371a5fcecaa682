-- Policies of a server, and every version of each. The latest version is the one in force.

CREATE TABLE policies (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    server_id  uuid        NOT NULL,
    name       text        NOT NULL,
    version    integer     NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT policies_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT policies_name_key UNIQUE (tenant_id, server_id, name),
    -- What a grant refers to: a policy of the grant's own server.
    CONSTRAINT policies_server_key UNIQUE (tenant_id, server_id, id),
    CONSTRAINT policies_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE
);

-- `document` is the text as it was written, spaces and all: rules are pointed at by their place in it.
CREATE TABLE policy_versions (
    tenant_id  uuid        NOT NULL,
    policy_id  uuid        NOT NULL,
    version    integer     NOT NULL,
    document   text        NOT NULL,
    -- Lines that the version before does not have, and lines of it that are gone.
    added      integer     NOT NULL,
    removed    integer     NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT policy_versions_pkey PRIMARY KEY (tenant_id, policy_id, version),
    CONSTRAINT policy_versions_policy_fkey FOREIGN KEY (tenant_id, policy_id)
        REFERENCES policies (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT policy_versions_size CHECK (octet_length(document) <= 262144)
);
-- A policy is written before its first version, in one transaction.
ALTER TABLE policies ADD CONSTRAINT policies_version_fkey FOREIGN KEY (tenant_id, id, version)
    REFERENCES policy_versions (tenant_id, policy_id, version) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE policies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON policies TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON policies FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT, UPDATE (name, version), DELETE ON policies TO tollgate_app;
GRANT SELECT ON policies TO tollgate_system;

-- Versions are written once; they leave with their policy only.
ALTER TABLE policy_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE policy_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON policy_versions TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON policy_versions FOR SELECT TO tollgate_system USING (true);
GRANT SELECT, INSERT ON policy_versions TO tollgate_app;
GRANT SELECT ON policy_versions TO tollgate_system;
