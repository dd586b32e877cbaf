/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writable view of a pipeline's memory, and what both engines do with it: sizes, and putting a plan in
 * force. Private to user/engine/.
 */
#ifndef AIRGLOW_ENGINE_TABLES_H
#define AIRGLOW_ENGINE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "engine/books.h"
#include "engine/plan.h"

/* Capacities that follow from slices and plan. */
struct table_sizes {
	unsigned int slices, blocks, splits, pages;
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
	struct ag_sources *sources;   /* [slices + 1] */
	struct ag_icmp *icmp;
	struct ag_page *seen; /* [sizes.pages] */
};

struct table_sizes tables_size(const struct plan *plan, unsigned int slices);
uint64_t tables_bytes(const struct table_sizes *sizes);

/* 0, or -ENOSPC with the arithmetic in why when the maps do not fit the bound (0: no bound). */
int tables_check(const struct table_sizes *sizes, uint64_t memory_bytes, char *why, size_t why_size);

/* Writes a plan into one side. -ENOSPC when it needs larger tables. Does not switch. */
int tables_write(const struct tables *tables, unsigned int side, const struct plan *plan);

struct books tables_books(const struct tables *tables);

#endif
