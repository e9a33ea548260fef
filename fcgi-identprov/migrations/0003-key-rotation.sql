-- When a key signs. Before that it is only published, and it stays so until
-- the last token that it signed is over: that is, after the next key began,
-- token_ttl_ms and 1.2 jwks_max_age_ms. The last two columns are the longest
-- life of a token and the longest time to keep a key set that any identprov
-- process has been set to; each of them writes down its own before it acts on
-- it, and a new key waits by what is written here.
ALTER TABLE identprov.signing_key
    ADD COLUMN sign_from timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN token_ttl_ms bigint NOT NULL DEFAULT 3600000,
    ADD COLUMN jwks_max_age_ms bigint NOT NULL DEFAULT 300000,
    ADD CONSTRAINT signing_key_token_ttl_check CHECK (token_ttl_ms > 0),
    ADD CONSTRAINT signing_key_jwks_max_age_check CHECK (jwks_max_age_ms > 0),
    DROP CONSTRAINT signing_key_algorithm_check,
    ADD CONSTRAINT signing_key_algorithm_check
        CHECK (algorithm IN ('ES256', 'RS256'));

UPDATE identprov.signing_key SET sign_from = created_at;
