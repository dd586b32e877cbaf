// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_amp.c - those who look for amplifiers, those who abuse them in a victim's name, and what
 * amplifiers answer.  Must not know the bytes of the services.
 */
#include "actors.h"
#include "service.h"

static const struct service *pick_service(struct actor *a)
{
	if (a->services)
		return &services[a->service[rng_below(&a->rng, (uint32_t)a->services)]];
	return &services[rng_below(&a->rng, (uint32_t)services_n)];
}

static void emit_request(struct actor *a, const struct stage *stage, struct frame *f, bool abuse)
{
	uint8_t payload[SERVICE_BYTES_MAX];
	const struct service *s;
	struct ip_spec ip;
	struct pick p;
	uint32_t sport;
	size_t len;

	actor_pick(a, stage, &p);
	/* a victim is attacked through one service at a time */
	s = abuse && a->services > 1 ? &services[a->service[p.trait % (uint64_t)a->services]] : pick_service(a);
	len = service_request(s, abuse, &a->rng, payload);
	actor_ip(a, &p, &ip, 17, abuse ? 255 : 64);
	sport = a->sport >= 0 ? (uint32_t)a->sport
		: abuse	      ? 49152 + (uint32_t)(p.trait >> 40) % 4096
			      : actor_ephemeral(&a->rng);
	actor_send_udp(a, f, &ip, sport, s->port, payload, len, CLASS_AMP_REQUEST);
}

static void emit_amp_scan(struct actor *a, const struct stage *stage, struct frame *f)
{
	emit_request(a, stage, f, false);
}

const struct kind kind_amp_scan = {
	.name = "amp-scan",
	.what = "looks for amplifiers: one request of a service to many addresses",
	.emit = emit_amp_scan,
};

static void emit_amp_abuse(struct actor *a, const struct stage *stage, struct frame *f)
{
	emit_request(a, stage, f, true);
}

const struct kind kind_amp_abuse = {
	.name = "amp-abuse",
	.what = "requests in the name of a victim (sources: are the victims), many to few addresses (hosts:)",
	.emit = emit_amp_abuse,
};

const struct kind kind_carpet = {
	.name = "carpet",
	.what = "amp-abuse whose victims are all addresses of a prefix (from:), one after the other",
	.emit = emit_amp_abuse,
};

static void emit_amp_response(struct actor *a, const struct stage *stage, struct frame *f)
{
	uint8_t payload[SERVICE_BYTES_MAX];
	const struct service *s;
	struct ip_spec ip;
	struct pick p;
	size_t len;

	do
		s = pick_service(a);
	while (!s->answer);
	actor_pick(a, stage, &p);
	len = service_answer(s, &a->rng, payload);
	actor_ip(a, &p, &ip, 17, 64);
	actor_send_udp(a, f, &ip, s->port, actor_ephemeral(&a->rng), payload, len, CLASS_UDP_RESPONSE);
}

const struct kind kind_amp_response = {
	.name = "amp-response",
	.what = "answers of services to requests that dark addresses never sent",
	.emit = emit_amp_response,
};

/* The reflectors are dark, the source is the victim: SYN to open ports. */
static void emit_synack_reflection(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t options[] = {2, 4, 5, 0xb4, 1, 3, 3, 8, 4, 2, 0, 0};
	struct tcp_spec t = {
		.flags = TCP_S, .window = 29200, .options = options, .options_len = sizeof(options)};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 128);
	t.sport = (uint16_t)rng_between(&a->rng, 1024, 65535);
	t.dport = (uint16_t)actor_port(a);
	t.seq = rng_u32(&a->rng);
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
}

const struct kind kind_synack_reflection = {
	.name = "synack-reflection",
	.what = "SYNs in the name of a victim (sources: are the victims), so that their answers flood it",
	.emit = emit_synack_reflection,
	.ports = "80 443",
};

/* Every packet another source: sources: random, or a large number. */
static void emit_syn_flood(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 255);
	t.sport = (uint16_t)rng_between(&a->rng, 1, 65535);
	t.dport = (uint16_t)actor_port(a);
	t.seq = rng_u32(&a->rng);
	/* never the windows of the scanners */
	t.window = (uint16_t)(8192 + rng_below(&a->rng, 50000));
	t.options = a->options;
	t.options_len = (uint8_t)a->options_len;
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
}

const struct kind kind_syn_flood = {
	.name = "syn-flood",
	.what = "a SYN flood with invented sources",
	.emit = emit_syn_flood,
	.ports = "80",
};
