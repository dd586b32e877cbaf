// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse: TCP, UDP and ICMP headers that lie, and the header that an ICMP error quotes.
 */
#include "sensor.h"

SENSOR_SUITE(parse_transport);

static void begin(unsigned int protocol)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, DARK4, protocol);
}

Test(parse_transport, data_offset_that_lies)
{
	for (unsigned int words = 0; words < 16; words++) {
		struct want w;

		begin(6);
		frame_tcp(&f, 40000, 7547, 2);
		frame_end(&f); /* 10 words of TCP */
		f.bytes[f.l4 + 12] = (uint8_t)(words << 4);
		w = want_tcp(&f, AG_CLASS_SCAN); /* still a SYN to that port */
		if (words < 5 || words > 10)
			w.anomalies = bit(AG_ANOMALY_TCP_BAD_DOFF);
		else if (words < 10)
			w.anomalies = bit(AG_ANOMALY_SYN_PAYLOAD);
		if (words == 5) {
			w.has_tool = true;
			w.tool = AG_TOOL_IRREGULAR_SYN;
		}
		if (words == 7 || words == 8) /* the timestamps then end behind the options */
			w.anomalies |= bit(AG_ANOMALY_TCP_BAD_OPTIONS);
		SEND(sensor, &f, w);
	}
}

Test(parse_transport, options_of_impossible_length)
{
	static const struct {
		uint8_t options[8];
		bool bad;
	} cases[] = {
		{{2, 4, 5, 0xb4, 1, 1, 1, 1}, false}, {{2, 0, 5, 0xb4, 1, 1, 1, 1}, true},
		{{2, 1, 5, 0xb4, 1, 1, 1, 1}, true},  {{2, 9, 5, 0xb4, 1, 1, 1, 1}, true},
		{{2, 8, 5, 0xb4, 1, 1, 1, 1}, false}, {{1, 1, 1, 1, 1, 1, 1, 2}, true},
		{{0, 2, 0, 0, 0, 0, 0, 0}, false},    {{1, 1, 1, 1, 1, 1, 3, 3}, true},
		{{254, 255, 0, 0, 0, 0, 0, 0}, true}, {{254, 8, 0, 0, 0, 0, 0, 0}, false},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct want w;

		begin(6);
		frame_tcp_options(&f, 40000, 22, 7, 2, 64240, cases[i].options, 8);
		frame_end(&f);
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.anomalies = cases[i].bad ? bit(AG_ANOMALY_TCP_BAD_OPTIONS) : 0;
		SEND(sensor, &f, w);
		/* Only a SYN's options are looked at. */
		f.bytes[f.l4 + 13] = 0x10;
		w = want_tcp(&f, AG_CLASS_OTHER);
		SEND(sensor, &f, w);
	}
}

Test(parse_transport, syn_with_data)
{
	static const unsigned int flags[] = {0x02, 0x12, 0x06, 0x0a, 0x42, 0x10};

	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool pure = (flags[i] & 2) && !(flags[i] & 0x14);
		struct want w;

		begin(6);
		frame_tcp(&f, 40000, 22, flags[i]);
		frame_fill(&f, 'x', 3);
		frame_end(&f);
		w = want_tcp(&f, pure		    ? AG_CLASS_SCAN
				 : flags[i] == 0x12 ? AG_CLASS_BACKSCATTER
						    : AG_CLASS_OTHER);
		w.anomalies = pure ? bit(AG_ANOMALY_SYN_PAYLOAD) : 0;
		SEND(sensor, &f, w);
	}
}

Test(parse_transport, port_zero)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct want w;

		begin(6);
		frame_tcp(&f, i & 1 ? 0 : 1024, i & 2 ? 0 : 65535, 2);
		frame_end(&f);
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.anomalies = i ? bit(AG_ANOMALY_PORT_ZERO) : 0;
		SEND(sensor, &f, w);
		begin(17);
		frame_udp(&f, i & 1 ? 0 : 1024, i & 2 ? 0 : 65535);
		frame_end(&f);
		w = want_udp(&f, AG_CLASS_SCAN);
		w.anomalies = i ? bit(AG_ANOMALY_PORT_ZERO) : 0;
		SEND(sensor, &f, w);
	}
}

Test(parse_transport, every_port)
{
	for (unsigned int port = 1; port < 65536; port += 251) {
		frame_syn4(&f, port);
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
		frame_udp4(&f, 40000, port, NULL, 0);
		SEND(sensor, &f, want_udp(&f, AG_CLASS_SCAN));
	}
	frame_syn4(&f, 65535);
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
}

