// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the tables of dark addresses (plan.h). Prefixes are painted in order of their length, so that the
 * longest wins. Knows nothing of maps or configuration files.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"

#define SLASH24S     (1u << 24)
#define SPLITS_MAX   65536u
#define ENTRY_SCOPES 0x7fu

_Static_assert(AG_SCOPES_MAX <= ENTRY_SCOPES, "a scope fits its bits of an entry");

/* While painting: one word a /24, either a scope or AG_ENTRY_SPLIT | index into splits[]. 64 MiB, mostly
 * untouched. */
struct canvas {
	uint32_t *slash24;
	struct ag_split *splits;
	unsigned int splits_used, splits_size;
};

static void describe_prefix(const struct prefix *p, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->addr, address, sizeof(address));
	snprintf(text, size, "%s/%u", address, p->length);
}

static int compare_length(const void *a, const void *b)
{
	const struct plan_prefix *x = *(const struct plan_prefix *const *)a;
	const struct plan_prefix *y = *(const struct plan_prefix *const *)b;
	int by_address;

	if (x->prefix.family != y->prefix.family)
		return x->prefix.family < y->prefix.family ? -1 : 1;
	if (x->prefix.length != y->prefix.length)
		return x->prefix.length < y->prefix.length ? -1 : 1;
	by_address = memcmp(x->prefix.addr, y->prefix.addr, sizeof(x->prefix.addr));
	return by_address;
}

uint32_t plan_address4(const struct prefix *p)
{
	return (uint32_t)p->addr[0] << 24 | (uint32_t)p->addr[1] << 16 | (uint32_t)p->addr[2] << 8 | p->addr[3];
}

/* The split of a /24, made from its present scope when it has none yet. NULL without memory. */
static struct ag_split *split_of(struct canvas *c, uint32_t slash24)
{
	uint32_t entry = c->slash24[slash24];
	struct ag_split *grown;

	if (entry & AG_ENTRY_SPLIT)
		return &c->splits[entry & ~AG_ENTRY_SPLIT];
	if (c->splits_used == c->splits_size) {
		unsigned int size = c->splits_size ? c->splits_size * 2 : 16;

		if (size > SPLITS_MAX)
			return NULL;
		grown = realloc(c->splits, size * sizeof(*grown));
		if (!grown)
			return NULL;
		c->splits = grown;
		c->splits_size = size;
	}
	grown = &c->splits[c->splits_used];
	grown->page = 0;
	memset(grown->scope, (int)entry, sizeof(grown->scope));
	c->slash24[slash24] = AG_ENTRY_SPLIT | c->splits_used++;
	return grown;
}

static int paint4(struct canvas *c, const struct plan_prefix *pp)
{
	uint32_t first = plan_address4(&pp->prefix);
	unsigned int length = pp->prefix.length;

	if (length <= 24) {
		uint32_t count = 1u << (24 - length), i;

		for (i = 0; i < count; i++)
			c->slash24[(first >> 8) + i] = pp->scope;
	} else {
		struct ag_split *split = split_of(c, first >> 8);

		if (!split)
			return -ENOMEM;
		memset(split->scope + (first & 0xff), (int)pp->scope, (size_t)1 << (32 - length));
	}
	return 0;
}

static unsigned int count_dark(const struct ag_split *split)
{
	unsigned int i, dark = 0;

	for (i = 0; i < 256; i++)
		dark += split->scope[i] != 0;
	return dark;
}

/* Moves a /24 from the canvas into the plan: gives it a page, and a split of its own where it needs one. */
static uint32_t settle_entry(struct plan *plan, const struct canvas *c, uint32_t slash24)
{
	uint32_t entry = c->slash24[slash24];
	const struct ag_split *split;
	unsigned int i;

	if (!entry)
		return 0;
	if (!(entry & AG_ENTRY_SPLIT)) {
		plan->addresses += 256;
		plan->scope_addresses[entry] += 256;
		return entry << AG_ENTRY_SCOPE_SHIFT | plan->pages_used++;
	}
	split = &c->splits[entry & ~AG_ENTRY_SPLIT];
	if (!count_dark(split))
		return 0;
	for (i = 0; i < 256; i++)
		if (split->scope[i]) {
			plan->addresses++;
			plan->scope_addresses[split->scope[i]]++;
		}
	plan->splits[plan->splits_used] = *split;
	plan->splits[plan->splits_used].page = plan->pages_used++;
	return AG_ENTRY_SPLIT | plan->splits_used++;
}

