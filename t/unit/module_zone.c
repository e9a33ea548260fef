/*
 * The shared memory of the cache, without nginx: slots, zone and polls against
 * a reference that forgets nothing, by a clock that the test turns. The
 * module's files are included; what they need of nginx stands below.
 */

#include "../../ngx_http_identgw_module/ngx_http_identgw_polls.c"
#include "../../ngx_http_identgw_module/ngx_http_identgw_shared.c"
#include "../../ngx_http_identgw_module/ngx_http_identgw_slots.c"
#include "../../ngx_http_identgw_module/ngx_http_identgw_zone.c"
#pragma GCC visibility pop

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SEC        UINT64_C(1000000000)
#define TTL        (60 * SEC)
#define SESSIONS   400
#define POLICIES   2
#define POOL_PAGES 64

static ngx_str_t EPOCH = ngx_string("7001.00000001");
static ngx_str_t LATER = ngx_string("7001.00000002");
static ngx_str_t OTHER = ngx_string("8001.00000001");

ngx_uint_t ngx_pagesize = 4096;

static uint64_t now_nsec;
static ngx_uint_t locked;
static ngx_slab_pool_t *pool;
static ngx_shm_zone_t shm;
static ngx_http_identgw_zone_t zone;
static u_char copy[1024];

uint64_t
ngx_http_identgw_compat_nsec(void)
{
    assert_int_equal(locked, 1);
    return now_nsec;
}

void
ngx_shmtx_lock(ngx_shmtx_t *mtx)
{
    assert_ptr_equal(mtx, &pool->mutex);
    assert_int_equal(locked++, 0);
}

void
ngx_shmtx_unlock(ngx_shmtx_t *mtx)
{
    assert_ptr_equal(mtx, &pool->mutex);
    assert_int_equal(locked--, 1);
}

void *
ngx_slab_alloc(ngx_slab_pool_t *slab, size_t size)
{
    void *p = malloc(size);

    assert_ptr_equal(slab, pool);
    assert_non_null(p);
    memset(p, 0xa5, size);
    return p;
}

/* A new zone; the clock goes on. */

static int
set_up(void **state)
{
    (void)state;
    pool = calloc(1, sizeof(ngx_slab_pool_t));
    assert_non_null(pool);
    pool->pfree = POOL_PAGES;
    shm.shm.addr = (u_char *)pool;
    shm.data = &zone;
    zone.shm = &shm;
    zone.entry_size = 512;
    zone.interval_nsec = SEC / 4;
    zone.lease_nsec = 2 * SEC;
    zone.copy = copy;
    now_nsec += 100 * SEC;
    assert_int_equal(ngx_http_identgw_zone_init(&shm, NULL), NGX_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    free(zone.shared);
    free(pool);
    return 0;
}

static ngx_http_identgw_slots_id_t
id_of(unsigned session, unsigned policy)
{
    ngx_http_identgw_slots_id_t id;
    uint64_t x = session * UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < sizeof(id.key); i++) {
        x ^= x >> 29;
        x *= UINT64_C(0xbf58476d1ce4e5b9);
        id.key[i] = (u_char)(x >> 32);
    }
    id.policy = policy;
    return id;
}

static ngx_http_identgw_zone_found_e
look(unsigned session, ngx_http_identgw_slots_token_t *token, size_t *len)
{
    ngx_http_identgw_slots_id_t id = id_of(session, 0);

    return ngx_http_identgw_zone_lookup(&zone, &id, TTL, len, token);
}

static ngx_http_identgw_zone_found_e
found(unsigned session)
{
    size_t len;
    ngx_http_identgw_slots_token_t token;

    return look(session, &token, &len);
}

static void
store(unsigned session, const ngx_http_identgw_slots_token_t *token)
{
    ngx_http_identgw_slots_id_t id = id_of(session, 0);

    assert_int_equal(ngx_http_identgw_zone_store(&zone, &id, token, &EPOCH, TTL,
                                                 (const u_char *)&session,
                                                 sizeof(session)),
                     NGX_OK);
}

static void
fill(unsigned session)
{
    size_t len;
    ngx_http_identgw_slots_token_t token;

    (void)look(session, &token, &len);
    store(session, &token);
}

/* An answer that says "epoch:1", with rows for the sessions. */

