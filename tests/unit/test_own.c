// SPDX-License-Identifier: GPL-2.0-only
/*
 * own: what feed self takes out of the dark packets, and what it leaves there; and, with the kernel's engine,
 * that real sockets are asked.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor.h"

#define STRANGER4   0x08080808u /* not dark */
#define LINK_LOCAL4 0xa9fe0105u
#define GROUP4	    0xe00000fbu

static const uint8_t link_local6[16] = {0xfe, 0x80, [8] = 2, [15] = 1};
static const uint8_t group6[16] = {0xff, 0x02, [15] = 0xfb};
static const uint8_t stranger6[16] = {0x26, 0x06, 0x47, 0, [15] = 1};

static struct sensor *sensor;
static struct frame f;

static void open_sensor(void)
{
	sensor = sensor_new_self();
}

static void close_sensor(void)
{
	sensor_free(sensor);
}

TestSuite(own, .init = open_sensor, .fini = close_sensor);

static struct want solicited(void)
{
	return want_outcome(AG_OUTCOME_SOLICITED);
}

static struct want visit(unsigned int port)
{
	struct want w = want_outcome(AG_OUTCOME_SERVICE);

	w.port = port;
	return w;
}

static void tcp4(uint32_t src, uint32_t dst, unsigned int flags)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, src, dst, 6);
	frame_tcp(&f, 40000, 80, flags);
	frame_end(&f);
}

static void tcp6(const uint8_t *src, const uint8_t *dst, unsigned int flags)
{
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, src, dst, 6);
	frame_tcp(&f, 40000, 80, flags);
	frame_end(&f);
}

static void udp4(uint32_t src, uint32_t dst, unsigned int sport, unsigned int dport)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, src, dst, 17);
	frame_udp(&f, sport, dport);
	frame_u32(&f, 0xdeadbeef);
	frame_end(&f);
}

static void udp6(const uint8_t *src, const uint8_t *dst, unsigned int sport, unsigned int dport)
{
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, src, dst, 17);
	frame_udp(&f, sport, dport);
	frame_u32(&f, 0xdeadbeef);
	frame_end(&f);
}

static void icmp6(const uint8_t *src, const uint8_t *dst, unsigned int type, unsigned int hops)
{
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, src, dst, 58);
	frame_icmp(&f, type, 0);
	frame_fill(&f, 0, 16);
	frame_end(&f);
	f.bytes[f.ip + 7] = (uint8_t)hops;
}

/* An ICMP error to a dark address about a packet that it sent. */
static void error4(uint32_t quoted_src, unsigned int protocol, unsigned int sport, unsigned int dport)
{
	unsigned int ip, l4;

	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, STRANGER4, DARK4, 1);
	ip = f.ip;
	frame_icmp(&f, 3, 4);
	l4 = f.l4;
	frame_ip4(&f, quoted_src, SOURCE4, protocol);
	frame_u16(&f, sport);
	frame_u16(&f, dport);
	frame_u32(&f, 0);
	frame_end(&f);
	f.ip = ip;
	f.l4 = l4;
}

static void arp(uint32_t asked)
{
	frame_begin(&f);
	frame_ether(&f, 0x0806);
	frame_u16(&f, 1);
	frame_u16(&f, 0x0800);
	frame_u16(&f, 0x0604);
	frame_u16(&f, 1);
	frame_fill(&f, 2, 6);
	frame_u32(&f, SOURCE4);
	frame_fill(&f, 0, 6);
	frame_u32(&f, asked);
}

static void send_it(struct want w)
{
	SEND(sensor, &f, w);
}

static void with_flags(unsigned int flags)
{
	sensor->flags = flags;
}

Test(own, a_flow_that_is_held_is_solicited)
{
	with_flags(AG_REPLAY_FLOW);
	for (unsigned int flags = 0; flags < 64; flags++) {
		tcp4(SOURCE4, DARK4, flags);
		send_it(solicited());
		tcp6(source6, dark6, flags);
		send_it(solicited());
	}
	udp4(SOURCE4, DARK4, 53, 40000);
	send_it(solicited());
	udp6(source6, dark6, 53, 40000);
	send_it(solicited());
}

Test(own, what_nobody_asked_for_stays_dark)
{
	tcp4(SOURCE4, DARK4, 2);
	send_it(want_tcp(&f, AG_CLASS_SCAN));
	tcp6(source6, dark6, 2);
	send_it(want_tcp(&f, AG_CLASS_SCAN));
	tcp4(SOURCE4, DARK4, 0x12);
	send_it(want_tcp(&f, AG_CLASS_BACKSCATTER));
	udp4(SOURCE4, DARK4, 53, 40000);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	udp6(source6, dark6, 53, 40000);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	tcp4(SOURCE4, STRANGER4, 2);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
}

