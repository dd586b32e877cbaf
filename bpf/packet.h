/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stages tell each other about one packet. Filled from left to right along the entry program; no stage
 * changes what an earlier one wrote, but `own`, which decides what scope's outcome left to it. Offsets count
 * from the frame's first byte; numbers are in host byte order.
 */
#ifndef AIRGLOW_BPF_PACKET_H
#define AIRGLOW_BPF_PACKET_H

#include "bpf/base.h"

/* The frame's first bytes. The slack lets an eight-byte load begin at the last byte. */
#define AG_HEAD_SLACK 8

struct head {
	__u32 caplen;  /* valid bytes in bytes[], at most AG_HEAD_BYTES */
	__u32 wirelen; /* length of the frame on the wire */
	__u32 side;    /* of the settings, as read once for this packet */
	__u32 epoch;   /* likewise */
	__u64 now_ns;  /* packet time: of the coarse monotonic clock, or of the capture */
	__u32 since;   /* 2^AG_TIME_SHIFT ns since the interval began, at most AG_TIME_MAX */
	__u32 day;     /* which bitmaps of promoted sources are written, as read once for this packet */
	__u32 own;     /* AG_REPLAY_*; valid in replay */
	__u32 pad;     /* the bytes begin at a word */
	__u8 bytes[AG_HEAD_BYTES + AG_HEAD_SLACK];
};

/* An IPv6 address; IPv4 stands in the low 32 bits of lo, hi is 0. */
struct address {
	__u64 hi, lo;
};

enum packet_state {
	PACKET_GOES_ON, /* nothing decided yet */
	PACKET_DECIDED, /* outcome is set, nothing more is read */
};

struct packet {
	/* Zeroed for every packet, up to `zeroed_end`; what follows is read only where a field here says that
	 * it is set. */

	/* head */
	__u32 interface; /* slot */
	__u32 feed;	 /* enum ag_feed */

	/* parse: link */
	__u32 l3;	 /* offset of the IP (or ARP) header */
	__u32 ethertype; /* of what begins there */
	__u32 depth;	 /* tunnels opened */
	__u32 outer_end; /* offset behind the packet that carries this one; 0: the frame does */

	/* parse: network */
	__u32 family;	/* 4 or 6: src, dst, end, ip_len, protocol, ttl (and ip_id, df for 4) are set; 0: not IP
			 */
	__u32 asks;	/* 4 or 6: `asked` is set */
	__u32 fragment; /* 1: first or later fragment */
	__u32 l4;	/* offset of the transport header; 0: there is none to read */

	/* parse: transport */
	__u32 has_ports;    /* sport, dport */
	__u32 has_flags;    /* tcp_flags */
	__u32 has_seq;	    /* seq */
	__u32 has_tcp;	    /* ack, window: the fixed 20 bytes are inside */
	__u32 has_icmp;	    /* icmp_type, icmp_code */
	__u32 quoted;	    /* IP protocol of the header that an ICMP error quotes, with 0x100 set; 0: none */
	__u32 payload;	    /* offset; 0: unknown */
	__u32 payload_len;  /* inside the packet */
	__u32 mss;	    /* 0: none */
	__u64 option_kinds; /* TCP option kinds in their order, four bits each, the last in the lowest */

	__u32 outcome;	 /* enum ag_outcome, once decided */
	__u32 anomalies; /* bits of enum ag_anomaly */

	/* scope */
	__u32 scope; /* 1..64; 0 with every_destination */
	__u32 index; /* of the IPv4 address in `seen` */
	__u32 has_index;

	/* classify */
	__u32 class;	 /* enum ag_class */
	__u32 service;	 /* enum ag_service */
	__u32 direction; /* enum ag_direction of the service's row */
	__u32 tools;	 /* mask of all matches */
	__u32 stack;	 /* stack signature: window, order of options, MSS, scale */
	__u32 tool;	 /* first match, or AG_TOOL_NONE */

	/* track */
	__u32 record;  /* slot of its record in the table, plus one; 0: none was touched */
	__u32 summary; /* likewise, of its source's summary */

	__u8 zeroed_end[0];