static ngx_http_identgw_poll_e
apply(const ngx_http_identgw_poll_t *poll, const ngx_str_t *epoch,
      ngx_uint_t is_reset, const unsigned *sessions, ngx_uint_t n)
{
    u_char text[80], rows[32 * 8];
    ngx_http_identgw_poll_answer_t answer = { 0 };

    memcpy(text, epoch->data, epoch->len);
    memcpy(text + epoch->len, ":1", 2);
    answer.cursor.data = text;
    answer.cursor.len = epoch->len + 2;
    answer.epoch = *epoch;
    answer.is_reset = is_reset != 0;
    answer.rows = rows;
    answer.nrows = n;
    for (ngx_uint_t i = 0; i < n; i++) {
        ngx_http_identgw_slots_id_t id = id_of(sessions[i], 0);
        memcpy(rows + 32 * i, id.key, 32);
    }
    return ngx_http_identgw_polls_apply(&zone, poll, &answer);
}

static void
poll_once(const ngx_str_t *epoch, ngx_uint_t is_reset)
{
    static ngx_http_identgw_poll_t poll;

    (void)found(0);
    now_nsec += SEC / 4;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    assert_true(apply(&poll, epoch, is_reset, NULL, 0)
                <= NGX_HTTP_IDENTGW_POLL_RESET);
}

static void
lease_counts_from_the_sending(void **state)
{
    static ngx_http_identgw_poll_t poll;

    (void)state;
    poll_once(&EPOCH, 1);
    fill(1);
    now_nsec += SEC / 4;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    uint64_t sent_nsec = now_nsec;
    now_nsec += SEC / 4;
    assert_int_equal(apply(&poll, &EPOCH, 0, NULL, 0),
                     NGX_HTTP_IDENTGW_POLL_OK);
    now_nsec = sent_nsec + zone.lease_nsec - 1;
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);
    now_nsec++;
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);
    poll_once(&EPOCH, 0);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);
}

static void
nothing_is_served_or_stored_before_a_poll(void **state)
{
    size_t len;
    ngx_http_identgw_slots_token_t token;

    (void)state;
    fill(1);
    assert_int_equal(look(1, &token, &len), NGX_HTTP_IDENTGW_ZONE_MISS);
    poll_once(&EPOCH, 0);
    store(1, &token);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);
}

static void
a_revocation_overtakes_an_answer(void **state)
{
    static ngx_http_identgw_poll_t poll;
    unsigned session = 1;
    size_t len;
    ngx_http_identgw_slots_token_t token;
    ngx_http_identgw_slots_id_t id = id_of(1, 0);

    (void)state;
    poll_once(&EPOCH, 1);
    assert_int_equal(look(1, &token, &len), NGX_HTTP_IDENTGW_ZONE_MISS);
    ngx_http_identgw_zone_purge(&zone, id.key);
    store(1, &token);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);

    (void)look(1, &token, &len);
    now_nsec += SEC;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    assert_int_equal(apply(&poll, &EPOCH, 0, &session, 1),
                     NGX_HTTP_IDENTGW_POLL_OK);
    store(1, &token);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);

    (void)look(1, &token, &len);
    poll_once(&EPOCH, 1);
    store(1, &token);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);

    fill(1);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);
    assert_int_equal(zone.shared->counters.outdated, 3);
}

/* A set and its tags go by the first 8 of 32 bytes. */
static void
every_byte_of_a_key_counts(void **state)
{
    size_t len;
    ngx_http_identgw_slots_token_t token;

    (void)state;
    poll_once(&EPOCH, 0);
    fill(1);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);
    for (size_t i = 0; i < NGX_HTTP_IDENTGW_SLOTS_KEY_SIZE; i++) {
        ngx_http_identgw_slots_id_t id = id_of(1, 0);

        id.key[i] ^= 1;
        assert_int_equal(
            ngx_http_identgw_zone_lookup(&zone, &id, TTL, &len, &token),
            NGX_HTTP_IDENTGW_ZONE_MISS);
    }
}

static void
one_poll_at_a_time(void **state)
{
    static ngx_http_identgw_poll_t first, second;
    unsigned session = 1;

    (void)state;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &first),
                     NGX_TIMER_INFINITE);
    poll_once(&EPOCH, 1);
    fill(1);
    assert_in_range(ngx_http_identgw_polls_begin(&zone, &first), 249, 251);
    now_nsec += SEC / 4;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &first), 0);
    assert_in_range(ngx_http_identgw_polls_begin(&zone, &second), 500, 501);
    now_nsec += SEC / 2;

    /* its owner is dead, or slow */

    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &second), 0);
    assert_int_equal(apply(&first, &EPOCH, 1, &session, 1),
                     NGX_HTTP_IDENTGW_POLL_LATE);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);
    ngx_http_identgw_polls_fail(&zone, &first, NGX_HTTP_IDENTGW_POLL_FAILED);
    assert_int_not_equal(ngx_http_identgw_polls_begin(&zone, &first), 0);
    assert_int_equal(apply(&second, &EPOCH, 0, &session, 1),
                     NGX_HTTP_IDENTGW_POLL_OK);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);

    now_nsec += TTL;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &first),
                     NGX_TIMER_INFINITE);
}

