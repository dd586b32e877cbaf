// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages: while the books are open a dark /24 keeps its page of `seen`, whatever the plan becomes; a page is
 * given to another /24 only when no free one is left; and what engine_apply does with what was seen.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/tables.h"
#include "packets.h"

#define SLASH24S 64 /* of the telescopes here: 10.0.0.0/18 */
#define NONE	 UINT32_MAX

static char why[512];

struct set {
	struct plan_prefix prefixes[2 * SLASH24S];
	size_t count;
};

/* 10.0.N.0 / length; scope 0 is a hole. */
static void add(struct set *s, unsigned int slash24, unsigned int last, unsigned int length, unsigned int scope)
{
	s->prefixes[s->count++] = (struct plan_prefix){
		.prefix = {.family = 4,
			   .length = (uint8_t)length,
			   .addr = {10, 0, (uint8_t)slash24, (uint8_t)last}},
		.scope = scope,
	};
}

static struct plan *plan_of(const struct set *s)
{
	struct plan *plan = NULL;

	cr_assert_eq(plan_new(&plan, s->prefixes, s->count, false, why, sizeof(why)), 0, "%s", why);
	return plan;
}

/* The /24s of a word's bits. */
static struct plan *plan_of_bits(uint64_t bits)
{
	struct set s = {.count = 0};

	for (unsigned int i = 0; i < SLASH24S; i++)
		if (bits >> i & 1)
			add(&s, i, 0, 24, 1);
	return plan_of(&s);
}

struct map {
	uint32_t page[SLASH24S];
	unsigned int count;
};

static void note(void *arg, uint32_t slash24, uint32_t page)
{
	struct map *m = arg;

	cr_assert_eq(slash24 >> 6, 0x0a0000 >> 6);
	cr_assert_eq(m->page[slash24 & 63], NONE, "told twice");
	m->page[slash24 & 63] = page;
	m->count++;
}

/* Every /24 once, no page twice, all below `pages`; the same page for all addresses of it. */
static struct map map_of(const struct plan *plan, unsigned int pages)
{
	struct map m = {.count = 0};
	bool *taken = calloc(pages + 1, sizeof(*taken));

	memset(m.page, 0xff, sizeof(m.page));
	cr_assert(taken);
	plan_each_slash24(plan, note, &m);
	for (unsigned int i = 0; i < SLASH24S; i++) {
		uint32_t index;

		for (unsigned int last = 0; last < 256; last++)
			if (plan_lookup4(plan, 0x0a000000 | i << 8 | last, &index))
				cr_assert_eq(index, m.page[i] * 256 + last, "10.0.%u.%u", i, last);
		if (m.page[i] == NONE)
			continue;
		cr_assert_lt(m.page[i], pages);
		cr_assert_not(taken[m.page[i]], "page %u is another's", m.page[i]);
		taken[m.page[i]] = true;
		cr_assert_lt(m.page[i], plan->pages_used);
	}
	free(taken);
	return m;
}

struct fresh {
	uint32_t page[1024];
	unsigned int count;
};

static void note_fresh(void *arg, uint32_t page)
{
	struct fresh *f = arg;

	f->page[f->count++] = page;
}

static void check_kept(const struct map *before, const struct map *after)
{
	for (unsigned int i = 0; i < SLASH24S; i++)
		if (before->page[i] != NONE && after->page[i] != NONE)
			cr_assert_eq(before->page[i], after->page[i], "10.0.%u.0/24 moved", i);
}

/* --- keeping
 * ----------------------------------------------------------------------------------------------------------*/

Test(pages, nothing_moves_and_what_is_left_waits)
{
	struct plan *before = plan_of_bits(0xf0), *after = plan_of_bits(0x3c);
	struct fresh fresh = {.count = 0};
	struct map first = map_of(before, 8), second;

	cr_assert_eq(plan_keep_pages(after, before, 8, note_fresh, &fresh), 0);
	second = map_of(after, 8);
	check_kept(&first, &second);
	cr_assert_eq(fresh.count, 2, "10.0.2.0 and 10.0.3.0");
	cr_assert_eq(fresh.page[0], 4, "a free page before one that is left");
	cr_assert_eq(fresh.page[1], 5);
	cr_assert_eq(second.page[2], 4);
	cr_assert_eq(second.page[3], 5);
	cr_assert_eq(after->pages_used, 6);
	plan_free(&before);
	plan_free(&after);
}

