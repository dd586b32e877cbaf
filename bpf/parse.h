/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse: from a frame's head to a packet, after the configured decapsulation. Link, network, tunnels,
 * transport, each in its own file.
 */
#ifndef AIRGLOW_BPF_PARSE_H
#define AIRGLOW_BPF_PARSE_H

#include "bpf/parse_link.h"
#include "bpf/parse_ip.h"
#include "bpf/parse_transport.h"
#include "bpf/parse_tunnel.h"

/*
 * Reads the frame. PACKET_GOES_ON: the packet's network header was read, or an ARP question; PACKET_DECIDED:
 * p's outcome says why nothing more can be known.
 */
AG_INLINE int parse(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	__u32 level;
	int state;

	if (parse_link(p, h) == PACKET_DECIDED)
		return PACKET_DECIDED;
	/* One round more than tunnels are opened: the last finds the one that lies too deep. */
	for (level = 0; level <= AG_DECAP_DEPTH_MAX; level++) {
		if (parse_network(p, h) == PACKET_DECIDED)
			return PACKET_DECIDED;
		if (!s->decaps)
			break;
		state = parse_tunnel(p, h, s);
		if (state == PACKET_DECIDED)
			return PACKET_DECIDED;
		if (state != TUNNEL_OPENED)
			break;
	}
	if (p->family)
		parse_transport(p, h);
	return PACKET_GOES_ON;
}

#endif
