/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sketches of distinct destinations (bpf/distinct.h) are joined here: those of one flow, from all its records.
 */
#ifndef AIRGLOW_COLLECT_DISTINCT_H
#define AIRGLOW_COLLECT_DISTINCT_H

#include "bpf/distinct.h"

/* The distinct keys of both, in `into`. */
static inline void distinct_merge(struct ag_distinct *into, const struct ag_distinct *from)
{
	__u32 shift;

	into->bits |= from->bits;
	for (shift = 0; shift < 64; shift += 4) {
		__u64 rank = from->ranks >> shift & 15;

		if ((into->ranks >> shift & 15) < rank)
			into->ranks = (into->ranks & ~(15ULL << shift)) | rank << shift;
	}
}

#endif
