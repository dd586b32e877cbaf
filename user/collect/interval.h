/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the pipeline's memory to records: drains the logs, and closes intervals. The packet program never writes
 * what is read here: it has moved on to the tables of the other parity, and everybody who had not has been
 * waited for. One thread uses a reader; its totals are for any.
 */
#ifndef AIRGLOW_COLLECT_INTERVAL_H
#define AIRGLOW_COLLECT_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/sink.h"
#include "engine/books.h"

struct reader;

/* Sums since the books were opened, of closed intervals and of what was lost in open ones. They are kept in the
 * books (struct ag_told), so that the next reader goes on with them. */
struct reader_totals {
	uint64_t intervals, dark, records, record_packets, touches;
	__u64 lost[AG_LOST_MAX];
	__u64 flagged[AG_ALERT_MAX];
	uint64_t unsent;
	uint64_t sweepers, summary_refused;
	uint64_t imbalance;  /* L3: packets, over all intervals that were closed */
	uint64_t incomplete; /* intervals that another reader had begun to read */
};

/* books and sink live as long as the reader. NULL without memory. */
struct reader *reader_new(struct books *books, const struct sink *sink);
void reader_free(struct reader **reader);

/* Hands on what is in the logs. */
void reader_drain(struct reader *reader);

/*
 * The first interval, or the next one: the program moves on to it. began_ns in the clock of the packets,
 * wall_ns in Unix time. The one before must have been read (reader_close).
 *
 * Books that another reader left behind, perhaps in the middle of a close, are taken over: the open interval
 * stays open, and the one before waits to be read. What the other one had told of both is not known and becomes
 * lost, once.
 */
void reader_begin(struct reader *reader, uint64_t began_ns, int64_t wall_ns);

/* Is an interval waiting to be read? */
bool reader_is_closing(const struct reader *reader);

/*
 * Reads, hands on and clears the interval before the open one. Nobody may be in the program any more who began
 * before reader_begin: the caller has waited for that (a grace period).
 */
void reader_close(struct reader *reader);

void reader_totals(struct reader *reader, struct reader_totals *out);
/* Hosts of all intervals, and of those that are not closed yet; both [AG_CLASS_MAX], overwritten. */
void reader_hosts(struct reader *reader, struct ag_hll *all, struct ag_hll *open);

#endif
