// SPDX-License-Identifier: GPL-2.0-only
/*
 * parse: tunnels are opened for the configured outer sources only; everything else about them is refused or is
 * a packet to its outer destination.
 */
#include "sensor.h"

#define ROUTER	  0x05060708u /* 5.6.7.8, allowed */
#define STRANGER  0x05060808u /* beside the allowed /24 */
#define COLLECTOR 0x2d3c0001u /* 45.60.0.1: itself dark, scope 4 */
#define ANYWHERE  0x08080808u

static const uint8_t router6[16] = {0x2a, 0, 0x11, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t collector6[16] = {0x2a, 0, 0x22, 0x22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

SENSOR_SUITE(tunnel);

/* Allows 5.6.7.0/24 to any address, with a key or any. */
static struct ag_decap *allow(enum ag_decap_type type, bool with_key, uint32_t key)
{
	struct ag_settings *s = sensor_settings(sensor);
	struct ag_decap *d = &s->decap[s->decaps++];

	*d = (struct ag_decap){.type = (__u8)type,
			       .family = 4,
			       .from_len = 24,
			       .to_any = 1,
			       .key = key,
			       .key_any = !with_key,
			       .from = {5, 6, 7, 0}};
	return d;
}

static void begin(uint32_t src, uint32_t dst, unsigned int protocol)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, src, dst, protocol);
}

static void inner_syn(void)
{
	frame_ip4(&f, SOURCE4, DARK4, 6);
	frame_tcp(&f, 40000, 23, 2);
	frame_end(&f);
}

static void put_gre(unsigned int flags, unsigned int type, uint32_t key)
{
	frame_u16(&f, flags);
	frame_u16(&f, type);
	if (flags & 0x8000)
		frame_u32(&f, 0xdead0000);
	if (flags & 0x2000)
		frame_u32(&f, key);
	if (flags & 0x1000)
		frame_u32(&f, 42);
}

/* What a tunnel packet counts as that is not opened. */
static struct want want_outer(unsigned int scope)
{
	struct frame outer = f;
	struct want w;

	outer.ip = 14;
	outer.family = f.bytes[12] == 8 ? 4 : 6;
	w = want_dark(&outer);
	w.scope = scope;
	return w;
}

Test(tunnel, gre_checksum_key_and_sequence)
{
	allow(AG_DECAP_GRE, false, 0);
	for (unsigned int i = 0; i < 8; i++) {
		begin(ROUTER, ANYWHERE, 47);
		put_gre((i & 1 ? 0x8000 : 0) | (i & 2 ? 0x2000 : 0) | (i & 4 ? 0x1000 : 0), 0x0800, 7);
		inner_syn();
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	}
}

Test(tunnel, gre_carries_ip6_and_ethernet)
{
	allow(AG_DECAP_GRE, false, 0);
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0, 0x86dd, 0);
	frame_ip6(&f, source6, dark6, 17);
	frame_udp(&f, 4000, 9999);
	frame_end(&f);
	SEND(sensor, &f, want_udp(&f, AG_CLASS_SCAN));
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0, 0x6558, 0);
	frame_ether(&f, 0x8100);
	frame_tag(&f, 9, 0x0800);
	inner_syn();
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0, 0x88cc, 0);
	frame_fill(&f, 0, 40);
	frame_end(&f);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
}

Test(tunnel, gre_key_must_fit)
{
	static const struct {
		unsigned int flags;
		uint32_t key;
		bool fits;
	} cases[] = {
		{0x2000, 0x01020304, true}, {0x2000, 0x01020305, false}, {0, 0, false}, {0x1000, 0, false}};

	allow(AG_DECAP_GRE, true, 0x01020304);
	for (unsigned int i = 0; i < 4; i++) {
		begin(ROUTER, ANYWHERE, 47);
		put_gre(cases[i].flags, 0x0800, cases[i].key);
		inner_syn();
		SEND(sensor, &f,
		     cases[i].fits ? want_tcp(&f, AG_CLASS_SCAN) : want_outcome(AG_OUTCOME_DECAP_REFUSED));
	}
	/* Another line with the other key. */
	allow(AG_DECAP_GRE, true, 0x01020305);
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0x2000, 0x0800, 0x01020305);
	inner_syn();
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
}

