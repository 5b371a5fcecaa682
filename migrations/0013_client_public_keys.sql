-- What authorization servers know of the private keys that clients sign with.
ALTER TABLE upstream_clients
    -- The public key as a JSON Web Key; its `kid` is in every assertion. Null: there is no key, or it was stored before.
    ADD COLUMN public_key jsonb,
    ADD CONSTRAINT upstream_clients_public_key_object CHECK (jsonb_typeof(public_key) = 'object');
