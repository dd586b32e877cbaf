// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse: link and IPv4 headers, whole, odd and cut off. IPv6 in test_parse_ip6.c, transport in
 * test_parse_transport.c.
 */
#include "sensor.h"

SENSOR_SUITE(parse);

static void put_syn(struct frame *g)
{
	frame_ip4(g, SOURCE4, DARK4, 6);
	frame_tcp(g, 40000, 23, 2);
	frame_end(g);
}

Test(parse, plain_syn)
{
	frame_syn4(&f, 23);
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
}

Test(parse, up_to_three_tags_of_every_type)
{
	static const unsigned int types[] = {0x8100, 0x88a8, 0x9100};

	for (unsigned int tags = 1; tags <= 4; tags++) {
		for (unsigned int t = 0; t < 3; t++) {
			frame_begin(&f);
			frame_ether(&f, types[t]);
			for (unsigned int i = 1; i <= tags; i++)
				frame_tag(&f, 100 + i, i == tags ? 0x0800 : types[(t + i) % 3]);
			put_syn(&f);
			SEND(sensor, &f,
			     tags <= 3 ? want_tcp(&f, AG_CLASS_SCAN)
				       : want_outcome(AG_OUTCOME_UNSUPPORTED_ENCAP));
		}
	}
}

Test(parse, tag_cut_off)
{
	frame_begin(&f);
	frame_ether(&f, 0x8100);
	frame_tag(&f, 1, 0x88a8);
	frame_tag(&f, 2, 0x0800);
	put_syn(&f);
	for (unsigned int n = 0; n < 22; n++)
		SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_TRUNCATED_LINK));
	for (unsigned int n = 22; n < 42; n++)
		SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_TRUNCATED_IP));
}

Test(parse, label_stacks)
{
	static const unsigned int types[] = {0x8847, 0x8848};

	for (unsigned int labels = 1; labels <= 48; labels++) {
		frame_begin(&f);
		frame_ether(&f, types[labels & 1]);
		for (unsigned int i = 1; i <= labels; i++)
			frame_u32(&f, 0x12340040u | (i == labels ? 0x100 : 0));
		put_syn(&f);
		/* the header of 40 bytes ends inside the first 256 up to here */
		if (14 + 4 * labels + 60 <= 256)
			SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	}
	frame_begin(&f);
	frame_ether(&f, 0x8847);
	for (unsigned int i = 0; i < 70; i++)
		frame_u32(&f, 0x12340040u);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_TRUNCATED_LINK));
}

Test(parse, what_a_label_stack_carries)
{
	static const struct {
		uint8_t first;
		enum ag_outcome outcome;
	} cases[] = {{0x00, AG_OUTCOME_UNSUPPORTED_ENCAP},
		     {0x10, AG_OUTCOME_UNSUPPORTED_ENCAP},
		     {0x50, AG_OUTCOME_UNSUPPORTED_ENCAP},
		     {0x40, AG_OUTCOME_TRUNCATED_IP},
		     {0x60, AG_OUTCOME_TRUNCATED_IP}};

	for (unsigned int i = 0; i < 5; i++) {
		frame_begin(&f);
		frame_ether(&f, 0x8847);
		frame_u32(&f, 0x00010140);
		SEND(sensor, &f, want_outcome(AG_OUTCOME_TRUNCATED_LINK));
		frame_u8(&f, cases[i].first);
		SEND(sensor, &f, want_outcome(cases[i].outcome));
	}
	frame_begin(&f);
	frame_ether(&f, 0x8847);
	frame_u32(&f, 0x00010140);
	frame_ip6(&f, source6, dark6, 6);
	frame_tcp(&f, 1, 2, 2);
	frame_end(&f);
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
}

Test(parse, pppoe_sessions)
{
	for (unsigned int i = 0; i < 3; i++) {
		frame_begin(&f);
		frame_ether(&f, 0x8864);
		frame_u16(&f, 0x1100);
		frame_u16(&f, 7);
		frame_u16(&f, 62);
		SEND(sensor, &f, want_outcome(AG_OUTCOME_TRUNCATED_LINK));
		frame_u16(&f, i == 0 ? 0x0021 : i == 1 ? 0x0057 : 0xc021);
		if (i == 1)
			frame_ip6(&f, source6, dark6, 6);
		else
			frame_ip4(&f, SOURCE4, DARK4, 6);
		frame_tcp(&f, 40000, 80, 2);
		frame_end(&f);
		SEND(sensor, &f, i == 2 ? want_outcome(AG_OUTCOME_NON_IP) : want_tcp(&f, AG_CLASS_SCAN));
	}
	/* discovery is not a session */
	frame_set16(&f, 12, 0x8863);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
}

