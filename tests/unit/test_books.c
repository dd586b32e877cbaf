// SPDX-License-Identifier: GPL-2.0-only
/*
 * books: engines that begin books in pins, go on with them, or begin others beside them. Needs root. Under
 * traffic: tests/e2e/test-takeover.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpffs.h"
#include "collect/carry.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/resume.h"

TestSuite(books, .init = bpffs_begin, .fini = bpffs_end);

static struct plan *plan_of(unsigned int slash24s)
{
	struct plan_prefix prefixes[64];
	struct plan *plan = NULL;

	for (unsigned int i = 0; i < slash24s; i++)
		prefixes[i] = (struct plan_prefix){
			.prefix = {.family = 4, .length = 24, .addr = {10, (uint8_t)(slash24s - i), 0, 0}},
			.scope = 1};
	cr_assert_eq(plan_new(&plan, prefixes, slash24s, false, why, sizeof(why)), 0, "%s", why);
	return plan;
}

static struct engine *open_engine(struct plan *plan, unsigned int mib)
{
	struct engine_options options = {
		.kind = ENGINE_KERNEL, .plan = plan, .memory_bytes = (uint64_t)mib << 20, .pins = pins};
	struct engine *engine = NULL;

	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	return engine;
}

/* What the program of an engine would count, and the totals that it would be told with. */
static void count(struct engine *engine, unsigned int slice, uint64_t packets)
{
	struct books *books = engine_books(engine);
	struct ag_counters *k = (struct ag_counters *)(uintptr_t)&books->counters[slice];
	struct ag_ports *p = (struct ag_ports *)(uintptr_t)&books->ports[slice];

	k->received += packets;
	k->dark += packets;
	p->tcp[23] += packets;
	((struct ag_icmp *)(uintptr_t)books->icmp)->v4[0x0800] += packets;
	books->intervals[slice * 2 + books->control->epoch % 2].dark += packets;
	books->intervals[slice * 2 + books->control->epoch % 2].lost[AG_LOST_RING] += 1;
}

static void check_carry(unsigned int set, uint64_t packets, uint64_t shared, uint64_t ring)
{
	struct carry *carry = carry_new();
	struct layout *layout = NULL;

	cr_assert(carry);
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_eq(carry_of_pins(carry, pins, set, layout), 0);
	cr_assert_eq(carry->carried.counters.received, packets, "%llu", carry->carried.counters.received);
	cr_assert_eq(carry->carried.counters.dark, packets);
	cr_assert_eq(carry->carried.ports.tcp[23], packets);
	cr_assert_eq(carry->carried.icmp.v4[0x0800], packets);
	cr_assert_eq(carry->carried.shared, shared, "%llu", carry->carried.shared);
	cr_assert_eq(carry->told.dark, packets);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], packets, "nobody read them");
	cr_assert_eq(carry->told.lost[AG_LOST_RING], ring, "%llu", carry->told.lost[AG_LOST_RING]);
	free(carry);
	layout_free(&layout);
}

static void check_carry_fails(unsigned int set, int wanted)
{
	struct carry *carry = carry_new();
	struct layout *layout = NULL;

	cr_assert(carry);
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_eq(carry_of_pins(carry, pins, set, layout), wanted);
	free(carry);
	layout_free(&layout);
}

/* All maps of the books are there, and how they describe themselves. */
static void check_whole(unsigned int set)
{
	static const char *const names[] = {"abi",     "control",   "settings",	 "counters", "ports",
					    "icmp",    "seen",	    "flows",	 "logs",     "layout",
					    "carried", "collected", "intervals", "scope16"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = pins_get_map(pins, set, names[i]);

		cr_assert_geq(fd, 0, "%s", names[i]);
		close(fd);
	}
}

Test(books, an_engine_goes_on_with_its_books)
{
	struct plan *plan = plan_of(2), *again = plan_of(1);
	struct engine *engine;
	uint64_t seed;

	NEED_ROOT();
	engine = open_engine(plan, 64);
	cr_assert_not(engine_is_resumed(engine));
	cr_assert_eq(engine_books(engine)->control->epoch, 1);
	check_whole(engine_set(engine));
	count(engine, 0, 100);
	seed = engine_books(engine)->abi->seed[0];
	engine_books(engine)->abi->complete = 1;
	engine_books(engine)->control->epoch = 9;
	engine_free(&engine);
	engine = open_engine(again, 64);
	cr_assert(engine_is_resumed(engine));
	cr_assert_eq(engine_books(engine)->counters[0].received, 100);
	cr_assert_eq(engine_books(engine)->control->epoch, 9);
	cr_assert_eq(engine_books(engine)->abi->seed[0], seed, "the tables are found by the same hashes");
	cr_assert_eq(engine_books(engine)->abi->complete, 1);
	engine_free(&engine);
	plan_free(&plan);
	plan_free(&again);
}

