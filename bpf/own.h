/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * own (feed self alone): the dark address is this host's own. What its sockets asked for and what keeps its
 * link going is `solicited`, a SYN to a port on which it listens is `service`; what is left nobody asked for,
 * and stays dark. Other feeds pay one comparison.
 */
#ifndef AIRGLOW_BPF_OWN_H
#define AIRGLOW_BPF_OWN_H

#include "bpf/bind.h"
#include "bpf/packet.h"
#include "bpf/parse_transport.h"

enum {
	PORT_DHCP_SERVER = 67,
	PORT_DHCP_CLIENT = 68,
	PORT_DHCP6_CLIENT = 546,
};

/* RFC 3927, RFC 4291: no router sends on what comes from there, or goes there. */
AG_INLINE bool is_link_local(const struct packet *p, const struct address *a)
{
	return p->family == 4 ? a->lo >> 16 == 0xa9fe : a->hi >> 54 == 0x3fa;
}

AG_INLINE bool is_group(const struct packet *p)
{
	if (p->family == 4)
		return p->dst.lo >> 28 == 0xe || p->dst.lo == 0xffffffff;
	return p->dst.hi >> 56 == 0xff;
}

/* By hop limits that nothing from behind a router can have: RFC 4861 (ND), RFC 2710 and 3810 (MLD). */
AG_INLINE bool is_discovery(const struct packet *p)
{
	__u32 t;

	if (p->family != 6 || !p->has_icmp)
		return false;
	t = p->icmp_type;
	if (t >= 133 && t <= 137)
		return p->ttl == 255;
	return ((t >= 130 && t <= 132) || t == 143) && p->ttl == 1;
}

/* DHCP clients read from packet sockets, which no lookup finds. */
AG_INLINE bool is_dhcp(const struct packet *p)
{
	if (p->protocol != PROTO_UDP || !p->has_ports)
		return false;
	return p->family == 4 ? p->sport == PORT_DHCP_SERVER && p->dport == PORT_DHCP_CLIENT
			      : p->dport == PORT_DHCP6_CLIENT;
}

/* What a link needs to work. A frame to all, where no IP address tells it, is a subnet's own broadcast. */
AG_INLINE bool is_housekeeping(const struct packet *p, const struct head *h)
{
	if (is_link_local(p, &p->src) || is_link_local(p, &p->dst) || is_group(p))
		return true;
	if (is_discovery(p) || is_dhcp(p))
		return true;
	return p->outcome == AG_OUTCOME_NOT_DARK && !p->depth && head_u8(h, 0) & 1;
}

AG_INLINE bool is_live_port(const struct ag_settings *s, __u32 protocol, __u32 port)
{
	__u64 word = ag_bounded(port >> 6, AG_PORTS / 64);

	if (protocol == PROTO_TCP)
		return s->live_ports.tcp[word] >> (port & 63) & 1;
	return protocol == PROTO_UDP && s->live_ports.udp[word] >> (port & 63) & 1;
}

AG_INLINE bool is_syn(const struct packet *p)
{
	return p->protocol == PROTO_TCP && p->has_flags &&
	       (p->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
}

/* An error about what this host sent: the ports and the protocol are those of the packet that is quoted. */
AG_INLINE __u32 own_quoted(struct xdp_md *ctx, const struct packet *p, const struct head *h,
			   const struct ag_settings *s)
{
	__u32 protocol = p->quoted & 0xff;

	if (!address_equal(&p->quoted_src, &p->dst))
		return AG_OUTCOME_DARK;
	if (p->quoted_ports && is_live_port(s, protocol, p->quoted_ports >> 16))
		return AG_OUTCOME_SOLICITED;
	return bind_flow(ctx, p, h) == OWN_FLOW ? AG_OUTCOME_SOLICITED : AG_OUTCOME_DARK;
}

/* A packet to an address of this host. */
AG_INLINE __u32 own_dark(struct xdp_md *ctx, const struct packet *p, const struct head *h,
			 const struct ag_settings *s)
{
	enum own_flow flow;

	if (p->quoted)
		return own_quoted(ctx, p, h, s);
	if (p->has_ports && is_live_port(s, p->protocol, p->dport))
		return is_syn(p) ? AG_OUTCOME_SERVICE : AG_OUTCOME_SOLICITED;
	flow = bind_flow(ctx, p, h);
	if (flow == OWN_FLOW)
		return AG_OUTCOME_SOLICITED;
	return flow == OWN_LISTENS && is_syn(p) ? AG_OUTCOME_SERVICE : AG_OUTCOME_DARK;
}

/* The outcome of a packet by feed self: as scope left it, or one of this stage's. */
AG_LAYER int own_outcome(struct xdp_md *ctx, const struct packet *p, const struct head *h,
			 const struct ag_settings *s)
{
	if (!p || !h || !s)
		return AG_OUTCOME_NON_IP;
	if (bind_rodata()->replay && h->own & AG_REPLAY_SENT)
		return AG_OUTCOME_LOOPED;
	if (p->outcome == AG_OUTCOME_ARP_DARK)
		return AG_OUTCOME_SOLICITED;
	if (!p->family)
		return (int)p->outcome;
	if (is_housekeeping(p, h))
		return AG_OUTCOME_SOLICITED;
	if (p->outcome != AG_OUTCOME_DARK)
		return (int)p->outcome;
	return (int)own_dark(ctx, p, h, s);
}

AG_INLINE void own(struct xdp_md *ctx, struct packet *p, const struct head *h, const struct ag_settings *s)
{
	if (p->feed == AG_FEED_SELF)
		p->outcome = (__u32)own_outcome(ctx, p, h, s);
}

#endif
