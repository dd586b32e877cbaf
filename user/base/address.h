/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses and prefixes as text. Knows no configuration and no table.
 */
#ifndef AIRGLOW_BASE_ADDRESS_H
#define AIRGLOW_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/plan.h"

#define ADDRESS_TEXT_BYTES 46 /* the longest address as text, and its NUL */
#define PREFIX_TEXT_BYTES  56 /* the longest prefix as text, and its NUL */

/*
 * "203.0.113.0/24", "2001:db8::/32", "192.0.2.1" (then all bits). Bits behind the length must be 0: a prefix
 * with host bits is refused with the prefix that was probably meant. 0, or -EINVAL and one sentence in why.
 */
int prefix_parse(struct prefix *out, const char *text, char *why, size_t why_size);

/* An address alone: no slash. 0, or -EINVAL and one sentence in why. */
int prefix_parse_address(struct prefix *out, const char *text, char *why, size_t why_size);

/*
 * Addresses as the records have them: host order, IPv4 in the low 32 bits of lo. buffer: at least
 * ADDRESS_TEXT_BYTES, returned. Parsing: 0, or -EINVAL and one sentence in why.
 */
char *address_format(char *buffer, size_t size, uint64_t hi, uint64_t lo, bool v6);
int address_parse(uint64_t *hi, uint64_t *lo, bool *v6, const char *text, char *why, size_t why_size);

/* Always with its length: "192.0.2.1/32". buffer: at least PREFIX_TEXT_BYTES. Returns buffer. */
char *prefix_format(char *buffer, size_t size, const struct prefix *prefix);

bool prefix_contains(const struct prefix *outer, const struct prefix *inner);
/* IPv4 before IPv6, then by address, then the shorter first: an order in which enclosing prefixes come before.
 */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/*
 * Calls visit for each part of a comma-separated list, spaces around it taken off. Stops at the first that does
 * not return 0 and returns that. An empty list or part is -EINVAL with a sentence.
 */
int list_each(const char *list, int (*visit)(void *arg, const char *part, char *why, size_t why_size),
	      void *arg, char *why, size_t why_size);

#endif
