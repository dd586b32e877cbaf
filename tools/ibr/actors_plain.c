// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_plain.c - packets that are what they look like: probes, pings, misconfigured hosts, uniform
 * noise, and the generic kinds whose fields the scenario spells out.
 */
#include "actors.h"

/* A payload that begins no request and no answer of any known service. */
static const uint8_t dull_payload[24] = {
	0xb0, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xb0, 0xb0, 0xb0, 0xb0,
	0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0,
};

static void send_dull_udp(struct actor *a, struct frame *f, const struct pick *p, uint32_t sport,
			  uint32_t dport)
{
	enum class class = actor_any_payload_port(dport) ? CLASS_AMP_REQUEST : CLASS_SCAN;
	struct ip_spec ip;

	actor_ip(a, p, &ip, 17, 64);
	if (a->payload_len)
		actor_send_udp(a, f, &ip, sport, dport, a->payload, a->payload_len, class);
	else
		actor_send_udp(a, f, &ip, sport, dport, dull_payload, sizeof(dull_payload), class);
}

static void emit_udp_probe(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct pick p;

	actor_pick(a, stage, &p);
	send_dull_udp(a, f, &p, 49152 + (uint32_t)(p.trait >> 40) % 4000, actor_port(a));
}

const struct kind kind_udp_probe = {
	.name = "udp-probe",
	.what = "UDP to ports of no amplification service",
	.emit = emit_udp_probe,
	.ports = "5555 8888 33434-33523 56089 9034 30301",
};

static void send_ping(struct actor *a, struct frame *f, const struct pick *p, uint32_t type, uint32_t code)
{
	uint8_t data[56];
	struct ip_spec ip;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(0x10 + i);
	actor_ip(a, p, &ip, p->src.is6 ? 58 : 1, 64);
	frame_start(f, &a->path);
	frame_ip(f, &ip);
	frame_icmp(f, type, code, rng_u32(&a->rng), data, type == 13 ? 12 : type == 17 ? 4 : sizeof(data));
	f->v.class = type == 8 || type == 13 || type == 15 || type == 17 || type == 128 ? CLASS_SCAN
											: CLASS_BACKSCATTER;
	frame_end(f);
}

static void emit_ping(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t type[] = {8, 13, 17};
	struct pick p;

	actor_pick(a, stage, &p);
	send_ping(a, f, &p, p.src.is6 ? 128 : type[actor_variant(a)], 0);
}

static const char *const ping_variants[] = {"echo", "timestamp", "mask", NULL};

const struct kind kind_ping = {
	.name = "ping",
	.what = "ICMP echo, timestamp and address mask requests",
	.emit = emit_ping,
	.variants = ping_variants,
};

/* Each source keeps one destination and one port for ever. */
static void emit_misconfig(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t mss[] = {2, 4, 5, 0xb4, 4, 2, 0, 0};
	static const uint16_t port[] = {514, 8090, 10050, 4506, 2055};
	struct tcp_spec t = {.flags = TCP_S, .window = 64240, .options = mss, .options_len = sizeof(mss)};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	if (a->to == TO_DARK)
		p.dst = addr_nth(&stage->scenario->dark, p.src.is6, (p.trait >> 8 & 0xff) * 2);
	t.dport = a->ports.n ? (uint16_t)actor_port(a) : port[(p.trait >> 4) % ARRAY_LEN(port)];
	t.sport = (uint16_t)rng_between(&a->rng, 32768, 60999);
	if (t.dport == 514 || t.dport == 2055) {
		send_dull_udp(a, f, &p, 49152 + (uint32_t)(p.trait >> 40) % 4000, t.dport);
		return;
	}
	t.seq = rng_u32(&a->rng);
	actor_ip(a, &p, &ip, 6, 128);
	ip.frag = IP_DF;
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
}

const struct kind kind_misconfig = {
	.name = "misconfig",
	.what = "hosts that talk to one wrong address and port, again and again",
	.emit = emit_misconfig,
};