/* Only a SYN visits; whatever else comes to a listening port without a flow is nobody's. */
Test(own, a_syn_to_a_listening_port_is_a_visit)
{
	with_flags(AG_REPLAY_LISTENS);
	tcp4(SOURCE4, DARK4, 2);
	send_it(visit(80));
	send_it(visit(80));
	tcp4(SOURCE4, DARK4, 2 | 0xc0 | 8); /* ECN, PSH */
	send_it(visit(80));
	tcp6(source6, dark6, 2);
	send_it(visit(80));
	tcp4(SOURCE4, DARK4, 0x10);
	send_it(want_tcp(&f, AG_CLASS_OTHER));
	tcp4(SOURCE4, DARK4, 0x12);
	send_it(want_tcp(&f, AG_CLASS_BACKSCATTER));
	tcp4(SOURCE4, DARK4, 0x04);
	send_it(want_tcp(&f, AG_CLASS_BACKSCATTER));
	tcp4(SOURCE4, DARK4, 0x03);
	send_it(want_tcp(&f, AG_CLASS_OTHER));
	tcp4(SOURCE4, DARK4, 0x06);
	send_it(want_tcp(&f, AG_CLASS_OTHER));
	udp4(SOURCE4, DARK4, 53, 80);
	send_it(want_udp(&f, AG_CLASS_SCAN));
}

/* Cut off behind the ports: what it is cannot be read, so it is no visit. */
Test(own, a_syn_that_is_cut_off_is_no_visit)
{
	struct want w;

	with_flags(AG_REPLAY_LISTENS);
	tcp4(SOURCE4, DARK4, 2);
	w = want_tcp(&f, AG_CLASS_OTHER);
	w.has_flags = false;
	w.anomalies = bit(AG_ANOMALY_BEYOND_HEAD);
	SEND_CUT(sensor, &f, f.l4 + 4, f.n, w);
}

Test(own, what_the_host_sent_is_looped)
{
	with_flags(AG_REPLAY_SENT);
	tcp4(DARK4, SOURCE4, 2);
	send_it(want_outcome(AG_OUTCOME_LOOPED));
	udp6(dark6, group6, 5353, 5353);
	send_it(want_outcome(AG_OUTCOME_LOOPED));
}

Test(own, other_feeds_know_nothing_of_it)
{
	with_flags(AG_REPLAY_FLOW | AG_REPLAY_LISTENS | AG_REPLAY_SENT);
	sensor_settings(sensor)->live_ports.tcp[1] = ~0ULL;
	for (unsigned int feed = AG_FEED_OBSERVE; feed < AG_FEED_MAX; feed++) {
		sensor_settings(sensor)->interfaces[0].feed = (__u8)feed;
		if (feed == AG_FEED_SELF)
			continue;
		tcp4(SOURCE4, DARK4, 2);
		send_it(want_tcp(&f, AG_CLASS_SCAN));
		udp4(SOURCE4, GROUP4, 5353, 5353);
		send_it(want_outcome(AG_OUTCOME_NOT_DARK));
		arp(DARK4);
		send_it(want_outcome(AG_OUTCOME_ARP_DARK));
	}
}

static void set_live(__u64 *bits, unsigned int port)
{
	bits[port / 64] |= 1ULL << (port % 64);
}

Test(own, live_ports_are_served)
{
	struct ag_live_ports *live = &sensor_settings(sensor)->live_ports;

	set_live(live->tcp, 80);
	set_live(live->udp, 0);
	set_live(live->udp, 65535);
	tcp4(SOURCE4, DARK4, 2);
	send_it(visit(80));
	tcp4(SOURCE4, DARK4, 0x10);
	send_it(solicited());
	tcp6(source6, dark6, 2);
	send_it(visit(80));
	udp4(SOURCE4, DARK4, 53, 65535);
	send_it(solicited());
	udp4(SOURCE4, DARK4, 53, 65534);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	udp4(SOURCE4, DARK4, 53, 80);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	frame_syn4(&f, 81);
	send_it(want_tcp(&f, AG_CLASS_SCAN));
	/* What has no ports of its own is not at port 0. */
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, DARK4, 50);
	frame_end(&f);
	send_it(want_dark(&f));
}

