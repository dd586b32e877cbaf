/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the packet program and its readers share: the books, the settings, the replay header. Everything is in
 * host byte order unless a name ends in _be; sizes are asserted; the enums come from the .def tables beside
 * this file, so that a class or an outcome is added in one line.
 */
#ifndef AIRGLOW_ABI_H
#define AIRGLOW_ABI_H

#include <linux/types.h>

#include "airglow/limits.h"

/* Raised when the meaning or layout of a shared map changes. */
#define AG_ABI_VERSION 5

enum ag_outcome {
#define AG_OUTCOME(name, label, help) AG_OUTCOME_##name,
#include "airglow/outcome.def"
#undef AG_OUTCOME
	AG_OUTCOME_MAX
};

enum ag_class {
#define AG_CLASS(name, label, help) AG_CLASS_##name,
#include "airglow/class.def"
#undef AG_CLASS
	AG_CLASS_MAX
};

enum ag_tool {
#define AG_TOOL(name, label, chance_bits, help) AG_TOOL_##name,
#include "airglow/tool.def"
#undef AG_TOOL
	AG_TOOL_MAX,
	AG_TOOL_NONE = 0xff
};

enum ag_anomaly {
#define AG_ANOMALY(name, label, help) AG_ANOMALY_##name,
#include "airglow/anomaly.def"
#undef AG_ANOMALY
	AG_ANOMALY_MAX
};

enum ag_feed {
#define AG_FEED(name, label, drops, help) AG_FEED_##name,
#include "airglow/feed.def"
#undef AG_FEED
	AG_FEED_MAX
};

enum ag_law {
#define AG_LAW(name, label, equation) AG_LAW_##name,
#include "airglow/law.def"
#undef AG_LAW
	AG_LAW_MAX
};

/* Where packets can be lost to the records, or samples to their readers. */
enum ag_lost {
#define AG_LOST(name, label, of_records, help) AG_LOST_##name,
#include "airglow/lost.def"
#undef AG_LOST
	AG_LOST_MAX
};

/* What is flagged in the maps. */
enum ag_alert_kind {
#define AG_ALERT(name, label, help) AG_ALERT_##name,
#include "airglow/alert.def"
#undef AG_ALERT
	AG_ALERT_MAX
};

enum ag_size {
#define AG_SIZE(name, up_to_bytes, label) AG_SIZE_##name,
#include "airglow/size.def"
#undef AG_SIZE
	AG_SIZE_MAX
};

enum ag_decap_type {
#define AG_DECAP(name, label, ip_protocol, help) AG_DECAP_##name,
#include "airglow/decap.def"
#undef AG_DECAP
	AG_DECAP_TYPE_MAX
};

enum ag_service {
	AG_SERVICE_NONE,
#define AG_SERVICE(name, label, help) AG_SERVICE_##name,
#include "airglow/service.def"
	AG_SERVICE_MAX
};

/* Rows of signatures; AG_SERVICE_PORT lines name the first and last row of a port. */
enum ag_signature_id {
#define AG_SIGNATURE(name, service, direction, offset, mask, value, min_payload, help) AG_SIGNATURE_##name,
#include "airglow/service.def"
	AG_SIGNATURE_MAX
};

enum ag_direction { AG_REQUEST, AG_RESPONSE };

_Static_assert(AG_ANOMALY_MAX <= 32, "anomalies are a 32-bit mask");
_Static_assert(AG_TOOL_MAX <= 16, "tools are a 16-bit mask");

/*
 * The counters of one slice: everything but the ports. One writer (a CPU), or atomics in the shared slice.
 * All cumulative since the books were opened, in packets unless the name says bytes.
 */
struct ag_counters {
	__u64 received;			    /* L1, left side: booked first, before any header is read */
	__u64 dark;			    /* L2, left side: booked before the right sides */
	__u64 no_port;			    /* dark packets without a TCP or UDP port: booked, never computed */
	__u64 wire_bytes;		    /* of received frames, without FCS */
	__u64 interface[AG_INTERFACES_MAX]; /* received, by interface slot */
	__u64 outcome[AG_OUTCOME_MAX];
	__u64 protocol[256];		  /* dark, by IP protocol number */
	__u64 tcp_flags[256];		  /* dark TCP whose flag byte is inside the packet, by that byte */
	__u64 tool[AG_TOOL_MAX];	  /* dark, by first matching tool */
	__u64 service[2][AG_SERVICE_MAX]; /* dark UDP, by ag_direction and matching service */
	__u64 anomaly[AG_ANOMALY_MAX];	  /* dark, by anomaly bit: a packet can count in several */
	__u64 size[AG_SIZE_MAX];	  /* dark, by announced IP length */
	__u64 class_packets[AG_SCOPES_MAX + 1][AG_CLASS_MAX]; /* dark, by scope (0: every destination) */
	__u64 class_bytes[AG_SCOPES_MAX + 1][AG_CLASS_MAX];   /* announced IP length */
};

