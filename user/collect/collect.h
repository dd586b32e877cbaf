/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The collector: reads the books, checks the laws, closes intervals, publishes a snapshot a second. It does not
 * know who runs the program nor who reads the snapshots.
 */
#ifndef AIRGLOW_COLLECT_COLLECT_H
#define AIRGLOW_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "collect/feed.h"
#include "collect/snapshot.h"
#include "collect/sources.h"
#include "engine/engine.h"

struct collector;

struct collector_options {
	struct engine *engine;
	const struct plan *plan; /* borrowed for the collector's life; changed by collector_swap_plan alone */
	const struct config *config; /* borrowed for the collector's life */
	struct snapshot_box *box;    /* where snapshots go; NULL: only collector_snapshot() */
	struct feed *feed;	     /* where the program's messages go; NULL: they are left alone */
	bool live; /* true: books are written while they are read (grace periods, NIC counters) */
};

int collector_new(struct collector **out, const struct collector_options *options, char *why, size_t why_size);
void collector_free(struct collector **collector);

/* Live: an attached interface, shown in snapshots. Call before collector_start. */
int collector_add_interface(struct collector *collector, const char *name, enum ag_feed feed,
			    const char *xdp_mode);

/* Who sent it: any thread may ask as long as the collector lives. */
struct sources *collector_sources(struct collector *collector);

/* Newest doctor report, copied into the next snapshots. Any thread. */
void collector_set_checks(struct collector *collector, const struct snapshot_check *checks, unsigned int count);
/*
 * The addresses changed, and `with` is in force (engine_apply): exchanges what the two plans hold, so that who
 * borrowed the first one knows the new addresses. Not while another thread uses `plan` beside the collector.
 */
void collector_swap_plan(struct collector *collector, struct plan *plan, struct plan *with);
/* An interface went or came back (rtnetlink). Any thread. */
void collector_set_present(struct collector *collector, const char *name, bool present);

/*
 * Live: starts and stops the threads. Stop closes the open interval, for which the program must not run any
 * more, and publishes one last snapshot.
 */
int collector_start(struct collector *collector);
void collector_stop(struct collector *collector);

/*
 * Replay: an interval begins (Unix time, of the packets); the one before, if there is one, is closed.
 * collector_drain hands on what is in the logs, which hold books.log_records_size packets at least;
 * collector_finish closes the last interval.
 */
void collector_begin_interval(struct collector *collector, uint64_t begin_ns);
void collector_drain(struct collector *collector);
void collector_finish(struct collector *collector);

/* One snapshot now, the caller's to unref; NULL without memory. */
struct snapshot *collector_snapshot(struct collector *collector);

#endif
