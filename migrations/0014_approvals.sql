-- Calls that a rule of `approve_if` stopped, and what a person said of them. One row is one question: this grant, this tool,
-- these very arguments.

CREATE TABLE approvals (
    tenant_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    server_id        uuid        NOT NULL,
    grant_id         uuid        NOT NULL,
    tool             text        NOT NULL,
    -- As in `decisions`: keyed hash of the canonical arguments, in hexadecimal; '' when the call has none.
    argument_digest  text        NOT NULL,
    argument_keys    text[]      NOT NULL,
    -- For the person who decides; gone once somebody did, or nobody did in time.
    sealed_arguments bytea,
    rule             text        NOT NULL,
    message          text        NOT NULL,
    policy_id        uuid,
    policy_name      text,
    policy_version   integer,
    client_name      text,
    client_version   text,
    asked_at         timestamptz NOT NULL,
    -- The first call that was told to wait.
    asked_decision   uuid        NOT NULL,
    -- Until when it waits for a person, and for how long what they allow can be used.
    expires_at       timestamptz NOT NULL,
    lives_seconds    integer     NOT NULL,
    state            text        NOT NULL DEFAULT 'pending',
    decided_at       timestamptz,
    decided_by       text,
    -- What the person said to the agent.
    note             text,
    usable_until     timestamptz,
    -- Rounds of the one call that it let through. INVARIANT: raised before the call is recorded, by one at a time.
    uses             integer     NOT NULL DEFAULT 0,
    used_at          timestamptz,
    used_decision    uuid,
    CONSTRAINT approvals_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT approvals_server_fkey FOREIGN KEY (tenant_id, server_id)
        REFERENCES servers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT approvals_state_known CHECK (state IN ('pending', 'approved', 'refused', 'withdrawn', 'expired')),
    CONSTRAINT approvals_decided CHECK ((state IN ('approved', 'refused')) = (decided_at IS NOT NULL AND decided_by IS NOT NULL)),
    CONSTRAINT approvals_usable CHECK ((state = 'approved') = (usable_until IS NOT NULL)),
    CONSTRAINT approvals_used CHECK (uses >= 0 AND (uses = 0 OR state = 'approved')),
    CONSTRAINT approvals_arguments_gone CHECK (sealed_arguments IS NULL OR state = 'pending')
);
-- One question at a time about one call.
CREATE UNIQUE INDEX approvals_pending_key ON approvals (tenant_id, grant_id, tool, argument_digest) WHERE state = 'pending';
CREATE INDEX approvals_call_idx ON approvals (tenant_id, grant_id, tool, argument_digest, asked_at);
CREATE INDEX approvals_asked_decision_idx ON approvals (tenant_id, asked_decision);
CREATE INDEX approvals_used_decision_idx ON approvals (tenant_id, used_decision) WHERE used_decision IS NOT NULL;
-- What the sweep looks for, across tenants.
CREATE INDEX approvals_expiry_idx ON approvals (expires_at) WHERE state = 'pending';
CREATE INDEX approvals_age_idx ON approvals (asked_at);

ALTER TABLE approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON approvals TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON approvals TO tollgate_system USING (true);
GRANT SELECT, INSERT,
    UPDATE (sealed_arguments, state, decided_at, decided_by, note, usable_until, uses, used_at, used_decision)
    ON approvals TO tollgate_app;
GRANT SELECT, DELETE, UPDATE (sealed_arguments, state) ON approvals TO tollgate_system;
