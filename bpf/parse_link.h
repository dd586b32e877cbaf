/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse, link part: from the first byte of an Ethernet frame to the network header. Walks tags, labels and
 * PPPoE; LLC/SNAP is not walked.
 */
#ifndef AIRGLOW_BPF_PARSE_LINK_H
#define AIRGLOW_BPF_PARSE_LINK_H

#include <linux/if_ether.h>

#include "bpf/packet.h"

#define ETHERTYPE_QINQ_OLD 0x9100
#define PPP_IPV4	   0x0021
#define PPP_IPV6	   0x0057
#define PPPOE_HEADER	   8 /* version/type, code, session, length, PPP protocol */
#define MPLS_LABELS_MAX	   (AG_HEAD_BYTES / 4)
#define MPLS_BOTTOM	   0x100

AG_INLINE int packet_decide(struct packet *p, __u32 outcome)
{
	p->outcome = outcome;
	return PACKET_DECIDED;
}

AG_INLINE bool ethertype_is_tag(__u32 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD || type == ETHERTYPE_QINQ_OLD;
}

/* Under a label stack nothing says what follows: the version nibble does. */
AG_LAYER int parse_mpls(struct packet *p, const struct head *h)
{
	__u32 off, i, nibble;

	if (!p || !h)
		return PACKET_DECIDED;
	off = p->l3;
	for (i = 0; i < MPLS_LABELS_MAX; i++) {
		__u32 label;

		if (!head_has(h, off, 4))
			return packet_decide(p, AG_OUTCOME_TRUNCATED_LINK);
		label = head_u32(h, off);
		off += 4;
		if (label & MPLS_BOTTOM)
			break;
	}
	if (!head_has(h, off, 1))
		return packet_decide(p, AG_OUTCOME_TRUNCATED_LINK);
	nibble = head_u8(h, off) >> 4;
	p->l3 = off;
	if (nibble == 4)
		p->ethertype = ETH_P_IP;
	else if (nibble == 6)
		p->ethertype = ETH_P_IPV6;
	else
		return packet_decide(p, AG_OUTCOME_UNSUPPORTED_ENCAP);
	return PACKET_GOES_ON;
}

AG_INLINE int parse_pppoe(struct packet *p, const struct head *h)
{
	__u32 protocol;

	if (!head_has(h, p->l3, PPPOE_HEADER))
		return packet_decide(p, AG_OUTCOME_TRUNCATED_LINK);
	protocol = head_u16(h, p->l3 + 6);
	p->l3 += PPPOE_HEADER;
	if (protocol == PPP_IPV4)
		p->ethertype = ETH_P_IP;
	else if (protocol == PPP_IPV6)
		p->ethertype = ETH_P_IPV6;
	else
		return packet_decide(p, AG_OUTCOME_NON_IP);
	return PACKET_GOES_ON;
}

/*
 * Reads the link headers that begin at p->l3 (0 in a frame, deeper in a tunnel that carries Ethernet) and
 * leaves l3 at the network header and its EtherType, or decides.
 */
AG_INLINE int parse_link(struct packet *p, const struct head *h)
{
	__u32 off, type, tags;

	if (!p || !h)
		return PACKET_DECIDED;
	off = p->l3;
	if (!head_has(h, off, ETH_HLEN) || off + ETH_HLEN > carrier_end(p, h))
		return packet_decide(p, AG_OUTCOME_TRUNCATED_LINK);
	type = head_u16(h, off + 12);
	off += ETH_HLEN;
	for (tags = 0; tags < AG_VLAN_TAGS_MAX && ethertype_is_tag(type); tags++) {
		if (!head_has(h, off, 4))
			return packet_decide(p, AG_OUTCOME_TRUNCATED_LINK);
		type = head_u16(h, off + 2);
		off += 4;
	}
	p->l3 = off;
	p->ethertype = type;
	if (ethertype_is_tag(type))
		return packet_decide(p, AG_OUTCOME_UNSUPPORTED_ENCAP);
	if (type == ETH_P_MPLS_UC || type == ETH_P_MPLS_MC)
		return parse_mpls(p, h);
	if (type == ETH_P_PPP_SES)
		return parse_pppoe(p, h);
	return PACKET_GOES_ON;
}

#endif
