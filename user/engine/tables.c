// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes of the pipeline's memory and how a plan is written into it (tables.h). Does not know whether the memory
 * is mapped from the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "engine/tables.h"

#define MIB (1024.0 * 1024.0)

/*
 * The flow cache in proportion: 2^scale sets of flows and half as many of summaries for each slice and parity,
 * a log of as many records as a table holds, and of eight touches for each.
 */
#define SCALE_MIN 8  /* 256 sets: 160 KiB a slice */
#define SCALE_MAX 18 /* 262,144 sets: 160 MiB a slice */

#define SPARE_MAX 4096

static void scale_cache(struct table_sizes *s, unsigned int scale)
{
	s->flow_sets = 1u << scale;
	s->summary_sets = s->flow_sets / 2;
	s->log_records = s->flow_sets * AG_FLOW_WAYS;
	s->log_touches = s->log_records * 8;
}

/* Room for a reload: an eighth and a little, at most 4 MiB of pages. */
static unsigned int with_spare(unsigned int used, unsigned int little)
{
	unsigned int more = used / 8 + little;

	return used + (more < SPARE_MAX ? more : SPARE_MAX);
}

static bool has_self(const struct ag_settings *settings)
{
	bool self = false;

	for (unsigned int i = 0; i < AG_INTERFACES_MAX; i++)
		self = self || settings->interfaces[i].feed == AG_FEED_SELF;
	return self;
}

struct table_sizes tables_size(const struct plan *plan, unsigned int slices, uint64_t memory_bytes, bool spare)
{
	struct table_sizes sizes = {
		.slices = slices,
		/* Block 0 is there, if nothing else is. */
		.blocks = plan->blocks_used ? plan->blocks_used : 1,
		.splits = plan->splits_used ? plan->splits_used : 1,
		.pages = plan->pages_used ? plan->pages_used : 1,
		.promoted = plan->settings.promoted_slots,
		.visits = has_self(&plan->settings) ? AG_PORTS : 1,
	};
	unsigned int scale = SCALE_MAX;

	if (spare) {
		sizes.blocks = with_spare(sizes.blocks, 8);
		sizes.splits = with_spare(sizes.splits, 32);
		sizes.pages = with_spare(sizes.pages, 64);
	}
	scale_cache(&sizes, scale);
	while (memory_bytes && scale > SCALE_MIN && tables_bytes(&sizes) > memory_bytes)
		scale_cache(&sizes, --scale);
	return sizes;
}

/* Counters, ports and intervals: what every slice has, the shared one too. */
static uint64_t slice_bytes(void)
{
	return sizeof(struct ag_counters) + sizeof(struct ag_ports) + 2 * sizeof(struct ag_interval);
}

static uint64_t cache_bytes(const struct table_sizes *s)
{
	return 2 * ((uint64_t)s->flow_sets * sizeof(struct ag_flow_set) +
		    (uint64_t)s->summary_sets * sizeof(struct ag_summary_set) + sizeof(struct ag_sweepers)) +
	       sizeof(struct ag_once) + sizeof(struct ag_log) +
	       (uint64_t)s->log_records * sizeof(struct ag_record) + (uint64_t)s->log_touches * sizeof(__u64);
}

static uint64_t reached_bytes(const struct table_sizes *s)
{
	return 2 * (uint64_t)s->promoted * s->pages * sizeof(struct ag_reached);
}

uint64_t tables_bytes(const struct table_sizes *s)
{
	return (s->slices + 1) * slice_bytes() + s->slices * cache_bytes(s) + sizeof(struct ag_icmp) +
	       sizeof(struct ag_control) + sizeof(struct ag_abi) + sizeof(struct ag_collected) +
	       sizeof(struct ag_carried) + s->visits * sizeof(__u64) + AG_RING_BYTES + reached_bytes(s) +
	       (uint64_t)s->pages * sizeof(struct ag_page) +
	       2 * (sizeof(struct ag_settings) + sizeof(struct ag_scope16) +
		    (uint64_t)s->blocks * sizeof(struct ag_block) +
		    (uint64_t)s->splits * sizeof(struct ag_split));
}