/* Blocks in use on the canvas, block 0 (empty) included. */
static unsigned int count_blocks(const struct canvas *c, const uint8_t *used16)
{
	unsigned int i, j, blocks = 1;

	for (i = 0; i < AG_SCOPE16_ENTRIES; i++) {
		if (!used16[i])
			continue;
		for (j = 0; j < AG_BLOCK_ENTRIES && !c->slash24[i * AG_BLOCK_ENTRIES + j]; j++)
			;
		blocks += j < AG_BLOCK_ENTRIES;
	}
	return blocks;
}

static int settle4(struct plan *plan, const struct canvas *c, const uint8_t *used16)
{
	unsigned int blocks = count_blocks(c, used16), i, j;

	/* A block number is 16 bits; 65,535 blocks are all of IPv4 but one /16. */
	if (blocks > AG_SCOPE16_ENTRIES - 1)
		return -ENOSPC;
	plan->blocks = calloc(blocks, sizeof(*plan->blocks));
	plan->splits = calloc(c->splits_used ? c->splits_used : 1, sizeof(*plan->splits));
	if (!plan->blocks || !plan->splits)
		return -ENOMEM;
	plan->blocks_used = 1;
	for (i = 0; i < AG_SCOPE16_ENTRIES; i++) {
		struct ag_block block = {};
		bool any = false;

		if (!used16[i])
			continue;
		for (j = 0; j < AG_BLOCK_ENTRIES; j++) {
			block.entry[j] = settle_entry(plan, c, i * AG_BLOCK_ENTRIES + j);
			any |= block.entry[j] != 0;
		}
		if (!any)
			continue;
		plan->scope16->block[i] = (uint16_t)plan->blocks_used;
		plan->blocks[plan->blocks_used++] = block;
	}
	return 0;
}

static int build4(struct plan *plan, const struct plan_prefix **sorted, size_t count)
{
	struct canvas c = {.slash24 = calloc(SLASH24S, sizeof(uint32_t))};
	uint8_t *used16 = calloc(AG_SCOPE16_ENTRIES, 1);
	int err = c.slash24 && used16 ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; !err && i < count; i++) {
		const struct prefix *p = &sorted[i]->prefix;
		uint32_t first = plan_address4(p) >> 16, spans = p->length >= 16 ? 1 : 1u << (16 - p->length);

		if (p->family != 4)
			continue;
		memset(used16 + first, 1, spans);
		err = paint4(&c, sorted[i]);
	}
	if (!err)
		err = settle4(plan, &c, used16);
	free(c.slash24);
	free(c.splits);
	free(used16);
	return err;
}

static uint64_t half_of(const uint8_t *bytes)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return v;
}

static struct ag_range6 range_of(const struct plan_prefix *pp)
{
	unsigned int length = pp->prefix.length;
	uint64_t hi_host = length >= 64 ? 0 : ~0ULL >> length;
	uint64_t lo_host = length >= 128 ? 0 : length <= 64 ? ~0ULL : ~0ULL >> (length - 64);
	struct ag_range6 r = {
		.first_hi = half_of(pp->prefix.addr),
		.first_lo = half_of(pp->prefix.addr + 8),
		.scope = pp->scope,
	};

	r.last_hi = r.first_hi | hi_host;
	r.last_lo = r.first_lo | lo_host;
	return r;
}

static int compare_half(uint64_t a_hi, uint64_t a_lo, uint64_t b_hi, uint64_t b_lo)
{
	if (a_hi != b_hi)
		return a_hi < b_hi ? -1 : 1;
	return a_lo < b_lo ? -1 : a_lo > b_lo;
}

