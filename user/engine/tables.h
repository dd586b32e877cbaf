/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writable view of a pipeline's memory, and what both engines do with it: sizes, and putting a plan in
 * force. Private to user/engine/.
 */
#ifndef AIRGLOW_ENGINE_TABLES_H
#define AIRGLOW_ENGINE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/keep.h"
#include "engine/books.h"
#include "engine/plan.h"

/* Capacities that follow from slices, plan and memory. */
struct table_sizes {
	unsigned int slices, blocks, splits, pages;
	unsigned int flow_sets, summary_sets;  /* of a slice and parity; powers of two */
	unsigned int log_records, log_touches; /* of a slice; powers of two */
	unsigned int promoted;		       /* bitmaps a day */
	unsigned int visits;		       /* AG_PORTS where an interface has the feed self, else 1 */
};

struct tables {
	struct table_sizes sizes;
	struct ag_control *control;
	struct ag_settings *settings; /* [2] */
	struct ag_scope16 *scope16;   /* [2] */
	struct ag_block *blocks;      /* [2 * sizes.blocks] */
	struct ag_split *splits;      /* [2 * sizes.splits] */
	struct ag_counters *counters; /* [slices + 1] */
	struct ag_ports *ports;	      /* [slices + 1] */
	struct ag_icmp *icmp;
	__u64 *visits;			  /* [sizes.visits] */
	struct ag_page *seen;		  /* [sizes.pages] */
	struct ag_interval *intervals;	  /* [(slices + 1) * 2], slice * 2 + parity */
	struct ag_flow_set *flows;	  /* [slices * 2 * flow_sets] */
	struct ag_summary_set *summaries; /* [slices * 2 * summary_sets] */
	struct ag_sweepers *sweepers;	  /* [slices * 2] */
	struct ag_once *once;		  /* [slices] */
	struct ag_reached *reached;	  /* [2 * promoted * pages], by day, slot, page */
	struct ag_log *logs;		  /* [slices] */
	struct ag_record *log_records;	  /* [slices * log_records] */
	__u64 *log_touches;		  /* [slices * log_touches] */
	struct ag_abi *abi;
	struct ag_collected *collected;
	struct ag_carried *carried;
};

/*
 * What the plan needs (spare: and room for a reload to put more in its place), and a flow cache as large as
 * memory_bytes (0: no bound) allows. When not even the
 * smallest fits, that is what is returned: tables_check tells.
 */
struct table_sizes tables_size(const struct plan *plan, unsigned int slices, uint64_t memory_bytes, bool spare);
uint64_t tables_bytes(const struct table_sizes *sizes);

/* 0, or -ENOSPC with the arithmetic in why when the maps do not fit the bound (0: no bound). */
int tables_check(const struct table_sizes *sizes, uint64_t memory_bytes, char *why, size_t why_size);

/* By how much a set's number is shifted to its bit in ag_interval.flows_used, so that every set has one. */
unsigned int tables_used_shift(unsigned int sets);

/*
 * What a program is told before it runs: sizes, and the seed of the tables' hashes, fixed in replay and random
 * otherwise. slice_of is the engine's.
 */
void tables_rodata(struct ag_rodata *ro, const struct table_sizes *sizes, bool replay);

/* Are the tables large enough for a plan? */
bool tables_fit(const struct tables *tables, const struct plan *plan);
/* Writes a plan into one side. -ENOSPC when it needs larger tables. Does not switch. */
int tables_write(const struct tables *tables, unsigned int side, const struct plan *plan);

struct books tables_books(const struct tables *tables);

#endif
