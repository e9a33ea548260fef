#include "throttle.h"

#include "address.h"
#include "buf.h"

static bool
is_forgotten(const struct throttle_count *count)
{
    return count->free_in_ms <= -(int64_t)THROTTLE_FORGET_MS;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* After so many failures of one network. */
static int64_t
delay_ms(int64_t failures)
{
    int64_t doubled = failures - THROTTLE_FREE_FAILURES - 1;

    if (doubled < 0) {
        return 0;
    }
    if (doubled > 10) {
        return THROTTLE_WAIT_MAX_MS;
    }
    return least((int64_t)THROTTLE_STEP_MS << doubled, THROTTLE_WAIT_MAX_MS);
}

/* A network without a delay of its own, while many guess at the account. */
static int64_t
take_turn(struct throttle *state, bool *is_changed)
{
    struct throttle_count *network = &state->network;
    struct throttle_count *account = &state->account;
    int64_t next_ms = account->free_in_ms > 0 ? account->free_in_ms : 0;

    if (network->has_turn) {
        return network->turn_in_ms > 0 ? network->turn_in_ms : 0;
    }
    network->turn_in_ms = least(next_ms, THROTTLE_WAIT_MAX_MS);
    network->has_turn = true;
    account->free_in_ms = network->turn_in_ms + THROTTLE_STEP_MS;
    *is_changed = true;
    return network->turn_in_ms;
}

int64_t
throttle_attempt(struct throttle *state, bool *is_changed)
{
    struct throttle_count *network = &state->network;
    struct throttle_count *account = &state->account;
    int64_t wait_ms = 0;

    *is_changed = false;
    if (is_forgotten(network)) {
        *network = (struct throttle_count){ 0 };
    }
    if (is_forgotten(account)) {
        *account = (struct throttle_count){ 0 };
    }

    if (network->failures > THROTTLE_FREE_FAILURES) {
        wait_ms = network->free_in_ms > 0 ? network->free_in_ms : 0;
    } else if (account->failures >= THROTTLE_CROWD_FAILURES) {
        wait_ms = take_turn(state, is_changed);
    }
    if (wait_ms > 0) {
        return wait_ms;
    }

    *is_changed = true;
    network->failures++;
    network->free_in_ms = delay_ms(network->failures);
    network->has_turn = false;
    account->failures++;
    if (account->free_in_ms < 0) {
        account->free_in_ms = 0;
    }
    return 0;
}

int64_t
throttle_retry_sec(int64_t wait_ms)
{
    return wait_ms <= 1000 ? 1 : (wait_ms + 999) / 1000;
}

/* Texts with a NUL behind each: none is the beginning of another. */
static enum igw_result
make_key(const char *what, const char *name, const char *network,
         struct throttle_key *key)
{
    struct igw_buf text;
    enum igw_result rc = IGW_ERROR;

    igw_buf_init(&text);
    igw_buf_printf(&text, "%s%c%s%c%s", what, 0, name, 0, network);
    if (!text.failed) {
        rc = igw_sha256(text.data, text.len, key->bytes);
    }
    igw_buf_clear(&text);
    return rc;
}

enum igw_result
throttle_keys(const char *username_key, const char *address,
              struct throttle_keys *keys)
{
    char network[ADDRESS_NETWORK_SIZE];
    enum igw_result rc;

    address_network(address, network);
    rc = make_key("login", username_key, network, &keys->network);
    if (rc != IGW_OK) {
        return rc;
    }
    return make_key("account", username_key, "", &keys->account);
}

enum igw_result
throttle_register_key(const char *address, struct throttle_key *key)
{
    char network[ADDRESS_NETWORK_SIZE];

    address_network(address, network);
    return make_key("register", "", network, key);
}