static void begin_with_totals(void *arg, struct books *books)
{
	unsigned int sets[PINS_SETS_MAX];

	cr_assert_eq(pins_sets(pins, sets), 0, "nobody can find books that do not have it yet");
	carry_into_books(arg, books);
}

/* A sensor that is killed at any time after its first start leaves books with the totals of before. */
Test(books, books_are_pinned_with_what_they_begin_with)
{
	struct plan *plan = plan_of(2);
	struct carry *carry = carry_new();
	struct engine_options options = {
		.kind = ENGINE_KERNEL, .plan = plan, .begin = begin_with_totals, .begin_arg = carry};
	struct engine *engine = NULL;

	NEED_ROOT();
	cr_assert(carry);
	options.pins = pins;
	options.memory_bytes = 128 << 20;
	carry->carried.counters.received = carry->carried.counters.dark = 5000;
	carry->carried.ports.tcp[23] = carry->carried.icmp.v4[0x0800] = 5000;
	carry->told.dark = carry->told.lost[AG_LOST_RESTART] = 5000;
	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	count(engine, 0, 20);
	engine_free(&engine);
	check_carry(UINT32_MAX, 5020, 0, 1);
	options.memory_bytes = 64 << 20;
	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0,
		     "only the first books begin with it: %s", why);
	cr_assert_eq(engine_books(engine)->carried->counters.received, 0);
	check_carry(engine_set(engine), 5020, 0, 1);
	engine_free(&engine);
	free(carry);
	plan_free(&plan);
}

/* Larger tables, other caches: new books beside the old ones, whose epochs go on. */
Test(books, an_engine_begins_other_books_beside)
{
	struct plan *plan = plan_of(2), *large = plan_of(2);
	unsigned int sets[PINS_SETS_MAX];
	struct engine *engine;
	struct books *books;
	uint32_t index;

	NEED_ROOT();
	engine = open_engine(plan, 64);
	engine_books(engine)->abi->complete = 1;
	engine_books(engine)->control->epoch = 9;
	count(engine, 0, 100);
	count(engine, engine_books(engine)->slices, 7);
	cr_assert(plan_lookup4(plan, 0x0a010005, &index));
	((struct ag_page *)(uintptr_t)engine_books(engine)->seen)[index / 256].epoch[5] = 8;
	engine_free(&engine);
	engine = open_engine(large, 128);
	books = engine_books(engine);
	cr_assert_not(engine_is_resumed(engine));
	cr_assert_eq(pins_sets(pins, sets), 2);
	cr_assert_eq(sets[1], engine_set(engine));
	check_whole(sets[1]);
	cr_assert_geq(books->control->epoch, 10);
	cr_assert_eq(books->collected->told[0].epoch, books->control->epoch - 1, "nothing waits");
	cr_assert_eq(books->abi->complete, 0);
	cr_assert_eq(books->counters[0].received, 0);
	check_carry(engine_set(engine), 107, 7, 2);
	cr_assert(plan_lookup4(large, 0x0a010005, &index));
	((struct ag_page *)(uintptr_t)books->seen)[index / 256].epoch[6] = 12;
	engine_inherit_seen(engine, large, pins);
	cr_assert_eq(books->seen[index / 256].epoch[5], 8);
	cr_assert_eq(books->seen[index / 256].epoch[6], 12);
	engine_free(&engine);
	plan_free(&plan);
	plan_free(&large);
}

/* Three sets: the last two were begun by sensors that ended before they had carried over what was before. */
Test(books, totals_over_a_chain)
{
	struct plan *plan = plan_of(2);
	struct engine *engine;
	struct books *books;
	struct carry *carry;

	NEED_ROOT();
	for (unsigned int i = 0; i < 3; i++) {
		engine = open_engine(plan, 64 << i);
		books = engine_books(engine);
		if (!i)
			books->abi->complete = 1;
		cr_assert_eq(books->abi->complete, i == 0);
		count(engine, 0, (const uint64_t[]){1000, 100, 10}[i]);
		if (i < 2)
			engine_free(&engine);
	}
	check_carry(engine_set(engine), 1100, 0, 2);
	check_carry(engine_set(engine) + 1, 1110, 0, 3);
	/* The last one gets what was before, and stands for all. */
	carry = carry_new();
	cr_assert(carry);
	carry->carried.counters.received = carry->carried.counters.dark = 5000;
	carry->carried.ports.tcp[23] = carry->carried.icmp.v4[0x0800] = 5000;
	carry->told.dark = carry->told.lost[AG_LOST_RESTART] = 5000;
	carry_into_books(carry, engine_books(engine));
	check_carry(engine_set(engine) + 1, 5010, 0, 1);
	free(carry);
	engine_free(&engine);
	plan_free(&plan);
}

