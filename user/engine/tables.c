// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes of the pipeline's memory and how a plan is written into it (tables.h). Does not know whether the memory
 * is mapped from the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/tables.h"

#define MIB (1024.0 * 1024.0)

struct table_sizes tables_size(const struct plan *plan, unsigned int slices)
{
	struct table_sizes sizes = {
		.slices = slices,
		.blocks = plan->blocks_used ? plan->blocks_used : 1,
		.splits = plan->splits_used ? plan->splits_used : 1,
		.pages = plan->pages_used ? plan->pages_used : 1,
	};

	return sizes;
}

static uint64_t slice_bytes(void)
{
	return sizeof(struct ag_counters) + sizeof(struct ag_ports) + sizeof(struct ag_sources);
}

uint64_t tables_bytes(const struct table_sizes *s)
{
	return (uint64_t)(s->slices + 1) * slice_bytes() + sizeof(struct ag_icmp) + sizeof(struct ag_control) +
	       (uint64_t)s->pages * sizeof(struct ag_page) +
	       2 * (sizeof(struct ag_settings) + sizeof(struct ag_scope16) +
		    (uint64_t)s->blocks * sizeof(struct ag_block) +
		    (uint64_t)s->splits * sizeof(struct ag_split));
}

int tables_check(const struct table_sizes *s, uint64_t memory_bytes, char *why, size_t why_size)
{
	uint64_t need = tables_bytes(s);

	if (!memory_bytes || need <= memory_bytes)
		return 0;
	snprintf(
		why, why_size,
		"the maps need %.1f MiB (%u slices of %.2f MiB, %u /24 pages of 1 KiB, tables and ICMP %.1f MiB) but "
		"memory is %.1f MiB; raise memory or use fewer dark addresses",
		(double)need / MIB, s->slices + 1, (double)slice_bytes() / MIB, s->pages,
		(double)(need - (uint64_t)(s->slices + 1) * slice_bytes() -
			 (uint64_t)s->pages * sizeof(struct ag_page)) /
			MIB,
		(double)memory_bytes / MIB);
	return -ENOSPC;
}

int tables_write(const struct tables *t, unsigned int side, const struct plan *plan)
{
	if (plan->blocks_used > t->sizes.blocks || plan->splits_used > t->sizes.splits ||
	    plan->pages_used > t->sizes.pages)
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
		.sources = t->sources,
		.icmp = t->icmp,
		.seen = t->seen,
		.pages = t->sizes.pages,
		.control = t->control,
		.bytes = tables_bytes(&t->sizes),
	};

	return books;
}