	struct address src, dst;
	struct address asked;		       /* target of ARP or neighbour solicitation */
	struct address quoted_src, quoted_dst; /* of the header that an ICMP error quotes */
	__u32 end;			       /* offset behind the packet's last byte */
	__u32 ip_len;			       /* announced length, or the frame's where none is announced */
	__u32 protocol;			       /* the last header of the chain */
	__u32 ip_id, ttl, df;
	__u32 sport, dport;
	__u32 tcp_flags;
	__u32 seq, ack, window;
	__u32 wscale; /* 0xff: none */
	__u32 icmp_type, icmp_code;
	__u32 quoted_ports; /* source << 16 | destination, 0 when cut off */
};

AG_INLINE void packet_anomaly(struct packet *p, __u32 anomaly)
{
	p->anomalies |= 1u << anomaly;
}

/* Offset behind the last byte that can be this packet's: the frame's end, or the end of what carries it. */
AG_INLINE __u32 carrier_end(const struct packet *p, const struct head *h)
{
	return p->outer_end ? p->outer_end : h->wirelen;
}

/* Are the bytes off..off+len inside what was read of the frame? */
AG_INLINE bool head_has(const struct head *h, __u32 off, __u32 len)
{
	return off + len <= h->caplen;
}

/* ... and inside the packet? */
AG_INLINE bool packet_has(const struct packet *p, const struct head *h, __u32 off, __u32 len)
{
	return head_has(h, off, len) && off + len <= p->end;
}

/* The only places where byte order changes; sparse watches that no other does. */
AG_INLINE __u32 value_be16(__be16 v)
{
	return (__u16)bpf_ntohs((ag_force __u16)v);
}

AG_INLINE __u32 value_be32(__be32 v)
{
	return bpf_ntohl((ag_force __u32)v);
}

AG_INLINE __u64 value_be64(__be64 v)
{
	return bpf_be64_to_cpu((ag_force __u64)v);
}

/*
 * Loads at an offset that head_has() allowed; the mask is for the verifier, not for the truth. BPF loads
 * unaligned words by one instruction; a memcpy would become single bytes there.
 */
AG_INLINE __u32 head_u8(const struct head *h, __u32 off)
{
	return h->bytes[ag_bounded(off, AG_HEAD_BYTES)];
}

#ifdef __bpf__
AG_INLINE __u32 head_u16(const struct head *h, __u32 off)
{
	return value_be16(*(const __be16 *)(h->bytes + ag_bounded(off, AG_HEAD_BYTES)));
}

AG_INLINE __u32 head_u32(const struct head *h, __u32 off)
{
	return value_be32(*(const __be32 *)(h->bytes + ag_bounded(off, AG_HEAD_BYTES)));
}

AG_INLINE __u64 head_u64(const struct head *h, __u32 off)
{
	return value_be64(*(const __be64 *)(h->bytes + ag_bounded(off, AG_HEAD_BYTES)));
}

/* Of a field of the settings, which is aligned. */
AG_INLINE __u64 load_be64(const __u8 *bytes)
{
	return value_be64(*(const __be64 *)bytes);
}
#else
AG_INLINE __u64 load_be64(const __u8 *bytes)
{
	__be64 v;

	memcpy(&v, bytes, sizeof(v));
	return value_be64(v);
}

AG_INLINE __u32 head_u16(const struct head *h, __u32 off)
{
	__be16 v;

	memcpy(&v, h->bytes + ag_bounded(off, AG_HEAD_BYTES), sizeof(v));
	return value_be16(v);
}

AG_INLINE __u32 head_u32(const struct head *h, __u32 off)
{
	__be32 v;

	memcpy(&v, h->bytes + ag_bounded(off, AG_HEAD_BYTES), sizeof(v));
	return value_be32(v);
}

AG_INLINE __u64 head_u64(const struct head *h, __u32 off)
{
	__be64 v;

	memcpy(&v, h->bytes + ag_bounded(off, AG_HEAD_BYTES), sizeof(v));
	return value_be64(v);
}
#endif

AG_INLINE struct address head_address6(const struct head *h, __u32 off)
{
	struct address a = {.hi = head_u64(h, off), .lo = head_u64(h, off + 8)};

	return a;
}

AG_INLINE bool address_equal(const struct address *a, const struct address *b)
{
	return a->hi == b->hi && a->lo == b->lo;
}

#endif
