-- Who changed what. Written in the transaction of the change; never altered afterwards.

CREATE TABLE admin_events (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    at            timestamptz NOT NULL,
    actor_kind    text        NOT NULL,
    actor_id      uuid        NOT NULL,
    actor_label   text        NOT NULL,
    action        text        NOT NULL,
    subject_id    uuid        NOT NULL,
    subject_label text        NOT NULL,
    details       jsonb       NOT NULL,
    CONSTRAINT admin_events_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT admin_events_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT admin_events_actor_known CHECK (actor_kind IN ('user', 'key'))
);

ALTER TABLE admin_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE admin_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON admin_events TO tollgate_app USING (tenant_id = app_tenant_id());
CREATE POLICY system ON admin_events FOR INSERT TO tollgate_system WITH CHECK (true);
GRANT SELECT, INSERT ON admin_events TO tollgate_app;
GRANT INSERT ON admin_events TO tollgate_system;