Test(pages, what_is_left_is_given_when_nothing_is_free)
{
	struct plan *before = plan_of_bits(0xf), *after = plan_of_bits(0xf8), *more = plan_of_bits(0x1f8);
	struct fresh fresh = {.count = 0};
	struct map first = map_of(before, 5), second;

	cr_assert_eq(plan_keep_pages(after, before, 5, note_fresh, &fresh), 0);
	second = map_of(after, 5);
	check_kept(&first, &second);
	cr_assert_eq(fresh.count, 4);
	cr_assert_eq(fresh.page[0], 4, "the free one first");
	for (unsigned int i = 1; i < 4; i++)
		cr_assert_eq(fresh.page[i], i - 1, "then those of 10.0.0.0 to 10.0.2.0");
	cr_assert_eq(plan_keep_pages(more, before, 5, NULL, NULL), -ENOSPC, "six in five pages");
	plan_free(&before);
	plan_free(&after);
	plan_free(&more);
}

/* Whether a /24 is split or not, its page is the same. */
Test(pages, a_split_keeps_the_page)
{
	struct set whole = {.count = 0}, parts = {.count = 0};
	struct plan *plans[3];
	struct map maps[3];

	add(&whole, 1, 0, 24, 1);
	add(&whole, 2, 0, 24, 1);
	add(&parts, 0, 0, 24, 1);
	add(&parts, 1, 0, 25, 2);
	add(&parts, 1, 192, 26, 3);
	add(&parts, 2, 0, 24, 1);
	add(&parts, 2, 7, 32, 0);
	plans[0] = plan_of(&whole);
	plans[1] = plan_of(&parts);
	plans[2] = plan_of(&whole);
	maps[0] = map_of(plans[0], 4);
	for (unsigned int i = 1; i < 3; i++) {
		cr_assert_eq(plan_keep_pages(plans[i], plans[i - 1], 4, NULL, NULL), 0);
		maps[i] = map_of(plans[i], 4);
		check_kept(&maps[i - 1], &maps[i]);
	}
	check_kept(&maps[0], &maps[2]);
	for (unsigned int i = 0; i < 3; i++)
		plan_free(&plans[i]);
}

