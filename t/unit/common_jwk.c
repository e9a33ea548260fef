/*
 * Public keys as JWK, and sets of them.
 */
#include "key_fixture.h"

static void
a_jwk_has_the_public_half_only(void **state)
{
    static const char *const names[] = { "kty", "crv", "x",  "y",
                                         "use", "alg", "kid" };
    struct igw_key *key = NULL;
    struct igw_buf text;
    struct json_t *jwk;
    size_t at = 0;

    assert_int_equal(igw_key_import(igw_slice_of(by_openssl),
                                    igw_slice_of(PASSPHRASE), &key),
                     IGW_OK);
    jwk = igw_key_jwk(key);
    assert_non_null(jwk);
    for (void *iter = igw_json_first(jwk); iter != NULL;
         iter = igw_json_next(jwk, iter)) {
        assert_true(at < COUNT(names));
        assert_string_equal(igw_json_name(iter), names[at++]);
    }
    igw_buf_init(&text);
    assert_int_equal(igw_json_dump(jwk, &text), IGW_OK);
    assert_string_equal(text.data,
                        "{" EC "," RFC_POINT ",\"use\":\"sig\","
                        "\"alg\":\"ES256\",\"kid\":\"" RFC_THUMBPRINT "\"}");
    igw_buf_clear(&text);
    igw_json_free(&jwk);
    igw_key_free(&key);
}

