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
	const struct plan *plan;  /* borrowed until collector_reload or collector_free */
	struct config *config;	  /* a reference is taken */
	struct snapshot_box *box; /* where snapshots go; NULL: only collector_snapshot() */
	struct feed *feed;	  /* where the program's messages go; NULL: they are left alone */
	bool live; /* true: books are written while they are read (grace periods, NIC counters) */
};

int collector_new(struct collector **out, const struct collector_options *options, char *why, size_t why_size);
void collector_free(struct collector **collector);

/* Live: an attached interface, shown in snapshots, with its slot in the books. Call before collector_start. */
int collector_add_interface(struct collector *collector, const char *name, unsigned int slot, enum ag_feed feed,
			    const char *xdp_mode);

/*
 * Live: another configuration (with its scopes numbered as before: kept.h) and the plan that is in force now.
 * When it returns, nobody uses the plan before any more. Any thread.
 */
void collector_reload(struct collector *collector, struct config *config, const struct plan *plan);

/* Who sent it: any thread may ask as long as the collector lives. */
struct sources *collector_sources(struct collector *collector);

/* Newest doctor report, copied into the next snapshots. Any thread. */
void collector_set_checks(struct collector *collector, const struct snapshot_check *checks, unsigned int count);
/* An interface went or came back (rtnetlink). Any thread. */
void collector_set_present(struct collector *collector, const char *name, bool present);

/*
 * Gaps in the coverage, of an interface by its configured name or of the whole sensor (GAPS_ALL); gaps.h. Any
 * thread.
 */
void collector_open_gap(struct collector *collector, const char *subject, const char *reason);
void collector_close_gap(struct collector *collector, const char *subject);

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