/* A plan read back from tables is that plan. */
Test(pages, a_plan_as_it_stands_in_tables)
{
	struct set s = {.count = 0};
	struct plan *plan, *back;
	struct map one, other;

	add(&s, 3, 0, 24, 1);
	add(&s, 9, 128, 25, 2);
	add(&s, 63, 0, 24, 3);
	plan = plan_of(&s);
	back = plan_of_tables(&plan->settings, plan->scope16, plan->blocks, plan->blocks_used, plan->splits,
			      plan->splits_used);
	cr_assert(back);
	one = map_of(plan, 8);
	plan->pages_used = back->pages_used = 8; /* the tables do not tell */
	other = map_of(back, 8);
	cr_assert_eq(one.count, 3);
	cr_assert(!memcmp(&one, &other, sizeof(one)));
	for (uint32_t address = 0x0a000000; address < 0x0a004000; address++) {
		uint32_t a, b;

		cr_assert_eq(plan_lookup4(plan, address, &a), plan_lookup4(back, address, &b));
		cr_assert_eq(a, b);
	}
	plan_free(&plan);
	plan_free(&back);
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Wholes, parts and holes. */
static struct plan *random_plan(uint64_t *state)
{
	struct set s = {.count = 0};

	for (unsigned int i = 0; i < SLASH24S; i++) {
		unsigned int kind = (unsigned int)(random_next(state) % 6);

		if (kind < 2)
			add(&s, i, 0, 24, 1 + kind);
		else if (kind == 2)
			add(&s, i, 128, 25, 3);
		if (kind == 1)
			add(&s, i, random_next(state) % 256, 32, 0);
	}
	return plan_of(&s);
}

/* A chain of plans in force one after the other, in as many pages as the largest needs, and some more. */
Test(pages, random_plans)
{
	uint64_t state = 88172645463325252;

	for (unsigned int round = 0; round < 6; round++) {
		struct plan *before = random_plan(&state);
		struct map first = map_of(before, SLASH24S);
		unsigned int pages = first.count + (unsigned int)(random_next(&state) % 8);

		for (unsigned int step = 0; step < 8; step++) {
			struct plan *after = random_plan(&state);
			unsigned int need = after->pages_used;
			struct fresh fresh = {.count = 0};
			struct map second;
			int err = plan_keep_pages(after, before, pages, note_fresh, &fresh);

			cr_assert_eq(err, need > pages ? -ENOSPC : 0, "%u in %u: %d", need, pages, err);
			if (err) {
				plan_free(&after);
				continue;
			}
			second = map_of(after, pages);
			cr_assert_eq(second.count, need);
			check_kept(&first, &second);
			for (unsigned int i = 0; i < fresh.count; i++) {
				unsigned int users = 0;

				for (unsigned int j = 0; j < SLASH24S; j++)
					users += second.page[j] == fresh.page[i] && first.page[j] == NONE;
				cr_assert_eq(users, 1, "a page is fresh for a /24 that is new");
			}
			plan_free(&before);
			before = after;
			first = second;
		}
		plan_free(&before);
	}
}

/* --- engine_apply
 * -----------------------------------------------------------------------------------------------------*/

static struct engine *open_engine(struct plan *plan)
{
	struct engine_options options = {.kind = ENGINE_NATIVE, .replay = true, .plan = plan};
	struct engine *engine = NULL;

	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	return engine;
}

static uint32_t seen(struct engine *engine, const struct plan *plan, uint32_t address)
{
	uint32_t index;

	cr_assert(plan_lookup4(plan, address, &index));
	return engine_books(engine)->seen[index / 256].epoch[index % 256];
}

static void send_to(struct engine *engine, uint32_t address)
{
	struct ag_replay word;
	struct frame f;

	frame_syn4(&f, 23);
	frame_set32(&f, 30, address);
	word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
	cr_assert_geq(engine_run(engine, &word, f.bytes), 0);
}

Test(pages, what_was_seen_stays_and_new_pages_are_clean)
{
	struct plan *first = plan_of_bits(0x3), *second = plan_of_bits(0x6), *third = plan_of_bits(0x3),
		    *large = plan_of_bits(0xfc);
	struct engine *engine = open_engine(first);

	engine_books(engine)->control->epoch = 5;
	send_to(engine, 0x0a000007);
	send_to(engine, 0x0a000107);
	cr_assert_eq(engine_apply(engine, large, why, sizeof(why)), -ENOSPC);
	cr_assert_eq(seen(engine, first, 0x0a000007), 5, "a plan that is refused clears nothing");
	cr_assert_eq(seen(engine, first, 0x0a000107), 5);
	cr_assert_eq(engine_apply(engine, second, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(seen(engine, second, 0x0a000107), 5, "in both plans");
	cr_assert_eq(seen(engine, second, 0x0a000207), 0, "the page was 10.0.0.0's");
	engine_books(engine)->control->epoch = 6;
	send_to(engine, 0x0a000207);
	cr_assert_eq(seen(engine, second, 0x0a000207), 6);
	cr_assert_eq(engine_apply(engine, third, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(seen(engine, third, 0x0a000007), 0);
	cr_assert_eq(seen(engine, third, 0x0a000107), 5);
	engine_free(&engine);
	plan_free(&first);
	plan_free(&second);
	plan_free(&third);
	plan_free(&large);
}

/* The bitmaps of promoted sources, of both days, are by page too. */
Test(pages, bitmaps_of_promoted_sources_stay_with_their_page)
{
	struct plan *first = plan_of_bits(0x3), *second = plan_of_bits(0x6);
	struct engine *engine;
	struct books *books;

	first->settings.promoted_slots = second->settings.promoted_slots = 2;
	engine = open_engine(first);
	books = engine_books(engine);
	cr_assert_eq(books->pages, 2);
	for (unsigned int i = 0; i < 2 * 2 * 2; i++)
		books->reached[i].bits[0] = 0xff;
	cr_assert_eq(engine_apply(engine, second, why, sizeof(why)), 0, "%s", why);
	for (unsigned int i = 0; i < 2 * 2; i++) {
		cr_assert_eq(books->reached[i * 2].bits[0], 0, "10.0.2.0's now");
		cr_assert_eq(books->reached[i * 2 + 1].bits[0], 0xff, "10.0.1.0's");
	}
	engine_free(&engine);
	plan_free(&first);
	plan_free(&second);
}