/* Packets by destination port, exact, never evicted: 1 MiB a slice. */
struct ag_ports {
	__u64 tcp[AG_PORTS];
	__u64 udp[AG_PORTS];
};

/* ICMP and ICMPv6 by type * 256 + code, shared by all slices and booked by atomics: 1 MiB. */
struct ag_icmp {
	__u64 v4[AG_ICMP_KINDS];
	__u64 v6[AG_ICMP_KINDS];
};

/* HyperLogLog registers of distinct hosts (p = 14). */
struct ag_hll {
	__u8 reg[AG_HLL_REGISTERS];
};

/*
 * The line that userspace writes and every packet reads once. The parity of the epoch names one of two sets of
 * tables: what is being read and cleared is never written. began_ns is set before the epoch moves on.
 */
struct ag_control {
	__u32 side;	   /* which side of the settings is in force: 0 or 1 */
	__u32 epoch;	   /* number of the open interval, from 1 */
	__u64 began_ns[2]; /* by parity: when the interval began, in the clock of the packets (head.h) */
	__u32 day;	   /* which of two bitmaps of a promoted source is written: 0 or 1 */
	__u32 pad32;
	__u64 pad[4];
};
_Static_assert(sizeof(struct ag_control) == 64, "one cache line");

/*
 * Distinct destinations, twice: a linear-counting bitmap (Whang et al. 1990) that is good for few, and sixteen
 * registers of four bits (HyperLogLog, Flajolet et al. 2007) for many. Both are joined with those of other
 * records by OR and by maximum, whichever slice or interval they come from. Hashes are fixed (hash.h).
 */
struct ag_distinct {
	__u64 bits;
	__u64 ranks;
};

/*
 * The flow cache. A record is keyed (source, class, protocol, service port, scope); the service port is the
 * destination port of a request, the source port of a response, type * 256 + code of ICMP. One cache line.
 */
struct ag_record {
	__u64 src_hi, src_lo; /* host order; IPv4 in the low 32 bits of lo */
	__u64 key;	      /* AG_KEY_*: what identifies it, then tool, hits and flags */
	__u64 bytes_last; /* announced IP bytes in the low 48 bits; last packet after the first in the high 16
			   */
	struct ag_distinct destinations;
	__u32 packets;	 /* 0: the way is empty */
	__u32 signature; /* of the first packet: stack signature of TCP, payload signature of others; 0: none */
	__u32 marks;	 /* anomalies in the low 24 bits, AG_MARK_* above */
	__u16 first;	 /* 2^AG_TIME_SHIFT ns since the interval began */
	__u8 ttl_min, ttl_max;
};
_Static_assert(sizeof(struct ag_record) == 64, "one cache line");
_Static_assert(AG_ANOMALY_MAX <= 24, "anomalies of a record are 24 bits");
_Static_assert(AG_TOOL_MAX <= 15, "the tool of a record is four bits, 15 is none");
_Static_assert(AG_CLASS_MAX <= 8, "the class of a record is three bits");

/* ag_record.key and ag_summary.key. */
#define AG_KEY_PORT_SHIFT     0	 /* 16 bits: service port */
#define AG_KEY_SCOPE_SHIFT    16 /* 7 bits */
#define AG_KEY_PARITY_SHIFT   23 /* 1 bit: of the interval */
#define AG_KEY_PROTOCOL_SHIFT 24 /* 8 bits */
#define AG_KEY_CLASS_SHIFT    32 /* 3 bits */
#define AG_KEY_V6_SHIFT	      35 /* 1: IPv6 */
#define AG_KEY_MASK	      0xfffffffffULL
#define AG_KEY_SOURCE_MASK    0xfff000000ULL /* what identifies a source summary */
#define AG_KEY_TOOL_SHIFT     36	     /* 4 bits; one tool a record, AG_KEY_TOOL_NONE: none */
#define AG_KEY_TOOL_NONE      15
#define AG_KEY_HITS_SHIFT     40 /* 16 bits: packets that matched the tool */
#define AG_KEY_FLAGS_SHIFT    56 /* 8 bits: all TCP flags seen */