static bool insert_range(struct ag_settings *s, unsigned int at, const struct ag_range6 *r)
{
	if (s->ranges6 == AG_RANGES6_MAX)
		return false;
	memmove(&s->range6[at + 1], &s->range6[at], (s->ranges6 - at) * sizeof(*r));
	s->range6[at] = *r;
	s->ranges6++;
	return true;
}

/*
 * Paints a range over the sorted list. Earlier prefixes are shorter, so at most one range touches it, and that
 * one covers it: it is cut into what lies before and behind.
 */
static bool paint6(struct ag_settings *s, const struct ag_range6 *r)
{
	unsigned int at = 0;
	struct ag_range6 cover;

	while (at < s->ranges6 &&
	       compare_half(s->range6[at].last_hi, s->range6[at].last_lo, r->first_hi, r->first_lo) < 0)
		at++;
	if (at < s->ranges6 &&
	    compare_half(s->range6[at].first_hi, s->range6[at].first_lo, r->last_hi, r->last_lo) <= 0) {
		struct ag_range6 before, behind;

		cover = before = behind = s->range6[at];
		memmove(&s->range6[at], &s->range6[at + 1], (s->ranges6 - at - 1) * sizeof(*r));
		s->ranges6--;
		behind.first_hi = r->last_lo == UINT64_MAX ? r->last_hi + 1 : r->last_hi;
		behind.first_lo = r->last_lo + 1;
		if (compare_half(cover.last_hi, cover.last_lo, r->last_hi, r->last_lo) > 0 &&
		    !insert_range(s, at, &behind))
			return false;
		before.last_hi = r->first_lo == 0 ? r->first_hi - 1 : r->first_hi;
		before.last_lo = r->first_lo - 1;
		if (compare_half(cover.first_hi, cover.first_lo, r->first_hi, r->first_lo) < 0 &&
		    !insert_range(s, at++, &before))
			return false;
	}
	return !r->scope || insert_range(s, at, r);
}

static int build6(struct plan *plan, const struct plan_prefix **sorted, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct ag_range6 r;

		if (sorted[i]->prefix.family != 6)
			continue;
		r = range_of(sorted[i]);
		if (!paint6(&plan->settings, &r))
			return -ENOSPC;
	}
	return 0;
}

static int refuse_twins(const struct plan_prefix **sorted, size_t count, char *why, size_t why_size)
{
	char text[INET6_ADDRSTRLEN + 8];
	size_t i;

	for (i = 1; i < count; i++) {
		if (compare_length(&sorted[i - 1], &sorted[i]))
			continue;
		describe_prefix(&sorted[i]->prefix, text, sizeof(text));
		snprintf(why, why_size, "prefix %s is configured twice; remove one", text);
		return -EEXIST;
	}
	return 0;
}

int plan_new(struct plan **out, const struct plan_prefix *prefixes, size_t count, bool every_destination,
	     char *why, size_t why_size)
{
	const struct plan_prefix **sorted = calloc(count ? count : 1, sizeof(const struct plan_prefix *));
	struct plan *plan = calloc(1, sizeof(*plan));
	int err = -ENOMEM;
	size_t i;

	snprintf(why, why_size, "not enough memory for the table of dark addresses");
	if (!sorted || !plan)
		goto out;
	plan->scope16 = calloc(1, sizeof(*plan->scope16));
	if (!plan->scope16)
		goto out;
	if (every_destination)
		count = 0;
	plan->settings.every_destination = every_destination;
	for (i = 0; i < count; i++)
		sorted[i] = &prefixes[i];
	qsort(sorted, count, sizeof(const struct plan_prefix *), compare_length);
	err = refuse_twins(sorted, count, why, why_size);
	if (!err)
		err = build4(plan, sorted, count);
	if (err == -ENOSPC)
		snprintf(why, why_size,
			 "the dark prefixes cover more than all of IPv4 but one /16; use longer ones");
	if (!err) {
		err = build6(plan, sorted, count);
		if (err)
			snprintf(why, why_size,
				 "more than %d IPv6 ranges after cutting out the holes; use fewer prefixes",
				 AG_RANGES6_MAX);
	}
out:
	free(sorted);
	if (err)
		plan_free(&plan);
	else
		*out = plan;
	return err;
}

