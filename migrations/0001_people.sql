-- People and their log-ins. They belong to no tenant, so the tenant role sees nothing here.

CREATE TABLE users (
    id            uuid        NOT NULL,
    email         text        NOT NULL,
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email)
);

CREATE TABLE sessions (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    token_hash   bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_token_hash_key UNIQUE (token_hash),
    CONSTRAINT sessions_token_hash_size CHECK (octet_length(token_hash) = 32),
    CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX sessions_user_idx ON sessions (user_id);
CREATE INDEX sessions_expires_idx ON sessions (expires_at);

-- How often something that can be guessed was tried. `subject` is a keyed hash of an address, an e-mail or both.
CREATE TABLE attempts (
    subject   bytea       NOT NULL,
    count     integer     NOT NULL,
    resets_at timestamptz NOT NULL,
    CONSTRAINT attempts_pkey PRIMARY KEY (subject),
    CONSTRAINT attempts_subject_size CHECK (octet_length(subject) = 32)
);
CREATE INDEX attempts_resets_idx ON attempts (resets_at);

GRANT SELECT, INSERT, UPDATE ON users TO tollgate_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, attempts TO tollgate_system;
