/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse, network part: IPv4, IPv6 with its extension chain, ARP. A header that lies is marked and read on as
 * far as it can be: a telescope receives exactly the packets that break parsers.
 */
#ifndef AIRGLOW_BPF_PARSE_IP_H
#define AIRGLOW_BPF_PARSE_IP_H

#include "bpf/packet.h"
#include "bpf/parse_link.h"

#define IP4_HEADER    20
#define IP6_HEADER    40
#define IP4_DF	      0x4000
#define IP4_MF	      0x2000
#define IP4_OFFSET    0x1fff
#define IP6_OFFSET    0xfff8
#define IP6_MF	      0x0001
#define IP6_JUMBO     0xc204 /* option type and length */
#define IP6_JUMBO_MAX 0x7fffffffu
#define ARP_PACKET    28
#define ARP_REQUEST   1
#define ICMP6_NS      135
#define ICMP6_NS_SIZE 24

/* IPv6 extension headers that are walked (IANA, IPv6 Extension Header Types). */
enum {
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_AH = 51,
	EXT_DESTINATION = 60,
	EXT_MOBILITY = 135,
	EXT_HIP = 139,
	EXT_SHIM6 = 140,
};

enum {
	PROTO_ICMP = 1,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_6IN4 = 41,
	PROTO_GRE = 47,
	PROTO_ICMP6 = 58,
	PROTO_NONE = 59, /* IPv6: nothing follows */
};

/*
 * Where the packet ends: at the announced length, or at the end of what carries it where that is 0, shorter
 * than the header, or more than there is. `announced` counts from l3; 0 stands for "none".
 */
AG_INLINE void set_end(struct packet *p, const struct head *h, __u32 announced, __u32 header)
{
	__u32 end = carrier_end(p, h), left = end > p->l3 ? end - p->l3 : 0;

	if (announced < header) {
		packet_anomaly(p, AG_ANOMALY_IP_BAD_LENGTH);
		p->ip_len = left;
		p->end = end;
	} else if (announced > left) {
		packet_anomaly(p, AG_ANOMALY_IP_BAD_LENGTH);
		p->ip_len = announced;
		p->end = end;
	} else {
		p->ip_len = announced;
		p->end = p->l3 + announced;
	}
}

AG_INLINE int parse_ip4(struct packet *p, const struct head *h)
{
	__u32 off = p->l3, header, fragment;

	if (head_has(h, off, 1) && head_u8(h, off) >> 4 != 4)
		return packet_decide(p, AG_OUTCOME_MALFORMED_IP);
	if (!head_has(h, off, IP4_HEADER) || off + IP4_HEADER > carrier_end(p, h))
		return packet_decide(p, AG_OUTCOME_TRUNCATED_IP);
	header = (head_u8(h, off) & 15) * 4;
	fragment = head_u16(h, off + 6);
	p->family = 4;
	p->ip_id = head_u16(h, off + 4);
	p->ttl = head_u8(h, off + 8);
	p->protocol = head_u8(h, off + 9);
	p->df = !!(fragment & IP4_DF);
	p->src.hi = 0;
	p->src.lo = head_u32(h, off + 12);
	p->dst.hi = 0;
	p->dst.lo = head_u32(h, off + 16);
	set_end(p, h, head_u16(h, off + 2), header < IP4_HEADER ? IP4_HEADER : header);
	if (header < IP4_HEADER) {
		packet_anomaly(p, AG_ANOMALY_IP_BAD_IHL);
		return PACKET_GOES_ON;
	}
	if (off + header > p->end)
		packet_anomaly(p, AG_ANOMALY_IP_BAD_IHL);
	else if (header > IP4_HEADER)
		packet_anomaly(p, AG_ANOMALY_IP_OPTIONS);
	if (fragment & IP4_OFFSET) {
		p->fragment = 1;
		packet_anomaly(p, AG_ANOMALY_FRAGMENT_LATER);
		return PACKET_GOES_ON;
	}
	if (fragment & IP4_MF) {
		p->fragment = 1;
		packet_anomaly(p, AG_ANOMALY_FRAGMENT_FIRST);
	}
	p->l4 = off + header;
	return PACKET_GOES_ON;
}

AG_INLINE bool is_extension(__u32 next)
{
	return next == EXT_HOP_BY_HOP || next == EXT_ROUTING || next == EXT_FRAGMENT || next == EXT_AH ||
	       next == EXT_DESTINATION || next == EXT_MOBILITY || next == EXT_HIP || next == EXT_SHIM6;
}

