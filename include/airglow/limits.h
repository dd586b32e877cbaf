/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capacities of the sensor, each with what it costs. Shared by bpf/ and user/; nothing here depends on
 * configuration.
 */
#ifndef AIRGLOW_LIMITS_H
#define AIRGLOW_LIMITS_H

/* Bytes of a frame that the pipeline looks at. A power of two: every access is masked with it. */
#define AG_HEAD_BYTES	  256

#define AG_INTERFACES_MAX 8    /* interfaces of one sensor */
#define AG_SCOPES_MAX	  64   /* named scopes; 0 is "no scope", so ids run 1..64 */
#define AG_SCOPES_SHOWN	  8    /* of them with series of their own in /metrics */
#define AG_DECAP_MAX	  16   /* configured tunnels: 48 bytes each */
#define AG_WATCH_MAX	  72   /* ports with a series of their own */
#define AG_SIGNATURES_MAX 16   /* configured rows of signatures: 32 bytes each */
#define AG_PREFIXES_MAX	  4096 /* dark and live prefixes in a configuration */
#define AG_PREFIXES6_MAX  64   /* IPv6 prefixes; they become at most 2n - 1 ranges */
#define AG_RANGES6_MAX	  128  /* 40 bytes each */
#define AG_CPUS_MAX	  1024 /* CPUs that slice_of[] can name; a higher one books in the shared slice */
#define AG_SLICES_MAX	  64   /* per-CPU books: about 1.1 MiB each */

/* Walked encapsulations (design.md section 7). */
#define AG_VLAN_TAGS_MAX   3
#define AG_EXT_HEADERS_MAX 8
#define AG_DECAP_DEPTH_MAX 2

/* HyperLogLog of distinct sources: 2^14 registers, one byte each, standard error 1.04/sqrt(2^14) = 0.81 %. */
#define AG_HLL_BITS	 14
#define AG_HLL_REGISTERS (1 << AG_HLL_BITS)

/* The flow cache. */
#define AG_FLOW_WAYS	   2	  /* records a set: 128 bytes */
#define AG_SUMMARY_WAYS	   2	  /* summaries a set: 128 bytes */
#define AG_SWEEPER_RECORDS 16	  /* a source that made so many records in an interval makes no more of them */
#define AG_SWEEPER_BITS	   65536  /* 8 KiB a slice and parity: it stays in the cache */
#define AG_ONCE_TAGS	   65536  /* 128 KiB a slice */
#define AG_USED_WORDS	   64	  /* 4,096 bits: parts of a table that were used in an interval */
#define AG_ALERTS_MAX	   256	  /* alerts sent a slice and interval; the rest is counted */
#define AG_SAMPLE_BYTES	   128	  /* of a sampled packet */
#define AG_RING_BYTES	   262144 /* ring buffer of alerts and samples */

/* Promoted sources: a bitmap of the dark IPv4 addresses for each slot, by day. */
#define AG_PROMOTED_SLOTS_MAX	64  /* 64 bytes a slot and dark /24 */
#define AG_PROMOTED_SOURCES_MAX 128 /* of all slots together */
#define AG_PROMOTED_SETS	64  /* the table of sources: 8 ways a set, a cache line */
#define AG_PROMOTED_WAYS	8
#define AG_PROMOTED_FILTER	4096 /* bits, 512 bytes: it stays in the cache */

/* Two-level table of dark IPv4 addresses, one copy per side of the settings. */
#define AG_SCOPE16_ENTRIES 65536 /* one u16 a /16: 128 KiB a side */
#define AG_BLOCK_ENTRIES   256	 /* one u32 a /24: 1 KiB a block */
#define AG_PAGE_ADDRESSES  256	 /* a page of `seen` covers a /24: 1 KiB */

#define AG_PORTS	   65536
#define AG_ICMP_KINDS	   65536 /* type * 256 + code */

#endif
