-- What gateways have to forget, what sessions and accounts are told by, groups.

-- One row for each live session whose authenticate answer a transaction has
-- changed, with that transaction's id. Rows are only added, and pruned.
CREATE TABLE identprov.revocation (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    hash bytea NOT NULL,
    CONSTRAINT revocation_hash_check CHECK (octet_length(hash) = 32)
);

CREATE INDEX revocation_xid_index ON identprov.revocation (xid);

-- One row. What is visible in floor has been pruned, or may be; saved is the
-- floor to come.
CREATE TABLE identprov.revocation_floor (
    is_only boolean NOT NULL DEFAULT true,
    floor pg_snapshot NOT NULL,
    saved pg_snapshot NOT NULL,
    saved_at timestamptz NOT NULL,
    CONSTRAINT revocation_floor_pkey PRIMARY KEY (is_only),
    CONSTRAINT revocation_floor_is_only_check CHECK (is_only)
);

INSERT INTO identprov.revocation_floor (floor, saved, saved_at)
VALUES (pg_current_snapshot(), pg_current_snapshot(), now());

-- What an account's owner recognizes a session by.
ALTER TABLE identprov.session
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '',
    ADD CONSTRAINT session_address_check CHECK (octet_length(address) <= 64),
    ADD CONSTRAINT session_agent_check CHECK (octet_length(agent) <= 256);

-- Groups are on the account, so that an ask reads one row. Their length leaves
-- room in a token, which has to fit into a header.
ALTER TABLE identprov.account
    ADD COLUMN groups text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT account_groups_check
        CHECK (cardinality(groups) <= 32
               AND octet_length(array_to_string(groups, ',')) <= 768
               AND array_to_string(groups, ',', ' ')
                   ~ '^([A-Za-z0-9._:-]{1,64}(,[A-Za-z0-9._:-]{1,64})*)?$');

-- Hashes of other programs, until their owner's next login.
ALTER TABLE identprov.account
    DROP CONSTRAINT account_password_hash_check,
    ADD CONSTRAINT account_password_hash_check
        CHECK (password_hash ~ '^\$(argon2id|2[aby]|pbkdf2-sha(1|256|512))\$'
               AND octet_length(password_hash) < 256);
