/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * classify: what a dark packet is, from its header alone. A pure function of struct packet and the head: class,
 * service, tool, stack signature, spoof hints. definitions: README, "What is counted"; rules: the .def tables.
 */
#ifndef AIRGLOW_BPF_CLASSIFY_H
#define AIRGLOW_BPF_CLASSIFY_H

#include "bpf/hash.h"
#include "bpf/parse_transport.h"

struct signature {
	__u64 mask, value;
	__u16 min_payload;
	__u8 service, direction, offset;
};

static const struct signature signatures[AG_SIGNATURE_MAX] = {
#define AG_SIGNATURE(name, service_, direction_, offset_, mask_, value_, min, help)                            \
	[AG_SIGNATURE_##name] = {.mask = mask_,                                                                \
				 .value = value_,                                                              \
				 .min_payload = min,                                                           \
				 .service = AG_SERVICE_##service_,                                             \
				 .direction = AG_##direction_,                                                 \
				 .offset = offset_},
#include "airglow/service.def"
};

#define SIGNATURE_ROWS_MAX 12
#define AG_SERVICE_PORT(port, first, last)                                                                     \
	_Static_assert(AG_SIGNATURE_##last - AG_SIGNATURE_##first < SIGNATURE_ROWS_MAX,                        \
		       "too many rows for a port");
#include "airglow/service.def"

/* Rows of a port as first | last << 16, or 0 when the port has none (no port has row 0 alone: ECHO has two). */
AG_INLINE __u32 signature_rows(__u32 port)
{
	switch (port) {
#define AG_SERVICE_PORT(port_, first, last)                                                                    \
	case port_:                                                                                            \
		return (__u32)AG_SIGNATURE_##first | (__u32)AG_SIGNATURE_##last << 16;
#include "airglow/service.def"
	default:
		return 0;
	}
}

/* Eight payload bytes at `offset`, big-endian; what lies behind the payload or the head reads as zero. */
AG_INLINE __u64 payload_word(const struct packet *p, const struct head *h, __u32 offset)
{
	__u32 off = p->payload + offset, end = p->payload + p->payload_len, n;

	if (end > h->caplen)
		end = h->caplen;
	if (off >= end)
		return 0;
	n = end - off;
	/* Fewer than eight: the word that ends with them, for nothing behind the head is read. */
	return n >= 8 ? head_u64(h, off) : head_u64(h, off + n - 8) << 8 * (8 - n);
}

/* Was all that a mask of eight bytes at `off` looks at read of the frame? */
AG_INLINE bool head_has_mask(const struct head *h, __u32 off, __u64 mask)
{
	__u32 n = off < h->caplen ? h->caplen - off : 0;

	return n >= 8 || !(mask << 8 * n);
}

/* The service of a row, if it is of this direction and its bytes stand in the payload. */
AG_LAYER int match_signature(const struct packet *p, const struct head *h, __u32 row, __u32 direction)
{
	const struct signature *s;

	if (!p || !h || row >= AG_SIGNATURE_MAX)
		return AG_SERVICE_NONE;
	s = &signatures[row];
	if (s->direction != direction || p->payload_len < s->min_payload)
		return AG_SERVICE_NONE;
	return (payload_word(p, h, s->offset) & s->mask) == s->value ? s->service : AG_SERVICE_NONE;
}

/* The service whose row of `direction` matches the payload, among the rows of `port`. */
AG_LAYER int match_service(const struct packet *p, const struct head *h, __u32 port, __u32 direction)
{
	__u32 rows, i;

	if (!p || !h)
		return AG_SERVICE_NONE;
	rows = signature_rows(port);
	if (!rows)
		return AG_SERVICE_NONE;
	for (i = 0; i < SIGNATURE_ROWS_MAX; i++) {
		__u32 row = (rows & 0xffff) + i;
		int service;

		if (row > rows >> 16)
			break;
		service = match_signature(p, h, row, direction);
		if (service)
			return service;
	}
	return AG_SERVICE_NONE;
}

/*
 * The service of a configured row, if its bytes stand in the payload. It may ask for zeros, which what was not
 * read has, too: min_payload tells the end of the payload, but not of the head.
 */
AG_LAYER int match_row(const struct packet *p, const struct head *h, const struct ag_settings *s, __u32 i)
{
	const struct ag_signature *row;

	if (!p || !h || !s || i >= AG_SIGNATURES_MAX)
		return AG_SERVICE_NONE;
	row = &s->signature[i];
	if (p->payload_len < row->min_payload || !head_has_mask(h, p->payload + row->offset, row->mask))
		return AG_SERVICE_NONE;
	return (payload_word(p, h, row->offset) & row->mask) == row->value ? row->service : AG_SERVICE_NONE;
}

