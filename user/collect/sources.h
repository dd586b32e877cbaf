/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who sent it: a bounded table of sources, and under each its flows, kept from the records that the reader
 * hands on. Sums are exact for a source as long as it is in the table; who sends least makes room, and what was
 * forgotten is counted. One thread writes; any thread may ask.
 */
#ifndef AIRGLOW_COLLECT_SOURCES_H
#define AIRGLOW_COLLECT_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "collect/alerts.h"
#include "collect/hosts.h"
#include "collect/sink.h"

#define SOURCES_TOP	  100 /* sources in a list, unless more are asked for */
#define SOURCES_FLOWS_MAX 256 /* flows of a source; further ports are counted, but not told one by one */

struct sources;

/* A source as it is shown. Packets, unless the name says something else; times are Unix seconds. */
struct source_view {
	uint64_t src_hi, src_lo;
	bool v6;
	uint64_t packets[AG_CLASS_MAX];
	uint64_t bytes;
	uint32_t ports;	     /* distinct (protocol, service port) of TCP and UDP, exact unless ports_at_least */
	bool ports_at_least; /* there may be more */
	uint32_t destinations; /* distinct, estimated */
	uint32_t tool;	       /* enum ag_tool, or AG_TOOL_NONE while there are too few matches */
	uint32_t tool_hits[AG_TOOL_MAX];
	uint32_t syns; /* without ACK, FIN, RST */
	uint32_t flags;
	uint32_t anomalies;
	int64_t first_s, last_s;
};

struct flow_view {
	uint8_t class, protocol;
	uint16_t port; /* service port; type * 256 + code of ICMP */
	uint64_t packets;
	uint32_t destinations; /* distinct, estimated */
	int64_t first_s, last_s;
};

struct sources_totals {
	uint64_t sources, flows;    /* in the tables now */
	uint64_t forgotten_sources; /* that made room */
	uint64_t forgotten_packets; /* of those */
	uint64_t folded_packets;    /* of sources with too many flows, without a flow of their own */
	size_t bytes;
};

struct sources_options {
	unsigned int sources_max;    /* rounded up to a power of two */
	struct hosts *hosts;	     /* who uses a tool, who asks for a port; borrowed, may be NULL */
	double expected_day_packets; /* of all dark addresses, for the k of a tool (README, "Tools") */
	struct ag_thresholds thresholds;
};

/* How many sources such a table can have in so many bytes, at least 1,024. */
unsigned int sources_fit(uint64_t bytes);

/* NULL without memory. */
struct sources *sources_new(const struct sources_options *options);
void sources_free(struct sources **sources);
/* Any thread: what alerts are settled by from now on. */
void sources_use(struct sources *sources, const struct ag_thresholds *thresholds);

/*
 * Records of an interval that began at begin_ns (Unix time), `tick` times 10 s after some beginning (never
 * back); and the end of an interval, when alerts are settled.
 */
void sources_add(struct sources *sources, int64_t begin_ns, uint32_t tick, const struct ag_record *records,
		 size_t count);
void sources_close(struct sources *sources, int64_t end_ns);

/* Which sources are asked for. */
struct sources_filter {
	bool by_class, by_tool, by_port;
	uint8_t class;	  /* has packets of it */
	uint32_t tool;	  /* or AG_TOOL_NONE */
	uint8_t protocol; /* has a flow of it and of the service port; of that class, with by_class */
	uint16_t port;
};

/* Any thread: the sources with most packets that the filter lets through (NULL: all), equals by address; at
 * most `most`. Returns how many. */
size_t sources_list(struct sources *sources, const struct sources_filter *filter, struct source_view *out,
		    size_t most);
/* One source with its flows, those with most packets first, at most *flows_count, which is then how many;
 * false: unknown. */
bool sources_find(struct sources *sources, uint64_t hi, uint64_t lo, bool v6, struct source_view *out,
		  struct flow_view *flows, size_t *flows_count);
/* The alerts with numbers above `after`, oldest first, at most `most`; returns how many. */
size_t sources_alerts(struct sources *sources, uint32_t after, struct alert *out, size_t most);
void sources_alert_counts(struct sources *sources, __u64 by_kind[AG_ALERT_MAX]);
void sources_totals(struct sources *sources, struct sources_totals *out);

#endif
