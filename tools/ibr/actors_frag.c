// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_frag.c - fragments of both families, and IPv6 extension chains.  A first fragment tells its
 * ports if they are inside; a later one tells the protocol only.
 */
#include "actors.h"

#include <stdlib.h>

enum { FRAG_UDP, FRAG_DNS, FRAG_TCP_TINY, FRAG_ICMP, FRAG_ATOMIC };

/* The datagram in the middle of which we are. */
struct datagram {
	struct pick pick;
	uint32_t id, at, total; /* bytes of the datagram's payload behind IP */
	int variant;
	uint16_t sport, dport;
};

static void start_datagram(struct actor *a, const struct stage *stage, struct datagram *d)
{
	actor_pick(a, stage, &d->pick);
	a->sent--;
	d->variant = actor_variant(a);
	d->id = rng_u32(&a->rng);
	d->at = 0;
	d->sport = (uint16_t)(d->variant == FRAG_DNS ? 53 : actor_ephemeral(&a->rng));
	d->dport = (uint16_t)(d->variant == FRAG_DNS ? actor_ephemeral(&a->rng) : actor_port(a));
	d->total = rng_between(&a->rng, 1500, 4000) / 8 * 8 + 4;
	if (d->variant == FRAG_TCP_TINY)
		d->total = 24;
	if (d->variant == FRAG_ATOMIC)
		d->total = 40;
}

static uint32_t fragment_protocol(const struct datagram *d)
{
	if (d->variant == FRAG_TCP_TINY)
		return 6;
	if (d->variant == FRAG_ICMP)
		return d->pick.src.is6 ? 58 : 1;
	return 17;
}

/* Offset 0: the transport header, as far as this fragment holds it. */
static void put_first(struct actor *a, struct frame *f, const struct datagram *d, uint32_t len)
{
	static const uint8_t dns[12] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 30, 0, 0, 0, 1};
	uint8_t data[1300] = {0xb0, 0, 0xff, 0xff};
	struct tcp_spec t = {.flags = TCP_S, .window = 1500, .sport = d->sport, .dport = d->dport};

	switch (d->variant) {
	case FRAG_TCP_TINY:
		t.seq = rng_u32(&a->rng);
		frame_tcp(f, &t);
		f->len -= 20 - len;
		f->v.class = CLASS_SCAN;
		break;
	case FRAG_ICMP:
		frame_icmp(f, d->pick.src.is6 ? 128 : 8, 0, d->id, data, len - 8);
		f->v.class = CLASS_SCAN;
		break;
	case FRAG_DNS:
		memcpy(data, dns, sizeof(dns));
		frame_udp(f, d->sport, d->dport, data, len - 8);
		f->v.class = CLASS_UDP_RESPONSE;
		break;
	default:
		frame_udp(f, d->sport, d->dport, data, len - 8);
		f->v.class = actor_any_payload_port(d->dport) ? CLASS_AMP_REQUEST : CLASS_SCAN;
		break;
	}
	f->sum = 0; /* it covers the whole datagram, which nobody puts together */
}

static void put_later(struct frame *f, uint32_t len)
{
	uint8_t data[1300] = {0};

	frame_put(f, data, len);
	f->v.class = CLASS_OTHER;
}

static void emit_fragment(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct datagram *d = a->state;
	uint32_t len, more, protocol;
	uint8_t header[8] = {0};
	struct ip_spec ip;

	if (!d)
		d = a->state = calloc(1, sizeof(*d));
	if (!d)
		abort();
	if (d->at >= d->total)
		start_datagram(a, stage, d);
	a->sent++;
	protocol = fragment_protocol(d);
	len = d->variant == FRAG_TCP_TINY ? 8 : 1240;
	if (len > d->total - d->at)
		len = d->total - d->at;
	more = d->at + len < d->total;
	actor_ip(a, &d->pick, &ip, protocol, 64);
	ip.id = (uint16_t)d->id;
	if (ip.src.is6) {
		header[0] = (uint8_t)protocol;
		put16(header + 2, d->at | more);
		put32(header + 4, d->id);
		ip.extra = header;
		ip.extra_len = sizeof(header);
		ip.first_next = 44;
	} else {
		ip.frag = (uint16_t)(d->at / 8 | (more ? IP_MF : 0));
	}
	frame_start(f, &a->path);
	frame_ip(f, &ip);
	if (d->at == 0)
		put_first(a, f, d, len);
	else
		put_later(f, len);
	frame_end(f);
	if (d->at == 0 && protocol == 17)
		put16(f->buf + f->v.l4_off + 4, d->total);
	d->at += len;
}