static void
a_jwk_becomes_a_public_key(void **state)
{
    static const char *const good[] = {
        "{" EC "," RFC_POINT "," KID "}",
        "{" EC "," RFC_POINT "," KID ",\"use\":\"sig\",\"alg\":\"ES256\"}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":[\"verify\"]}",
        "{" EC "," RFC_POINT "," KID ",\"x5t\":\"unknown members are free\"}",
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct igw_key *key = NULL;

        assert_int_equal(from_jwk(good[i], &key), IGW_OK);
        assert_string_equal(igw_key_kid(key), "k1");
        assert_false(igw_key_is_private(key));
        igw_key_free(&key);
    }
}

static void
a_jwk_that_is_not_es256_public_is_refused(void **state)
{
    static const char *const bad[] = {
        "null",
        "[]",
        "\"EC\"",
        "{}",
        /* another kind or curve */
        "{\"kty\":\"ec\",\"crv\":\"P-256\"," RFC_POINT "," KID "}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"," KID "}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"," KID "}",
        "{\"crv\":\"P-256\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":\"p-256\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\"," RFC_POINT "," KID "}",
        "{\"kty\":\"EC\",\"crv\":256," RFC_POINT "," KID "}",
        /* a private member, whatever it holds */
        "{" EC "," RFC_POINT "," KID
        ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}",
        "{" EC "," RFC_POINT "," KID ",\"d\":\"\"}",
        "{" EC "," RFC_POINT "," KID ",\"d\":null}",
        /* another purpose */
        "{" EC "," RFC_POINT "," KID ",\"use\":\"enc\"}",
        "{" EC "," RFC_POINT "," KID ",\"use\":null}",
        "{" EC "," RFC_POINT "," KID ",\"use\":[\"sig\"]}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"ES384\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"es256\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"none\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"HS256\"}",
        "{" EC "," RFC_POINT "," KID ",\"alg\":\"\"}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":[\"deriveBits\"]}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":[]}",
        "{" EC "," RFC_POINT "," KID ",\"key_ops\":\"verify\"}",
        /* kid */
        "{" EC "," RFC_POINT "}",
        "{" EC "," RFC_POINT ",\"kid\":\"\"}",
        "{" EC "," RFC_POINT ",\"kid\":1}",
        "{" EC "," RFC_POINT ",\"kid\":null}",
        "{" EC "," RFC_POINT ",\"kid\":\"a b\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"a.b\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"../../dev/null\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"' OR 1=1\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"k\\n\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"\xc3\xa9\"}",
        "{" EC "," RFC_POINT ",\"kid\":\"0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdefg\"}",
        /* a coordinate that is missing, short, long, padded, another text */
        "{" EC "," RFC_X "," KID "}",
        "{" EC "," RFC_Y "," KID "}",
        "{" EC ",\"x\":1," RFC_Y "," KID "}",
        "{" EC ",\"x\":\"\"," RFC_Y "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVE\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEUA\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\"," RFC_Y
        "," KID "}",
        /* no point: off the curve, swapped, (0, 0), (p, p) */
        "{" EC ",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEQ\"," RFC_Y
        "," KID "}",
        "{" EC ",\"x\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
        "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," KID "}",
        "{" EC ",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," KID "}",
        "{" EC ",\"x\":\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\","
        "\"y\":\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\"," KID "}",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct igw_key *key = (struct igw_key *)(uintptr_t)1;

        if (from_jwk(bad[i], &key) != IGW_INVALID || key != NULL) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void
any_kid_of_the_alphabet_is_kept(void **state)
{
    struct igw_key *key = NULL;

    assert_int_equal(from_jwk("{" EC "," RFC_POINT
                              ",\"kid\":\"0123456789ABCDEFabcdef_-01234567"
                              "0123456789abcdef0123456789abcdef\"}",
                              &key),
                     IGW_OK);
    assert_string_equal(
        igw_key_kid(key),
        "0123456789ABCDEFabcdef_-012345670123456789abcdef0123456789abcdef");
    igw_key_free(&key);
}

static void
a_key_set_takes_the_keys_it_can_use(void **state)
{
    static const char text[] =
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rsa\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"one\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"two\",\"use\":\"sig\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"enc\",\"use\":\"enc\"},"
        "{" EC "," RFC_POINT ",\"kid\":\"secret\",\"d\":\"AA\"}],\"more\":1}";
    struct igw_keyset *set = NULL;
    char why[160];

    assert_int_equal(igw_keyset_parse(igw_slice_of(text), &set, why), IGW_OK);
    assert_string_equal(igw_key_kid(igw_keyset_find(set, igw_slice_of("one"))),
                        "one");
    assert_string_equal(igw_key_kid(igw_keyset_find(set, igw_slice_of("two"))),
                        "two");
    assert_null(igw_keyset_find(set, igw_slice_of("rsa")));
    assert_null(igw_keyset_find(set, igw_slice_of("enc")));
    assert_null(igw_keyset_find(set, igw_slice_of("secret")));
    assert_null(igw_keyset_find(set, igw_slice_of("")));
    assert_null(igw_keyset_find(set, igw_slice_of("on")));
    assert_null(igw_keyset_find(set, igw_slice_of("onee")));
    assert_null(igw_keyset_find(set, igw_slice_of("ONE")));
    assert_null(igw_keyset_find(set, slice("one", 4)));
    assert_null(igw_keyset_find(NULL, igw_slice_of("one")));
    igw_keyset_free(&set);
    assert_null(set);
    igw_keyset_free(&set);
}

static void
a_key_set_of_no_use_says_why(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "", "Syntax error at line 1, column 0 of the JSON text." },
        { "{\"keys\":[],\"keys\":[]}",
          "A member is there twice at line 1, column 17 of the JSON text." },
        { "[]", "It has no array \"keys\"." },
        { "{}", "It has no array \"keys\"." },
        { "{\"keys\":{}}", "It has no array \"keys\"." },
        { "{\"keys\":[]}", "Its array \"keys\" is empty." },
        { "{\"keys\":[1]}", "Key 1 of 1 is of no use: it is not an object." },
        { "{\"keys\":[1,{\"kty\":\"RSA\"}]}",
          "Key 2 of 2 is of no use: its kid is not 1 to 64 of A-Z a-z 0-9 - _." },
        { "{\"keys\":[{\"kty\":\"oct\"}]}",
          "Key 1 of 1 is of no use: its kty is not EC or RSA." },
        { "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"," KID
          "}]}",
          "Key 1 of 1 is of no use: its n and e are not an RSA key of 3072 to "
          "4096 bits with the exponent 65537." },
        { "{\"keys\":[{" EC "," RFC_POINT "," KID ",\"d\":\"AA\"}]}",
          "Key 1 of 1 is of no use: it holds the private key." },
        { "{\"keys\":[{" EC "," RFC_X "," KID "}]}",
          "Key 1 of 1 is of no use: its x and y are not a point of the "
          "curve." },
        { "{\"keys\":[{" EC "," RFC_POINT "," KID "},{" EC "," RFC_POINT "," KID
          "}]}",
          "Two of its keys have the kid k1." },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct igw_keyset *set = NULL;
        char why[160];

        assert_int_equal(
            igw_keyset_parse(igw_slice_of(cases[i].text), &set, why),
            IGW_INVALID);
        assert_null(set);
        assert_string_equal(why, cases[i].why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jwk_has_the_public_half_only),
        cmocka_unit_test(a_jwk_becomes_a_public_key),
        cmocka_unit_test(a_jwk_that_is_not_es256_public_is_refused),
        cmocka_unit_test(any_kid_of_the_alphabet_is_kept),
        cmocka_unit_test(a_key_set_takes_the_keys_it_can_use),
        cmocka_unit_test(a_key_set_of_no_use_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