static void
another_epoch_waits_for_the_end_of_the_lease(void **state)
{
    static ngx_http_identgw_poll_t poll;

    (void)state;
    assert_true(ngx_http_identgw_zone_accepts(&zone, &OTHER));
    poll_once(&EPOCH, 1);
    fill(1);
    assert_true(ngx_http_identgw_zone_accepts(&zone, &EPOCH));
    assert_false(ngx_http_identgw_zone_accepts(&zone, &OTHER));
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);

    now_nsec += SEC / 4;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    assert_int_equal(apply(&poll, &OTHER, 1, NULL, 0),
                     NGX_HTTP_IDENTGW_POLL_EPOCH);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);

    now_nsec += zone.lease_nsec;
    assert_true(ngx_http_identgw_zone_accepts(&zone, &OTHER));
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    assert_int_equal(apply(&poll, &OTHER, 0, NULL, 0),
                     NGX_HTTP_IDENTGW_POLL_RESET);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);
}

static void
a_timeline_never_goes_back(void **state)
{
    static ngx_http_identgw_poll_t poll;

    (void)state;
    poll_once(&EPOCH, 1);
    fill(1);
    assert_false(ngx_http_identgw_zone_accepts(&zone, &LATER));
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);
    assert_true(ngx_http_identgw_zone_accepts(&zone, &LATER));

    now_nsec += SEC / 4;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    assert_int_equal(poll.cursor_len, 0);
    assert_int_equal(apply(&poll, &EPOCH, 1, NULL, 0),
                     NGX_HTTP_IDENTGW_POLL_EPOCH);
    fill(1);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);

    poll_once(&LATER, 0);
    assert_false(ngx_http_identgw_zone_accepts(&zone, &EPOCH));

    now_nsec += 100 * zone.lease_nsec;
    (void)found(0);
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll), 0);
    assert_int_equal(apply(&poll, &EPOCH, 1, NULL, 0),
                     NGX_HTTP_IDENTGW_POLL_EPOCH);
}

static void
stale_entries_serve_for_their_time(void **state)
{
    size_t len;
    unsigned session;
    ngx_http_identgw_slots_id_t id = id_of(1, 0);

    (void)state;
    assert_int_equal(
        ngx_http_identgw_zone_lookup_stale(&zone, &id, TTL, SEC, &len),
        NGX_DECLINED);
    poll_once(&EPOCH, 1);
    uint64_t sent_nsec = zone.shared->sent_nsec;
    fill(1);
    now_nsec = sent_nsec + zone.lease_nsec + 10 * SEC - 1;
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_MISS);
    assert_int_equal(
        ngx_http_identgw_zone_lookup_stale(&zone, &id, TTL, 10 * SEC, &len),
        NGX_OK);
    memcpy(&session, copy, sizeof(session));
    assert_int_equal(len, sizeof(session));
    assert_int_equal(session, 1);
    now_nsec++;
    assert_int_equal(
        ngx_http_identgw_zone_lookup_stale(&zone, &id, TTL, 10 * SEC, &len),
        NGX_DECLINED);
    now_nsec = sent_nsec + TTL + SEC;
    assert_int_equal(
        ngx_http_identgw_zone_lookup_stale(&zone, &id, TTL, 3600 * SEC, &len),
        NGX_DECLINED);
}

static void
a_retired_zone_serves_nobody(void **state)
{
    static ngx_http_identgw_poll_t poll;

    (void)state;
    poll_once(&EPOCH, 1);
    fill(1);
    ngx_http_identgw_zone_retire(&shm);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_UNUSABLE);
    now_nsec += SEC;
    assert_int_equal(ngx_http_identgw_polls_begin(&zone, &poll),
                     NGX_TIMER_INFINITE);
}

