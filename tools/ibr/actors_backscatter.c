// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_backscatter.c - the answers of flooded hosts to sources that were invented, and happen to be
 * dark: each source is a victim.
 */
#include "actors.h"
#include "service.h"

enum {
	BS_SYNACK,
	BS_RST,
	BS_RSTACK,
	BS_UNREACHABLE,
	BS_TTL,
	BS_ECHO_REPLY,
	BS_UDP,
	BS_QUIC,
	BS_QUIC_RETRY,
};

static void send_tcp_answer(struct actor *a, struct frame *f, const struct pick *p, uint32_t sport, int variant)
{
	static const uint8_t flags[] = {TCP_S | TCP_A, TCP_R, TCP_R | TCP_A};
	static const uint8_t mss[] = {2, 4, 5, 0xb4};
	struct tcp_spec t = {.flags = flags[variant], .sport = (uint16_t)sport};
	struct ip_spec ip;

	actor_ip(a, p, &ip, 6, variant == BS_RST ? 128 : 64);
	ip.frag = IP_DF;
	t.dport = (uint16_t)rng_between(&a->rng, 1024, 65535);
	t.seq = variant == BS_RSTACK ? 0 : rng_u32(&a->rng);
	t.ack = variant == BS_RST ? 0 : rng_u32(&a->rng);
	if (variant == BS_SYNACK) {
		t.window = 29200;
		t.options = mss;
		t.options_len = sizeof(mss);
	}
	actor_send_tcp(a, f, &ip, &t, CLASS_BACKSCATTER, TOOL_NONE);
}

/* The quoted packet: from the dark address, to the victim. */
static size_t put_quote(struct actor *a, uint8_t *q, const struct pick *p, uint32_t sport)
{
	bool is6 = p->src.is6;
	size_t n = is6 ? 40 : 20;

	memset(q, 0, n + 20);
	if (is6) {
		q[0] = 0x60;
		put16(q + 4, 20);
		q[6] = 6;
		q[7] = 55;
		memcpy(q + 8, p->dst.b, 16);
		memcpy(q + 24, p->src.b, 16);
	} else {
		q[0] = 0x45;
		put16(q + 2, 40);
		put16(q + 4, rng_u32(&a->rng) & 0xffff);
		q[8] = 243;
		q[9] = 6;
		memcpy(q + 12, p->dst.b, 4);
		memcpy(q + 16, p->src.b, 4);
		put16(q + 10, frame_fold(frame_sum(0, q, 20)));
	}
	put16(q + n, rng_between(&a->rng, 1024, 65535));
	put16(q + n + 2, sport);
	put32(q + n + 4, rng_u32(&a->rng));
	q[n + 12] = 0x50;
	q[n + 13] = TCP_S;
	/* RFC 792 quotes 8 bytes of the transport; RFC 4443 as much as fits */
	return is6 ? n + 20 : n + 8;
}

static void send_icmp_answer(struct actor *a, struct frame *f, const struct pick *p, uint32_t sport,
			     int variant)
{
	static const uint8_t codes4[] = {0, 1, 3, 10, 13}, codes6[] = {0, 1, 3, 4, 6};
	bool is6 = p->src.is6;
	uint32_t type, code = 0;
	uint8_t quote[64] = "airglow-ibr echo data, 32 bytes.";
	struct ip_spec ip;
	size_t len = 32;

	if (variant == BS_ECHO_REPLY) {
		type = is6 ? 129 : 0;
	} else {
		len = put_quote(a, quote, p, sport);
		type = variant == BS_TTL ? (is6 ? 3 : 11) : is6 ? 1 : 3;
		if (variant == BS_UNREACHABLE)
			code = (is6 ? codes6 : codes4)[rng_below(&a->rng, 5)];
	}
	actor_ip(a, p, &ip, is6 ? 58 : 1, 64);
	frame_start(f, &a->path);
	frame_ip(f, &ip);
	frame_icmp(f, type, code, variant == BS_ECHO_REPLY ? rng_u32(&a->rng) : 0, quote, len);
	f->v.class = CLASS_BACKSCATTER;
	frame_end(f);
}

static void send_udp_answer(struct actor *a, struct frame *f, const struct pick *p, int variant)
{
	uint8_t payload[SERVICE_BYTES_MAX];
	const struct service *s;
	struct ip_spec ip;
	uint32_t sport = 443;
	size_t len;

	actor_ip(a, p, &ip, 17, 64);
	if (variant == BS_UDP) {
		do
			s = &services[a->services ? a->service[rng_below(&a->rng, (uint32_t)a->services)]
						  : rng_below(&a->rng, (uint32_t)services_n)];
		while (!s->answer);
		sport = s->port;
		len = service_answer(s, &a->rng, payload);
	} else {
		/* QUIC: long header, version 1 handshake or version negotiation, connection ids of 8 bytes */
		len = variant == BS_QUIC ? 120 : 43;
		for (size_t i = 0; i < len; i++)
			payload[i] = (uint8_t)rng_u32(&a->rng);
		payload[0] = variant == BS_QUIC ? 0xe0 | (payload[0] & 3) : 0x80 | (payload[0] & 0x7f);
		put32(payload + 1, variant == BS_QUIC ? 1 : 0);
		payload[5] = payload[14] = 8;
		if (variant == BS_QUIC_RETRY) {
			put32(payload + 23, 1);
			put32(payload + 27, 0x6b3343cf);
			len = 31;
		}
	}
	actor_send_udp(a, f, &ip, sport, actor_ephemeral(&a->rng), payload, len, CLASS_UDP_RESPONSE);
}

static void emit_backscatter(struct actor *a, const struct stage *stage, struct frame *f)
{
	int variant = actor_variant(a);
	struct pick p;
	uint32_t sport;

	actor_pick(a, stage, &p);
	sport = actor_port(a);
	if (variant <= BS_RSTACK)
		send_tcp_answer(a, f, &p, sport, variant);
	else if (variant <= BS_ECHO_REPLY)
		send_icmp_answer(a, f, &p, sport, variant);
	else
		send_udp_answer(a, f, &p, variant);
}

static const char *const backscatter_variants[] = {
	"synack", "rst", "rstack", "unreachable", "ttl", "echo-reply", "udp", "quic", "quic-negotiation", NULL,
};

const struct kind kind_backscatter = {
	.name = "backscatter",
	.what = "answers of flooded hosts (sources: are the victims) from their service ports (ports:)",
	.emit = emit_backscatter,
	.variants = backscatter_variants,
	.any_variant = true,
	.ports = "80:5 443:4 22 53 25565 8080 3389",
};
