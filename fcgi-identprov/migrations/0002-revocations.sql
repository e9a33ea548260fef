-- What gateways have to forget: the feed GET /revocations reads it.

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