void plan_free(struct plan **plan)
{
	if (!*plan)
		return;
	free((*plan)->scope16);
	free((*plan)->blocks);
	free((*plan)->splits);
	free(*plan);
	*plan = NULL;
}

unsigned int plan_lookup4(const struct plan *plan, uint32_t address, uint32_t *index)
{
	uint32_t block = plan->scope16->block[address >> 16], entry;
	const struct ag_split *split;

	*index = UINT32_MAX;
	if (!block)
		return 0;
	entry = plan->blocks[block].entry[address >> 8 & 0xff];
	if (!entry)
		return 0;
	if (!(entry & AG_ENTRY_SPLIT)) {
		*index = (entry & AG_ENTRY_PAGE_MASK) * AG_PAGE_ADDRESSES + (address & 0xff);
		return entry >> AG_ENTRY_SCOPE_SHIFT & AG_ENTRY_SCOPE_MASK;
	}
	split = &plan->splits[entry & ~AG_ENTRY_SPLIT];
	if (split->scope[address & 0xff])
		*index = split->page * AG_PAGE_ADDRESSES + (address & 0xff);
	return split->scope[address & 0xff];
}

unsigned int plan_lookup6(const struct plan *plan, const uint8_t address[16])
{
	uint64_t hi = half_of(address), lo = half_of(address + 8);
	unsigned int i;

	for (i = 0; i < plan->settings.ranges6; i++) {
		const struct ag_range6 *r = &plan->settings.range6[i];

		if (compare_half(r->first_hi, r->first_lo, hi, lo) <= 0 &&
		    compare_half(hi, lo, r->last_hi, r->last_lo) <= 0)
			return r->scope;
	}
	return 0;
}

void plan_each_page(const struct plan *plan,
		    void (*visit)(void *arg, uint32_t page, const struct ag_split *split, unsigned int scope),
		    void *arg)
{
	unsigned int block, i;

	for (block = 1; block < plan->blocks_used; block++) {
		for (i = 0; i < AG_BLOCK_ENTRIES; i++) {
			uint32_t entry = plan->blocks[block].entry[i];

			if (!entry)
				continue;
			if (entry & AG_ENTRY_SPLIT) {
				const struct ag_split *split = &plan->splits[entry & ~AG_ENTRY_SPLIT];

				visit(arg, split->page, split, 0);
			} else {
				visit(arg, entry & AG_ENTRY_PAGE_MASK, NULL,
				      entry >> AG_ENTRY_SCOPE_SHIFT & AG_ENTRY_SCOPE_MASK);
			}
		}
	}
}

struct plan *plan_of_tables(const struct ag_settings *settings, const struct ag_scope16 *scope16,
			    const struct ag_block *blocks, unsigned int blocks_count,
			    const struct ag_split *splits, unsigned int splits_count)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->scope16 = malloc(sizeof(*scope16));
	plan->blocks = calloc(blocks_count, sizeof(*blocks));
	plan->splits = calloc(splits_count, sizeof(*splits));
	if (!plan->scope16 || !plan->blocks || !plan->splits) {
		plan_free(&plan);
		return NULL;
	}
	plan->settings = *settings;
	*plan->scope16 = *scope16;
	memcpy(plan->blocks, blocks, blocks_count * sizeof(*blocks));
	memcpy(plan->splits, splits, splits_count * sizeof(*splits));
	plan->blocks_used = blocks_count;
	plan->splits_used = splits_count;
	return plan;
}

/* The entry of a /24, NULL where its /16 has nothing dark. */
static uint32_t *entry_of(const struct plan *plan, uint32_t slash24)
{
	uint32_t block = plan->scope16->block[slash24 >> 8];

	return block && block < plan->blocks_used ? &plan->blocks[block].entry[slash24 & 0xff] : NULL;
}

