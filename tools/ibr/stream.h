/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.h - the order of things: which actor sends next, and when.  The same scenario, seed and
 * limits give the same frames and times.
 */
#ifndef IBR_STREAM_H
#define IBR_STREAM_H

#include "actors.h"

#define STREAM_FOREVER UINT64_MAX

struct stream {
	struct scenario *scenario;
	struct stage stage;
	struct rng rng;
	uint64_t limit, made;	   /* packets */
	uint64_t round, remaining; /* packets of a round, and those not yet drawn */
	uint64_t gap_ns;	   /* mean distance of two packets */
	uint64_t quota[ACTORS_MAX], left[ACTORS_MAX];
	uint8_t order[ACTORS_MAX]; /* the busiest actor first */
	bool left_out[ACTORS_MAX]; /* its family has no dark prefix */
	uint32_t exponential[1024];
};

/* limit: packets, or STREAM_FOREVER.  rate_pps must not be 0. */
int stream_start(struct stream *s, struct scenario *scenario, uint64_t rate_pps, uint64_t limit);
/* The next frame, with its time in s->stage.now_ns; false at the end. */
bool stream_next(struct stream *s, struct frame *f);
void stream_stop(struct stream *s);

#endif
