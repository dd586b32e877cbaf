/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse, tunnel part: a feed may come through GRE, ERSPAN, VXLAN or IP in IP, but only from the configured
 * outer sources. A tunnel packet from anybody else is a packet to its outer destination and is never opened: or
 * anyone could forge the telescope's packets.
 */
#ifndef AIRGLOW_BPF_PARSE_TUNNEL_H
#define AIRGLOW_BPF_PARSE_TUNNEL_H

#include "bpf/parse_ip.h"

#define GRE_CSUM	  0x8000
#define GRE_ROUTING	  0x4000
#define GRE_KEY		  0x2000
#define GRE_SEQ		  0x1000
#define GRE_VERSION	  0x0007
#define GRE_ERSPAN_II	  0x88be
#define GRE_ERSPAN_III	  0x22eb
#define GRE_ETHERNET	  0x6558 /* transparent Ethernet bridging */
#define ERSPAN_II_HEADER  8
#define ERSPAN_III_HEADER 12
#define ERSPAN_III_EXTRA  8 /* platform specific subheader, when the O bit is set */
#define ERSPAN_SESSION	  0x03ff
#define VXLAN_PORT	  4789
#define VXLAN_HEADER	  8
#define VXLAN_VNI_VALID	  0x08000000

/* What a tunnel header asks for; filled by the readers below. */
struct tunnel {
	__u32 types;	 /* mask of enum ag_decap_type: of a fragment it may be one of several */
	__u32 inner;	 /* offset of what it carries */
	__u32 ethernet;	 /* 1: that is an Ethernet frame */
	__u32 ethertype; /* of it otherwise */
	__u32 has_key;
	__u32 key;
	__u32 well_formed; /* version and flags are ones that are opened */
};

AG_INLINE void read_gre(struct tunnel *t, const struct packet *p, const struct head *h)
{
	__u32 off = p->l4, flags, type;

	t->types = 1u << AG_DECAP_GRE;
	if (!packet_has(p, h, off, 4))
		return;
	flags = head_u16(h, off);
	type = head_u16(h, off + 2);
	off += 4;
	if (flags & (GRE_VERSION | GRE_ROUTING))
		return;
	if (flags & GRE_CSUM)
		off += 4;
	if (flags & GRE_KEY) {
		if (!packet_has(p, h, off, 4))
			return;
		t->has_key = 1;
		t->key = head_u32(h, off);
		off += 4;
	}
	if (flags & GRE_SEQ)
		off += 4;
	if (type == GRE_ERSPAN_II || type == GRE_ERSPAN_III) {
		__u32 version = type == GRE_ERSPAN_II ? 1 : 2;

		t->types = 1u << AG_DECAP_ERSPAN;
		/* Without a sequence number this is type I, which has no header of its own and no session. */
		if (!(flags & GRE_SEQ) || !packet_has(p, h, off, ERSPAN_III_HEADER) ||
		    head_u8(h, off) >> 4 != version)
			return;
		t->has_key = 1;
		t->key = head_u16(h, off + 2) & ERSPAN_SESSION;
		if (version == 1)
			off += ERSPAN_II_HEADER;
		else
			off += ERSPAN_III_HEADER + (head_u8(h, off + 11) & 1 ? (__u32)ERSPAN_III_EXTRA : 0);
		t->ethernet = 1;
	} else {
		t->ethernet = type == GRE_ETHERNET;
		t->ethertype = type;
	}
	t->inner = off;
	t->well_formed = 1;
}

AG_INLINE void read_vxlan(struct tunnel *t, const struct packet *p, const struct head *h)
{
	__u32 off = p->l4 + 8;

	t->types = 1u << AG_DECAP_VXLAN;
	if (!packet_has(p, h, off, VXLAN_HEADER) || !(head_u32(h, off) & VXLAN_VNI_VALID))
		return;
	t->has_key = 1;
	t->key = head_u32(h, off + 4) >> 8;
	t->ethernet = 1;
	t->inner = off + VXLAN_HEADER;
	t->well_formed = 1;
}

/* What a fragment may be a piece of. It cannot be opened; from an allowed source that must not pass unseen. */
AG_INLINE bool guess_tunnel(struct tunnel *t, const struct packet *p)
{
	if (p->protocol == PROTO_GRE)
		t->types = 1u << AG_DECAP_GRE | 1u << AG_DECAP_ERSPAN;
	else if (p->protocol == PROTO_UDP)
		t->types = 1u << AG_DECAP_VXLAN;
	else if (p->protocol == PROTO_IPIP || p->protocol == PROTO_6IN4)
		t->types = 1u << AG_DECAP_IPIP;
	return t->types;
}