/* UINT32_MAX: nothing of the /24 is dark. */
static uint32_t page_of(const struct plan *plan, uint32_t slash24)
{
	const uint32_t *entry = entry_of(plan, slash24);

	if (!entry || !*entry)
		return UINT32_MAX;
	if (!(*entry & AG_ENTRY_SPLIT))
		return *entry & AG_ENTRY_PAGE_MASK;
	return (*entry & ~AG_ENTRY_SPLIT) < plan->splits_used ? plan->splits[*entry & ~AG_ENTRY_SPLIT].page
							      : UINT32_MAX;
}

static void set_page(const struct plan *plan, uint32_t slash24, uint32_t page)
{
	uint32_t *entry = entry_of(plan, slash24);

	if (*entry & AG_ENTRY_SPLIT)
		plan->splits[*entry & ~AG_ENTRY_SPLIT].page = page;
	else
		*entry = (*entry & ~AG_ENTRY_PAGE_MASK) | page;
}

enum { PAGE_FREE, PAGE_LEFT, PAGE_TAKEN }; /* LEFT: the plan before has it, and the new one not */

struct pages {
	uint8_t *states;
	uint32_t count, next_free, next_left;
};

/* A page that nobody has; then one that is being left, whose last packets may still be on their way. */
static uint32_t find_page(struct pages *p)
{
	while (p->next_free < p->count && p->states[p->next_free] != PAGE_FREE)
		p->next_free++;
	if (p->next_free < p->count)
		return p->next_free;
	while (p->next_left < p->count && p->states[p->next_left] != PAGE_LEFT)
		p->next_left++;
	return p->next_left < p->count ? p->next_left : UINT32_MAX;
}

struct keeping {
	struct plan *plan;
	const struct plan *before;
	struct pages pages;
	void (*fresh)(void *arg, uint32_t page);
	void *arg;
	int err;
};

static void mark_page(void *arg, uint32_t slash24, uint32_t page)
{
	struct keeping *k = arg;

	if (page < k->pages.count)
		k->pages.states[page] = page_of(k->plan, slash24) == UINT32_MAX ? PAGE_LEFT : PAGE_TAKEN;
}

static void keep_page(void *arg, uint32_t slash24, uint32_t unused)
{
	struct keeping *k = arg;
	uint32_t page = page_of(k->before, slash24);

	(void)unused;
	if (k->err)
		return;
	if (page >= k->pages.count) {
		page = find_page(&k->pages);
		if (page == UINT32_MAX) {
			k->err = -ENOSPC;
			return;
		}
		if (k->fresh)
			k->fresh(k->arg, page);
	}
	k->pages.states[page] = PAGE_TAKEN;
	set_page(k->plan, slash24, page);
	if (page >= k->plan->pages_used)
		k->plan->pages_used = page + 1;
}

int plan_keep_pages(struct plan *plan, const struct plan *before, unsigned int pages,
		    void (*fresh)(void *arg, uint32_t page), void *arg)
{
	struct keeping k = {
		.plan = plan, .before = before, .pages = {.count = pages}, .fresh = fresh, .arg = arg};

	k.pages.states = calloc(pages + 1, 1);
	if (!k.pages.states)
		return -ENOMEM;
	plan_each_slash24(before, mark_page, &k);
	plan->pages_used = 0;
	plan_each_slash24(plan, keep_page, &k);
	free(k.pages.states);
	return k.err;
}

void plan_each_slash24(const struct plan *plan, void (*visit)(void *arg, uint32_t slash24, uint32_t page),
		       void *arg)
{
	uint32_t slash16, i, page;

	for (slash16 = 0; slash16 < AG_SCOPE16_ENTRIES; slash16++) {
		if (!plan->scope16->block[slash16])
			continue;
		for (i = 0; i < AG_BLOCK_ENTRIES; i++) {
			page = page_of(plan, slash16 << 8 | i);
			if (page != UINT32_MAX)
				visit(arg, slash16 << 8 | i, page);
		}
	}
}
