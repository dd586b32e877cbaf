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
#define AG_ABI_VERSION 1

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

/* HyperLogLog registers of distinct sources of dark packets (p = 14), one set a slice. */
struct ag_sources {
	__u8 reg[AG_HLL_REGISTERS];
};

/* The line that userspace writes and every packet reads once. */
struct ag_control {
	__u32 side;  /* which side of the settings is in force: 0 or 1 */
	__u32 epoch; /* number of the open interval, from 1 */
	__u64 pad[7];
};
_Static_assert(sizeof(struct ag_control) == 64, "one cache line");

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

/* IPv6 addresses first..last, both inside, belong to `scope`. Ranges are sorted and do not overlap. */
struct ag_range6 {
	__u64 first_hi, first_lo;
	__u64 last_hi, last_lo;
	__u32 scope;
	__u32 pad;
};
_Static_assert(sizeof(struct ag_range6) == 40, "");

/* What a reload may change. Two sides, switched by ag_control.side. */
struct ag_settings {
	struct ag_interface interfaces[AG_INTERFACES_MAX];
	__u32 every_destination; /* 1: replay without --dark: every IP destination is dark, in scope 0 */
	__u32 decaps;		 /* used entries of decap[] */
	__u32 ranges6;		 /* used entries of range6[] */
	__u32 pad;
	struct ag_decap decap[AG_DECAP_MAX];
	struct ag_range6 range6[AG_RANGES6_MAX];
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
	__u16 flags;
};
_Static_assert(sizeof(struct ag_replay) == 16, "");

/* What cannot change while running: set between open and load. */
struct ag_rodata {
	__u32 replay;		     /* 1: the frame's length and time are what struct ag_replay says */
	__u32 slices;		     /* per-CPU slices; index `slices` is the shared one */
	__u32 blocks;		     /* blocks a side */
	__u32 splits;		     /* split /24s a side */
	__u32 pages;		     /* pages of `seen` */
	__u16 slice_of[AG_CPUS_MAX]; /* slice of a CPU, or `slices` for the shared one */
};

#endif
