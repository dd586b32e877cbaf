// SPDX-License-Identifier: GPL-2.0-only
/*
 * classify: TCP flags, sending programs, spoof hints. UDP services in test_service.c, ICMP in
 * test_parse_transport.c.
 */
#include "sensor.h"

SENSOR_SUITE(classify);

/* From the definitions, by name of flags, not by mask. */
static enum ag_class class_of_flags(unsigned int flags)
{
	bool fin = flags & 1, syn = flags & 2, rst = flags & 4, psh = flags & 8, ack = flags & 16,
	     urg = flags & 32;

	if (syn && !ack && !fin && !rst)
		return AG_CLASS_SCAN;
	if (!fin && !syn && !rst && !psh && !ack && !urg)
		return AG_CLASS_SCAN; /* NULL */
	if (fin && !syn && !rst && !psh && !ack && !urg)
		return AG_CLASS_SCAN; /* FIN */
	if (fin && psh && urg && !syn && !rst && !ack)
		return AG_CLASS_SCAN; /* XMAS */
	if (syn && ack && !fin && !rst)
		return AG_CLASS_BACKSCATTER;
	if (rst && !syn && !fin)
		return AG_CLASS_BACKSCATTER; /* RST, RST-ACK */
	return AG_CLASS_OTHER;
}

Test(classify, every_combination_of_tcp_flags)
{
	for (unsigned int flags = 0; flags < 256; flags++) {
		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4(&f, SOURCE4, DARK4, 6);
		frame_tcp(&f, 443, 40000, flags);
		frame_end(&f);
		SEND(sensor, &f, want_tcp(&f, class_of_flags(flags)));
	}
}

/* A SYN of a program: header fields that the rules look at. */
struct syn {
	uint32_t dst, seq;
	unsigned int dport, id, window, ttl, flags, df;
	uint8_t options[20];
	unsigned int options_bytes;
};

static const struct syn ordinary = {
	.dst = DARK4,
	.seq = 0x01020304,
	.dport = 22,
	.id = 0x1111,
	.window = 64240,
	.ttl = 50,
	.flags = 2,
	.df = 1,
	.options = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7},
	.options_bytes = 20,
};

static void put_syn(const struct syn *s)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, s->dst, 6);
	frame_set16(&f, f.ip + 4, s->id);
	frame_set16(&f, f.ip + 6, s->df ? 0x4000 : 0);
	f.bytes[f.ip + 8] = (uint8_t)s->ttl;
	frame_tcp_options(&f, 50000, s->dport, s->seq, s->flags, s->window, s->options, s->options_bytes);
	frame_end(&f);
}

/* tool: AG_TOOL_NONE for none. */
static void check_tool(const struct syn *s, enum ag_tool tool, int line)
{
	struct want w;

	put_syn(s);
	w = want_tcp(&f, class_of_flags(s->flags));
	w.has_tool = tool != AG_TOOL_NONE;
	w.tool = tool;
	sensor_check(sensor, &f, f.n, f.n, w, __FILE__, line);
}

#define TOOL(syn, tool) check_tool(&(syn), tool, __LINE__)

Test(classify, an_ordinary_syn_is_no_tools)
{
	TOOL(ordinary, AG_TOOL_NONE);
}

Test(classify, mirai)
{
	struct syn s = ordinary;

	s.seq = 0xc6336407; /* the destination */
	TOOL(s, AG_TOOL_MIRAI);
	s.seq++;
	TOOL(s, AG_TOOL_NONE);
	s.seq--;
	s.flags = 0x42; /* exactly SYN */
	TOOL(s, AG_TOOL_NONE);
	s.flags = 0x12;
	TOOL(s, AG_TOOL_NONE);
	s = ordinary;
	s.options_bytes = 0; /* as the real one sends it */
	s.seq = DARK4;
	TOOL(s, AG_TOOL_MIRAI);
}

