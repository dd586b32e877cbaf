/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The current day (UTC): which intervals belong to it, and whom it saw. It goes on when another process takes
 * the books over, and ends when its time is over, whether a process ran then or not.
 */
#ifndef AIRGLOW_COLLECT_TODAY_H
#define AIRGLOW_COLLECT_TODAY_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/books.h"
#include "engine/plan.h"

struct today {
	struct books *books;
	struct ag_kept *kept; /* NULL: of a capture, nobody goes on with it */
	int64_t day;	      /* since 1970 */
	atomic_uint epoch;    /* the first interval of it */
};

/* Replay: all intervals are of the day that is open, as long as today_move is told so. */
void today_begin(struct today *today, struct books *books);
/* Live, with the open interval known: the day goes on that the books say, or another one begins. */
void today_go_on(struct today *today, int64_t now_ns);
/* The time; if it is of a later day, that begins with the interval `epoch`. */
void today_move(struct today *today, int64_t now_ns, uint32_t epoch);

/* Dark IPv4 addresses by scope that got a packet today. */
void today_active(const struct today *today, const struct plan *plan, uint64_t active[AG_SCOPES_MAX + 1]);

#endif