Test(parse, other_link_contents)
{
	static const unsigned int types[] = {0x88cc, 0x0026, 0x05dc, 0x8863, 0xffff, 0x0000, 0x22f3};

	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		frame_begin(&f);
		frame_ether(&f, types[i]);
		put_syn(&f);
		SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
	}
}

Test(parse, version_that_contradicts_the_ethertype)
{
	for (unsigned int version = 0; version < 16; version++) {
		frame_syn4(&f, 23);
		f.bytes[14] = (uint8_t)(version << 4 | 5);
		SEND(sensor, &f,
		     version == 4 ? want_tcp(&f, AG_CLASS_SCAN) : want_outcome(AG_OUTCOME_MALFORMED_IP));
		SEND_CUT(sensor, &f, 15, 15,
			 want_outcome(version == 4 ? AG_OUTCOME_TRUNCATED_IP : AG_OUTCOME_MALFORMED_IP));
		frame_syn6(&f, 23);
		f.bytes[14] = (uint8_t)(version << 4);
		SEND(sensor, &f,
		     version == 6 ? want_tcp(&f, AG_CLASS_SCAN) : want_outcome(AG_OUTCOME_MALFORMED_IP));
	}
}

/* A SYN that ends after n bytes: what is inside counts. `cut`: by the capture, not on the wire. */
static struct want want_cut_syn(unsigned int n, bool cut)
{
	struct want w;

	if (n < 14)
		return want_outcome(AG_OUTCOME_TRUNCATED_LINK);
	if (n < 34)
		return want_outcome(AG_OUTCOME_TRUNCATED_IP);
	w = want_tcp(&f, n >= 48 ? AG_CLASS_SCAN : AG_CLASS_OTHER);
	w.has_port = n >= 38;
	w.has_flags = n >= 48;
	if (!cut && n < f.n)
		w.anomalies |= bit(AG_ANOMALY_IP_BAD_LENGTH);
	if (n < 54)
		w.anomalies |= bit(cut ? AG_ANOMALY_BEYOND_HEAD : AG_ANOMALY_L4_TRUNCATED);
	else if (n < f.n && !cut)
		w.anomalies |= bit(AG_ANOMALY_TCP_BAD_DOFF);
	return w;
}

Test(parse, syn_of_every_length)
{
	frame_syn4(&f, 2323);
	for (unsigned int n = 0; n <= f.n; n++)
		SEND_CUT(sensor, &f, n, n, want_cut_syn(n, false));
}

Test(parse, syn_captured_to_every_length)
{
	frame_syn4(&f, 2323);
	for (unsigned int n = 0; n <= f.n; n++)
		SEND_CUT(sensor, &f, n, f.n, want_cut_syn(n, true));
}

Test(parse, udp_of_every_length)
{
	uint8_t payload[12] = {0xff};

	for (unsigned int cut = 0; cut < 2; cut++) {
		frame_udp4(&f, 5000, 9999, payload, sizeof(payload));
		for (unsigned int n = 34; n <= f.n; n++) {
			struct want w = want_udp(&f, n >= 42 ? AG_CLASS_SCAN : AG_CLASS_OTHER);

			w.has_port = n >= 38;
			if (n < f.n && !cut)
				w.anomalies |= bit(AG_ANOMALY_IP_BAD_LENGTH);
			if (n < 42)
				w.anomalies |= bit(cut ? AG_ANOMALY_BEYOND_HEAD : AG_ANOMALY_L4_TRUNCATED);
			else if (n < f.n && !cut)
				w.anomalies |= bit(AG_ANOMALY_UDP_BAD_LENGTH);
			SEND_CUT(sensor, &f, n, cut ? f.n : n, w);
		}
	}
}

