// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser of bpf/ on a copy of the sampled bytes (header.h). Reaches no memory but the head.
 */
#include <string.h>

#include "bpf/base.h"
/* The parser is of the stages, but needs none of the memory that they declare. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "bpf/parse.h"

#include "collect/header.h"

bool header_read(struct header *out, const uint8_t *bytes, uint32_t caplen, uint32_t wirelen,
		 const struct ag_settings *settings)
{
	struct head head = {.caplen = caplen < AG_HEAD_BYTES ? caplen : AG_HEAD_BYTES, .wirelen = wirelen};
	struct packet p = {};

	memcpy(head.bytes, bytes, head.caplen);
	if (parse(&p, &head, settings) == PACKET_DECIDED || !p.family)
		return false;
	*out = (struct header){
		.v6 = p.family == 6,
		.src_hi = p.family == 6 ? p.src.hi : 0,
		.src_lo = p.src.lo,
		.dst_hi = p.family == 6 ? p.dst.hi : 0,
		.dst_lo = p.dst.lo,
		.protocol = (uint8_t)p.protocol,
		.length = p.ip_len,
		.has_ports = p.has_ports,
		.has_flags = p.has_flags,
		.has_icmp = p.has_icmp,
	};
	if (p.has_ports) {
		out->sport = (uint16_t)p.sport;
		out->dport = (uint16_t)p.dport;
	}
	if (p.has_flags)
		out->flags = (uint8_t)p.tcp_flags;
	if (p.has_icmp) {
		out->icmp_type = (uint8_t)p.icmp_type;
		out->icmp_code = (uint8_t)p.icmp_code;
	}
	return true;
}
