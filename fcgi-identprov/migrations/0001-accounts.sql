-- Accounts, their sessions, and the keys that sign tokens.

-- Every name ever issued, by the SHA-256 of its folded form. A row outlives
-- its account, so that nobody inherits a name and what others grant to it.
CREATE TABLE identprov.issued_username (
    hash bytea NOT NULL,
    CONSTRAINT issued_username_pkey PRIMARY KEY (hash),
    CONSTRAINT issued_username_hash_check CHECK (octet_length(hash) = 32)
);

CREATE TABLE identprov.account (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    username text NOT NULL,
    username_key text NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    email_verified boolean NOT NULL DEFAULT false,
    first_name text NOT NULL,
    last_name text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    credential_version bigint NOT NULL DEFAULT 1,
    disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_username_key_unique UNIQUE (username_key),
    CONSTRAINT account_username_check
        CHECK (char_length(username) BETWEEN 1 AND 64
               AND username !~ '[\x01-\x20\x7f]'),
    CONSTRAINT account_username_key_check
        CHECK (char_length(username_key) BETWEEN 1 AND 64),
    CONSTRAINT account_email_check
        CHECK (octet_length(email) BETWEEN 3 AND 254
               AND email !~ '[\x01-\x20\x7f]'),
    CONSTRAINT account_email_key_check
        CHECK (octet_length(email_key) BETWEEN 3 AND 254),
    CONSTRAINT account_first_name_check
        CHECK (char_length(first_name) BETWEEN 1 AND 100
               AND first_name !~ '[\x01-\x1f\x7f]'),
    CONSTRAINT account_last_name_check
        CHECK (char_length(last_name) <= 100
               AND last_name !~ '[\x01-\x1f\x7f]'),
    CONSTRAINT account_password_hash_check
        CHECK (password_hash LIKE '$argon2id$%'
               AND octet_length(password_hash) < 128),
    CONSTRAINT account_credential_version_check
        CHECK (credential_version > 0)
);

-- An address that nobody has proved to own blocks nobody.
CREATE UNIQUE INDEX account_verified_email_unique
    ON identprov.account (email_key)
    WHERE email_verified;

-- hash is the SHA-256 of the session id; the id itself is stored nowhere.
-- last_used_at is in no index, so that recording a use stays cheap (HOT).
CREATE TABLE identprov.session (
    hash bytea NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT session_pkey PRIMARY KEY (hash),
    CONSTRAINT session_account_fkey
        FOREIGN KEY (account_id) REFERENCES identprov.account (id)
        ON DELETE CASCADE,
    CONSTRAINT session_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT session_last_used_at_check CHECK (last_used_at >= created_at),
    CONSTRAINT session_expires_at_check CHECK (expires_at > created_at)
) WITH (fillfactor = 80);

CREATE INDEX session_account_index
    ON identprov.session (account_id, created_at);

-- The private half is PKCS#8, encrypted with a passphrase that is not here.
CREATE TABLE identprov.signing_key (
    kid text NOT NULL,
    algorithm text NOT NULL,
    public_jwk jsonb NOT NULL,
    private_pem text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT signing_key_pkey PRIMARY KEY (kid),
    CONSTRAINT signing_key_kid_check CHECK (kid ~ '^[A-Za-z0-9_-]{43}$'),
    CONSTRAINT signing_key_algorithm_check CHECK (algorithm = 'ES256'),
    CONSTRAINT signing_key_public_jwk_check
        CHECK (jsonb_typeof(public_jwk) = 'object'
               AND public_jwk -> 'd' IS NULL),
    CONSTRAINT signing_key_private_pem_check
        CHECK (private_pem LIKE '-----BEGIN ENCRYPTED PRIVATE KEY-----%'
               AND octet_length(private_pem) <= 4096)
);
