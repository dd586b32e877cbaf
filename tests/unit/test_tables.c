// SPDX-License-Identifier: GPL-2.0-only
/*
 * tables and engine: sizes, the memory bound, putting another plan in force.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/tables.h"
#include "packets.h"

static char why[512];

static struct plan *plan_of(uint8_t second, unsigned int length, unsigned int scope)
{
	struct plan_prefix p = {.prefix = {.family = 4, .length = (uint8_t)length, .addr = {60, second}},
				.scope = scope};
	struct plan *plan = NULL;

	cr_assert_eq(plan_new(&plan, &p, 1, false, why, sizeof(why)), 0, "%s", why);
	return plan;
}

static struct engine *open_engine(struct plan *plan)
{
	struct engine_options options = {.kind = ENGINE_NATIVE, .replay = true, .plan = plan};
	struct engine *engine = NULL;

	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	return engine;
}

static uint64_t dark_after(struct engine *engine, uint32_t dst)
{
	struct frame f;
	struct ag_replay word;

	frame_syn4(&f, 23);
	frame_set32(&f, 30, dst);
	word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
	cr_assert_geq(engine_run(engine, &word, f.bytes), 0);
	return engine_books(engine)->counters[0].dark;
}

Test(tables, sizes_follow_the_plan)
{
	struct plan *plan = plan_of(1, 16, 1);
	struct table_sizes sizes = tables_size(plan, 3, 1, false);

	cr_assert_eq(sizes.slices, 3);
	cr_assert_eq(sizes.pages, 256);
	cr_assert_eq(sizes.blocks, 2);
	cr_assert_eq(sizes.splits, 1);
	cr_assert_eq(
		tables_bytes(&sizes),
		4 * (sizeof(struct ag_counters) + sizeof(struct ag_ports) + 2 * sizeof(struct ag_interval)) +
			3 * (2 * (256 * 128 + 128 * 128 + 8192) + 131072 + 256 + 512 * 64 + 4096 * 8) +
			sizeof(struct ag_icmp) + 64 + 8 + 262144 + 256 * 1024 + sizeof(struct ag_abi) +
			sizeof(struct ag_collected) + sizeof(struct ag_carried) +
			2 * (sizeof(struct ag_settings) + 131072 + 2 * 1024 + sizeof(struct ag_split)));
	plan_free(&plan);
}

/* SYNs are counted by port where an interface has the feed self. */
Test(tables, feed_self_takes_more)
{
	struct plan *plan = plan_of(1, 16, 1);
	struct table_sizes without = tables_size(plan, 1, 1, false), with;

	cr_assert_eq(without.visits, 1);
	plan->settings.interfaces[AG_INTERFACES_MAX - 1].feed = AG_FEED_SELF;
	with = tables_size(plan, 1, 1, false);
	cr_assert_eq(with.visits, 65536);
	cr_assert_eq(with.pages, without.pages);
	cr_assert_eq(tables_bytes(&with) - tables_bytes(&without), 65535 * 8);
	plan_free(&plan);
}

Test(tables, memory_bound)
{
	struct plan *plan = plan_of(1, 16, 1);
	struct table_sizes sizes = tables_size(plan, 1, 1, false);
	uint64_t need = tables_bytes(&sizes);
	struct engine_options options = {
		.kind = ENGINE_NATIVE, .replay = true, .plan = plan, .memory_bytes = need - 1};
	struct engine *engine = NULL;

	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), -ENOSPC);
	cr_assert_not_null(strstr(why, "raise memory"), "%s", why);
	cr_assert_null(engine);
	options.memory_bytes = need;
	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(engine_books(engine)->bytes, need);
	engine_free(&engine);
	engine_free(&engine);
	plan_free(&plan);
}

