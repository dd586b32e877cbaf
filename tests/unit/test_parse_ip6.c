// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse: IPv6, its chain of extension headers, its fragments, neighbour discovery.
 */
#include "sensor.h"

SENSOR_SUITE(parse_ip6);

static void begin(unsigned int next)
{
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dark6, next);
}

Test(parse_ip6, syn_of_every_length)
{
	for (unsigned int cut = 0; cut < 2; cut++) {
		frame_syn6(&f, 23);
		for (unsigned int n = 14; n <= f.n; n++) {
			struct want w = want_tcp(&f, n >= 68 ? AG_CLASS_SCAN : AG_CLASS_OTHER);

			if (n < 54)
				w = want_outcome(AG_OUTCOME_TRUNCATED_IP);
			w.has_port = n >= 58;
			w.has_flags = n >= 68;
			if (!cut && n < f.n)
				w.anomalies |= bit(AG_ANOMALY_IP_BAD_LENGTH);
			if (n < 74)
				w.anomalies |= bit(cut ? AG_ANOMALY_BEYOND_HEAD : AG_ANOMALY_L4_TRUNCATED);
			else if (n < f.n && !cut)
				w.anomalies |= bit(AG_ANOMALY_TCP_BAD_DOFF);
			SEND_CUT(sensor, &f, n, cut ? f.n : n, w);
		}
	}
}

Test(parse_ip6, payload_length_zero_and_long)
{
	struct want w;

	frame_syn6(&f, 23);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_IP_BAD_LENGTH);
	frame_set16(&f, 18, 0);
	SEND(sensor, &f, w); /* to the end of the frame, which is where it ended */
	frame_set16(&f, 18, 41);
	w.bytes = 81;
	SEND(sensor, &f, w);
	frame_set16(&f, 18, 19); /* the packet ends inside TCP, Ethernet padding follows */
	w.bytes = 59;
	w.anomalies = bit(AG_ANOMALY_L4_TRUNCATED);
	SEND(sensor, &f, w);
}

/* The eight that are walked, in turn. */
static const unsigned int kinds[] = {0, 43, 60, 135, 139, 140};

Test(parse_ip6, chains_of_zero_to_nine_headers)
{
	for (unsigned int headers = 0; headers <= 9; headers++) {
		struct want w;

		begin(headers ? kinds[0] : 6);
		for (unsigned int i = 1; i <= headers; i++)
			frame_extension(&f, i == headers ? 6 : kinds[i % 6], 1);
		frame_tcp(&f, 40000, 8080, 2);
		frame_end(&f);
		if (headers <= 8) {
			w = want_tcp(&f, AG_CLASS_SCAN);
		} else {
			w = want_dark(&f);
			w.protocol = kinds[8 % 6];
			w.anomalies = bit(AG_ANOMALY_EXT_CHAIN);
		}
		SEND(sensor, &f, w);
	}
}

Test(parse_ip6, every_kind_alone)
{
	for (unsigned int i = 0; i < 6; i++) {
		for (unsigned int words = 1; words <= 4; words++) {
			begin(kinds[i]);
			frame_extension(&f, 17, words);
			frame_udp(&f, 40000, 9999);
			frame_end(&f);
			SEND(sensor, &f, want_udp(&f, AG_CLASS_SCAN));
		}
	}
}

Test(parse_ip6, headers_that_are_not_walked)
{
	static const unsigned int others[] = {50, 59, 253, 254, 1, 136, 4};

	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		begin(others[i]);
		frame_extension(&f, 6, 1);
		frame_tcp(&f, 40000, 23, 2);
		frame_end(&f);
		SEND(sensor, &f, want_dark(&f));
	}
}

Test(parse_ip6, authentication_header_counts_in_words_of_four)
{
	for (unsigned int words = 1; words <= 6; words++) {
		begin(51);
		frame_u8(&f, 6);
		frame_u8(&f, words); /* RFC 4302: length in 32-bit words minus 2 */
		frame_fill(&f, 0xaa, 4 * (words + 2) - 2);
		frame_tcp(&f, 40000, 443, 2);
		frame_end(&f);
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	}
}

Test(parse_ip6, header_that_ends_behind_the_packet)
{
	struct want w;

	begin(0);
	frame_extension(&f, 6, 1);
	f.bytes[55] = 200; /* 201 words */
	frame_tcp(&f, 40000, 443, 2);
	frame_end(&f);
	w = want_dark(&f);
	w.protocol = 6;
	w.anomalies = bit(AG_ANOMALY_L4_TRUNCATED);
	SEND(sensor, &f, w);
	f.bytes[54] = 60; /* and another header behind */
	w.protocol = 60;
	w.anomalies = bit(AG_ANOMALY_EXT_CHAIN);
	SEND(sensor, &f, w);
}

