/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live sensor's reader: a thread that drains the logs and closes intervals in their time, and one beside it
 * that waits for grace periods, so that the logs are never left alone for so long.
 */
#ifndef AIRGLOW_COLLECT_DRAIN_H
#define AIRGLOW_COLLECT_DRAIN_H

#include <stdint.h>

#include "collect/interval.h"
#include "engine/engine.h"

struct drain;

struct drain_options {
	struct engine *engine;
	struct reader *reader;
	int64_t interval_ns;
	engine_message_fn
		*on_message; /* alerts and samples, by the draining thread; NULL: they are left alone */
	void *arg;
	/* Returns when everybody who is in the program now has left it; NULL: grace_wait */
	void (*grace)(void);
};

/* Both threads. The first interval has begun. 0 or -errno. */
int drain_start(struct drain **out, const struct drain_options *options);
/* Ends both, and closes the open interval. The program must not run any more, or its last packets are not told.
 */
void drain_stop(struct drain **drain);

#endif