Test(parse, icmp_of_every_length)
{
	for (unsigned int cut = 0; cut < 2; cut++) {
		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4(&f, SOURCE4, DARK4, 1);
		frame_icmp(&f, 8, 0);
		frame_end(&f);
		for (unsigned int n = 34; n <= f.n; n++) {
			struct want w = want_icmp(&f, n >= 36 ? AG_CLASS_SCAN : AG_CLASS_OTHER);

			w.has_icmp = n >= 36;
			if (n < f.n && !cut)
				w.anomalies |= bit(AG_ANOMALY_IP_BAD_LENGTH);
			if (n < 36)
				w.anomalies |= bit(cut ? AG_ANOMALY_BEYOND_HEAD : AG_ANOMALY_L4_TRUNCATED);
			SEND_CUT(sensor, &f, n, cut ? f.n : n, w);
		}
	}
}

Test(parse, ip_length_ends_the_packet)
{
	/* Ethernet padding is not part of the packet: the announced length cuts the header short. */
	for (unsigned int length = 20; length <= 60; length++) {
		struct want w;

		frame_syn4(&f, 23);
		frame_set16(&f, 16, length);
		w = want_tcp(&f, length >= 34 ? AG_CLASS_SCAN : AG_CLASS_OTHER);
		w.has_port = length >= 24;
		w.has_flags = length >= 34;
		if (length < 40)
			w.anomalies |= bit(AG_ANOMALY_L4_TRUNCATED);
		else if (length < 60)
			w.anomalies |= bit(AG_ANOMALY_TCP_BAD_DOFF);
		SEND(sensor, &f, w);
	}
}

Test(parse, ip_length_zero_short_and_long)
{
	for (unsigned int length = 0; length < 20; length++) {
		struct want w;

		frame_syn4(&f, 23);
		frame_set16(&f, 16, length);
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.bytes = 60; /* to the end of the frame */
		w.anomalies = bit(AG_ANOMALY_IP_BAD_LENGTH);
		SEND(sensor, &f, w);
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct want w;

		frame_syn4(&f, 23);
		frame_set16(&f, 16, i ? 65535 : 61);
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.anomalies = bit(AG_ANOMALY_IP_BAD_LENGTH) | bit(AG_ANOMALY_SYN_PAYLOAD) * 0;
		SEND(sensor, &f, w);
	}
}

Test(parse, jumbo_frames)
{
	struct want w;

	frame_udp4(&f, 1, 9, NULL, 0);
	frame_set16(&f, 16, 9000);
	frame_set16(&f, 38, 8980);
	w = want_udp(&f, AG_CLASS_SCAN);
	SEND_CUT(sensor, &f, 42, 9014, w);
	/* Above what the length field can say (BIG TCP, RFC 2675): 0. */
	frame_set16(&f, 16, 0);
	frame_set16(&f, 38, 0);
	w.bytes = 100000 - 14;
	w.anomalies = bit(AG_ANOMALY_IP_BAD_LENGTH) | bit(AG_ANOMALY_UDP_BAD_LENGTH);
	SEND_CUT(sensor, &f, 42, 100000, w);
}

Test(parse, header_length_below_five_words)
{
	for (unsigned int ihl = 0; ihl < 5; ihl++) {
		struct want w;

		frame_syn4(&f, 23);
		f.bytes[14] = (uint8_t)(0x40 | ihl);
		w = want_dark(&f);
		w.anomalies = bit(AG_ANOMALY_IP_BAD_IHL);
		SEND(sensor, &f, w);
	}
}

Test(parse, header_length_beyond_the_packet)
{
	struct want w;

	frame_syn4(&f, 23); /* 60 bytes of packet */
	f.bytes[14] = 0x4f; /* 60 bytes of header: options to the end */
	w = want_dark(&f);
	w.anomalies = bit(AG_ANOMALY_IP_OPTIONS) | bit(AG_ANOMALY_L4_TRUNCATED);
	SEND(sensor, &f, w);
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, DARK4, 17);
	frame_udp(&f, 1, 2);
	frame_end(&f);	    /* 28 bytes */
	f.bytes[14] = 0x48; /* 32 */
	w = want_dark(&f);
	w.anomalies = bit(AG_ANOMALY_IP_BAD_IHL) | bit(AG_ANOMALY_IP_BAD_LENGTH) | bit(AG_ANOMALY_L4_TRUNCATED);
	SEND(sensor, &f, w);
}

Test(parse, options_of_every_length)
{
	for (unsigned int options = 0; options <= 40; options += 4) {
		struct want w;

		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4_options(&f, SOURCE4, DARK4, 6, options);
		frame_tcp(&f, 40000, 23, 2);
		frame_end(&f);
		w = want_tcp(&f, AG_CLASS_SCAN);
		if (options)
			w.anomalies = bit(AG_ANOMALY_IP_OPTIONS);
		SEND(sensor, &f, w);
	}
}

