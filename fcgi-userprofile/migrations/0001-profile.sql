-- A profile of each user, keyed by the subject of the user's tokens. Lengths
-- are those of the program's rules; the schema has no other way to be filled.

CREATE TABLE userprofile.profile (
    sub text NOT NULL,
    given_name text,
    family_name text,
    nickname text,
    picture text,
    website text,
    gender text,
    birthdate text,
    zoneinfo text,
    locale text,
    phone_number text,
    address_formatted text,
    address_street_address text,
    address_locality text,
    address_region text,
    address_postal_code text,
    address_country text,
    bio text,
    custom json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT profile_pkey PRIMARY KEY (sub),
    CONSTRAINT profile_sub_check
        CHECK (octet_length(sub) BETWEEN 1 AND 255),
    CONSTRAINT profile_given_name_check
        CHECK (char_length(given_name) BETWEEN 1 AND 128),
    CONSTRAINT profile_family_name_check
        CHECK (char_length(family_name) BETWEEN 1 AND 128),
    CONSTRAINT profile_nickname_check
        CHECK (char_length(nickname) BETWEEN 1 AND 128),
    CONSTRAINT profile_picture_check
        CHECK (char_length(picture) BETWEEN 1 AND 2048
               AND picture ~* '^https?://'),
    CONSTRAINT profile_website_check
        CHECK (char_length(website) BETWEEN 1 AND 2048
               AND website ~* '^https?://'),
    CONSTRAINT profile_gender_check
        CHECK (char_length(gender) BETWEEN 1 AND 64),
    CONSTRAINT profile_birthdate_check
        CHECK (birthdate ~ '^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$'),
    CONSTRAINT profile_zoneinfo_check
        CHECK (zoneinfo ~ '^[A-Za-z0-9/_+-]{1,64}$'),
    CONSTRAINT profile_locale_check
        CHECK (locale ~ '^[A-Za-z0-9_-]{1,35}$'),
    CONSTRAINT profile_phone_number_check
        CHECK (phone_number ~ '^[+][1-9][0-9]{6,14}$'),
    CONSTRAINT profile_address_formatted_check
        CHECK (char_length(address_formatted) BETWEEN 1 AND 1024),
    CONSTRAINT profile_address_street_address_check
        CHECK (char_length(address_street_address) BETWEEN 1 AND 512),
    CONSTRAINT profile_address_locality_check
        CHECK (char_length(address_locality) BETWEEN 1 AND 128),
    CONSTRAINT profile_address_region_check
        CHECK (char_length(address_region) BETWEEN 1 AND 128),
    CONSTRAINT profile_address_postal_code_check
        CHECK (char_length(address_postal_code) BETWEEN 1 AND 32),
    CONSTRAINT profile_address_country_check
        CHECK (char_length(address_country) BETWEEN 1 AND 128),
    CONSTRAINT profile_bio_check
        CHECK (char_length(bio) BETWEEN 1 AND 4096),
    -- json, not jsonb: what was sent comes back. jsonb writes 1e19 out as an
    -- integer that few JSON libraries read, and 1e300 as 301 digits.
    CONSTRAINT profile_custom_check
        CHECK (json_typeof(custom) = 'object'
               AND octet_length(custom::text) <= 16384)
);