int tables_check(const struct table_sizes *s, uint64_t memory_bytes, char *why, size_t why_size)
{
	uint64_t need = tables_bytes(s), books = (s->slices + 1) * slice_bytes(),
		 cache = s->slices * cache_bytes(s), pages = (uint64_t)s->pages * sizeof(struct ag_page),
		 reached = reached_bytes(s);

	if (!memory_bytes || need <= memory_bytes)
		return 0;
	snprintf(
		why, why_size,
		"the maps need %.1f MiB (%u slices of %.2f MiB, %u flow caches of at least %.2f MiB, %u /24 pages of "
		"1 KiB, %u promoted slots of %.2f MiB, tables and ICMP %.1f MiB) but memory is %.1f MiB; raise memory or "
		"use fewer dark addresses",
		(double)need / MIB, s->slices + 1, (double)slice_bytes() / MIB, s->slices,
		(double)cache_bytes(s) / MIB, s->pages, s->promoted,
		(double)reached / MIB / (s->promoted ? s->promoted : 1),
		(double)(need - books - cache - pages - reached) / MIB, (double)memory_bytes / MIB);
	return -ENOSPC;
}

unsigned int tables_used_shift(unsigned int sets)
{
	unsigned int shift = 0;

	while (sets >> shift > AG_USED_WORDS * 64)
		shift++;
	return shift;
}

/* Of the second kind is what an attacker must not know; where random bytes are not to be had, time is better
 * than nothing. */
static void choose_seed(__u64 seed[2], bool replay)
{
	struct timespec now;

	seed[0] = 0x243f6a8885a308d3ULL; /* digits of pi: nothing up the sleeve */
	seed[1] = 0x13198a2e03707344ULL;
	if (replay || getrandom(seed, 2 * sizeof(seed[0]), 0) == 2 * (ssize_t)sizeof(seed[0]))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	seed[0] ^= (__u64)now.tv_nsec << 32 ^ (__u64)now.tv_sec;
}

void tables_rodata(struct ag_rodata *ro, const struct table_sizes *s, bool replay)
{
	ro->replay = replay;
	ro->slices = s->slices;
	ro->blocks = s->blocks;
	ro->splits = s->splits;
	ro->pages = s->pages;
	ro->flow_sets = s->flow_sets;
	ro->summary_sets = s->summary_sets;
	ro->log_records = s->log_records;
	ro->log_touches = s->log_touches;
	ro->promoted = s->promoted;
	ro->flow_shift = tables_used_shift(s->flow_sets);
	ro->summary_shift = tables_used_shift(s->summary_sets);
	ro->sweeper_records = AG_SWEEPER_RECORDS;
	choose_seed(ro->seed, replay);
}

bool tables_fit(const struct tables *t, const struct plan *plan)
{
	return plan->blocks_used <= t->sizes.blocks && plan->splits_used <= t->sizes.splits &&
	       plan->pages_used <= t->sizes.pages && plan->settings.promoted_slots <= t->sizes.promoted;
}

int tables_write(const struct tables *t, unsigned int side, const struct plan *plan)
{
	if (!tables_fit(t, plan))
		return -ENOSPC;
	t->settings[side] = plan->settings;
	t->scope16[side] = *plan->scope16;
	if (plan->blocks_used)
		memcpy(&t->blocks[(size_t)side * t->sizes.blocks], plan->blocks,
		       plan->blocks_used * sizeof(*plan->blocks));
	if (plan->splits_used)
		memcpy(&t->splits[(size_t)side * t->sizes.splits], plan->splits,
		       plan->splits_used * sizeof(*plan->splits));
	return 0;
}

struct books tables_books(const struct tables *t)
{
	struct books books = {
		.slices = t->sizes.slices,
		.counters = t->counters,
		.ports = t->ports,
		.icmp = t->icmp,
		.visits = t->visits,
		.visits_size = t->sizes.visits,
		.seen = t->seen,
		.pages = t->sizes.pages,
		.control = t->control,
		.settings = t->settings,
		.abi = t->abi,
		.collected = t->collected,
		.carried = t->carried,
		.intervals = t->intervals,
		.flows = t->flows,
		.summaries = t->summaries,
		.sweepers = t->sweepers,
		.reached = t->reached,
		.promoted = t->sizes.promoted,
		.logs = t->logs,
		.log_records = t->log_records,
		.log_touches = t->log_touches,
		.flow_sets = t->sizes.flow_sets,
		.summary_sets = t->sizes.summary_sets,
		.flow_shift = tables_used_shift(t->sizes.flow_sets),
		.summary_shift = tables_used_shift(t->sizes.summary_sets),
		.log_records_size = t->sizes.log_records,
		.log_touches_size = t->sizes.log_touches,
		.bytes = tables_bytes(&t->sizes),
	};

	return books;
}
