/*
 * address.h: client addresses as nginx gives them (REMOTE_ADDR).
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "igw.h"

enum { ADDRESS_NETWORK_SIZE = 64 };

/*
 * The /24 of an IPv4 address (one that is mapped into IPv6, too), the /64 of an
 * IPv6 address; anything else is a network by itself, cut to fit.
 */
void address_network(const char *address, char network[ADDRESS_NETWORK_SIZE]);

/* Loopback, link-local, and what no router of the internet knows (RFC 1918,
 * 4193, 6598). */
bool address_is_private(const char *address);

#endif