/* A sensor that ended before it had carried over what was before: its books go on, and that is still to be
 * done. */
Test(books, books_whose_carry_is_not_done_go_on)
{
	struct plan *plan = plan_of(2);
	struct engine *engine;
	unsigned int sets[PINS_SETS_MAX], index;

	NEED_ROOT();
	engine = open_engine(plan, 64);
	count(engine, 0, 1000);
	cr_assert(plan_lookup4(plan, 0x0a010005, &index));
	((struct ag_page *)(uintptr_t)engine_books(engine)->seen)[index / 256].epoch[5] = 8;
	engine_books(engine)->control->began_ns[engine_books(engine)->control->epoch & 1] = 77;
	for (unsigned int i = 0; i < 3; i++) {
		engine_free(&engine);
		engine = open_engine(plan, 128);
		cr_assert_eq(engine_is_resumed(engine), i > 0);
		cr_assert_eq(pins_sets(pins, sets), 2);
		cr_assert_eq(engine_set(engine), sets[1]);
		cr_assert_eq(engine_books(engine)->abi->complete, 0);
		cr_assert_eq(engine_read_ns(engine), 77);
	}
	engine_inherit_seen(engine, plan, pins);
	cr_assert_eq(engine_books(engine)->seen[index / 256].epoch[5], 8);
	check_carry(engine_set(engine), 1000, 0, 1);
	cr_assert_eq(pins_drop_set(pins, sets[0]), 0);
	check_carry_fails(engine_set(engine) + 1, -EINVAL);
	engine_free(&engine);
	plan_free(&plan);
}

/* A sensor that ended while it pinned its books: nothing counted in them. */
Test(books, a_set_that_is_half_there)
{
	struct plan *plan = plan_of(2);
	unsigned int sets[PINS_SETS_MAX], half;
	struct engine *engine;
	int map;

	NEED_ROOT();
	map = bpffs_make_map(1);
	engine = open_engine(plan, 64);
	engine_books(engine)->abi->complete = 1;
	count(engine, 0, 100);
	half = engine_set(engine) + 1;
	engine_free(&engine);
	cr_assert_eq(pins_make_set(pins, half), 0);
	check_carry(half + 1, 100, 0, 1);
	cr_assert_eq(pins_put_map(pins, half, "layout", map), 0);
	cr_assert_eq(pins_put_map(pins, half, "control", map), 0);
	check_carry(half + 1, 100, 0, 1);
	engine = open_engine(plan, 64);
	cr_assert(engine_is_resumed(engine));
	cr_assert_eq(engine_books(engine)->counters[0].received, 100);
	cr_assert_eq(pins_sets(pins, sets), 1, "it was removed");
	engine_free(&engine);
	close(map);
	plan_free(&plan);
}

static void check_refused(struct plan *plan)
{
	struct engine_options options = {.kind = ENGINE_KERNEL, .plan = plan, .pins = pins};
	struct engine *engine = NULL;
	unsigned int sets[PINS_SETS_MAX];

	cr_assert_lt(engine_open(&engine, &options, why, sizeof(why)), 0);
	cr_assert_null(engine);
	cr_assert(strstr(why, directory) && strstr(why, "not airglow's") && !strchr(why, '\n'), "%s", why);
	cr_assert_eq(pins_sets(pins, sets), 1, "it is left alone");
}

Test(books, what_is_not_airglows)
{
	struct plan *plan = plan_of(2);
	struct carry *carry = carry_new();
	struct layout *layout = NULL;
	int map;

	NEED_ROOT();
	map = bpffs_make_map(1);
	cr_assert_eq(pins_make_set(pins, 5), 0);
	cr_assert_eq(pins_put_map(pins, 5, "abi", map), 0);
	check_refused(plan);
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_neq(carry_of_all_pins(carry, pins, layout), 0);
	cr_assert_neq(carry_of_all_pins(carry, pins, layout), -ENOENT, "something is there");
	cr_assert_eq(pins_put_map(pins, 5, "layout", map), 0);
	cr_assert_eq(carry_of_all_pins(carry, pins, layout), -EINVAL);
	layout_free(&layout);
	free(carry);
	close(map);
	plan_free(&plan);
}

Test(books, nothing_is_pinned)
{
	struct carry *carry = carry_new();
	struct layout *layout = NULL;

	NEED_ROOT();
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_eq(carry_of_all_pins(carry, pins, layout), -ENOENT);
	layout_free(&layout);
	free(carry);
}