#define AG_MARK_MIXED	      (1u << 24) /* packets of several signatures */
#define AG_MARK_ALERTED	      (1u << 25) /* it crossed a threshold */
#define AG_MARK_SWEEPER	      (1u << 26) /* a summary that is locked; a record that userspace made of a touch */

#define AG_BYTES_MASK	      0xffffffffffffULL
#define AG_LAST_SHIFT	      48

/* The unit of first and last: 2^24 ns, 16.8 ms; 16 bits of it are 18 minutes. */
#define AG_TIME_SHIFT 24
#define AG_TIME_MAX   0xffffu

struct ag_flow_set {
	struct ag_record way[AG_FLOW_WAYS];
};

/*
 * What is known of a (source, class, protocol) over all its records of the interval. Touched only when a record
 * is made, until the source is a sweeper: then the summary is locked to it for the interval, and each of its
 * packets is told by a touch; key and tool do not change any more, so that a touch's reader may look them up at
 * any time.
 */
struct ag_summary {
	__u64 src_hi, src_lo;
	__u64 key;   /* AG_KEY_SOURCE_MASK of it; tool, hits and flags of touches */
	__u64 ports; /* distinct service ports, a linear-counting bitmap */
	struct ag_distinct destinations;
	__u32 signature;
	__u32 marks;
	__u16 records; /* made in the interval, saturating; 0: the way is empty */
	__u8 ttl_min, ttl_max;
	__u16 last; /* touch, 2^AG_TIME_SHIFT ns since the interval began */
	__u16 pad;
};
_Static_assert(sizeof(struct ag_summary) == 64, "one cache line");

struct ag_summary_set {
	struct ag_summary way[AG_SUMMARY_WAYS];
};

/* One bit for each hash of a source that may be a sweeper. */
struct ag_sweepers {
	__u64 bits[AG_SWEEPER_BITS / 64];
};

/*
 * A tag for each hash of a source that made a record: only the second record makes a summary. Most sources come
 * once, and for them this stays in the cache, which summaries would not. Never cleared: a source that comes
 * again may have its summary at once.
 */
struct ag_once {
	__u16 tag[AG_ONCE_TAGS];
};

/* A packet of a sweeper, in a word. Longer packets make a record. */
#define AG_TOUCH_SLOT_SHIFT   0	 /* 22 bits: set * AG_SUMMARY_WAYS + way of its summary */
#define AG_TOUCH_PORT_SHIFT   22 /* 16 bits: service port */
#define AG_TOUCH_LENGTH_SHIFT 38 /* 8 bits: announced IP length */
#define AG_TOUCH_BIT_SHIFT    46 /* 6 bits: the destination's bit in ag_distinct.bits */
#define AG_TOUCH_RANK_SHIFT   52 /* 4 bits: its rank; the register is bit >> 2 */
#define AG_TOUCH_SCOPE_SHIFT  56 /* 7 bits */
#define AG_TOUCH_PARITY_SHIFT 63
#define AG_TOUCH_SLOTS	      (1u << 22)
#define AG_TOUCH_LENGTH_MAX   255u

/*
 * L3 of one slice and parity; the shared slice by atomics. Cleared by userspace when the interval is closed,
 * which reads only those parts of the tables whose bit is set: a quiet interval costs next to nothing.
 */
struct ag_interval {
	__u64 dark;			 /* L3, left side: booked before the record */
	__u64 lost[AG_LOST_MAX];	 /* packets, booked where they are lost */
	__u64 evicted;			 /* records that went to the log before the interval ended */
	__u64 summary_refused;		 /* records of sources that found both ways locked */
	__u64 sweepers;			 /* summaries locked */
	__u64 flagged[AG_ALERT_MAX];	 /* records and summaries that crossed a threshold */
	__u64 sent;			 /* alerts sent */
	__u64 unsent;			 /* ... and not sent, for there were too many */
	__u64 flows_used[AG_USED_WORDS]; /* bit n: of the sets whose number >> ag_rodata.flow_shift is n */
	__u64 summaries_used[AG_USED_WORDS];
	__u64 hosts_used[AG_CLASS_MAX];	   /* touches */
	struct ag_hll hosts[AG_CLASS_MAX]; /* by class */
};