/* What does not fit is refused with an arithmetic that adds up. */
Test(tables, a_slash_8_and_64_slices)
{
	struct plan *plan = plan_of(0, 8, 1);
	struct table_sizes sizes;
	double need, slice, cache, tables, promoted, memory;
	unsigned int slices, caches, pages, slots;

	plan->settings.promoted_slots = 2;
	sizes = tables_size(plan, 64, 128 << 20, false);
	cr_assert_eq(sizes.pages, 65536);
	cr_assert_eq(tables_check(&sizes, 128 << 20, why, sizeof(why)), -ENOSPC);
	cr_assert_eq(
		sscanf(why,
		       "the maps need %lf MiB (%u slices of %lf MiB, %u flow caches of at least %lf MiB, %u /24 pages "
		       "of 1 KiB, %u promoted slots of %lf MiB, tables and ICMP %lf MiB) but memory is %lf MiB",
		       &need, &slices, &slice, &caches, &cache, &pages, &slots, &promoted, &tables, &memory),
		10, "%s", why);
	cr_assert_eq(slices, 65);
	cr_assert_eq(caches, 64);
	cr_assert_eq(pages, 65536);
	cr_assert_eq(slots, 2);
	cr_assert_float_eq(promoted, 4, 0.01);
	cr_assert_float_eq(memory, 128, 0.01);
	cr_assert_float_eq(need, (double)tables_bytes(&sizes) / (1 << 20), 0.06);
	cr_assert_float_eq(need, slices * slice + caches * cache + pages / 1024.0 + slots * promoted + tables,
			   0.01 * (slices + caches));
	cr_assert_eq(tables_check(&sizes, tables_bytes(&sizes), why, sizeof(why)), 0);
	plan_free(&plan);
}

/* Is there no larger cache within the bound? */
static bool is_largest(struct table_sizes sizes, uint64_t bound)
{
	sizes.flow_sets *= 2;
	sizes.summary_sets *= 2;
	sizes.log_records *= 2;
	sizes.log_touches *= 2;
	return tables_bytes(&sizes) > bound;
}

/* Twice the memory is a cache of twice the size, where it is most of the memory, until there is no larger one.
 */
Test(tables, memory_halves_and_doubles)
{
	struct plan *plan = plan_of(1, 16, 1);
	unsigned int before = 0;

	for (uint64_t mib = 16; mib <= 512; mib *= 2) {
		struct table_sizes sizes = tables_size(plan, 2, mib << 20, false);

		cr_assert_leq(tables_bytes(&sizes), mib << 20, "%llu MiB", (unsigned long long)mib);
		cr_assert_gt(tables_bytes(&sizes), (mib << 20) / 3, "%llu MiB", (unsigned long long)mib);
		cr_assert(is_largest(sizes, mib << 20), "%llu MiB", (unsigned long long)mib);
		if (mib > 32)
			cr_assert_eq(sizes.flow_sets, 2 * before);
		before = sizes.flow_sets;
		cr_assert_eq(sizes.log_records, sizes.flow_sets * AG_FLOW_WAYS);
	}
	plan_free(&plan);
}

Test(tables, another_plan_comes_into_force)
{
	struct plan *first = plan_of(1, 24, 1), *second = plan_of(2, 24, 1), *large = plan_of(3, 16, 1);
	struct engine *engine = open_engine(first);

	cr_assert_str_eq(engine_name(engine), "native");
	cr_assert_eq(engine_program_fd(engine), -1);
	cr_assert_eq(dark_after(engine, 0x3c010005), 1);
	cr_assert_eq(dark_after(engine, 0x3c020005), 1);
	cr_assert_eq(engine_apply(engine, second, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(engine_books(engine)->control->side, 1);
	cr_assert_eq(dark_after(engine, 0x3c010005), 1);
	cr_assert_eq(dark_after(engine, 0x3c020005), 2);
	cr_assert_eq(engine_apply(engine, large, why, sizeof(why)), -ENOSPC);
	cr_assert_not_null(strstr(why, "restart"), "%s", why);
	cr_assert_eq(engine_books(engine)->control->side, 1);
	cr_assert_eq(dark_after(engine, 0x3c020006), 3);
	cr_assert_eq(engine_apply(engine, first, why, sizeof(why)), 0);
	cr_assert_eq(engine_books(engine)->control->side, 0);
	cr_assert_eq(dark_after(engine, 0x3c010006), 4);
	engine_free(&engine);
	plan_free(&first);
	plan_free(&second);
	plan_free(&large);
}