Test(classify, mirai_pair_of_another_address)
{
	struct sensor *everywhere = sensor_new_everywhere();
	struct syn s = ordinary;

	for (unsigned int i = 0; i < 2; i++) {
		struct want w;

		s.dst = 0x3443e898; /* 52.67.232.152 */
		s.seq = 876865688 + i;
		put_syn(&s);
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.scope = 0;
		w.has_tool = !i;
		w.tool = AG_TOOL_MIRAI;
		sensor_check(everywhere, &f, f.n, f.n, w, __FILE__, __LINE__);
	}
	sensor_free(everywhere);
}

Test(classify, masscan)
{
	struct syn s = ordinary;

	s.dport = 80;
	s.seq = 0x12345678;
	s.id = 0x322f;
	TOOL(s, AG_TOOL_MASSCAN);
	s.id = 0x322e;
	TOOL(s, AG_TOOL_NONE);
	s.id = 0x322f;
	s.dport = 81;
	TOOL(s, AG_TOOL_NONE);
	s.dport = 80;
	s.seq ^= 1;
	TOOL(s, AG_TOOL_NONE);
	s.seq ^= 0x10001; /* the upper half of the sequence number is not in the formula */
	TOOL(s, AG_TOOL_MASSCAN);
	s.dst++;
	TOOL(s, AG_TOOL_NONE);
	s.dst--;
	s.flags = 0x10;
	TOOL(s, AG_TOOL_NONE);
}

Test(classify, zmap)
{
	struct syn s = ordinary;

	s.id = 54321;
	TOOL(s, AG_TOOL_ZMAP);
	s.id = 54322;
	TOOL(s, AG_TOOL_NONE);
	s.id = 54321;
	s.flags = 1; /* a FIN probe is no SYN */
	TOOL(s, AG_TOOL_NONE);
}

static struct syn syn_of_nmap(void)
{
	static const uint8_t mss[4] = {2, 4, 5, 0xb4};
	struct syn s = ordinary;

	s.window = 1024;
	s.df = 0;
	memcpy(s.options, mss, 4);
	s.options_bytes = 4;
	return s;
}

Test(classify, nmap)
{
	struct syn s = syn_of_nmap();

	TOOL(s, AG_TOOL_NMAP);
	s.ttl = 59;
	TOOL(s, AG_TOOL_NMAP);
	s.ttl = 60;
	TOOL(s, AG_TOOL_NONE);
	s = syn_of_nmap();
	s.window = 1025;
	TOOL(s, AG_TOOL_NONE);
	s = syn_of_nmap();
	s.options[3] = 0xb3; /* MSS 1459 */
	TOOL(s, AG_TOOL_NONE);
	s = syn_of_nmap();
	memcpy(s.options + 4, (uint8_t[4]){1, 3, 3, 7}, 4); /* a scale besides */
	s.options_bytes = 8;
	TOOL(s, AG_TOOL_NONE);
}

static struct syn syn_of_zmap4(void)
{
	static const uint8_t options[12] = {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};
	struct syn s = ordinary;

	s.window = 65535;
	s.df = 0;
	memcpy(s.options, options, 12);
	s.options_bytes = 12;
	return s;
}

Test(classify, zmap4)
{
	struct syn s = syn_of_zmap4();

	TOOL(s, AG_TOOL_ZMAP4);
	s.ttl = 64;
	TOOL(s, AG_TOOL_ZMAP4);
	s.ttl = 65;
	TOOL(s, AG_TOOL_NONE);
	s = syn_of_zmap4();
	s.df = 1; /* a real Windows */
	TOOL(s, AG_TOOL_NONE);
	s = syn_of_zmap4();
	s.window = 64240;
	TOOL(s, AG_TOOL_NONE);
	s = syn_of_zmap4();
	s.options[4] = 3; /* another order of kinds */
	s.options[5] = 3;
	s.options[6] = 8;
	s.options[7] = 1;
	TOOL(s, AG_TOOL_NONE);
}

