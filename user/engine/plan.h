/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From prefixes to tables: which address is dark, in which scope, with which index. Pure: no file, no map.
 */
#ifndef AIRGLOW_ENGINE_PLAN_H
#define AIRGLOW_ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"

/* An IPv4 or IPv6 prefix. addr in network order, IPv4 in the first four bytes; host bits are zero. */
struct prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t length;
	uint8_t addr[16];
};

/* A configured prefix: scope 1..AG_SCOPES_MAX, or 0 for `live` (a hole). */
struct plan_prefix {
	struct prefix prefix;
	unsigned int scope;
};

struct plan {
	struct ag_settings settings; /* interfaces and decap are filled by the caller */
	struct ag_scope16 *scope16;
	struct ag_block *blocks; /* [blocks_used], block 0 is empty */
	struct ag_split *splits; /* [splits_used] */
	unsigned int blocks_used, splits_used, pages_used;
	uint64_t addresses;			     /* N: dark IPv4 addresses in force */
	uint64_t scope_addresses[AG_SCOPES_MAX + 1]; /* IPv4 addresses by scope */
};

/*
 * Builds the tables. The longest prefix wins; the same prefix twice is refused (-EEXIST) with a sentence in
 * why. every_destination ignores the list. Ownership of *out passes to the caller: plan_free.
 */
int plan_new(struct plan **out, const struct plan_prefix *prefixes, size_t count, bool every_destination,
	     char *why, size_t why_size);
void plan_free(struct plan **plan);
/* A plan as it stands in tables; the numbers of addresses are not known. NULL without memory. */
struct plan *plan_of_tables(const struct ag_settings *settings, const struct ag_scope16 *scope16,
			    const struct ag_block *blocks, unsigned int blocks_count,
			    const struct ag_split *splits, unsigned int splits_count);

/*
 * Gives the plan the pages that another one, which is in force, has for the same /24s, and free ones of `pages`
 * to the rest: a page never moves while the books are open. fresh (may be NULL) is called with each page that
 * is given anew. -ENOSPC: there are not enough.
 */
int plan_keep_pages(struct plan *plan, const struct plan *before, unsigned int pages,
		    void (*fresh)(void *arg, uint32_t page), void *arg);

/* Scope (0: not dark) and address index of an IPv4 address (host order); UINT32_MAX when it has none. */
unsigned int plan_lookup4(const struct plan *plan, uint32_t address, uint32_t *index);
/* Scope of an IPv6 address in network order; 0: not dark. */
unsigned int plan_lookup6(const struct plan *plan, const uint8_t address[16]);
/* An IPv4 prefix's first address in host order. */
uint32_t plan_address4(const struct prefix *prefix);
/* Every /24 (the first 24 bits of its addresses) that has a page. */
void plan_each_slash24(const struct plan *plan, void (*visit)(void *arg, uint32_t slash24, uint32_t page),
		       void *arg);
/* Scope of every page of `seen` and last octet, to count active addresses. */
void plan_each_page(const struct plan *plan,
		    void (*visit)(void *arg, uint32_t page, const struct ag_split *split, unsigned int scope),
		    void *arg);

#endif