Test(parse_ip6, chain_cut_at_every_length)
{
	for (unsigned int cut = 0; cut < 2; cut++) {
		begin(0);
		frame_extension(&f, 60, 1);
		frame_extension(&f, 6, 2);
		frame_tcp(&f, 40000, 443, 2);
		frame_end(&f);
		for (unsigned int n = 54; n < 78; n++) {
			struct want w = want_dark(&f);

			w.protocol = n < 62 ? 0 : n < 70 ? 60 : 6;
			w.anomalies = cut ? 0 : bit(AG_ANOMALY_IP_BAD_LENGTH);
			if (n < 70)
				w.anomalies |= bit(cut ? AG_ANOMALY_BEYOND_HEAD : AG_ANOMALY_EXT_CHAIN);
			else
				w.anomalies |= bit(cut ? AG_ANOMALY_BEYOND_HEAD : AG_ANOMALY_L4_TRUNCATED);
			SEND_CUT(sensor, &f, n, cut ? f.n : n, w);
		}
	}
}

Test(parse_ip6, transport_beyond_the_head)
{
	/* The transport header begins at 78 + 8 * words and is inside while its bytes are inside the first 256.
	 */
	for (unsigned int words = 20; words <= 24; words++) {
		unsigned int l4;
		struct want w;

		begin(60);
		frame_extension(&f, 6, words);
		l4 = f.n;
		frame_tcp_options(&f, 40000, 443, 1, 2, 1000, linux_options, 20);
		frame_end(&f);
		w = want_tcp(&f, l4 + 14 <= 256 ? AG_CLASS_SCAN : AG_CLASS_OTHER);
		w.has_port = l4 + 4 <= 256;
		w.has_flags = l4 + 14 <= 256;
		if (l4 + 20 > 256)
			w.anomalies = bit(AG_ANOMALY_BEYOND_HEAD);
		SEND(sensor, &f, w);
	}
	/* An extension header may lie there too. */
	for (unsigned int i = 0; i < 2; i++) {
		struct want w;

		begin(60);
		frame_extension(&f, 43, i ? 25 : 24);
		frame_extension(&f, 17, 1);
		frame_udp(&f, 1, 2);
		frame_end(&f);
		w = want_dark(&f);
		w.protocol = i ? 43 : 17;
		w.anomalies = bit(AG_ANOMALY_BEYOND_HEAD);
		SEND(sensor, &f, w);
	}
}

Test(parse_ip6, fragments)
{
	struct want w;

	for (unsigned int offset = 0; offset < 3; offset++) {
		for (unsigned int more = 0; more < 2; more++) {
			begin(44);
			frame_fragment6(&f, 17, offset * 185, more);
			frame_udp(&f, 5353, 7777);
			frame_end(&f);
			if (offset) {
				w = want_dark(&f);
				w.protocol = 17; /* what the fragment header says */
				w.anomalies = bit(AG_ANOMALY_FRAGMENT_LATER);
			} else {
				w = want_udp(&f, AG_CLASS_SCAN); /* atomic when nothing follows (RFC 6946) */
				w.anomalies = more ? bit(AG_ANOMALY_FRAGMENT_FIRST) : 0;
			}
			SEND(sensor, &f, w);
		}
	}
	begin(44);
	frame_fragment6(&f, 60, 0, 1);
	frame_extension(&f, 6, 1);
	frame_tcp(&f, 1000, 2000, 2);
	frame_end(&f);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_FRAGMENT_FIRST);
	SEND(sensor, &f, w);
	/* What looks like a length in a fragment header is reserved. */
	f.bytes[55] = 99;
	SEND(sensor, &f, w);
}

static void put_solicitation(const uint8_t dst[16], const uint8_t asked[16], unsigned int type)
{
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dst, 58);
	frame_icmp(&f, type, 0);
	frame_bytes(&f, asked, 16);
	frame_end(&f);
}

Test(parse_ip6, neighbour_solicitation_for_a_dark_address)
{
	static const uint8_t group[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0x35};
	static const uint8_t hole[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1};

	put_solicitation(group, dark6, 135);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_ARP_DARK));
	SEND_CUT(sensor, &f, f.n - 1, f.n, want_outcome(AG_OUTCOME_NOT_DARK));
	put_solicitation(group, dark6, 136);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NOT_DARK));
	put_solicitation(group, hole, 135);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NOT_DARK));
	/* Sent to the dark address itself it is a packet to it. */
	put_solicitation(dark6, dark6, 135);
	SEND(sensor, &f, want_icmp(&f, AG_CLASS_OTHER));
}

/* A payload length of 0: nothing follows, a jumbogram, or a lie. */
Test(parse_ip6, payload_length_of_zero)
{
	for (unsigned int kind = 0; kind < 4; kind++) {
		struct want w;

		frame_begin(&f);
		frame_ether(&f, 0x86dd);
		frame_ip6(&f, source6, dark6, kind == 0 ? 59 : kind == 3 ? 17 : 0);
		if (kind) {
			frame_u8(&f, 59);
			frame_u8(&f, 0);
			frame_u16(&f, kind == 1 ? 0xc204 : 0x0104);
			frame_u32(&f, 8);
		}
		frame_end(&f);
		frame_set16(&f, 18, 0);
		w = want_dark(&f);
		w.protocol = kind == 3 ? 17 : 59;
		w.bytes = kind ? 48 : 40;
		if (kind == 3) {
			w.has_port = true;
			w.port = 0x0104;
			w.class = AG_CLASS_SCAN;
			w.anomalies = bit(AG_ANOMALY_UDP_BAD_LENGTH);
		}
		if (kind >= 2)
			w.anomalies |= bit(AG_ANOMALY_IP_BAD_LENGTH);
		SEND(sensor, &f, w);
	}
}
