-- Clients of authorization servers that prove who they are by a signed assertion (RFC 7523): their sealed secret is a private key.

ALTER TABLE upstream_clients DROP CONSTRAINT upstream_clients_auth_known;
ALTER TABLE upstream_clients ADD CONSTRAINT upstream_clients_auth_known
    CHECK (auth IN ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'));