/* The same as match_service, among the configured rows. */
AG_LAYER int match_configured(const struct packet *p, const struct head *h, const struct ag_settings *s,
			      __u32 port, __u32 direction)
{
	__u32 i;

	if (!p || !h || !s)
		return AG_SERVICE_NONE;
	for (i = 0; i < AG_SIGNATURES_MAX && i < s->signatures; i++) {
		const struct ag_signature *row = &s->signature[i];
		int service;

		if (row->port != port || row->direction != direction)
			continue;
		service = match_row(p, h, s, i);
		if (service)
			return service;
	}
	return AG_SERVICE_NONE;
}

AG_INLINE __u32 find_service(const struct packet *p, const struct head *h, const struct ag_settings *s,
			     __u32 port, __u32 direction)
{
	__u32 service = (__u32)match_service(p, h, port, direction);

	if (service || !s->signatures)
		return service;
	return (__u32)match_configured(p, h, s, port, direction);
}

/* Requests before responses: between two ports of one service only the bytes tell the direction. */
AG_INLINE __u32 classify_udp(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	if (!p->has_ports)
		return AG_CLASS_OTHER;
	if (!p->payload) /* the header is cut off */
		return AG_CLASS_OTHER;
	p->direction = AG_REQUEST;
	p->service = find_service(p, h, s, p->dport, AG_REQUEST);
	if (p->service)
		return AG_CLASS_AMP_REQUEST;
	p->direction = AG_RESPONSE;
	p->service = find_service(p, h, s, p->sport, AG_RESPONSE);
	return p->service ? AG_CLASS_UDP_RESPONSE : AG_CLASS_SCAN;
}

#define TCP_MARKS (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)
#define TCP_SIX	  (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG)
#define TCP_XMAS  (TCP_FIN | TCP_PSH | TCP_URG)

AG_INLINE __u32 classify_tcp(const struct packet *p)
{
	__u32 marks = p->tcp_flags & TCP_MARKS, six = p->tcp_flags & TCP_SIX;

	if (!p->has_flags)
		return AG_CLASS_OTHER;
	if (marks == TCP_SYN || six == 0 || six == TCP_FIN || six == TCP_XMAS)
		return AG_CLASS_SCAN;
	if (marks == (TCP_SYN | TCP_ACK) || marks == TCP_RST || marks == (TCP_RST | TCP_ACK))
		return AG_CLASS_BACKSCATTER;
	return AG_CLASS_OTHER;
}

/* Requests and answers of ICMP (RFC 792, 950, 4443, 4620, 8335); types as in Corsaro's backscatter rule. */
AG_INLINE __u32 classify_icmp(const struct packet *p)
{
	if (!p->has_icmp)
		return AG_CLASS_OTHER;
	if (p->family == 6) {
		switch (p->icmp_type) {
		case 128: /* echo request */
		case 139: /* node information query */
		case 160: /* extended echo request, RFC 8335 */
			return AG_CLASS_SCAN;
		case 1:
		case 2:
		case 3:
		case 4:
		case 129:
		case 140:
		case 161:
			return AG_CLASS_BACKSCATTER;
		default:
			return AG_CLASS_OTHER;
		}
	}
	switch (p->icmp_type) {
	case 8:	 /* echo */
	case 13: /* timestamp */
	case 15: /* information */
	case 17: /* address mask */
	case 42: /* extended echo, RFC 8335 */
		return AG_CLASS_SCAN;
	case 0:
	case 3:
	case 4:
	case 5:
	case 11:
	case 12:
	case 14:
	case 16:
	case 18:
	case 43:
		return AG_CLASS_BACKSCATTER;
	default:
		return AG_CLASS_OTHER;
	}
}

#define ZMAP_IP_ID    54321
#define ZMAP4_OPTIONS 0x213114 /* MSS, NOP, scale, NOP, NOP, SACK permitted */
#define NMAP_OPTIONS  0x2      /* MSS */
#define NMAP_TTL_MAX  59
#define TTL_64	      64
#define IRREGULAR_TTL 200

AG_INLINE __u32 tool_bit(bool matches, __u32 tool)
{
	return matches ? 1u << tool : 0;
}

