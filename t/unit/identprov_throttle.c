/*
 * How often somebody may guess: the rules, against a clock of the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "address.h"
#include "throttle.h"

/* As the store has it: times instead of distances. */
struct stored {
    int64_t failures;
    int64_t free_at;
    bool has_turn;
    int64_t turn_at;
};

static struct throttle_count
load(const struct stored *stored, int64_t now)
{
    return (struct throttle_count){ stored->failures, stored->free_at - now,
                                    stored->has_turn, stored->turn_at - now };
}

static void
save(const struct throttle_count *count, int64_t now, struct stored *stored)
{
    *stored = (struct stored){ count->failures, now + count->free_in_ms,
                               count->has_turn, now + count->turn_in_ms };
}

static int64_t
attempt(struct stored *network, struct stored *account, int64_t now)
{
    struct throttle state = { load(network, now), load(account, now) };
    bool is_changed;
    int64_t wait_ms = throttle_attempt(&state, &is_changed);

    assert_true(wait_ms >= 0 && wait_ms <= THROTTLE_WAIT_MAX_MS);
    assert_true(wait_ms > 0 || is_changed);
    if (is_changed) {
        save(&state.network, now, network);
        save(&state.account, now, account);
    }
    return wait_ms;
}

static void
test_a_network_waits_twice_as_long_each_time(void **state)
{
    static const int64_t waits[] = { 0,    0,    0,     0,     1000, 2000,
                                     4000, 8000, 16000, 30000, 30000 };
    struct stored network = { 0 };
    struct stored account = { 0 };
    int64_t now = 1000000;

    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        assert_int_equal(attempt(&network, &account, now), 0);
        if (waits[i] > 0) {
            assert_int_equal(attempt(&network, &account, now), waits[i]);
            assert_int_equal(attempt(&network, &account, now + waits[i] - 1),
                             1);
        }
        now += waits[i];
    }
}

static void
test_a_quarter_of_an_hour_is_forgotten(void **state)
{
    struct stored network = { 0 };
    struct stored account = { 0 };
    int64_t now = 1000000;

    for (int i = 0; i < 60; i++) {
        int64_t wait_ms = attempt(&network, &account, now);

        now += wait_ms;
        if (wait_ms > 0) {
            assert_int_equal(attempt(&network, &account, now), 0);
        }
    }
    assert_true(account.failures > THROTTLE_CROWD_FAILURES);
    now += THROTTLE_WAIT_MAX_MS + THROTTLE_FORGET_MS - 1;
    assert_int_equal(attempt(&network, &account, now), 0);
    assert_int_equal(attempt(&network, &account, now), 30000);
    now += THROTTLE_WAIT_MAX_MS + THROTTLE_FORGET_MS;
    for (int i = 0; i <= THROTTLE_FREE_FAILURES; i++) {
        assert_int_equal(attempt(&network, &account, now), 0);
    }
    assert_int_equal(account.failures, THROTTLE_FREE_FAILURES + 1);
}

enum { NETWORKS = 200, VICTIM = NETWORKS, TICK_MS = 100, TICKS = 6000 };

/*
 * Everybody asks again at every tick, which no right client does. Whoever has
 * come for the first time is let in after 30 seconds at the latest, and of
 * networks that do not wait by themselves one comes in a second.
 */
static void
test_a_crowd_keeps_nobody_out(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    struct stored networks[NETWORKS + 1] = { { 0 } };
    struct stored account = { 0 };
    int64_t start = 1000000;
    int64_t came = 0;
    int64_t waited_max = 0;
    int guesses = 0;

    print_message("# seed %u\n", seed);
    srand(seed);
    for (int64_t now = start; now < start + TICKS * TICK_MS; now += TICK_MS) {
        for (int i = 0; i < 20; i++) {
            int64_t wait_ms =
                attempt(&networks[rand() % NETWORKS], &account, now);

            guesses += wait_ms == 0;
        }
        if (account.failures < THROTTLE_CROWD_FAILURES) {
            continue;
        }
        came = came == 0 ? now : came;
        if (attempt(&networks[VICTIM], &account, now) == 0) {
            waited_max = now - came > waited_max ? now - came : waited_max;
            memset(&networks[VICTIM], 0, sizeof(*networks));
            came = now + TICK_MS;
        }
    }
    assert_true(waited_max <= THROTTLE_WAIT_MAX_MS + TICK_MS);
    assert_true(guesses
                <= THROTTLE_CROWD_FAILURES
                       + NETWORKS * (THROTTLE_FREE_FAILURES + 7)
                       + NETWORKS * TICKS * TICK_MS / THROTTLE_WAIT_MAX_MS);
}

static void
test_a_crowd_takes_turns(void **state)
{
    struct stored networks[64] = { { 0 } };
    struct stored account = { THROTTLE_CROWD_FAILURES, 999999, false, 0 };
    int64_t now = 1000000;

    for (int i = 0; i < 64; i++) {
        int64_t expected = i < 30 ? 1000 * i : 30000;

        assert_int_equal(attempt(&networks[i], &account, now), expected);
    }
    /* Asking again changes nothing, and coming late does not either. */
    assert_int_equal(attempt(&networks[5], &account, now + 3000), 2000);
    assert_int_equal(attempt(&networks[5], &account, now + 5000), 0);
    assert_int_equal(attempt(&networks[7], &account, now + 90000), 0);
}