enum { RANDOM_TCP, RANDOM_UDP, RANDOM_ICMP };

static void emit_random(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t mss[] = {2, 4, 5, 0xb4};
	struct tcp_spec t = {.flags = TCP_S, .options = mss, .options_len = sizeof(mss), .window = 8192};
	int variant = actor_variant(a);
	uint32_t r = rng_u32(&a->rng);
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	switch (variant) {
	case RANDOM_TCP:
		actor_ip(a, &p, &ip, 6, 128);
		t.sport = (uint16_t)(r >> 16);
		t.dport = a->ports.n ? (uint16_t)actor_port(a) : (uint16_t)r;
		t.seq = rng_u32(&a->rng);
		actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
		break;
	case RANDOM_UDP:
		send_dull_udp(a, f, &p, actor_ephemeral(&a->rng), a->ports.n ? actor_port(a) : r & 0xffff);
		break;
	case RANDOM_ICMP:
		send_ping(a, f, &p, p.src.is6 ? 128 : 8, 0);
		break;
	}
}

static const char *const random_variants[] = {"tcp", "udp", "icmp", NULL};

const struct kind kind_random = {
	.name = "random",
	.what = "uniformly random sources (sources: random) and ports: the worst case of every table",
	.emit = emit_random,
	.variants = random_variants,
	.any_variant = true,
};

static void emit_tcp(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = a->flags >= 0 ? (uint8_t)a->flags : TCP_S};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 64);
	t.sport = (uint16_t)(a->sport >= 0 ? (uint32_t)a->sport : rng_between(&a->rng, 1024, 65535));
	t.dport = (uint16_t)actor_port(a);
	t.seq = a->seq_is_dst ? get32(p.dst.b) : a->seq >= 0 ? (uint32_t)a->seq : rng_u32(&a->rng);
	t.ack = t.flags & TCP_A ? rng_u32(&a->rng) : 0;
	t.window = (uint16_t)(a->window >= 0 ? a->window : 29200);
	t.options = a->options;
	t.options_len = (uint8_t)a->options_len;
	t.payload = a->payload;
	t.payload_len = a->payload_len;
	actor_send_tcp(a, f, &ip, &t, actor_tcp_class(t.flags), TOOL_NONE);
}

const struct kind kind_tcp = {
	.name = "tcp",
	.what = "TCP as spelled out: flags seq ipid window options doff sport payload tool class",
	.emit = emit_tcp,
	.ports = "80",
};

static void emit_udp(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct pick p;

	actor_pick(a, stage, &p);
	send_dull_udp(a, f, &p, a->sport >= 0 ? (uint32_t)a->sport : actor_ephemeral(&a->rng), actor_port(a));
}

const struct kind kind_udp = {
	.name = "udp",
	.what = "UDP as spelled out: sport payload class",
	.emit = emit_udp,
	.ports = "9999",
};

static void emit_icmp(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct pick p;

	actor_pick(a, stage, &p);
	send_ping(a, f, &p,
		  a->type >= 0 ? (uint32_t)a->type
		  : p.src.is6  ? 128
			       : 8,
		  a->code >= 0 ? (uint32_t)a->code : 0);
}

const struct kind kind_icmp = {
	.name = "icmp",
	.what = "ICMP or ICMPv6 as spelled out: type code class",
	.emit = emit_icmp,
};

static void emit_ip(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, a->protocol >= 0 ? (uint32_t)a->protocol : 253, 64);
	frame_start(f, &a->path);
	frame_ip(f, &ip);
	frame_raw(f, a->payload_len ? a->payload : dull_payload,
		  a->payload_len ? a->payload_len : sizeof(dull_payload));
	f->v.class = CLASS_OTHER;
	frame_end(f);
}

const struct kind kind_ip = {
	.name = "ip",
	.what = "any other IP protocol as spelled out: protocol payload",
	.emit = emit_ip,
};