Test(own, errors_about_own_flows)
{
	static const unsigned int protocols[] = {6, 17};
	struct want w;

	for (unsigned int i = 0; i < 2; i++) {
		with_flags(AG_REPLAY_FLOW);
		error4(DARK4, protocols[i], 40000, 443);
		send_it(solicited());
		/* It quotes somebody else's packet: the flow is not asked for. */
		error4(DARK4 + 1, protocols[i], 40000, 443);
		w = want_icmp(&f, AG_CLASS_BACKSCATTER);
		w.anomalies = bit(AG_ANOMALY_QUOTE_MISMATCH);
		send_it(w);
		with_flags(AG_REPLAY_LISTENS);
		error4(DARK4, protocols[i], 80, 40000);
		send_it(want_icmp(&f, AG_CLASS_BACKSCATTER));
	}
	with_flags(0);
	error4(DARK4, 6, 80, 40000);
	send_it(want_icmp(&f, AG_CLASS_BACKSCATTER));
	set_live(sensor_settings(sensor)->live_ports.tcp, 80);
	send_it(solicited());
	error4(DARK4, 17, 80, 40000);
	send_it(want_icmp(&f, AG_CLASS_BACKSCATTER));
	error4(DARK4, 6, 40000, 80);
	send_it(want_icmp(&f, AG_CLASS_BACKSCATTER));
}

Test(own, questions_for_its_addresses)
{
	arp(DARK4);
	send_it(solicited());
	arp(STRANGER4);
	send_it(want_outcome(AG_OUTCOME_NON_IP));
	icmp6(source6, group6, 135, 255);
	memcpy(f.bytes + f.l4 + 8, dark6, 16);
	send_it(solicited());
}

Test(own, discovery_by_its_hop_limit)
{
	for (unsigned int type = 130; type <= 143; type++) {
		bool nd = type >= 133 && type <= 137, mld = type <= 132 || type == 143;

		for (unsigned int hops = 1; hops <= 255; hops += 127) {
			struct want w;

			icmp6(source6, dark6, type, hops);
			w = want_icmp(&f, type == 140	? AG_CLASS_BACKSCATTER
					  : type == 139 ? AG_CLASS_SCAN
							: AG_CLASS_OTHER);
			send_it((nd && hops == 255) || (mld && hops == 1) ? solicited() : w);
		}
	}
	/* The same numbers are something else in IPv4. */
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, DARK4, 1);
	frame_icmp(&f, 135, 0);
	frame_end(&f);
	f.bytes[f.ip + 8] = 255;
	send_it(want_icmp(&f, AG_CLASS_OTHER));
}

Test(own, dhcp_clients)
{
	udp4(SOURCE4, DARK4, 67, 68);
	send_it(solicited());
	udp4(SOURCE4, STRANGER4, 67, 68); /* the address that is being leased */
	send_it(solicited());
	udp4(SOURCE4, DARK4, 68, 67);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	udp4(SOURCE4, DARK4, 67, 69);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	udp4(SOURCE4, DARK4, 66, 68);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	udp6(source6, dark6, 547, 546);
	send_it(solicited());
	udp6(source6, dark6, 546, 547);
	send_it(want_udp(&f, AG_CLASS_SCAN));
	udp6(source6, dark6, 67, 68);
	send_it(want_udp(&f, AG_CLASS_SCAN));
}

Test(own, link_local_and_groups)
{
	static const uint8_t behind[16] = {0xfe, 0xc0, [15] = 1};

	tcp4(LINK_LOCAL4, DARK4, 2);
	send_it(solicited());
	tcp4(SOURCE4, LINK_LOCAL4, 2);
	send_it(solicited());
	tcp6(link_local6, dark6, 2);
	send_it(solicited());
	tcp6(source6, link_local6, 2);
	send_it(solicited());
	udp4(SOURCE4, GROUP4, 5353, 5353);
	send_it(solicited());
	udp4(SOURCE4, 0xffffffff, 1, 2);
	send_it(solicited());
	udp6(source6, group6, 5353, 5353);
	send_it(solicited());
	/* Beside the edges. */
	udp4(SOURCE4, 0xdfffffff, 5353, 5353);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
	udp4(SOURCE4, 0xf0000001, 5353, 5353);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
	tcp4(SOURCE4, 0xa9fd0001, 2);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
	tcp6(source6, behind, 2);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
	tcp6(source6, stranger6, 2);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
}

/* A subnet's own broadcast shows in the frame alone; a dark address in such a frame stays one. */
Test(own, frames_to_all)
{
	udp4(SOURCE4, 0xc63364ff, 138, 138);
	send_it(want_outcome(AG_OUTCOME_NOT_DARK));
	memset(f.bytes, 0xff, 6);
	send_it(solicited());
	tcp4(SOURCE4, DARK4, 2);
	memset(f.bytes, 0xff, 6);
	send_it(want_tcp(&f, AG_CLASS_SCAN));
}

/* --- real sockets: the kernel's engine alone
 * ------------------------------------------------------------------ */

static const uint8_t loopback6[16] = {[15] = 1};