Test(tunnel, gre_version_and_cut_off_header)
{
	allow(AG_DECAP_GRE, false, 0);
	for (unsigned int version = 1; version < 8; version++) {
		begin(ROUTER, ANYWHERE, 47);
		put_gre(version, 0x0800, 0);
		inner_syn();
		SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	}
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0x4000, 0x0800, 0); /* source routing */
	inner_syn();
	SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0x2000, 0x0800, 7);
	inner_syn();
	for (unsigned int n = 34; n < 42; n++)
		SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	for (unsigned int n = 42; n < 62; n++)
		SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_TRUNCATED_IP));
}

Test(tunnel, nobody_else_is_opened)
{
	allow(AG_DECAP_GRE, false, 0);
	allow(AG_DECAP_VXLAN, false, 0);
	allow(AG_DECAP_IPIP, false, 0);
	begin(STRANGER, ANYWHERE, 47);
	put_gre(0, 0x0800, 0);
	inner_syn();
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NOT_DARK));
	begin(STRANGER, COLLECTOR, 47);
	put_gre(0, 0x0800, 0);
	inner_syn();
	SEND(sensor, &f, want_outer(4));
	begin(STRANGER, COLLECTOR, 4);
	inner_syn();
	SEND(sensor, &f, want_outer(4));
	begin(STRANGER, DARK4, 17);
	frame_udp(&f, 1, 4789);
	frame_u32(&f, 0x08000000);
	frame_u32(&f, 0);
	frame_ether(&f, 0x0800);
	f.l4 = 34;
	frame_end(&f);
	SEND(sensor, &f, want_udp(&f, AG_CLASS_SCAN));
}

Test(tunnel, without_configuration_nothing_is_opened)
{
	begin(ROUTER, COLLECTOR, 47);
	put_gre(0, 0x0800, 0);
	inner_syn();
	SEND(sensor, &f, want_outer(4));
}

Test(tunnel, the_outer_destination_may_be_named)
{
	struct ag_decap *d = allow(AG_DECAP_GRE, false, 0);

	d->to_any = 0;
	memcpy(d->to, (uint8_t[4]){45, 60, 0, 1}, 4);
	begin(ROUTER, COLLECTOR, 47);
	put_gre(0, 0x0800, 0);
	inner_syn();
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	begin(ROUTER, COLLECTOR + 1, 47);
	put_gre(0, 0x0800, 0);
	inner_syn();
	SEND(sensor, &f, want_outer(4));
}

Test(tunnel, prefixes_of_outer_sources)
{
	static const unsigned int lengths[] = {0, 1, 8, 23, 24, 31, 32};

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t mask = lengths[i] ? 0xffffffffu << (32 - lengths[i]) : 0;
		struct ag_decap *d;

		sensor_settings(sensor)->decaps = 0;
		d = allow(AG_DECAP_IPIP, false, 0);
		d->from_len = (__u8)lengths[i];
		for (unsigned int k = 0; k < 4; k++)
			d->from[k] = (uint8_t)((ROUTER & mask) >> (24 - 8 * k));
		begin(ROUTER, COLLECTOR, 4);
		inner_syn();
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
		if (!lengths[i])
			continue;
		begin(ROUTER ^ 1u << (32 - lengths[i]), COLLECTOR,
		      4); /* differs in the last bit of the prefix */
		inner_syn();
		SEND(sensor, &f, want_outer(4));
	}
}

Test(tunnel, outer_ip6)
{
	static const unsigned int lengths[] = {0, 32, 64, 65, 127, 128};

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct ag_decap *d;
		uint8_t other[16];

		sensor_settings(sensor)->decaps = 0;
		d = allow(AG_DECAP_GRE, false, 0);
		d->family = 6;
		d->from_len = (__u8)lengths[i];
		memcpy(d->from, router6, 16); /* no bit set behind any of the lengths but the last */
		if (lengths[i] < 128)
			d->from[15] = 0;
		memcpy(other, router6, 16);
		for (unsigned int k = 0; k < 2; k++) {
			frame_begin(&f);
			frame_ether(&f, 0x86dd);
			if (k && lengths[i])
				other[(lengths[i] - 1) / 8] ^= (uint8_t)(0x80 >> (lengths[i] - 1) % 8);
			frame_ip6(&f, other, collector6, 47);
			put_gre(0, 0x0800, 0);
			inner_syn();
			SEND(sensor, &f,
			     k && lengths[i] ? want_outcome(AG_OUTCOME_NOT_DARK) : want_tcp(&f, AG_CLASS_SCAN));
		}
	}
}