/* Which sending programs could have made this SYN. Formulas: tool.def. */
AG_INLINE void classify_tool(struct packet *p)
{
	__u32 dst = (__u32)p->dst.lo, mask = 0;
	bool v4 = p->family == 4, bare = p->has_tcp && p->payload == p->l4 + TCP_HEADER;

	p->tool = AG_TOOL_NONE;
	if (p->class != AG_CLASS_SCAN || !(p->tcp_flags & TCP_SYN) || !p->has_seq)
		return;
	mask |= tool_bit(v4 && p->tcp_flags == TCP_SYN && p->seq == dst, AG_TOOL_MIRAI);
	mask |= tool_bit(v4 && p->ip_id == ((dst ^ p->dport ^ p->seq) & 0xffff), AG_TOOL_MASSCAN);
	mask |= tool_bit(v4 && p->ip_id == ZMAP_IP_ID, AG_TOOL_ZMAP);
	if (p->has_tcp) {
		mask |= tool_bit(p->window == 1024 && p->option_kinds == NMAP_OPTIONS && p->mss == 1460 &&
					 p->ttl <= NMAP_TTL_MAX,
				 AG_TOOL_NMAP);
		mask |= tool_bit(p->window == 65535 && p->option_kinds == ZMAP4_OPTIONS && !(v4 && p->df) &&
					 p->ttl <= TTL_64,
				 AG_TOOL_ZMAP4);
		mask |= tool_bit(p->window == 512 && bare && p->ttl <= TTL_64, AG_TOOL_HPING);
	}
	mask |= tool_bit(bare || p->ttl > IRREGULAR_TTL, AG_TOOL_IRREGULAR_SYN);
	p->tools = mask;
	if (mask & 1u << AG_TOOL_MIRAI)
		p->tool = AG_TOOL_MIRAI;
	else if (mask & 1u << AG_TOOL_MASSCAN)
		p->tool = AG_TOOL_MASSCAN;
	else if (mask & 1u << AG_TOOL_ZMAP)
		p->tool = AG_TOOL_ZMAP;
	else if (mask & 1u << AG_TOOL_NMAP)
		p->tool = AG_TOOL_NMAP;
	else if (mask & 1u << AG_TOOL_ZMAP4)
		p->tool = AG_TOOL_ZMAP4;
	else if (mask & 1u << AG_TOOL_HPING)
		p->tool = AG_TOOL_HPING;
	else if (mask)
		p->tool = AG_TOOL_IRREGULAR_SYN;
}

/* IANA special-purpose registries, RFC 6890 and updates: addresses that never send from the Internet. */
AG_INLINE bool is_bogon4(__u32 a)
{
	switch (a >> 24) {
	case 0:
	case 10:
	case 127:
		return true;
	case 100:
		return (a & 0xffc00000) == 0x64400000; /* 100.64.0.0/10 */
	case 169:
		return a >> 16 == 0xa9fe; /* 169.254.0.0/16 */
	case 172:
		return (a & 0xfff00000) == 0xac100000; /* 172.16.0.0/12 */
	case 192:
		if (a == 0xc0000009 ||
		    a == 0xc000000a) /* anycast of PCP and TURN: global inside 192.0.0.0/24 */
			return false;
		return a >> 16 == 0xc0a8 || a >> 8 == 0xc00000 ||
		       a >> 8 == 0xc00002; /* 192.168/16, 192.0.{0,2}/24 */
	case 198:
		return (a & 0xfffe0000) == 0xc6120000 || a >> 8 == 0xc63364; /* 198.18/15, 198.51.100/24 */
	case 203:
		return a >> 8 == 0xcb0071; /* 203.0.113.0/24 */
	default:
		return a >> 28 >= 0xe; /* multicast, reserved, broadcast */
	}
}

AG_INLINE bool is_bogon6(const struct address *a)
{
	__u64 top = a->hi >> 32;

	if (a->hi >> 61 != 1) /* outside 2000::/3: loopback, mapped, unique local, link-local, multicast */
		return a->hi != 0x0064ff9b00000000ULL || a->lo >> 32; /* 64:ff9b::/96: a translator's, global */
	if (a->hi >> 16 == 0x200100020000ULL)			      /* benchmarking, RFC 5180 */
		return true;
	return top == 0x20010db8 || (top & 0xfffffff0) == 0x20010010 || a->hi >> 44 == 0x3fff0;
}

AG_INLINE void classify_source(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	__u32 index;
	bool bogon, dark = false;

	if (p->family == 4) {
		bogon = is_bogon4((__u32)p->src.lo);
		dark = !s->every_destination && scope_lookup4(h->side, (__u32)p->src.lo, &index);
	} else {
		bogon = is_bogon6(&p->src);
		dark = !s->every_destination && scope_lookup6(s, &p->src);
	}
	if (bogon)
		packet_anomaly(p, AG_ANOMALY_SRC_BOGON);
	if (dark)
		packet_anomaly(p, AG_ANOMALY_SRC_DARK);
	if (address_equal(&p->src, &p->dst))
		packet_anomaly(p, AG_ANOMALY_SRC_IS_DST);
}

/* What the sender's TCP stack looks like: the same for all SYNs of one program on one system. */
AG_INLINE __u32 stack_signature(const struct packet *p)
{
	if (!p->has_tcp)
		return 0;
	return (__u32)hash_mix(hash_mix(p->option_kinds) ^ ((__u64)p->window << 32 | p->mss << 8 | p->wscale));
}

AG_INLINE int classify_packet(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	if (!p || !h || !s)
		return 0;
	classify_source(p, h, s);
	p->tool = AG_TOOL_NONE;
	p->class = AG_CLASS_OTHER;
	if (!p->l4)
		return 0;
	if (p->protocol == PROTO_TCP)
		p->class = classify_tcp(p);
	else if (p->protocol == PROTO_UDP)
		p->class = classify_udp(p, h, s);
	else
		p->class = classify_icmp(p);
	if (p->protocol == PROTO_TCP)
		classify_tool(p);
	p->stack = stack_signature(p);
	return 0;
}

AG_INLINE void classify(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	if (p->outcome == AG_OUTCOME_DARK)
		classify_packet(p, h, s);
}

#endif