/*
 * The ends of a slice's logs. One producer (the CPU), one consumer; positions only grow. Two cache lines each:
 * adjacent lines are fetched together.
 */
struct ag_log {
	__u64 records_head; /* written, by the producer */
	__u64 touches_head;
	__u64 next_sample_ns; /* the sampler's: no sample before */
	__u64 pad_head[13];
	__u64 records_tail; /* read, by the consumer */
	__u64 touches_tail;
	__u64 pad_tail[14];
};
_Static_assert(sizeof(struct ag_log) == 256, "producer and consumer on lines that are not fetched together");

/* What wakes somebody: messages of the ring buffer. */
enum ag_message_kind { AG_MESSAGE_ALERT, AG_MESSAGE_SAMPLE, AG_MESSAGE_LOG_HALF };

/* An early sign: one slice's view, with the sketch's error. Settled by userspace. */
struct ag_message_alert {
	__u32 message; /* AG_MESSAGE_ALERT */
	__u32 kind;    /* enum ag_alert_kind */
	__u64 src_hi, src_lo;
	__u64 key; /* AG_KEY_* */
	__u32 packets;
	__u32 distinct; /* destinations or ports, estimated */
};

/* A packet's header for the live views. */
struct ag_message_sample {
	__u32 message; /* AG_MESSAGE_SAMPLE */
	__u32 wirelen;
	__u32 caplen; /* valid bytes */
	__u32 class;
	union {
		__u8 bytes[AG_SAMPLE_BYTES]; /* the frame's first */
		__u64 words[AG_SAMPLE_BYTES / 8];
	};
};

struct ag_message_log_half {
	__u32 message; /* AG_MESSAGE_LOG_HALF */
	__u32 slice;
};

/* A capturing interface. */
struct ag_interface {
	__u32 ifindex;	/* 0: free slot */
	__u8 feed;	/* enum ag_feed */
	__u8 mac_known; /* 1: frames from `mac` are `looped` */
	__u8 mac[6];
	__u32 pad;
};
_Static_assert(sizeof(struct ag_interface) == 16, "four to a cache line");

/* A tunnel that may be opened: only from `from`. */
struct ag_decap {
	__u8 type;     /* enum ag_decap_type */
	__u8 family;   /* 4 or 6 */
	__u8 from_len; /* prefix length of `from`, 0..32 or 0..128 */
	__u8 to_any;   /* 1: `to` is not compared */
	__u32 key;     /* GRE key, ERSPAN session, VNI */
	__u8 key_any;  /* 1: `key` is not compared */
	__u8 pad[7];
	__u8 from[16] __attribute__((aligned(8))); /* network order; IPv4 in the first four bytes */
	__u8 to[16];
};
_Static_assert(sizeof(struct ag_decap) == 48, "");

/* A configured row of service.def: looked at behind the built-in rows of its port. */
struct ag_signature {
	__u64 mask, value; /* of the eight payload bytes at `offset`, big-endian */
	__u16 port;
	__u16 offset;
	__u16 min_payload;
	__u8 service;	/* enum ag_service */
	__u8 direction; /* enum ag_direction */
	__u8 pad[8];
};
_Static_assert(sizeof(struct ag_signature) == 32, "two to a cache line");

/* Ports of feed self that are served without a socket of this host: forwarded ones, containers'. A bit each. */
struct ag_live_ports {
	__u64 tcp[AG_PORTS / 64];
	__u64 udp[AG_PORTS / 64];
};

/* IPv6 addresses first..last, both inside, belong to `scope`. Ranges are sorted and do not overlap. */
struct ag_range6 {
	__u64 first_hi, first_lo;
	__u64 last_hi, last_lo;
	__u32 scope;
	__u32 pad;
};
_Static_assert(sizeof(struct ag_range6) == 40, "");

/* When a record or a summary is flagged. In packets, and in distinct destinations or ports as distinct.h
 * estimates them. */
struct ag_thresholds {
#define AG_THRESHOLD(name, default_, help) __u32 name;
#include "airglow/threshold.def"
#undef AG_THRESHOLD
};

/* A source under study. IPv4 alone: destinations of IPv6 have no index. */
struct ag_promoted_source {
	__u32 address; /* host order */
	__u32 slot;    /* its bitmap, from 1; 0: free */
};

