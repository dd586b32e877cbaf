/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives a process: the maps that describe the books, the figures that userspace knows and the packet
 * program does not, and what earlier books counted. Read and written by userspace alone; maps, so that they are
 * as safe from kill -9 as the counters.
 *
 * Another version of these structs is read by their member names (user/engine/layout.h): append, and never give
 * a name another meaning. A type of the books that changes raises AG_ABI_VERSION.
 */
#ifndef AIRGLOW_KEEP_H
#define AIRGLOW_KEEP_H

#include "airglow/abi.h"

#define AG_BOOKS_MAGIC	0x61676c77u
#define AG_NAME_BYTES	40 /* of a scope or an interface, 0 behind it */
#define AG_GAPS_MAX	32
#define AG_GAP_SUMS_MAX 16
#define AG_NIC_MAX	4 /* drop counters of an interface */

/* How large the books are and what the program that writes them was told. One set of pinned maps has one. */
struct ag_abi {
	__u32 magic;
	__u32 version;	/* AG_ABI_VERSION */
	__u32 complete; /* 1: what earlier books counted stands in `carried` */
	__u32 slices, blocks, splits, pages;
	__u32 flow_sets, summary_sets, log_records, log_touches;
	__u32 promoted, visits;
	__u32 pad;
	__u64 seed[2];		     /* of the tables' hashes */
	__u16 slice_of[AG_CPUS_MAX]; /* as in ag_rodata: a slice is never given to another CPU */
};

/* Sums over the intervals that were closed. Packets, unless the name says something else. */
struct ag_told {
	__u32 epoch; /* the last of them */
	__u32 pad;
	__u64 intervals, dark, records, record_packets, touches;
	__u64 sweepers, summary_refused, unsent, imbalance, incomplete;
	__u64 lost[AG_LOST_MAX];
	__u64 flagged[AG_ALERT_MAX];
	struct ag_hll hosts[AG_CLASS_MAX]; /* of all packets since the books were opened */
};

/* The interface of a slot, and its own statistics: as shown, and as the driver said them then. */
struct ag_kept_interface {
	char name[AG_NAME_BYTES]; /* "": the slot was never used */
	__u32 ifindex;
	__u32 pad;
	__u64 received_before; /* of ag_counters.interface: what an earlier holder of the slot got */
	__u64 packets, packets_raw;
	struct {
		char name[AG_NAME_BYTES];
		__u64 packets, raw;
	} drops[AG_NIC_MAX];
};

/* A port with a series of its own: what it had before belongs to "other" for ever. */
struct ag_kept_port {
	__u32 protocol; /* 0: free */
	__u32 port;
	__u64 before;
};

/* A scope with series of its own: what it had before belongs to "other" for ever. */
struct ag_kept_scope {
	__u32 scope; /* 0: free */
	__u32 pad;
	__u64 packets[AG_CLASS_MAX], bytes[AG_CLASS_MAX];
};

/* A time in which nothing was counted, on an interface or (subject "") anywhere. */
struct ag_gap {
	char subject[AG_NAME_BYTES];
	char reason[AG_NAME_BYTES];
	__s64 from_ns, to_ns; /* Unix time; to_ns 0: it lasts */
};

/* How long all gaps of a subject that are over lasted, also those that are not listed any more. */
struct ag_gap_sum {
	char subject[AG_NAME_BYTES];
	__s64 closed_ns;
};

/* Whose the figures are, and what userspace alone knows. */
struct ag_kept {
	__u64 id;	/* random, of these books and all that continue them */
	__s64 start_ns; /* Unix time: since when is counted */
	__u64 alerts[AG_ALERT_MAX];
	__u64 forgotten_sources;
	char scopes[AG_SCOPES_MAX + 1][AG_NAME_BYTES]; /* by number; [0] is unused */
	struct ag_kept_interface interfaces[AG_INTERFACES_MAX];
	struct ag_kept_port ports[AG_WATCH_MAX];
	__u32 gaps_count, gap_sums_count;
	struct ag_gap gaps[AG_GAPS_MAX];
	struct ag_gap_sum gap_sums[AG_GAP_SUMS_MAX];
	__u32 day;	 /* the last that began, since 1970 (UTC); 0: not known */
	__u32 day_epoch; /* its first interval */
	struct ag_kept_scope shown[AG_SCOPES_SHOWN];
};

/* told: two sides, so that an interval is closed by one store or not at all. */
struct ag_collected {
	__u32 side;
	__u32 pad;
	struct ag_told told[2];
	struct ag_kept kept;
};

/* What earlier books counted: these began with it. */
struct ag_carried {
	__u64 shared; /* packets on CPUs without a slice */
	struct ag_counters counters;
	struct ag_ports ports;
	struct ag_icmp icmp;
	__u64 visits[AG_PORTS];
};

#endif
