// SPDX-License-Identifier: GPL-2.0-only
/*
 * own_flows: what replay knows of the sockets of the host that captured, from what that host sent.
 */
#include <criterion/criterion.h>
#include <stdbool.h>

#include "engine/own_flows.h"
#include "packets.h"

#define NS	  1000000000ULL
#define HOST4	  DARK4
#define FAR4	  SOURCE4
#define FAR_OTHER 0x08080404u

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static struct own_flows *own;
static struct plan *plan;
static struct frame f;
static uint64_t now_ns;

static void begin(void)
{
	struct plan_prefix prefixes[] = {
		{.prefix = {.family = 4, .length = 32, .addr = {198, 51, 100, 7}}, .scope = 1},
		{.prefix = {.family = 6, .length = 128}, .scope = 1},
	};
	char why[256] = "";

	memcpy(prefixes[1].prefix.addr, dark6, 16);
	cr_assert_eq(plan_new(&plan, prefixes, 2, false, why, sizeof(why)), 0, "%s", why);
	own = own_flows_new(plan);
	cr_assert_not_null(own);
	now_ns = 1700000000 * NS;
}

static void end(void)
{
	own_flows_free(&own);
	plan_free(&plan);
}

TestSuite(own_flows, .init = begin, .fini = end);

static struct capture_frame as_captured(void)
{
	struct capture_frame frame = {.time_ns = now_ns, .bytes = f.bytes, .caplen = f.n, .wirelen = f.n};

	return frame;
}

static void learn(void)
{
	struct capture_frame frame = as_captured();

	own_flows_learn(own, &frame);
}

static unsigned int judge(void)
{
	struct capture_frame frame = as_captured();

	return own_flows_judge(own, &frame);
}

static void tcp(bool sent, unsigned int here, unsigned int there, unsigned int flags)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, sent ? HOST4 : FAR4, sent ? FAR4 : HOST4, 6);
	frame_tcp(&f, sent ? here : there, sent ? there : here, flags);
	frame_end(&f);
}

static void udp(bool sent, unsigned int here, unsigned int there)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, sent ? HOST4 : FAR4, sent ? FAR4 : HOST4, 17);
	frame_udp(&f, sent ? here : there, sent ? there : here);
	frame_end(&f);
}

static unsigned int tcp_in(unsigned int here, unsigned int there, unsigned int flags)
{
	tcp(false, here, there, flags);
	return judge();
}

static void tcp_out(unsigned int here, unsigned int there, unsigned int flags)
{
	tcp(true, here, there, flags);
	cr_assert_eq(judge(), AG_REPLAY_SENT);
}

static unsigned int udp_in(unsigned int here, unsigned int there)
{
	udp(false, here, there);
	return judge();
}

Test(own_flows, the_reverse_of_what_was_sent)
{
	cr_assert_eq(tcp_in(40000, 443, SYN | ACK), 0);
	tcp_out(40000, 443, SYN);
	cr_assert_eq(tcp_in(40000, 443, SYN | ACK), AG_REPLAY_FLOW);
	cr_assert_eq(tcp_in(40000, 444, SYN | ACK), 0);
	cr_assert_eq(tcp_in(40001, 443, SYN | ACK), 0);
	cr_assert_eq(udp_in(40000, 443), 0);
	udp(true, 40000, 443);
	cr_assert_eq(judge(), AG_REPLAY_SENT);
	cr_assert_eq(udp_in(40000, 443), AG_REPLAY_FLOW);
	cr_assert_eq(udp_in(40000, 53), 0);
	frame_set32(&f, f.ip + 12, FAR_OTHER);
	frame_set16(&f, f.l4, 443);
	cr_assert_eq(judge(), 0, "another address is another flow");
}

Test(own_flows, ip6)
{
	for (unsigned int turn = 0; turn < 2; turn++) {
		frame_begin(&f);
		frame_ether(&f, 0x86dd);
		frame_ip6(&f, turn ? source6 : dark6, turn ? dark6 : source6, 6);
		frame_tcp(&f, turn ? 443 : 40000, turn ? 40000 : 443, turn ? SYN | ACK : SYN);
		frame_end(&f);
		cr_assert_eq(judge(), turn ? AG_REPLAY_FLOW : AG_REPLAY_SENT);
	}
}

