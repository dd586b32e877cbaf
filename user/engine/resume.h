/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of pinned books, as far as the next program has to know it. Private to user/engine/.
 */
#ifndef AIRGLOW_ENGINE_RESUME_H
#define AIRGLOW_ENGINE_RESUME_H

#include <stdbool.h>

#include "engine/backend.h"

struct resume {
	bool found;  /* there is a set */
	bool usable; /* its layout is this program's own; abi and settings are filled */
	unsigned int set;
	uint32_t epoch;	   /* the open interval, whatever the layout */
	uint64_t began_ns; /* when it began, CLOCK_MONOTONIC: somebody read the books then; 0: nobody did yet */
	struct ag_abi abi;
	struct ag_settings settings; /* of the side in force */
};

/*
 * The newest set before `below`. 0, also when none is pinned; or -errno with a sentence: pins of another user,
 * or not airglow's.
 */
int resume_look(struct resume *r, struct pins *pins, unsigned int below, char *why, size_t why_size);
struct table_sizes resume_sizes(const struct ag_abi *abi);

/*
 * The last intervals in which the addresses of older books were seen, into new ones whose epochs go on from
 * theirs. The program may be running.
 */
void resume_seen(const struct resume *r, const struct pins *pins, const struct tables *to,
		 const struct plan *plan);

#endif