Test(parse, fragments4)
{
	static const unsigned int later[] = {1, 2, 0xb9, 0x1fff, 0x2001, 0x3fff, 0x6001};
	struct want w;

	frame_syn4(&f, 23);
	frame_set16(&f, 20, 0x2000); /* first: more to come */
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_FRAGMENT_FIRST);
	SEND(sensor, &f, w);
	for (unsigned int i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		frame_set16(&f, 20, later[i]);
		w = want_dark(&f); /* no port is looked for in the middle of a datagram */
		w.anomalies = bit(AG_ANOMALY_FRAGMENT_LATER);
		SEND(sensor, &f, w);
	}
	frame_set16(&f, 20, 0x8000); /* the reserved bit says nothing */
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
}

Test(parse, first_fragment_of_udp_has_no_length_to_check)
{
	struct want w;

	frame_udp4(&f, 1, 9, "abcdefgh", 8);
	frame_set16(&f, 38, 4000); /* of the whole datagram */
	frame_set16(&f, 20, 0x2000);
	w = want_udp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_FRAGMENT_FIRST);
	SEND(sensor, &f, w);
	frame_set16(&f, 20, 0);
	w.anomalies = bit(AG_ANOMALY_UDP_BAD_LENGTH);
	SEND(sensor, &f, w);
}

Test(parse, protocols_by_number)
{
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		struct want w;

		if (protocol == 1 || protocol == 6 || protocol == 17)
			continue;
		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4(&f, SOURCE4, DARK4, protocol);
		frame_fill(&f, 0x55, 40);
		frame_end(&f);
		w = want_dark(&f); /* authentication headers of IPv4 are not walked */
		SEND(sensor, &f, w);
	}
}

Test(parse, looped_frames)
{
	static const uint8_t own[6] = {2, 0, 0, 0, 0, 2};
	struct ag_interface *i = &sensor_settings(sensor)->interfaces[0];

	memcpy(i->mac, own, 6);
	frame_syn4(&f, 23);
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN)); /* not known, not compared */
	i->mac_known = 1;
	SEND(sensor, &f, want_outcome(AG_OUTCOME_LOOPED));
	for (unsigned int k = 0; k < 6; k++) {
		i->mac[k] ^= 1;
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
		i->mac[k] ^= 1;
	}
	SEND_CUT(sensor, &f, 14, 14, want_outcome(AG_OUTCOME_LOOPED));
	SEND_CUT(sensor, &f, 13, 13, want_outcome(AG_OUTCOME_TRUNCATED_LINK));
}

Test(parse, feeds_that_drop)
{
	static const enum ag_feed feeds[] = {AG_FEED_OBSERVE, AG_FEED_ROUTED, AG_FEED_MIRROR, AG_FEED_TUNNEL};

	for (unsigned int i = 0; i < 4; i++) {
		sensor_settings(sensor)->interfaces[0].feed = (__u8)feeds[i];
		frame_syn4(&f, 23);
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
		frame_set32(&f, 30, 0x08080808); /* somebody else's */
		SEND(sensor, &f, want_outcome(AG_OUTCOME_NOT_DARK));
		frame_set16(&f, 12, 0x88cc);
		SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
	}
}

static void put_arp(uint32_t asked, unsigned int operation)
{
	frame_begin(&f);
	frame_ether(&f, 0x0806);
	frame_u16(&f, 1);
	frame_u16(&f, 0x0800);
	frame_u16(&f, 0x0604);
	frame_u16(&f, operation);
	frame_fill(&f, 2, 6);
	frame_u32(&f, SOURCE4);
	frame_fill(&f, 0, 6);
	frame_u32(&f, asked);
}

Test(parse, arp_for_a_dark_address)
{
	put_arp(DARK4, 1);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_ARP_DARK));
	for (unsigned int n = 14; n < 42; n++)
		SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_NON_IP));
	put_arp(0x08080808, 1);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
	put_arp(DARK4, 2);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
	put_arp(DARK4, 1);
	frame_set16(&f, 16, 0x86dd); /* not about IPv4 */
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
	put_arp(0xcb007141, 1); /* in a hole */
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
}
