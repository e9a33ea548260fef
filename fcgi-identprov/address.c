#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* An address in 16 bytes; IPv4 is mapped (RFC 4291 2.5.5.2). */
struct bytes {
    unsigned char at[16];
};

static const struct {
    struct bytes start;
    int bits;
} private_networks[] = {
    { { { [10] = 255, 255, 127 } }, 104 },      /* 127.0.0.0/8 */
    { { { [10] = 255, 255, 10 } }, 104 },       /* 10.0.0.0/8 */
    { { { [10] = 255, 255, 172, 16 } }, 108 },  /* 172.16.0.0/12 */
    { { { [10] = 255, 255, 192, 168 } }, 112 }, /* 192.168.0.0/16 */
    { { { [10] = 255, 255, 169, 254 } }, 112 }, /* 169.254.0.0/16 */
    { { { [10] = 255, 255, 100, 64 } }, 106 },  /* 100.64.0.0/10 */
    { { { [15] = 1 } }, 128 },                  /* ::1 */
    { { { 0xfc } }, 7 },                        /* fc00::/7 */
    { { { 0xfe, 0x80 } }, 10 },                 /* fe80::/10 */
};

static bool
parse(const char *address, struct bytes *out)
{
    memset(out, 0, sizeof(*out));
    out->at[10] = out->at[11] = 255;
    if (inet_pton(AF_INET, address, out->at + 12) == 1) {
        return true;
    }
    return inet_pton(AF_INET6, address, out->at) == 1;
}

static bool
is_in(const struct bytes *address, const struct bytes *start, int bits)
{
    int rest = bits % 8;
    size_t whole = (size_t)(bits / 8);
    unsigned char mask = (unsigned char)(0xff00 >> rest);

    return memcmp(address->at, start->at, whole) == 0
           && (rest == 0
               || ((address->at[whole] ^ start->at[whole]) & mask) == 0);
}

void
address_network(const char *address, char network[ADDRESS_NETWORK_SIZE])
{
    static const struct bytes mapped = { { [10] = 255, 255 } };
    struct bytes bytes;
    const unsigned char *b = bytes.at;

    if (!parse(address, &bytes)) {
        (void)snprintf(network, ADDRESS_NETWORK_SIZE, "%s", address);
    } else if (is_in(&bytes, &mapped, 96)) {
        (void)snprintf(network, ADDRESS_NETWORK_SIZE, "%d.%d.%d.0/24", b[12],
                       b[13], b[14]);
    } else {
        (void)snprintf(network, ADDRESS_NETWORK_SIZE,
                       "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", b[0], b[1],
                       b[2], b[3], b[4], b[5], b[6], b[7]);
    }
}

bool
address_is_private(const char *address)
{
    struct bytes bytes;

    if (!parse(address, &bytes)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(private_networks) / sizeof(*private_networks);
         i++) {
        if (is_in(&bytes, &private_networks[i].start,
                  private_networks[i].bits)) {
            return true;
        }
    }
    return false;
}