Test(classify, hping)
{
	struct syn s = ordinary;

	s.window = 512;
	s.options_bytes = 0;
	s.ttl = 64;
	TOOL(s, AG_TOOL_HPING);
	s.ttl = 65;
	TOOL(s, AG_TOOL_IRREGULAR_SYN);
	s.ttl = 64;
	s.window = 513;
	TOOL(s, AG_TOOL_IRREGULAR_SYN);
	s.window = 512;
	s.options_bytes = 20;
	TOOL(s, AG_TOOL_NONE);
}

Test(classify, irregular_syn)
{
	struct syn s = ordinary;

	s.options_bytes = 0;
	TOOL(s, AG_TOOL_IRREGULAR_SYN);
	s = ordinary;
	s.ttl = 200;
	TOOL(s, AG_TOOL_NONE);
	s.ttl = 201;
	TOOL(s, AG_TOOL_IRREGULAR_SYN);
	s.flags = 0x12;
	TOOL(s, AG_TOOL_NONE);
}

Test(classify, options_that_were_not_captured_say_nothing)
{
	struct want w;

	put_syn(&ordinary);
	for (unsigned int n = 48; n < f.n; n++) {
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.anomalies = n < 54 ? bit(AG_ANOMALY_BEYOND_HEAD) : 0;
		SEND_CUT(sensor, &f, n, f.n, w);
	}
}

Test(classify, order_of_the_rules)
{
	struct syn s = syn_of_nmap();

	s.seq = DARK4;
	s.id = 54321;
	s.dport = 54321; /* for seq = destination, masscan's formula is ID = port */
	TOOL(s, AG_TOOL_MIRAI);
	s.seq = 0x01010000 | (DARK4 & 0xffff); /* lower half alone: masscan still */
	TOOL(s, AG_TOOL_MASSCAN);
	s.dport = 22;
	TOOL(s, AG_TOOL_ZMAP);
	s.id = 1;
	TOOL(s, AG_TOOL_NMAP);
}

Test(classify, rules_of_ipv4_do_not_hold_in_ip6)
{
	frame_syn6(&f, 23);
	frame_set32(&f, f.l4 + 4, 0x00000035); /* the lowest 32 bits of the destination */
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dark6, 6);
	frame_tcp_options(&f, 1024, 23, 9, 2, 512, NULL, 0);
	frame_end(&f);
	{
		struct want w = want_tcp(&f, AG_CLASS_SCAN);

		w.has_tool = true;
		w.tool = AG_TOOL_HPING;
		SEND(sensor, &f, w);
	}
}

/* First and last address of blocks of the special-purpose registries, and their neighbours. */
static const struct {
	uint32_t first, last;
} special4[] = {
	{0x00000000, 0x00ffffff}, {0x0a000000, 0x0affffff}, {0x64400000, 0x647fffff}, {0x7f000000, 0x7fffffff},
	{0xa9fe0000, 0xa9feffff}, {0xac100000, 0xac1fffff}, {0xc0000000, 0xc00000ff}, {0xc0000200, 0xc00002ff},
	{0xc0a80000, 0xc0a8ffff}, {0xc6120000, 0xc613ffff}, {0xc6336400, 0xc63364ff}, {0xcb007100, 0xcb0071ff},
	{0xe0000000, 0xffffffff},
};

static void send_from(uint32_t src, bool bogon, bool dark)
{
	struct want w;

	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, src, 0x2d3c0101, 6); /* scope 4 */
	frame_tcp(&f, 1, 2, 2);
	frame_end(&f);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.scope = 4;
	w.anomalies = (bogon ? bit(AG_ANOMALY_SRC_BOGON) : 0) | (dark ? bit(AG_ANOMALY_SRC_DARK) : 0);
	SEND(sensor, &f, w);
}