/* Whoever waits for wrong passwords of its own takes no turn. */
static void
test_a_network_waits_once(void **state)
{
    struct stored network = { THROTTLE_FREE_FAILURES + 1, 1001000, false, 0 };
    struct stored account = { 5000, 1031000, false, 0 };

    assert_int_equal(attempt(&network, &account, 1000000), 1000);
    assert_int_equal(attempt(&network, &account, 1001000), 0);
}

static void
test_retry_after_is_whole_seconds(void **state)
{
    assert_int_equal(throttle_retry_sec(1), 1);
    assert_int_equal(throttle_retry_sec(1000), 1);
    assert_int_equal(throttle_retry_sec(1001), 2);
    assert_int_equal(throttle_retry_sec(30000), 30);
}

static const struct {
    const char *address;
    const char *network;
    bool is_private;
} addresses[] = {
    { "192.0.2.77", "192.0.2.0/24", false },
    { "192.0.2.0", "192.0.2.0/24", false },
    { "::ffff:192.0.2.77", "192.0.2.0/24", false },
    { "2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::/64", false },
    { "2001:db8:1:2::", "2001:0db8:0001:0002::/64", false },
    { "unix:", "unix:", false },
    { "", "", false },
    { "192.0.2", "192.0.2", false },
    { "10.0.0.1", "10.0.0.0/24", true },
    { "10.255.255.255", "10.255.255.0/24", true },
    { "11.0.0.0", "11.0.0.0/24", false },
    { "127.0.0.1", "127.0.0.0/24", true },
    { "172.15.0.1", "172.15.0.0/24", false },
    { "172.16.0.1", "172.16.0.0/24", true },
    { "172.31.0.1", "172.31.0.0/24", true },
    { "172.32.0.1", "172.32.0.0/24", false },
    { "192.168.1.1", "192.168.1.0/24", true },
    { "192.169.1.1", "192.169.1.0/24", false },
    { "169.254.3.1", "169.254.3.0/24", true },
    { "100.64.0.1", "100.64.0.0/24", true },
    { "100.127.0.1", "100.127.0.0/24", true },
    { "100.128.0.1", "100.128.0.0/24", false },
    { "::1", "0000:0000:0000:0000::/64", true },
    { "::2", "0000:0000:0000:0000::/64", false },
    { "fd00::1", "fd00:0000:0000:0000::/64", true },
    { "fe80::1", "fe80:0000:0000:0000::/64", true },
    { "fec0::1", "fec0:0000:0000:0000::/64", false },
    { "::ffff:10.1.2.3", "10.1.2.0/24", true },
};

static void
test_networks_of_addresses(void **state)
{
    char network[ADDRESS_NETWORK_SIZE];
    char endless[200];

    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        address_network(addresses[i].address, network);
        assert_string_equal(network, addresses[i].network);
        if (address_is_private(addresses[i].address)
            != addresses[i].is_private) {
            fail_msg("%s", addresses[i].address);
        }
    }
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    address_network(endless, network);
    assert_int_equal(strlen(network), sizeof(network) - 1);
}

static void
test_keys_are_of_a_name_and_a_network(void **state)
{
    struct throttle_keys one;
    struct throttle_keys two;
    struct throttle_key key;

    assert_int_equal(throttle_keys("ivan", "192.0.2.1", &one), IGW_OK);
    assert_int_equal(throttle_keys("ivan", "192.0.2.250", &two), IGW_OK);
    assert_memory_equal(&one, &two, sizeof(one));
    assert_int_equal(throttle_keys("ivan", "192.0.3.1", &two), IGW_OK);
    assert_memory_equal(&one.account, &two.account, sizeof(key));
    assert_memory_not_equal(&one.network, &two.network, sizeof(key));
    assert_int_equal(throttle_keys("iva", "192.0.2.1", &two), IGW_OK);
    assert_memory_not_equal(&one.account, &two.account, sizeof(key));
    assert_memory_not_equal(&one.network, &two.network, sizeof(key));
    assert_memory_not_equal(&one.network, &one.account, sizeof(key));
    assert_int_equal(throttle_keys("", "192.0.2.1", &two), IGW_OK);
    assert_int_equal(throttle_register_key("192.0.2.1", &key), IGW_OK);
    assert_memory_not_equal(&two.network, &key, sizeof(key));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_network_waits_twice_as_long_each_time),
        cmocka_unit_test(test_a_quarter_of_an_hour_is_forgotten),
        cmocka_unit_test(test_a_crowd_keeps_nobody_out),
        cmocka_unit_test(test_a_crowd_takes_turns),
        cmocka_unit_test(test_a_network_waits_once),
        cmocka_unit_test(test_retry_after_is_whole_seconds),
        cmocka_unit_test(test_networks_of_addresses),
        cmocka_unit_test(test_keys_are_of_a_name_and_a_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
