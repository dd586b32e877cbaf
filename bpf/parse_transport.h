/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse, transport part: TCP with its options, UDP, ICMP with the header it quotes. A port counts when its four
 * bytes are inside the packet and inside the head, whatever the rest of the header says.
 */
#ifndef AIRGLOW_BPF_PARSE_TRANSPORT_H
#define AIRGLOW_BPF_PARSE_TRANSPORT_H

#include "bpf/parse_ip.h"

#define TCP_HEADER	 20
#define UDP_HEADER	 8
#define ICMP_HEADER	 8
#define TCP_OPTION_BYTES 40
#define QUOTED		 0x100

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

enum {
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_MSS = 2,
	TCP_OPTION_SCALE = 3,
	TCP_OPTION_KIND_MAX = 15, /* kinds above share this digit in option_kinds */
};

#define TCP_SCALE_NONE 0xff

/* Says why `len` bytes at `off` could not be read. */
AG_INLINE void mark_cut(struct packet *p, __u32 off, __u32 len)
{
	packet_anomaly(p, off + len > p->end ? AG_ANOMALY_L4_TRUNCATED : AG_ANOMALY_BEYOND_HEAD);
}

AG_INLINE void parse_ports(struct packet *p, const struct head *h)
{
	if (!packet_has(p, h, p->l4, 4))
		return;
	p->has_ports = 1;
	p->sport = head_u16(h, p->l4);
	p->dport = head_u16(h, p->l4 + 2);
	if (!p->sport || !p->dport)
		packet_anomaly(p, AG_ANOMALY_PORT_ZERO);
}

/* Order of kinds, MSS and window scale. Stops at the end mark, as receivers do. */
AG_INLINE int parse_tcp_options(struct packet *p, const struct head *h)
{
	__u32 off, end, i;

	if (!p || !h)
		return 0;
	off = p->l4 + TCP_HEADER;
	end = p->payload;
	for (i = 0; i < TCP_OPTION_BYTES && off < end; i++) {
		__u32 kind, len;

		if (!packet_has(p, h, off, 1))
			break;
		kind = head_u8(h, off);
		p->option_kinds =
			p->option_kinds << 4 | (kind < TCP_OPTION_KIND_MAX ? kind : TCP_OPTION_KIND_MAX);
		if (kind == TCP_OPTION_END)
			break;
		if (kind == TCP_OPTION_NOP) {
			off++;
			continue;
		}
		if (off + 2 > end) {
			packet_anomaly(p, AG_ANOMALY_TCP_BAD_OPTIONS);
			break;
		}
		if (!packet_has(p, h, off, 2)) /* cut off by the capture: that is nothing odd */
			break;
		len = head_u8(h, off + 1);
		if (len < 2 || off + len > end) {
			packet_anomaly(p, AG_ANOMALY_TCP_BAD_OPTIONS);
			break;
		}
		if (kind == TCP_OPTION_MSS && len == 4 && packet_has(p, h, off, 4))
			p->mss = head_u16(h, off + 2);
		if (kind == TCP_OPTION_SCALE && len == 3 && packet_has(p, h, off, 3))
			p->wscale = head_u8(h, off + 2);
		off += len;
	}
	return 0;
}

AG_INLINE void parse_tcp(struct packet *p, const struct head *h)
{
	__u32 l4 = p->l4, size;

	parse_ports(p, h);
	if (packet_has(p, h, l4, 8)) {
		p->has_seq = 1;
		p->seq = head_u32(h, l4 + 4);
	}
	if (packet_has(p, h, l4, 14)) {
		p->has_flags = 1;
		p->tcp_flags = head_u8(h, l4 + 13);
	}
	if (!packet_has(p, h, l4, TCP_HEADER)) {
		mark_cut(p, l4, TCP_HEADER);
		return;
	}
	p->has_tcp = 1;
	p->ack = head_u32(h, l4 + 8);
	p->window = head_u16(h, l4 + 14);
	size = (head_u8(h, l4 + 12) >> 4) * 4;
	if (size < TCP_HEADER || l4 + size > p->end) {
		packet_anomaly(p, AG_ANOMALY_TCP_BAD_DOFF);
		return;
	}
	p->payload = l4 + size;
	p->payload_len = p->end - p->payload;
	if (!(p->tcp_flags & TCP_SYN))
		return;
	if (p->payload_len && !(p->tcp_flags & (TCP_ACK | TCP_RST)))
		packet_anomaly(p, AG_ANOMALY_SYN_PAYLOAD);
	if (size > TCP_HEADER)
		parse_tcp_options(p, h);
}

