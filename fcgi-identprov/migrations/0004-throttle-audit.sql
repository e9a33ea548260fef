-- Who has guessed too often, and what has happened.

-- key is a SHA-256 of what is counted (a folded username, whether there is such
-- an account or not, with a network or without one), so that no name that
-- somebody has typed is here. turn_at is when a network may come again.
CREATE TABLE identprov.throttle (
    key bytea NOT NULL,
    failures bigint NOT NULL DEFAULT 0,
    free_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    turn_at timestamptz,
    CONSTRAINT throttle_pkey PRIMARY KEY (key),
    CONSTRAINT throttle_key_check CHECK (octet_length(key) = 32),
    CONSTRAINT throttle_failures_check CHECK (failures >= 0)
);

CREATE INDEX throttle_free_at_index ON identprov.throttle (free_at);

-- Whoever serves may add to it and nothing else. It has ids and no names, and
-- no reference: what happened stays when the account goes.
CREATE TABLE identprov.audit (
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL,
    account_id uuid,
    sid text,
    request_id text NOT NULL,
    address text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (number),
    CONSTRAINT audit_event_check CHECK (event ~ '^[a-z_]{1,40}$'),
    CONSTRAINT audit_sid_check CHECK (sid ~ '^[0-9a-f]{16}$'),
    CONSTRAINT audit_request_id_check
        CHECK (request_id ~ '^[A-Za-z0-9_-]{0,64}$'),
    CONSTRAINT audit_address_check
        CHECK (address ~ '^[!-~]{0,64}$'),
    CONSTRAINT audit_detail_check CHECK (detail ~ '^[ -~]{0,200}$')
);

CREATE INDEX audit_at_index ON identprov.audit (at);
CREATE INDEX audit_account_index ON identprov.audit (account_id, at);