/* A refusal shows that there is no socket, and ends one that was. */
Test(own_flows, a_reset_is_no_flow)
{
	cr_assert_eq(tcp_in(22, 40000, SYN), 0);
	tcp_out(22, 40000, RST | ACK);
	cr_assert_eq(tcp_in(22, 40000, SYN), 0);
	tcp_out(40000, 80, SYN);
	cr_assert_eq(tcp_in(40000, 80, SYN | ACK), AG_REPLAY_FLOW);
	tcp_out(40000, 80, RST);
	cr_assert_eq(tcp_in(40000, 80, ACK), 0);
	tcp_out(40000, 80, SYN);
	cr_assert_eq(tcp_in(40000, 80, RST | ACK), AG_REPLAY_FLOW, "the refusal is an answer");
	cr_assert_eq(tcp_in(40000, 80, RST | ACK), 0);
}

/* Only the whole capture tells that a port listens before its first SYN-ACK. */
Test(own_flows, a_port_that_answers_listens)
{
	tcp(false, 22, 40000, SYN);
	learn();
	tcp(true, 22, 40000, SYN | ACK);
	learn();
	tcp(true, 50000, 443, SYN);
	learn();
	own_flows_rewind(own);
	cr_assert_eq(tcp_in(22, 40001, SYN), AG_REPLAY_LISTENS);
	cr_assert_eq(tcp_in(22, 40001, ACK), AG_REPLAY_LISTENS);
	cr_assert_eq(tcp_in(23, 40001, SYN), 0);
	cr_assert_eq(tcp_in(50000, 40001, SYN), 0);
	tcp_out(22, 40001, SYN | ACK);
	cr_assert_eq(tcp_in(22, 40001, ACK), AG_REPLAY_FLOW);
}

Test(own_flows, a_datagram_that_is_answered_was_asked_for)
{
	udp(false, 53, 40000);
	learn();
	udp(true, 53, 40000);
	learn();
	udp(true, 123, 123); /* the host began */
	learn();
	udp(false, 123, 123);
	learn();
	udp(true, 123, 123);
	learn();
	udp(false, 19, 40000); /* nobody answered */
	learn();
	own_flows_rewind(own);
	cr_assert_eq(udp_in(53, 7), AG_REPLAY_FLOW);
	cr_assert_eq(udp_in(123, 123), 0);
	cr_assert_eq(udp_in(19, 40000), 0);
}

/* The side that closes second is gone with the answer to its FIN; the first waits a minute. */
Test(own_flows, the_end_of_a_connection)
{
	tcp_out(80, 40000, SYN | ACK);
	cr_assert_eq(tcp_in(80, 40000, FIN | ACK), AG_REPLAY_FLOW);
	tcp_out(80, 40000, FIN | ACK); /* sequence 0x01020304 */
	cr_assert_eq(tcp_in(80, 40000, ACK), AG_REPLAY_FLOW, "of earlier data");
	tcp(false, 80, 40000, ACK);
	frame_set32(&f, f.l4 + 8, 0x01020305);
	cr_assert_eq(judge(), AG_REPLAY_FLOW);
	cr_assert_eq(judge(), 0);

	tcp_out(40000, 443, SYN);
	tcp_out(40000, 443, FIN | ACK);
	cr_assert_eq(tcp_in(40000, 443, FIN | ACK), AG_REPLAY_FLOW);
	now_ns += 59 * NS;
	cr_assert_eq(tcp_in(40000, 443, ACK), AG_REPLAY_FLOW);
	now_ns += 61 * NS;
	cr_assert_eq(tcp_in(40000, 443, ACK), 0);
}

Test(own_flows, ages)
{
	tcp_out(40000, 443, SYN);
	udp(true, 40000, 443);
	judge();
	now_ns += 299 * NS;
	cr_assert_eq(udp_in(40000, 443), AG_REPLAY_FLOW);
	now_ns += 301 * NS;
	cr_assert_eq(udp_in(40000, 443), 0);
	now_ns += 6800 * NS;
	cr_assert_eq(tcp_in(40000, 443, ACK), AG_REPLAY_FLOW);
	now_ns += 7441 * NS;
	cr_assert_eq(tcp_in(40000, 443, ACK), 0);
	now_ns -= 20000 * NS; /* time that runs backwards is no age */
	tcp_out(40000, 443, SYN);
	now_ns -= 20000 * NS;
	cr_assert_eq(tcp_in(40000, 443, ACK), AG_REPLAY_FLOW);
}