static void
too_large_is_told_once_a_minute(void **state)
{
    static u_char data[1024];
    static const ngx_int_t expected[] = { NGX_BUSY, NGX_DECLINED, NGX_BUSY };
    size_t len;
    ngx_http_identgw_slots_token_t token;
    ngx_http_identgw_slots_id_t id = id_of(1, 0);
    size_t fits = 512 - offsetof(ngx_http_identgw_slot_t, data);

    (void)state;
    poll_once(&EPOCH, 1);
    (void)look(1, &token, &len);
    assert_int_equal(ngx_http_identgw_zone_store(&zone, &id, &token, &EPOCH,
                                                 TTL, data, fits),
                     NGX_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ngx_http_identgw_zone_store(&zone, &id, &token, &EPOCH,
                                                     TTL, data, fits + 1),
                         expected[i]);
        now_nsec += 30 * SEC;
    }
    assert_int_equal(zone.shared->counters.full, 3);
}

static const u_char secret[] = "Bearer a token that nobody may find";

static void
store_secrets(void)
{
    size_t len;
    ngx_http_identgw_slots_token_t token;

    for (unsigned i = 0; i < 4 * SESSIONS; i++) {
        ngx_http_identgw_slots_id_t id = id_of(i, 0);
        (void)look(i, &token, &len);
        assert_int_equal(ngx_http_identgw_zone_store(&zone, &id, &token, &EPOCH,
                                                     TTL, secret,
                                                     sizeof(secret)),
                         NGX_OK);
    }
}

static size_t
count_secrets(void)
{
    size_t n = 0;

    for (u_char *p = (u_char *)zone.shared;
         p < (u_char *)zone.shared + POOL_PAGES * 4096 - sizeof(secret); p++) {
        n += memcmp(p, secret, sizeof(secret)) == 0;
    }
    return n;
}

static void
what_gives_way_is_wiped(void **state)
{
    (void)state;
    poll_once(&EPOCH, 1);
    store_secrets();
    assert_int_not_equal(zone.shared->slots.evictions, 0);
    for (unsigned i = 0; i < 4 * SESSIONS; i++) {
        ngx_http_identgw_slots_id_t id = id_of(i, 0);
        ngx_http_identgw_zone_purge(&zone, id.key);
    }
    assert_int_equal(zone.shared->slots.entries, 0);
    assert_int_equal(zone.shared->slots.bytes, 0);
    assert_int_equal(count_secrets(), 0);
}

static void
what_a_reset_left_is_wiped_when_its_set_is_used(void **state)
{
    (void)state;
    poll_once(&EPOCH, 1);
    store_secrets();
    assert_int_not_equal(count_secrets(), 0);
    poll_once(&EPOCH, 1);
    for (unsigned i = 0; i < 4 * SESSIONS; i++) {
        fill(i);
    }
    assert_int_equal(count_secrets(), 0);
}

static void
an_entry_is_as_old_as_the_asker_allows(void **state)
{
    size_t len;
    ngx_http_identgw_slots_id_t id = id_of(1, 0);
    ngx_http_identgw_slots_token_t token;

    (void)state;
    poll_once(&EPOCH, 1);
    fill(1);
    now_nsec += SEC;
    assert_int_equal(
        ngx_http_identgw_zone_lookup(&zone, &id, SEC, &len, &token),
        NGX_HTTP_IDENTGW_ZONE_EXPIRED);
    assert_int_equal(
        ngx_http_identgw_zone_lookup_stale(&zone, &id, SEC, SEC, &len),
        NGX_DECLINED);
    assert_int_equal(
        ngx_http_identgw_zone_lookup(&zone, &id, SEC + 1, &len, &token),
        NGX_HTTP_IDENTGW_ZONE_HIT);
    assert_int_equal(found(1), NGX_HTTP_IDENTGW_ZONE_HIT);
}

static void
the_oldest_of_a_set_gives_way(void **state)
{
    unsigned of_set[9], n = 0;
    ngx_http_identgw_slots_set_t *set = NULL;

    (void)state;
    poll_once(&EPOCH, 1);
    for (unsigned i = 1; n < 9; i++) {
        ngx_http_identgw_slots_id_t id = id_of(i, 0);
        ngx_http_identgw_slots_set_t *of =
            ngx_http_identgw_slots_set(&zone.shared->slots, id.key);
        if (set == NULL || of == set) {
            set = of;
            of_set[n++] = i;
        }
    }
    for (unsigned i = 0; i < 9; i++) {
        fill(of_set[i]);
        now_nsec++;
    }
    assert_int_equal(found(of_set[0]), NGX_HTTP_IDENTGW_ZONE_MISS);
    for (unsigned i = 1; i < 9; i++) {
        assert_int_equal(found(of_set[i]), NGX_HTTP_IDENTGW_ZONE_HIT);
    }
}

