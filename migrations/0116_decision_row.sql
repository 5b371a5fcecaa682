-- How rows travel to the statement that adds them: one list of rows. As a list for each column they took Postgres a third of all that
-- adding them takes.

-- INVARIANT: the columns of `decisions`, in its order. Who adds a column makes another type beside this one, which drains of before
-- go on with. `outcome` and `completion` are made by the table.
CREATE TYPE decision_row AS (
    tenant_id        uuid,
    decided_at       timestamptz,
    id               uuid,
    batch            bigint,
    decided          text,
    forwards         boolean,
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
    argument_keys    text[],
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
    outcome          text,
    completion       text
);

-- The entries of a batch are hashes, which nothing makes smaller: Postgres shall not try.
ALTER TABLE audit_batches ALTER COLUMN entries SET STORAGE EXTERNAL;