Test(classify, sources_of_the_special_purpose_registries)
{
	for (unsigned int i = 0; i < sizeof(special4) / sizeof(special4[0]); i++) {
		/* 198.51.100.0/24 and the first half of 203.0.113.0/24 are dark here as well */
		bool dark = i == 10 || i == 11;

		send_from(special4[i].first, true, dark);
		send_from(special4[i].last, true, i == 10);
		if (special4[i].first && i)
			send_from(special4[i].first - 1, false, false);
		if (special4[i].last != 0xffffffff)
			send_from(special4[i].last + 1, false, false);
	}
	send_from(0xc0000008, true, false);
	send_from(0xc0000009, false, false); /* anycast of PCP and TURN */
	send_from(0xc000000a, false, false);
	send_from(0xc000000b, true, false);
	send_from(0x2d3c00ff, false, true);  /* another dark address */
	send_from(0x2d3c0200, false, false); /* just outside */
	send_from(0xcb007141, true, false);  /* in a hole */
}

Test(classify, source_is_destination)
{
	struct want w;

	frame_syn4(&f, 23);
	frame_set32(&f, 26, DARK4);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_SRC_IS_DST) | bit(AG_ANOMALY_SRC_BOGON) | bit(AG_ANOMALY_SRC_DARK);
	SEND(sensor, &f, w);
	frame_syn6(&f, 23);
	memcpy(f.bytes + 22, dark6, 16);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_SRC_IS_DST) | bit(AG_ANOMALY_SRC_BOGON) | bit(AG_ANOMALY_SRC_DARK);
	SEND(sensor, &f, w);
	f.bytes[37] ^= 1; /* the other half alone differs */
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_SRC_BOGON) | bit(AG_ANOMALY_SRC_DARK);
	SEND(sensor, &f, w);
}

Test(classify, sources_of_ip6)
{
	static const struct {
		uint8_t src[16];
		bool bogon;
	} cases[] = {
		{{0x20, 0x01, 0x0d, 0xb7, 0xff, 0xff}, false},
		{{0x20, 0x01, 0x0d, 0xb8, 2}, true},
		{{0x20, 0x01, 0x0d, 0xb9}, false},
		{{0x20, 0x01, 0x00, 0x10}, true},
		{{0x20, 0x01, 0x00, 0x1f}, true},
		{{0x20, 0x01, 0x00, 0x20}, false},
		{{0x20, 0x01, 0x00, 0x0f}, false},
		{{0x3f, 0xff, 0x00}, true},
		{{0x3f, 0xff, 0x0f, 0xff}, true},
		{{0x3f, 0xff, 0x10}, false},
		{{0x3f, 0xfe}, false},
		{{0xfe, 0x80}, true},
		{{0xfc, 0x00}, true},
		{{0xff, 0x02}, true},
		{{0}, true},
		{{0x00, 0x64, 0xff, 0x9b}, false},
		{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, true},
		{{0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 1}, true},
		{{0x20, 0x01, 0x00, 0x02}, true},
		{{0x20, 0x01, 0x00, 0x02, 0x00, 0x01}, false},
		{{0x00, 0x64, 0xff, 0x9c}, true},
		{{0x40, 0x00}, true},
		{{0x26, 0x00}, false},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct want w;

		frame_syn6(&f, 23);
		memcpy(f.bytes + 22, cases[i].src, 16);
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.anomalies = cases[i].bogon ? bit(AG_ANOMALY_SRC_BOGON) : 0;
		SEND(sensor, &f, w);
	}
}

Test(classify, with_every_destination_no_source_is_dark)
{
	struct sensor *everywhere = sensor_new_everywhere();
	struct want w;

	frame_syn4(&f, 23);
	frame_set32(&f, 26, DARK4 + 1);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.scope = 0;
	w.anomalies = bit(AG_ANOMALY_SRC_BOGON);
	sensor_check(everywhere, &f, f.n, f.n, w, __FILE__, __LINE__);
	sensor_free(everywhere);
}
