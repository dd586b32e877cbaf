/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One consistent, immutable view of a sensor, made once a second by the collector. Readers (HTTP, status, JSON)
 * hold a reference and never see anything else. All counts are cumulative packets since start unless named.
 */
#ifndef AIRGLOW_COLLECT_SNAPSHOT_H
#define AIRGLOW_COLLECT_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "base/config.h"
#include "collect/gaps.h"
#include "collect/hosts.h"
#include "collect/interval.h"
#include "collect/promoted.h"
#include "collect/sources.h"

#define SNAPSHOT_NIC_COUNTERS_MAX 4  /* drop counters shown an interface */
#define SNAPSHOT_TOP_PORTS	  20 /* top ports a protocol, window 1 h */
#define SNAPSHOT_CHECKS_MAX	  32
#define SNAPSHOT_TEXT_BYTES	  256

enum snapshot_state { SNAPSHOT_OK, SNAPSHOT_WARNING, SNAPSHOT_FAULT, SNAPSHOT_UNKNOWN };

/* A drop counter of an interface (L0 is shown, not kept). known = false: the driver has none of this kind. */
struct snapshot_nic_counter {
	char name[32]; /* e.g. rx_missed, rx_dropped, no_buffer, xdp_drop */
	bool known;
	uint64_t packets;
};

struct snapshot_interface {
	char name[32];
	uint32_t ifindex;
	enum ag_feed feed;
	char xdp_mode[16];    /* "native" or "generic" */
	bool present;	      /* false: the interface is gone, its coverage has a gap */
	uint64_t received;    /* by the program */
	uint64_t nic_packets; /* by the interface's own statistics since start */
	struct snapshot_nic_counter nic[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int nic_count;
};

struct snapshot_scope {
	char name[64];
	uint64_t dark_addresses;   /* IPv4 addresses in force */
	uint64_t active_addresses; /* of those, with a packet in the current day */
	uint64_t packets[AG_CLASS_MAX];
	uint64_t bytes[AG_CLASS_MAX];
};

struct snapshot_port {
	uint16_t port;
	uint64_t packets; /* in the window */
	uint64_t hosts;	  /* that asked for it in the window, estimate */
};

struct snapshot_check {
	char name[32];	  /* label of check.def */
	char subject[32]; /* interface or prefix, may be empty */
	enum snapshot_state state;
	char value[SNAPSHOT_TEXT_BYTES];  /* what was found */
	char remedy[SNAPSHOT_TEXT_BYTES]; /* the command that cures it; empty when ok */
};

/* "What can I see?": from N alone. */
struct snapshot_reach {
	uint64_t addresses;	   /* N */
	double expected_pps;	   /* 0.0794 per address (NICTER 2025) */
	double seen_pps;	   /* over the last 60 s */
	double scanner_touch_s;	   /* mean seconds between touches of a 100 pps whole-IPv4 scanner */
	double smallest_flood_pps; /* smallest randomly spoofed flood that meets the DoS rule */
	char blind[8][96];	   /* rules that do not work at this size, and why */
	unsigned int blind_count;
};

struct snapshot {
	atomic_uint references;
	uint64_t sequence;
	int64_t time_ns;	  /* wall clock when it was made */
	int64_t start_ns;	  /* wall clock when the books were opened */
	int64_t process_start_ns; /* ... and when this process began to read them */
	const char *engine;	  /* "native" or "kernel" */
	uint32_t epoch;

	struct ag_counters totals; /* summed over slices */
	struct ag_ports ports;	   /* summed over slices */
	struct ag_icmp icmp;
	__u64 *visits;	  /* [AG_PORTS], SYNs to ports on which this host listens; NULL without the feed self */
	uint64_t sources; /* distinct sources, estimate (HyperLogLog) */
	uint64_t shared_packets; /* received on CPUs without a slice of their own */
	unsigned int slices;
	uint64_t booked_cpus[AG_CPUS_MAX / 64]; /* bits: CPUs with a slice of their own */
	__u64 imbalance[AG_LAW_MAX];		/* packets; 0 = the law holds; L3: over all closed intervals */
	struct reader_totals flow;
	struct hosts_figures hosts;
	struct sources_totals kept; /* who is in the table of sources */
	__u64 alerts[AG_ALERT_MAX]; /* raised since the start, as userspace settled them */

	struct snapshot_interface interfaces[AG_INTERFACES_MAX];
	unsigned int interfaces_count;
	struct gaps gaps;				 /* in the coverage; live */
	struct snapshot_scope scopes[AG_SCOPES_MAX + 1]; /* [0]: every destination (replay without --dark) */
	unsigned int scopes_count; /* entries in use, from 1; [0] used iff every_destination */
	bool every_destination;
	struct ag_kept_scope shown[AG_SCOPES_SHOWN]; /* with series of their own in /metrics */
	struct snapshot_port top_tcp[SNAPSHOT_TOP_PORTS], top_udp[SNAPSHOT_TOP_PORTS]; /* window 1 h */
	unsigned int top_tcp_count, top_udp_count;
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	unsigned int checks_count;
	int64_t checks_ns; /* wall clock when the checks were made; 0: never */
	struct snapshot_reach reach;
	struct config *config; /* a reference, for the next ones */
	const struct config_watch *watch;
	__u64 watch_before[AG_WATCH_MAX]; /* packets before the port was watched: "other" keeps them */
	size_t watch_count;
	const struct config_promoted *promoted; /* [promoted_count] like the next */
	struct promoted_figures promoted_reached[AG_PROMOTED_SLOTS_MAX];
	unsigned int promoted_count;
	uint64_t map_bytes, rss_anon_bytes;
	int64_t process_cpu_ns;		/* CPU time of all threads */
	const char *disabled_rules[12]; /* static strings */
	unsigned int disabled_rules_count;
};

/* A new snapshot with one reference, zeroed; NULL without memory. */
struct snapshot *snapshot_new(void);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
/* Drops a reference; the last one frees. Accepts NULL. */
void snapshot_unref(struct snapshot **snapshot);

/*
 * The newest snapshot of a running sensor: one writer, many readers. snapshot_latest returns a reference (the
 * caller's to drop) or NULL before the first.
 */
struct snapshot_box;
int snapshot_box_new(struct snapshot_box **out);
void snapshot_box_free(struct snapshot_box **box);
void snapshot_publish(struct snapshot_box *box, struct snapshot *snapshot); /* takes the reference */
struct snapshot *snapshot_latest(struct snapshot_box *box);

#endif