Test(parse_transport, udp_length_that_lies)
{
	for (unsigned int length = 0; length <= 20; length++) {
		struct want w;

		frame_udp4(&f, 40000, 33434, "0123456789", 10);
		frame_set16(&f, f.l4 + 4, length);
		w = want_udp(&f, AG_CLASS_SCAN);
		if (length < 8 || length > 18)
			w.anomalies = bit(AG_ANOMALY_UDP_BAD_LENGTH);
		SEND(sensor, &f, w);
	}
}

Test(parse_transport, every_kind_of_icmp)
{
	static const unsigned int requests[] = {8, 13, 15, 17, 42},
				  replies[] = {0, 3, 4, 5, 11, 12, 14, 16, 18, 43};

	for (unsigned int type = 0; type < 256; type++) {
		enum ag_class class = AG_CLASS_OTHER;

		for (unsigned int i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
			if (requests[i] == type)
				class = AG_CLASS_SCAN;
		for (unsigned int i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
			if (replies[i] == type)
				class = AG_CLASS_BACKSCATTER;
		begin(1);
		frame_icmp(&f, type, type * 7 & 0xff);
		frame_end(&f);
		SEND(sensor, &f, want_icmp(&f, class));
	}
}

Test(parse_transport, every_kind_of_icmp6)
{
	static const unsigned int replies[] = {1, 2, 3, 4, 129, 140, 161};

	for (unsigned int type = 0; type < 256; type++) {
		enum ag_class class =
			type == 128 || type == 139 || type == 160 ? AG_CLASS_SCAN : AG_CLASS_OTHER;

		for (unsigned int i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
			if (replies[i] == type)
				class = AG_CLASS_BACKSCATTER;
		frame_begin(&f);
		frame_ether(&f, 0x86dd);
		frame_ip6(&f, source6, dark6, 58);
		frame_icmp(&f, type, type * 5 & 0xff);
		frame_end(&f);
		SEND(sensor, &f, want_icmp(&f, class));
	}
}

Test(parse_transport, icmp_of_the_other_family_is_a_number)
{
	begin(58);
	frame_icmp(&f, 128, 0);
	frame_end(&f);
	SEND(sensor, &f, want_dark(&f));
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dark6, 1);
	frame_icmp(&f, 8, 0);
	frame_end(&f);
	SEND(sensor, &f, want_dark(&f));
}

/* An error that quotes a packet from `src`. */
static void put_error4(unsigned int type, uint32_t src)
{
	begin(1);
	frame_icmp(&f, type, 1);
	frame_u32(&f, 0x4500001c);
	frame_fill(&f, 0, 8);
	frame_u32(&f, src);
	frame_u32(&f, SOURCE4);
	frame_u16(&f, 4000);
	frame_u16(&f, 53);
	frame_fill(&f, 0, 4);
	frame_end(&f);
}

Test(parse_transport, quoted_source_is_compared)
{
	static const unsigned int errors[] = {3, 4, 5, 11, 12};

	for (unsigned int i = 0; i < 5; i++) {
		struct want w;

		put_error4(errors[i], DARK4);
		SEND(sensor, &f, want_icmp(&f, AG_CLASS_BACKSCATTER));
		put_error4(errors[i], DARK4 + 1);
		w = want_icmp(&f, AG_CLASS_BACKSCATTER);
		w.anomalies = bit(AG_ANOMALY_QUOTE_MISMATCH);
		SEND(sensor, &f, w);
		/* Not IPv4, or cut off: nothing is said. */
		f.bytes[f.l4 + 8] = 0x65;
		SEND(sensor, &f, want_icmp(&f, AG_CLASS_BACKSCATTER));
		put_error4(errors[i], DARK4 + 1);
		SEND_CUT(sensor, &f, f.l4 + 27, f.n, want_icmp(&f, AG_CLASS_BACKSCATTER));
	}
	put_error4(8, DARK4 + 1); /* a request quotes nothing */
	SEND(sensor, &f, want_icmp(&f, AG_CLASS_SCAN));
}

Test(parse_transport, quoted_source_is_compared_in_ip6)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct want w;

		frame_begin(&f);
		frame_ether(&f, 0x86dd);
		frame_ip6(&f, source6, dark6, 58);
		frame_icmp(&f, 1, 4);
		frame_u32(&f, i == 2 ? 0x40000000 : 0x60000000);
		frame_fill(&f, 0, 4);
		frame_bytes(&f, i ? source6 : dark6, 16);
		frame_bytes(&f, source6, 16);
		frame_end(&f);
		w = want_icmp(&f, AG_CLASS_BACKSCATTER);
		w.anomalies = i == 1 ? bit(AG_ANOMALY_QUOTE_MISMATCH) : 0;
		SEND(sensor, &f, w);
	}
}
