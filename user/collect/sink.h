/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the collector hands on: the records of intervals in batches, and at its end each interval with its
 * figures. Live and replay hand on the same. No stage keeps an interval's records.
 */
#ifndef AIRGLOW_COLLECT_SINK_H
#define AIRGLOW_COLLECT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"

/* A closed interval. Packets, unless the name says something else. */
struct interval {
	uint32_t epoch;
	uint64_t began_ns;	  /* in the clock of the packets */
	int64_t begin_ns, end_ns; /* Unix time; of the packets in replay. end_ns: once it is closed */
	uint64_t dark;		  /* L3, left side, over all slices */
	uint64_t record_packets;  /* told by records, without touches */
	uint64_t touches;	  /* told by touches, a packet each */
	__u64 lost[AG_LOST_MAX];
	uint64_t imbalance; /* of L3; 0: it holds */
	bool incomplete; /* a reader before this one ended in it: what that one told is in lost[AG_LOST_RESTART]
			  */
	uint64_t records;	  /* number of records, without touches */
	uint64_t evicted;	  /* of those, that made room for others */
	uint64_t sweepers;	  /* summaries that were locked */
	uint64_t summary_refused; /* records of sources that found no summary */
	uint64_t flagged[AG_ALERT_MAX], unsent;
	const struct ag_hll *hosts; /* [AG_CLASS_MAX], merged over slices; borrowed for the call */
};

/*
 * Who takes them. A record of a touch has 1 packet, AG_MARK_SWEEPER, no times and no TTL (ttl_min > ttl_max);
 * what touches leave out follows once an interval in a record of 0 packets and AG_MARK_SWEEPER, whose port and
 * scope mean nothing. Records are borrowed for the call; their order is that of the logs, then of the tables.
 */
struct sink {
	void *arg;
	void (*records)(void *arg, const struct interval *interval, const struct ag_record *records,
			size_t count);
	void (*closed)(void *arg, const struct interval *interval);
};

#endif