static const char *const fragment_variants[] = {"udp", "dns", "tcp-tiny", "icmp", "atomic", NULL};

const struct kind kind_fragments = {
	.name = "fragments",
	.what = "first and later fragments (tcp-tiny: the flags lie in the second; atomic: one fragment, IPv6)",
	.emit = emit_fragment,
	.variants = fragment_variants,
	.any_variant = true,
	.ports = "33434 44818 1024-1100",
};

enum { CHAIN_ONE, CHAIN_MANY, CHAIN_NINE, CHAIN_LONG, CHAIN_ESP, CHAIN_NONE, CHAIN_AH };

/* Fills `n` extension headers of 8 bytes that lead to `last`; gives the number of the first. */
static uint8_t fill_chain(struct rng *r, uint8_t *p, uint32_t n, uint8_t last, bool with_frag)
{
	static const uint8_t middle[] = {60, 43, 135, 139, 140, 60};
	uint8_t number[10];

	/* hop-by-hop comes first or not at all */
	number[0] = n > 1 || rng_below(r, 2) ? 0 : 60;
	for (uint32_t i = 1; i < n; i++)
		number[i] = middle[rng_below(r, ARRAY_LEN(middle))];
	if (with_frag && n > 1)
		number[n - 1] = 44;
	for (uint32_t i = 0; i < n; i++, p += 8) {
		memset(p, 0, 8);
		p[0] = i + 1 < n ? number[i + 1] : last;
		if (number[i] == 0 || number[i] == 60) {
			p[2] = 1; /* PadN */
			p[3] = 4;
		}
		if (number[i] == 135)
			p[0] = i + 1 < n ? number[i + 1] : last;
	}
	return number[0];
}

static uint8_t fill_long_chain(uint8_t *p, uint16_t *len)
{
	/* destination options of 224 bytes: their first bytes lie inside the first 256, their end outside */
	memset(p, 0, 232);
	p[0] = 60;
	p[2] = 1;
	p[3] = 4;
	p[8] = 6;
	p[9] = 27;
	p[10] = 1;
	p[11] = 220;
	*len = 232;
	return 0;
}

static void emit_chain(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t esp[40] = {0, 0, 0x10, 1, 0, 0, 0, 7};
	int variant = actor_variant(a);
	struct tcp_spec t = {.flags = TCP_S, .window = 64800};
	uint32_t n = variant == CHAIN_NINE ? 9 : variant == CHAIN_MANY ? rng_between(&a->rng, 2, 8) : 1;
	uint8_t last = variant == CHAIN_ESP ? 50 : variant == CHAIN_NONE ? 59 : 6;
	uint8_t chain[256] = {0};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, last, 64);
	ip.extra = chain;
	ip.extra_len = (uint16_t)(n * 8);
	if (variant == CHAIN_LONG) {
		ip.first_next = fill_long_chain(chain, &ip.extra_len);
	} else if (variant == CHAIN_AH) {
		chain[0] = 6;
		chain[1] = 4; /* in words of 4 bytes, less 2 */
		ip.first_next = 51;
		ip.extra_len = 24;
	} else {
		ip.first_next = fill_chain(&a->rng, chain, n, last, variant == CHAIN_MANY);
	}
	t.sport = (uint16_t)rng_between(&a->rng, 1024, 65535);
	t.dport = (uint16_t)actor_port(a);
	t.seq = rng_u32(&a->rng);
	frame_start(f, &a->path);
	frame_ip(f, &ip);
	if (last == 6)
		frame_tcp(f, &t);
	else
		frame_put(f, esp, last == 50 ? sizeof(esp) : 0);
	f->v.class = last == 6 ? CLASS_SCAN : CLASS_OTHER;
	frame_end(f);
	if (variant == CHAIN_NINE) {
		/* eight are walked: the ninth stands as the protocol */
		f->v.protocol = chain[56];
		f->v.l4_off = 0;
		f->v.has_port = false;
		f->v.flags = -1;
		f->v.class = CLASS_OTHER;
	}
}

static const char *const chain_variants[] = {"one", "many", "nine", "long", "esp", "none", "ah", NULL};

const struct kind kind_ipv6_chain = {
	.name = "ipv6-chain",
	.what = "IPv6 SYNs behind extension headers (family: 6)",
	.emit = emit_chain,
	.variants = chain_variants,
	.any_variant = true,
	.ports = "22 80 443",
};
