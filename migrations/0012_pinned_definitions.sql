-- What a pin covers, and who takes an approval back.

ALTER TABLE server_tools
    -- Output schema, icons and _meta, those that it has; null: it was read before they were kept.
    ADD COLUMN more jsonb,
    ADD CONSTRAINT server_tools_more_object CHECK (jsonb_typeof(more) = 'object');

-- A gateway takes the approval of a tool back that is listed otherwise than it was approved.
ALTER TABLE admin_events DROP CONSTRAINT admin_events_actor_known;
ALTER TABLE admin_events ADD CONSTRAINT admin_events_actor_known
    CHECK (actor_kind IN ('user', 'key', 'link', 'gateway'));
