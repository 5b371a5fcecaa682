-- What a server's settings say about the protocol.
ALTER TABLE servers
    -- Methods that no revision knows and that pass.
    ADD COLUMN custom_methods text[]  NOT NULL DEFAULT '{}',
    -- Tools are held to the definitions that were approved.
    ADD COLUMN pin_tools      boolean NOT NULL DEFAULT false;

ALTER TABLE server_tools
    -- Of the definition that was approved; null: none was.
    ADD COLUMN approved_digest bytea,
    ADD CONSTRAINT server_tools_approved_digest_size CHECK (octet_length(approved_digest) = 32);
