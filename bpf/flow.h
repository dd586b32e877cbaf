/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a flow record holds of the packets of one (source, class, protocol, service port, scope), and how a
 * packet is added to it. Layout: abi.h. Where records live and where they go is track.h.
 */
#ifndef AIRGLOW_BPF_FLOW_H
#define AIRGLOW_BPF_FLOW_H

#include "bpf/parse_ip.h"
#include "bpf/sketch.h"

#define HITS_MAX    0xffffu
#define PACKETS_MAX 0xffffffffu
#define FLAGS_MASK  0xffULL
#define MARKS_MASK  0xffffffu

/* What identifies a packet's record, and where it and its source's summary are looked for. */
struct flow_key {
	__u64 src_hi, src_lo;
	__u64 key; /* AG_KEY_MASK bits */
	__u64 source_hash, hash;
	struct distinct_place destination;
};

/* Destination port of a request, source port of a response, type and code of ICMP. */
AG_INLINE __u32 service_port(const struct packet *p)
{
	if (p->has_icmp)
		return p->icmp_type << 8 | p->icmp_code;
	if (!p->has_ports)
		return 0;
	return p->class == AG_CLASS_BACKSCATTER || p->class == AG_CLASS_UDP_RESPONSE ? p->sport : p->dport;
}

AG_INLINE void flow_key_of(struct flow_key *k, const struct packet *p, __u32 parity,
			   const volatile struct ag_rodata *ro)
{
	k->src_hi = p->family == 4 ? 0 : p->src.hi;
	k->src_lo = p->src.lo;
	k->key = (__u64)(service_port(p) & 0xffff) << AG_KEY_PORT_SHIFT |
		 (__u64)(p->scope & 0x7f) << AG_KEY_SCOPE_SHIFT | (__u64)parity << AG_KEY_PARITY_SHIFT |
		 (__u64)(p->protocol & 0xff) << AG_KEY_PROTOCOL_SHIFT |
		 (__u64)(p->class & 7) << AG_KEY_CLASS_SHIFT | (__u64)(p->family == 6) << AG_KEY_V6_SHIFT;
	k->source_hash = hash_source(ro->seed, k->src_hi, k->src_lo, k->key);
	k->hash = hash_record(ro->seed, k->source_hash, k->key);
	k->destination = distinct_place_of(p->dst.hi, p->dst.lo);
}

AG_INLINE bool record_is(const struct ag_record *r, const struct flow_key *k)
{
	return r->packets && (r->key & AG_KEY_MASK) == k->key && r->src_lo == k->src_lo &&
	       r->src_hi == k->src_hi;
}

/* First payload bytes in 32 bits; 0: none that could be read. */
AG_INLINE __u32 payload_signature(const struct packet *p, const struct head *h)
{
	if (!p->payload || p->payload_len < 4 || !head_has(h, p->payload, 4))
		return 0;
	return (__u32)hash_mix(head_u32(h, p->payload)) | 1;
}

/* Of what sent the packet: the stack of TCP, the payload of everything else. */
AG_INLINE __u32 packet_signature(const struct packet *p, const struct head *h)
{
	return p->protocol == PROTO_TCP ? p->stack : payload_signature(p, h);
}

AG_INLINE __u64 packet_tool(const struct packet *p)
{
	return p->tool < AG_TOOL_MAX ? p->tool : AG_KEY_TOOL_NONE;
}

AG_INLINE __u64 packet_flags(const struct packet *p)
{
	return p->has_flags ? (p->tcp_flags & FLAGS_MASK) << AG_KEY_FLAGS_SHIFT : 0;
}

/* The first packet of a record. now: 2^AG_TIME_SHIFT ns since the interval began. */
AG_INLINE void record_begin(struct ag_record *r, const struct flow_key *k, const struct packet *p,
			    const struct head *h, __u32 now)
{
	__u64 tool = packet_tool(p);

	r->src_hi = k->src_hi;
	r->src_lo = k->src_lo;
	r->key = k->key | tool << AG_KEY_TOOL_SHIFT | (__u64)(tool != AG_KEY_TOOL_NONE) << AG_KEY_HITS_SHIFT |
		 packet_flags(p);
	r->bytes_last = p->ip_len;
	r->destinations.bits = r->destinations.ranks = 0;
	distinct_add(&r->destinations, &k->destination);
	r->packets = 1;
	r->signature = packet_signature(p, h);
	r->marks = p->anomalies & MARKS_MASK;
	r->first = (__u16)now;
	r->ttl_min = r->ttl_max = (__u8)p->ttl;
}

/* A SYN or another probe: of TCP's scans. */
AG_INLINE bool is_other_probe(__u64 key, const struct packet *p)
{
	return p->class == AG_CLASS_SCAN && ((key ^ packet_flags(p)) >> AG_KEY_FLAGS_SHIFT & TCP_SYN);
}

/*
 * Would this packet overflow a field, or is it another tool's, or a SYN among other probes? Then the record is
 * closed and another begun: so a tool's hits and the SYNs that they are a share of are exact.
 */
AG_INLINE bool record_is_full(const struct ag_record *r, const struct packet *p)
{
	__u64 tool = packet_tool(p), held = r->key >> AG_KEY_TOOL_SHIFT & 15;

	if (r->packets == PACKETS_MAX || is_other_probe(r->key, p))
		return true;
	if (tool == AG_KEY_TOOL_NONE || held == AG_KEY_TOOL_NONE)
		return false;
	return tool != held || (r->key >> AG_KEY_HITS_SHIFT & HITS_MAX) == HITS_MAX;
}

AG_INLINE void record_add(struct ag_record *r, const struct flow_key *k, const struct packet *p,
			  const struct head *h, __u32 now)
{
	__u64 tool = packet_tool(p), key = r->key | packet_flags(p);
	__u64 last = r->bytes_last >> AG_LAST_SHIFT, after = now > r->first ? now - r->first : 0;

	if (tool != AG_KEY_TOOL_NONE) {
		key = (key & ~(15ULL << AG_KEY_TOOL_SHIFT)) | tool << AG_KEY_TOOL_SHIFT;
		key += 1ULL << AG_KEY_HITS_SHIFT;
	}
	r->key = key;
	r->packets++;
	r->bytes_last = ((r->bytes_last + p->ip_len) & AG_BYTES_MASK) | (after > last ? after : last)
										<< AG_LAST_SHIFT;
	r->marks |= p->anomalies & MARKS_MASK;
	if (r->signature != packet_signature(p, h))
		r->marks |= AG_MARK_MIXED;
	if (p->ttl < r->ttl_min)
		r->ttl_min = (__u8)p->ttl;
	if (p->ttl > r->ttl_max)
		r->ttl_max = (__u8)p->ttl;
	distinct_add(&r->destinations, &k->destination);
}

#endif