static void icmp(bool sent, unsigned int type, unsigned int id)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, sent ? HOST4 : FAR4, sent ? FAR4 : HOST4, 1);
	frame_icmp(&f, type, 0);
	frame_set16(&f, f.l4 + 4, id);
	frame_end(&f);
}

Test(own_flows, echoes)
{
	icmp(true, 0, 7); /* it answers a stranger's: that asks for nothing */
	cr_assert_eq(judge(), AG_REPLAY_SENT);
	icmp(false, 0, 7);
	cr_assert_eq(judge(), 0);
	icmp(true, 8, 7);
	cr_assert_eq(judge(), AG_REPLAY_SENT);
	icmp(false, 8, 7);
	cr_assert_eq(judge(), 0);
	icmp(false, 0, 8);
	cr_assert_eq(judge(), 0);
	icmp(false, 0, 7);
	cr_assert_eq(judge(), AG_REPLAY_FLOW);
}

static unsigned int judge_error(uint32_t quoted_src, unsigned int protocol, unsigned int here,
				unsigned int there)
{
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, FAR_OTHER, HOST4, 1);
	frame_icmp(&f, 11, 0);
	frame_ip4(&f, quoted_src, FAR4, protocol);
	frame_u16(&f, here);
	frame_u16(&f, there);
	frame_u32(&f, 0);
	frame_end(&f);
	return judge();
}

Test(own_flows, errors)
{
	udp(true, 40000, 33434);
	judge();
	cr_assert_eq(judge_error(HOST4, 17, 40000, 33434), AG_REPLAY_FLOW);
	cr_assert_eq(judge_error(HOST4, 17, 33434, 40000), 0);
	cr_assert_eq(judge_error(HOST4, 6, 40000, 33434), 0);
	cr_assert_eq(judge_error(FAR_OTHER, 17, 40000, 33434), 0);
	cr_assert_eq(judge_error(HOST4, 1, 40000, 33434), 0);
}

Test(own_flows, protocols_without_ports)
{
	for (unsigned int turn = 0; turn < 2; turn++) {
		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4(&f, turn ? FAR4 : HOST4, turn ? HOST4 : FAR4, 50);
		frame_end(&f);
		cr_assert_eq(judge(), turn ? AG_REPLAY_FLOW : AG_REPLAY_SENT);
	}
	f.bytes[f.ip + 9] = 47;
	cr_assert_eq(judge(), 0);
}

/* Neither side is the host, both are, or the frame cannot be read; and what the capture itself says. */
Test(own_flows, who_sent_it)
{
	struct capture_frame frame;

	tcp(true, 1, 2, SYN);
	frame_set32(&f, f.ip + 12, FAR_OTHER);
	cr_assert_eq(judge(), 0);
	frame = as_captured();
	frame.outgoing = true;
	cr_assert_eq(own_flows_judge(own, &frame), AG_REPLAY_SENT);
	tcp(true, 1, 2, SYN);
	frame_set32(&f, f.ip + 16, HOST4);
	cr_assert_eq(judge(), 0, "from its own address to its own address: forged");
	tcp(true, 1, 2, SYN);
	for (unsigned int n = 0; n < f.n; n++) {
		frame = as_captured();
		frame.caplen = n;
		cr_assert_eq(own_flows_judge(own, &frame), n < 34 ? 0 : AG_REPLAY_SENT, "%u bytes", n);
	}
}

/* Full sets give way to what is new, and tell. */
Test(own_flows, forgets_and_tells)
{
	unsigned int held = 0;

	for (unsigned int i = 0; i < 600000; i++) {
		udp(true, i & 0xffff, i >> 16);
		judge();
	}
	cr_assert_gt(own_flows_forgotten(own), 300000);
	for (unsigned int i = 0; i < 600000; i++)
		held += udp_in(i & 0xffff, i >> 16) == AG_REPLAY_FLOW;
	cr_assert_eq(held + own_flows_forgotten(own), 600000);
	own_flows_rewind(own);
	cr_assert_eq(own_flows_forgotten(own), 0);
}