AG_INLINE void parse_udp(struct packet *p, const struct head *h)
{
	__u32 l4 = p->l4, left, len;

	parse_ports(p, h);
	if (!packet_has(p, h, l4, UDP_HEADER)) {
		mark_cut(p, l4, UDP_HEADER);
		return;
	}
	len = head_u16(h, l4 + 4);
	left = p->end - l4;
	p->payload = l4 + UDP_HEADER;
	p->payload_len = left - UDP_HEADER;
	if (p->fragment)
		return;
	if (len < UDP_HEADER || len > left)
		packet_anomaly(p, AG_ANOMALY_UDP_BAD_LENGTH);
	else
		p->payload_len = len - UDP_HEADER;
}

/* ICMP errors quote the packet that caused them: RFC 792, RFC 4443. */
AG_INLINE bool icmp_is_error(const struct packet *p)
{
	__u32 t = p->icmp_type;

	if (p->family == 4)
		return t == 3 || t == 4 || t == 5 || t == 11 || t == 12;
	return t >= 1 && t <= 4;
}

AG_LAYER int parse_quoted(struct packet *p, const struct head *h)
{
	__u32 off, l4;

	if (!p || !h)
		return 0;
	off = p->l4 + ICMP_HEADER;
	if (p->family == 4) {
		if (!packet_has(p, h, off, IP4_HEADER) || head_u8(h, off) >> 4 != 4)
			return 0;
		p->quoted_src.hi = 0;
		p->quoted_src.lo = head_u32(h, off + 12);
		p->quoted_dst.hi = 0;
		p->quoted_dst.lo = head_u32(h, off + 16);
		p->quoted = QUOTED | head_u8(h, off + 9);
		l4 = off + (head_u8(h, off) & 15) * 4;
	} else {
		if (!packet_has(p, h, off, IP6_HEADER) || head_u8(h, off) >> 4 != 6)
			return 0;
		p->quoted_src = head_address6(h, off + 8);
		p->quoted_dst = head_address6(h, off + 24);
		p->quoted = QUOTED | head_u8(h, off + 6);
		l4 = off + IP6_HEADER;
	}
	p->quoted_ports = packet_has(p, h, l4, 4) ? head_u32(h, l4) : 0;
	if (!address_equal(&p->quoted_src, &p->dst))
		packet_anomaly(p, AG_ANOMALY_QUOTE_MISMATCH);
	return 0;
}

AG_INLINE void parse_icmp(struct packet *p, const struct head *h)
{
	__u32 l4 = p->l4;

	if (!packet_has(p, h, l4, 2)) {
		mark_cut(p, l4, 2);
		return;
	}
	p->has_icmp = 1;
	p->icmp_type = head_u8(h, l4);
	p->icmp_code = head_u8(h, l4 + 1);
	p->payload = l4 + ICMP_HEADER;
	if (icmp_is_error(p))
		parse_quoted(p, h);
	if (p->family == 6 && p->icmp_type == ICMP6_NS && packet_has(p, h, l4, ICMP6_NS_SIZE)) {
		p->asks = 6;
		p->asked = head_address6(h, l4 + 8);
	}
}

/* Reads the transport header at l4, where there is one. */
AG_INLINE int parse_transport(struct packet *p, const struct head *h)
{
	if (!p || !h)
		return 0;
	p->wscale = TCP_SCALE_NONE;
	if (!p->l4)
		return 0;
	if (p->protocol == PROTO_TCP)
		parse_tcp(p, h);
	else if (p->protocol == PROTO_UDP)
		parse_udp(p, h);
	else if ((p->protocol == PROTO_ICMP && p->family == 4) ||
		 (p->protocol == PROTO_ICMP6 && p->family == 6))
		parse_icmp(p, h);
	return 0;
}

#endif