/* Who is promoted: a filter that most packets do not pass, and the sets by hash (hash.h). */
struct ag_promoted {
	__u64 filter[AG_PROMOTED_FILTER / 64];
	struct ag_promoted_source source[AG_PROMOTED_SETS][AG_PROMOTED_WAYS];
};

/* The addresses of a dark /24 that got a packet, a bit each. */
struct ag_reached {
	__u64 bits[AG_PAGE_ADDRESSES / 64];
};

/* What a reload may change. Two sides, switched by ag_control.side. */
struct ag_settings {
	struct ag_interface interfaces[AG_INTERFACES_MAX];
	__u32 every_destination; /* 1: replay without --dark: every IP destination is dark, in scope 0 */
	__u32 decaps;		 /* used entries of decap[] */
	__u32 ranges6;		 /* used entries of range6[] */
	__u32 sample_ns;	 /* least time between two samples of a slice; 0: none are taken */
	__u32 promoted_slots;	 /* bitmaps in use; 0: nobody is promoted */
	__u32 signatures;	 /* used entries of signature[] */
	struct ag_thresholds thresholds;
	struct ag_decap decap[AG_DECAP_MAX];
	struct ag_range6 range6[AG_RANGES6_MAX];
	struct ag_promoted promoted;
	struct ag_signature signature[AG_SIGNATURES_MAX];
	struct ag_live_ports live_ports;
};

/*
 * Dark IPv4 addresses: scope16.block[address >> 16] names a block (0: nothing dark there), a block has an entry
 * per /24: 0 nothing dark, else AG_ENTRY_*. A split /24 holds several scopes or holes.
 */
struct ag_scope16 {
	__u16 block[AG_SCOPE16_ENTRIES];
};

struct ag_block {
	__u32 entry[AG_BLOCK_ENTRIES];
};

#define AG_ENTRY_SPLIT	     0x80000000u /* low bits: index into the split table; else scope and page */
#define AG_ENTRY_SCOPE_SHIFT 24		 /* bits 24..30: scope 1..64 */
#define AG_ENTRY_SCOPE_MASK  0x7fu
#define AG_ENTRY_PAGE_MASK   0x00ffffffu /* page of `seen`: a /24 */

struct ag_split {
	__u32 page;
	__u32 pad;
	__u8 scope[256]; /* by last octet; 0: not dark */
};
_Static_assert(sizeof(struct ag_split) == 264, "a BPF array rounds its elements up to 8 bytes");

/* A page of `seen`: the last interval in which each address of a /24 got a packet; 0: never. */
struct ag_page {
	__u32 epoch[AG_PAGE_ADDRESSES];
};

/*
 * The replayer's word for a frame, handed over as XDP metadata in front of it. 16 bytes: kernel 6.1 allows 32.
 */
struct ag_replay {
	__u64 time_ns; /* packet time, Unix epoch */
	__u32 wirelen; /* length on the wire */
	__u16 caplen;  /* bytes of the frame that are handed over; a shorter frame is padded behind them */
	__u16 flags;   /* AG_REPLAY_*, of feed self */
};

/* What the replayer knows of a packet's flow, in place of the sockets of the host that captured it. */
#define AG_REPLAY_FLOW	  1 /* that host held its flow */
#define AG_REPLAY_LISTENS 2 /* that host listened on its port */
#define AG_REPLAY_SENT	  4 /* that host sent it */
_Static_assert(sizeof(struct ag_replay) == 16, "");

/* What cannot change while running: set between open and load. */
struct ag_rodata {
	__u32 replay;	    /* 1: the frame's length and time are what struct ag_replay says */
	__u32 slices;	    /* per-CPU slices; index `slices` is the shared one */
	__u32 blocks;	    /* blocks a side */
	__u32 splits;	    /* split /24s a side */
	__u32 pages;	    /* pages of `seen` */
	__u32 flow_sets;    /* of a slice and parity; a power of two, like the next three */
	__u32 summary_sets; /* likewise */
	__u32 log_records;  /* records in the log of a slice */
	__u32 log_touches;  /* touches in the log of a slice */
	__u32 promoted;	    /* bitmaps of promoted sources a day */
	__u32 pad;
	__u32 flow_shift; /* of a set's number to its bit in ag_interval.flows_used */
	__u32 summary_shift;
	__u32 sweeper_records;	     /* a source that made so many is a sweeper; 0: none is */
	__u64 seed[2];		     /* of the tables' hashes */
	__u16 slice_of[AG_CPUS_MAX]; /* slice of a CPU, or `slices` for the shared one */
};

#endif