/*
 * Random operations. The reference knows of each session when its last
 * revocation was applied and which answer is in force; whatever the zone
 * serves must be that answer, of that session and policy, asked for since.
 */

struct known {
    uint64_t version; /* of the answer, as it was when asked */
    uint64_t stored_nsec;
    int is_stored;
};

static struct known known[SESSIONS][POLICIES];
static uint64_t version[SESSIONS]; /* moves with each revocation */

static void
check_hit(unsigned session, unsigned policy, size_t len)
{
    uint64_t said[3];
    const struct known *k = &known[session][policy];

    assert_int_equal(len, sizeof(said));
    memcpy(said, copy, sizeof(said));
    assert_int_equal(said[0], session);
    assert_int_equal(said[1], policy);
    assert_true(k->is_stored);
    assert_int_equal(said[2], version[session]);
    assert_true(now_nsec < k->stored_nsec + TTL);
}

static void
ask_and_store(unsigned session, unsigned policy)
{
    size_t len;
    unsigned other = (unsigned)rand() % SESSIONS;
    uint64_t said[3] = { session, policy, version[session] };
    ngx_http_identgw_slots_token_t token;
    ngx_http_identgw_slots_id_t id = id_of(session, policy);

    if (ngx_http_identgw_zone_lookup(&zone, &id, TTL, &len, &token)
        == NGX_HTTP_IDENTGW_ZONE_HIT) {
        check_hit(session, policy, len);
        return;
    }
    if (rand() % 4 == 0) { /* meanwhile */
        unsigned revoked = rand() % 2 ? session : other;
        ngx_http_identgw_slots_id_t revoked_id = id_of(revoked, 0);

        version[revoked]++;
        ngx_http_identgw_zone_purge(&zone, revoked_id.key);
    }
    assert_int_equal(ngx_http_identgw_zone_store(&zone, &id, &token, &EPOCH,
                                                 TTL, (u_char *)said,
                                                 sizeof(said)),
                     NGX_OK);
    known[session][policy].is_stored = 1;
    known[session][policy].stored_nsec = now_nsec;
}

static void
random_operations(void **state)
{
    static ngx_http_identgw_poll_t poll;
    unsigned seed = (unsigned)time(NULL);
    unsigned hits = 0;

    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    poll_once(&EPOCH, 1);
    for (unsigned i = 0; i < 300000; i++) {
        unsigned session = (unsigned)rand() % SESSIONS;
        unsigned policy = (unsigned)rand() % POLICIES;

        switch (rand() % 16) {
        case 0: {
            ngx_http_identgw_slots_id_t id = id_of(session, 0);
            version[session]++;
            ngx_http_identgw_zone_purge(&zone, id.key);
            break;
        }
        case 1:
            now_nsec += SEC / 4;
            if (ngx_http_identgw_polls_begin(&zone, &poll) == 0) {
                version[session]++;
                assert_true(apply(&poll, &EPOCH, rand() % 500 == 0, &session, 1)
                            <= NGX_HTTP_IDENTGW_POLL_RESET);
            }
            break;
        default:
            ask_and_store(session, policy);
        }
        hits = zone.shared->counters.hits;
    }
    assert_true(hits > 10000);
    assert_true(zone.shared->slots.entries
                <= zone.shared->slots.nsets * NGX_HTTP_IDENTGW_SLOTS_OF_SET);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        TEST(lease_counts_from_the_sending),
        TEST(nothing_is_served_or_stored_before_a_poll),
        TEST(a_revocation_overtakes_an_answer),
        TEST(every_byte_of_a_key_counts),
        TEST(one_poll_at_a_time),
        TEST(another_epoch_waits_for_the_end_of_the_lease),
        TEST(a_timeline_never_goes_back),
        TEST(stale_entries_serve_for_their_time),
        TEST(a_retired_zone_serves_nobody),
        TEST(too_large_is_told_once_a_minute),
        TEST(what_gives_way_is_wiped),
        TEST(what_a_reset_left_is_wiped_when_its_set_is_used),
        TEST(an_entry_is_as_old_as_the_asker_allows),
        TEST(the_oldest_of_a_set_gives_way),
        TEST(random_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