static unsigned int port_of(int fd)
{
	struct sockaddr_in6 name = {};
	socklen_t size = sizeof(name);

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	return ntohs(name.sin6_port);
}

/* A socket at the loopback address, at a port that the kernel chooses. */
static int bound(int family, int type)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	if (family == AF_INET)
		cr_assert_eq(bind(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	else
		cr_assert_eq(bind(fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
	return fd;
}

static void join(int from, int to)
{
	struct sockaddr_in6 name = {};
	socklen_t size = sizeof(name);

	cr_assert_eq(getsockname(to, (struct sockaddr *)&name, &size), 0);
	cr_assert_eq(connect(from, (struct sockaddr *)&name, size), 0);
}

static void go_live(void)
{
	if (!runs_in_kernel())
		cr_skip_test("in this process there are no sockets to ask");
	sensor_go_live(sensor);
	/* BPF_PROG_RUN says that its frames come in by the loopback interface. */
	sensor_settings(sensor)->interfaces[0].ifindex = if_nametoindex("lo");
}

static void to_socket(int family, unsigned int protocol, unsigned int sport, unsigned int dport,
		      unsigned int flags)
{
	frame_begin(&f);
	frame_ether(&f, family == AF_INET ? 0x0800 : 0x86dd);
	if (family == AF_INET)
		frame_ip4(&f, 0x7f000001, 0x7f000001, protocol);
	else
		frame_ip6(&f, loopback6, loopback6, protocol);
	if (protocol == 6)
		frame_tcp(&f, sport, dport, flags);
	else
		frame_udp(&f, sport, dport);
	frame_u32(&f, 0xdeadbeef);
	frame_end(&f);
}

/* From a dark address of its own to itself, and a bogon at that. */
static struct want odd(struct want w)
{
	w.anomalies = bit(AG_ANOMALY_SRC_BOGON) | bit(AG_ANOMALY_SRC_DARK) | bit(AG_ANOMALY_SRC_IS_DST);
	return w;
}

static void check_tcp(int family)
{
	int listener = bound(family, SOCK_STREAM), client = bound(family, SOCK_STREAM);
	unsigned int port = port_of(listener), other = port_of(client);

	cr_assert_eq(listen(listener, 4), 0);
	to_socket(family, 6, other, port, 2);
	send_it(visit(port));
	to_socket(family, 6, other, port, 0x10);
	send_it(odd(want_tcp(&f, AG_CLASS_OTHER)));
	join(client, listener);
	to_socket(family, 6, other, port, 0x10);
	send_it(solicited());
	to_socket(family, 6, port, other, 0x10);
	send_it(solicited());
	to_socket(family, 6, other + 1 == port ? other + 2 : other + 1, port, 0x12);
	send_it(odd(want_tcp(&f, AG_CLASS_BACKSCATTER)));
	close(listener);
	close(client);
}

static void check_udp(int family)
{
	int a = bound(family, SOCK_DGRAM), b = bound(family, SOCK_DGRAM);
	unsigned int port_a = port_of(a), port_b = port_of(b);

	to_socket(family, 17, 9, port_a, 0);
	send_it(solicited()); /* whoever sends to a socket that is bound */
	join(a, b);
	to_socket(family, 17, 9, port_a, 0);
	send_it(odd(want_udp(&f, AG_CLASS_SCAN))); /* connected to somebody else */
	to_socket(family, 17, port_b, port_a, 0);
	send_it(solicited());
	close(a);
	close(b);
	to_socket(family, 17, port_b, port_a, 0);
	send_it(odd(want_udp(&f, AG_CLASS_SCAN)));
}

Test(own, sockets_are_asked)
{
	static const int families[] = {AF_INET, AF_INET6};

	go_live();
	for (unsigned int i = 0; i < 2; i++) {
		check_tcp(families[i]);
		check_udp(families[i]);
	}
}

/* An error about a datagram that a socket sent: the quoted ports stand the other way round. */
Test(own, sockets_are_asked_about_errors)
{
	int a = bound(AF_INET, SOCK_DGRAM);
	unsigned int port = port_of(a);
	struct want w;

	go_live();
	for (unsigned int turn = 0; turn < 2; turn++) {
		unsigned int ip, l4;

		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4(&f, SOURCE4, 0x7f000001, 1);
		ip = f.ip;
		frame_icmp(&f, 3, 3);
		l4 = f.l4;
		frame_ip4(&f, 0x7f000001, STRANGER4, 17);
		frame_udp(&f, turn ? 9 : port, turn ? port : 9);
		frame_end(&f);
		f.ip = ip;
		f.l4 = l4;
		w = want_icmp(&f, AG_CLASS_BACKSCATTER);
		send_it(turn ? w : solicited());
	}
	close(a);
}