Test(tunnel, ip_in_ip_and_6in4)
{
	allow(AG_DECAP_IPIP, false, 0);
	begin(ROUTER, ANYWHERE, 4);
	inner_syn();
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	begin(ROUTER, ANYWHERE, 41);
	frame_ip6(&f, source6, dark6, 6);
	frame_tcp(&f, 1, 23, 2);
	frame_end(&f);
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	begin(ROUTER, ANYWHERE, 41);
	inner_syn(); /* IPv4 where IPv6 was promised */
	SEND(sensor, &f, want_outcome(AG_OUTCOME_MALFORMED_IP));
}

/* ERSPAN header of a session; `extra`: the O bit with its subheader. */
static void put_erspan(unsigned int gre_flags, unsigned int version, unsigned int session, bool extra)
{
	put_gre(gre_flags, version == 2 ? 0x22eb : 0x88be, 0);
	frame_u16(&f, version << 12 | 0x123);
	frame_u16(&f, 0xa400 | session);
	frame_u32(&f, 0x55555555);
	if (version == 2)
		frame_u32(&f, extra ? 0x00000001 : 0);
	if (extra)
		frame_fill(&f, 0x77, 8);
	frame_ether(&f, 0x0800);
	inner_syn();
}

Test(tunnel, erspan_two_and_three)
{
	allow(AG_DECAP_ERSPAN, true, 0x155);
	for (unsigned int i = 0; i < 3; i++) {
		begin(ROUTER, ANYWHERE, 47);
		put_erspan(0x1000, i ? 2 : 1, 0x155, i == 2);
		SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
		begin(ROUTER, ANYWHERE, 47);
		put_erspan(0x1000, i ? 2 : 1, 0x156, i == 2);
		SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	}
	/* without a sequence number: type I, and with the version of the other type */
	begin(ROUTER, ANYWHERE, 47);
	put_erspan(0, 1, 0x155, false);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	begin(ROUTER, ANYWHERE, 47);
	put_erspan(0x1000, 0, 0x155, false);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	/* GRE that is not ERSPAN is not what this line allows */
	begin(ROUTER, COLLECTOR, 47);
	put_gre(0, 0x0800, 0);
	inner_syn();
	SEND(sensor, &f, want_outer(4));
}

static void put_vxlan(uint32_t flags, uint32_t vni, unsigned int dport)
{
	begin(ROUTER, ANYWHERE, 17);
	frame_udp(&f, 50000, dport);
	frame_u32(&f, flags);
	frame_u32(&f, vni << 8);
	frame_ether(&f, 0x0800);
	inner_syn();
}

Test(tunnel, vxlan)
{
	allow(AG_DECAP_VXLAN, true, 0xabcdef);
	put_vxlan(0x08000000, 0xabcdef, 4789);
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
	for (unsigned int n = 34; n < f.n; n++) {
		if (n < 38) /* not yet to that port */
			SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_NOT_DARK));
		else if (n < 50)
			SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_DECAP_REFUSED));
		else if (n < 64)
			SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_TRUNCATED_LINK));
		else if (n < 84)
			SEND_CUT(sensor, &f, n, n, want_outcome(AG_OUTCOME_TRUNCATED_IP));
	}
	put_vxlan(0x08000000, 0xabcdee, 4789);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	put_vxlan(0, 0xabcdef, 4789); /* without the flag there is no VNI */
	SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
	put_vxlan(0x08000000, 0xabcdef, 4790);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NOT_DARK));
}

Test(tunnel, fragments_are_not_opened)
{
	allow(AG_DECAP_GRE, false, 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct want w;

		begin(ROUTER, COLLECTOR, 47);
		put_gre(0, 0x0800, 0);
		inner_syn();
		frame_set16(&f, 20, i ? 0x2000 : 0x0010);
		SEND(sensor, &f, want_outcome(AG_OUTCOME_DECAP_REFUSED));
		/* Another tunnel's protocol, or another source: a packet to its outer destination. */
		f.bytes[23] = 4;
		w = want_outer(4);
		w.anomalies = bit(i ? AG_ANOMALY_FRAGMENT_FIRST : AG_ANOMALY_FRAGMENT_LATER);
		SEND(sensor, &f, w);
		f.bytes[23] = 47;
		frame_set32(&f, 26, STRANGER);
		w = want_outer(4);
		w.anomalies = bit(i ? AG_ANOMALY_FRAGMENT_FIRST : AG_ANOMALY_FRAGMENT_LATER);
		SEND(sensor, &f, w);
	}
}

