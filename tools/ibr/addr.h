/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * addr.h - addresses, prefixes, and who may be a source.  Knows nothing of frames.
 */
#ifndef IBR_ADDR_H
#define IBR_ADDR_H

#include "base.h"

/* IPv4 lies in the first four bytes, the rest is zero. */
struct addr {
	uint8_t b[16];
	bool is6;
};

struct prefix {
	struct addr addr;
	unsigned int len; /* bits */
};

#define PREFIX_TEXT 56 /* bytes that hold any prefix or address as text */

struct prefix_list {
	struct prefix *v;
	size_t n;
	uint64_t v4_total; /* addresses in the IPv4 prefixes together */
	size_t v6_count;   /* IPv6 prefixes among them */
};

/* 0, or -1 and *why says what is wrong.  A bare address is a prefix of full length. */
int prefix_parse(const char *text, struct prefix *out, const char **why);
int prefix_add(struct prefix_list *list, const struct prefix *p);
void prefix_list_free(struct prefix_list *list);
bool prefix_has(const struct prefix *p, const struct addr *a);
/* Index of the longest prefix of the list that holds the address, -1 if none does. */
int prefix_find(const struct prefix_list *list, const struct addr *a);
bool prefix_overlap(const struct prefix *a, const struct prefix *b);
void prefix_text(const struct prefix *p, char out[PREFIX_TEXT]);
void addr_text(const struct addr *a, char out[PREFIX_TEXT]);

struct addr addr_v4(uint32_t host_order);
bool addr_equal(const struct addr *a, const struct addr *b);
/* Address number `n` of the list's prefixes of one family, counted through; n is taken modulo their size. */
struct addr addr_nth(const struct prefix_list *list, bool is6, uint64_t n);
/*
 * Address number `n` of the public Internet: distinct numbers give distinct addresses, never a
 * reserved one (RFC 6890), never one inside `not_in`.
 */
struct addr addr_public(uint64_t key, uint64_t n, bool is6, const struct prefix_list *not_in);

#endif