/* Is there a tunnel header at l4 of a kind that could be opened? */
AG_INLINE bool read_tunnel(struct tunnel *t, const struct packet *p, const struct head *h)
{
	if (p->fragment)
		return guess_tunnel(t, p);
	if (!p->l4)
		return false;
	if (p->protocol == PROTO_GRE) {
		read_gre(t, p, h);
		return true;
	}
	if (p->protocol == PROTO_UDP && packet_has(p, h, p->l4, 4) && head_u16(h, p->l4 + 2) == VXLAN_PORT) {
		read_vxlan(t, p, h);
		return true;
	}
	if (p->protocol == PROTO_IPIP || p->protocol == PROTO_6IN4) {
		t->types = 1u << AG_DECAP_IPIP;
		t->inner = p->l4;
		t->ethertype = p->protocol == PROTO_IPIP ? ETH_P_IP : ETH_P_IPV6;
		t->well_formed = 1;
		return true;
	}
	return false;
}

AG_INLINE struct address configured_address(const __u8 *bytes, __u32 family)
{
	struct address a = {.hi = load_be64(bytes), .lo = load_be64(bytes + 8)};

	if (family == 4) {
		a.lo = a.hi >> 32;
		a.hi = 0;
	}
	return a;
}

/* Is `a` inside net/len? IPv4 has len 0..32 and its address in the low 32 bits. */
AG_INLINE bool address_in(const struct address *a, const struct address *net, __u32 len, __u32 family)
{
	if (family == 4)
		return len == 0 || !((a->lo ^ net->lo) >> (32 - len));
	if (len == 0)
		return true;
	if (len <= 64)
		return !((a->hi ^ net->hi) >> (64 - len));
	return a->hi == net->hi && (len >= 128 ? a->lo == net->lo : !((a->lo ^ net->lo) >> (128 - len)));
}

enum decap_match { DECAP_OTHER, DECAP_ALLOWED, DECAP_FITS };

/* Does line i of the configuration allow this outer source, and does the key fit? */
AG_LAYER int match_decap(const struct ag_settings *s, const struct packet *p, const struct tunnel *t, __u32 i)
{
	const struct ag_decap *d;
	struct address net, to;

	if (!s || !p || !t || i >= s->decaps)
		return DECAP_OTHER;
	d = &s->decap[ag_bounded(i, AG_DECAP_MAX)];
	if (!(t->types >> (d->type & 31) & 1) || d->family != p->family)
		return DECAP_OTHER;
	net = configured_address(d->from, p->family);
	if (!address_in(&p->src, &net, d->from_len, p->family))
		return DECAP_OTHER;
	to = configured_address(d->to, p->family);
	if (!d->to_any && !address_equal(&p->dst, &to))
		return DECAP_OTHER;
	return d->key_any || (t->has_key && t->key == d->key) ? DECAP_FITS : DECAP_ALLOWED;
}

/*
 * Opens one tunnel where the configuration allows it: TUNNEL_OPENED, l3 and ethertype then stand at what it
 * carries and the network header must be read again. Decides `decap_refused` for an allowed source whose key,
 * version or depth does not fit, and for a fragment of its.
 */
#define TUNNEL_OPENED 2

AG_LAYER int parse_tunnel(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	struct tunnel t = {};
	int match = DECAP_OTHER;
	__u32 i;

	if (!p || !h || !s)
		return PACKET_DECIDED;
	if (!s->decaps || !read_tunnel(&t, p, h))
		return PACKET_GOES_ON;
	for (i = 0; i < AG_DECAP_MAX; i++) {
		int line = match_decap(s, p, &t, i);

		match = line > match ? line : match;
	}
	if (match == DECAP_OTHER)
		return PACKET_GOES_ON;
	if (match != DECAP_FITS || !t.well_formed || p->depth >= AG_DECAP_DEPTH_MAX)
		return packet_decide(p, AG_OUTCOME_DECAP_REFUSED);
	p->depth++;
	p->outer_end = p->end;
	p->l3 = t.inner;
	p->ethertype = t.ethertype;
	if (t.ethernet && parse_link(p, h) == PACKET_DECIDED)
		return PACKET_DECIDED;
	return TUNNEL_OPENED;
}

#endif