/* A packet ends where what carries it ends, whatever comes behind in the frame. */
Test(tunnel, nothing_counts_behind_the_outer_packet)
{
	allow(AG_DECAP_GRE, false, 0);
	allow(AG_DECAP_IPIP, false, 0);
	for (unsigned int announced = 20; announced < 64; announced++) {
		struct want w = want_outcome(AG_OUTCOME_TRUNCATED_IP);

		begin(ROUTER, ANYWHERE, 47);
		put_gre(0, 0x0800, 0);
		inner_syn();
		if (announced < 24)
			w = want_outcome(AG_OUTCOME_DECAP_REFUSED);
		if (announced >= 44) {
			w = want_tcp(&f, announced >= 58 ? AG_CLASS_SCAN : AG_CLASS_OTHER);
			w.has_port = announced >= 48;
			w.has_flags = announced >= 58;
			w.anomalies = bit(AG_ANOMALY_IP_BAD_LENGTH) | bit(AG_ANOMALY_L4_TRUNCATED);
		}
		frame_set16(&f, 16, announced);
		SEND(sensor, &f, w);
	}
	begin(ROUTER, ANYWHERE, 4);
	inner_syn();
	frame_set16(&f, 16, 20);
	SEND(sensor, &f, want_outcome(AG_OUTCOME_TRUNCATED_IP));
	begin(ROUTER, ANYWHERE, 47);
	put_gre(0, 0, 0); /* type 0 is no Ethernet */
	inner_syn();
	SEND(sensor, &f, want_outcome(AG_OUTCOME_NON_IP));
}

Test(tunnel, two_levels_and_no_third)
{
	allow(AG_DECAP_GRE, false, 0);
	allow(AG_DECAP_IPIP, false, 0);
	for (unsigned int levels = 1; levels <= 4; levels++) {
		frame_begin(&f);
		frame_ether(&f, 0x0800);
		for (unsigned int i = 0; i < levels; i++) {
			frame_ip4(&f, ROUTER, ANYWHERE, i & 1 ? 4 : 47);
			if (!(i & 1))
				put_gre(0, 0x0800, 0);
		}
		inner_syn();
		SEND(sensor, &f,
		     levels <= 2 ? want_tcp(&f, AG_CLASS_SCAN) : want_outcome(AG_OUTCOME_DECAP_REFUSED));
	}
	/* The third from somebody else is a packet to its destination. */
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, ROUTER, ANYWHERE, 4);
	frame_ip4(&f, ROUTER, ANYWHERE, 4);
	frame_ip4(&f, STRANGER, COLLECTOR, 4);
	frame_ip4(&f, SOURCE4, DARK4, 6);
	frame_end(&f);
	f.ip = 54;
	{
		struct want w = want_dark(&f);

		w.scope = 4;
		SEND(sensor, &f, w);
	}
}

Test(tunnel, oddities_of_the_outer_header_are_not_the_packets)
{
	allow(AG_DECAP_IPIP, false, 0);
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4_options(&f, ROUTER, ANYWHERE, 4, 8);
	inner_syn();
	SEND(sensor, &f, want_tcp(&f, AG_CLASS_SCAN));
}

Test(tunnel, sixteen_lines)
{
	for (unsigned int i = 0; i < AG_DECAP_MAX; i++)
		allow(AG_DECAP_GRE, true, i);
	for (unsigned int i = 0; i <= AG_DECAP_MAX; i++) {
		begin(ROUTER, ANYWHERE, 47);
		put_gre(0x2000, 0x0800, i);
		inner_syn();
		SEND(sensor, &f,
		     i < AG_DECAP_MAX ? want_tcp(&f, AG_CLASS_SCAN) : want_outcome(AG_OUTCOME_DECAP_REFUSED));
	}
}
