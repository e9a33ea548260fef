-- No control characters, whoever writes: lines may end in what has several.

ALTER TABLE userprofile.profile
    ADD CONSTRAINT profile_line_check
        CHECK (concat(sub, given_name, family_name, nickname, picture, website,
                      gender, address_locality, address_region,
                      address_postal_code, address_country)
               !~ '[\u0001-\u001f\u007f-\u009f]'),
    ADD CONSTRAINT profile_lines_check
        CHECK (concat(address_formatted, address_street_address, bio)
               !~ '[\u0001-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]');