/* Walks the extension chain from `off`; leaves the protocol and, where it can be read, the transport offset. */
AG_LAYER int parse_extensions(struct packet *p, const struct head *h)
{
	__u32 off, next, i;

	if (!p || !h)
		return PACKET_DECIDED;
	off = p->l3 + IP6_HEADER;
	next = p->protocol;
	for (i = 0; i < AG_EXT_HEADERS_MAX && is_extension(next); i++) {
		__u32 size;

		p->protocol = next;
		if (!packet_has(p, h, off, 8)) {
			packet_anomaly(p, off + 8 > p->end ? AG_ANOMALY_EXT_CHAIN : AG_ANOMALY_BEYOND_HEAD);
			return PACKET_GOES_ON;
		}
		size = (head_u8(h, off + 1) + 1) * 8;
		if (next == EXT_AH)
			size = (head_u8(h, off + 1) + 2) * 4;
		if (next == EXT_FRAGMENT) {
			__u32 fragment = head_u16(h, off + 2);

			size = 8;
			if (fragment & IP6_OFFSET) {
				p->protocol = head_u8(h, off);
				p->fragment = 1;
				packet_anomaly(p, AG_ANOMALY_FRAGMENT_LATER);
				return PACKET_GOES_ON;
			}
			if (fragment & IP6_MF) {
				p->fragment = 1;
				packet_anomaly(p, AG_ANOMALY_FRAGMENT_FIRST);
			}
		}
		next = head_u8(h, off);
		off += size;
	}
	p->protocol = next;
	if (is_extension(next)) {
		packet_anomaly(p, AG_ANOMALY_EXT_CHAIN);
		return PACKET_GOES_ON;
	}
	p->l4 = off;
	return PACKET_GOES_ON;
}

/*
 * A payload length of 0 is the truth where nothing follows, and stands for the jumbo option (RFC 2675) where
 * that comes first; elsewhere it tells nothing.
 */
#define NO_PAYLOAD_LENGTH 0xffffffffu

AG_INLINE __u32 payload_of_none(const struct packet *p, const struct head *h)
{
	__u32 off = p->l3 + IP6_HEADER, length;

	if (p->protocol == PROTO_NONE)
		return 0;
	if (p->protocol != EXT_HOP_BY_HOP || !head_has(h, off, 8) || head_u16(h, off + 2) != IP6_JUMBO)
		return NO_PAYLOAD_LENGTH;
	length = head_u32(h, off + 4);
	return length > IP6_JUMBO_MAX ? NO_PAYLOAD_LENGTH : length;
}

AG_INLINE int parse_ip6(struct packet *p, const struct head *h)
{
	__u32 off = p->l3, payload;

	if (head_has(h, off, 1) && head_u8(h, off) >> 4 != 6)
		return packet_decide(p, AG_OUTCOME_MALFORMED_IP);
	if (!head_has(h, off, IP6_HEADER) || off + IP6_HEADER > carrier_end(p, h))
		return packet_decide(p, AG_OUTCOME_TRUNCATED_IP);
	p->family = 6;
	payload = head_u16(h, off + 4);
	p->protocol = head_u8(h, off + 6);
	p->ttl = head_u8(h, off + 7);
	p->src = head_address6(h, off + 8);
	p->dst = head_address6(h, off + 24);
	if (!payload)
		payload = payload_of_none(p, h);
	set_end(p, h, payload == NO_PAYLOAD_LENGTH ? 0 : payload + IP6_HEADER, IP6_HEADER);
	if (is_extension(p->protocol))
		return parse_extensions(p, h);
	p->l4 = off + IP6_HEADER;
	return PACKET_GOES_ON;
}

/* A question for an address is not a packet to it, but it shows that somebody upstream has one to deliver. */
AG_INLINE int parse_arp(struct packet *p, const struct head *h)
{
	__u32 off = p->l3;

	if (head_has(h, off, ARP_PACKET) && head_u16(h, off + 2) == ETH_P_IP &&
	    head_u16(h, off + 6) == ARP_REQUEST) {
		p->asks = 4;
		p->asked.hi = 0;
		p->asked.lo = head_u32(h, off + 24);
	}
	return PACKET_GOES_ON;
}

/* Reads the network header at l3. family stays 0 when it is not IP. */
AG_INLINE int parse_network(struct packet *p, const struct head *h)
{
	if (!p || !h)
		return PACKET_DECIDED;
	p->family = 0;
	p->l4 = 0;
	p->fragment = 0;
	p->anomalies = 0;
	if (p->ethertype == ETH_P_IP)
		return parse_ip4(p, h);
	if (p->ethertype == ETH_P_IPV6)
		return parse_ip6(p, h);
	if (p->ethertype == ETH_P_ARP)
		return parse_arp(p, h);
	return packet_decide(p, AG_OUTCOME_NON_IP);
}

#endif
