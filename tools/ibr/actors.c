// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors.c - what all kinds of senders share: who sends to whom, ports, the TTL on arrival; and the
 * list of kinds.  Must not know any kind's packets.
 */
#include "actors.h"

#include <stdlib.h>

const struct kind *const kinds[] = {
	&kind_survey,
	&kind_mirai,
	&kind_iot,
	&kind_zmap,
	&kind_masscan,
	&kind_nmap,
	&kind_unicornscan,
	&kind_hping,
	&kind_udp_probe,
	&kind_ping,
	&kind_backscatter,
	&kind_amp_scan,
	&kind_amp_abuse,
	&kind_carpet,
	&kind_amp_response,
	&kind_synack_reflection,
	&kind_syn_flood,
	&kind_misconfig,
	&kind_malformed,
	&kind_truncated,
	&kind_encap_broken,
	&kind_fragments,
	&kind_ipv6_chain,
	&kind_arp,
	&kind_nd,
	&kind_sctp,
	&kind_gre,
	&kind_other_protocols,
	&kind_non_ip,
	&kind_random,
	&kind_tcp,
	&kind_udp,
	&kind_icmp,
	&kind_ip,
	NULL,
};

const struct kind *kind_find(const char *name)
{
	for (int i = 0; kinds[i]; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

static uint64_t hash_name(const char *name)
{
	uint64_t h = 0;

	for (; *name; name++)
		h = mix64(h ^ (unsigned char)*name);
	return h;
}

void actor_start(struct actor *a, uint64_t seed)
{
	a->key = mix64(seed) ^ hash_name(a->name);
	rng_seed(&a->rng, mix64(a->key));
	a->sent = 0;
}

void actor_stop(struct actor *a)
{
	free(a->state);
	a->state = NULL;
}

/* skew 1: all alike; k: the k-th power of a uniform number, so few sources send most. */
static uint64_t pick_source(struct actor *a)
{
	uint64_t u, x;

	if (a->sources == 0)
		return rng_u32(&a->rng);
	if (a->in_order || a->walk)
		return a->sent % a->sources;
	u = x = rng_u32(&a->rng);
	for (int i = 1; i < a->skew; i++)
		x = (x * u) >> 32;
	return (x * a->sources) >> 32;
}

/* How often the source of this packet sent before, when each has its turn. */
static uint64_t steps_of(const struct actor *a)
{
	return a->sources ? a->sent / a->sources : a->sent;
}

static struct addr pick_target(struct actor *a, const struct stage *stage, const struct pick *p, bool is6)
{
	const struct prefix_list *list = a->to == TO_LIST    ? &a->to_list
					 : a->to == TO_OTHER ? &stage->scenario->other
							     : &stage->scenario->dark;
	uint64_t n;

	if (a->walk) {
		/* from a place of its own, one address after the other */
		n = (uint32_t)p->trait + (a->hosts ? steps_of(a) % a->hosts : steps_of(a));
	} else if (a->hosts) {
		n = a->in_order && a->sources == 1 ? a->sent % a->hosts
						   : rng_below(&a->rng, (uint32_t)a->hosts);
		/* the chosen few lie anywhere, and are the same all the time */
		n = is6 ? n : mix32((uint32_t)n + (uint32_t)a->key);
	} else if (is6) {
		n = rng_u64(&a->rng);
		/* half of the hits go to low host numbers */
		n = (n & (1ULL << 40)) ? (n | 1) : (n & 0xff) << 1;
	} else {
		n = a->in_order && a->sources == 1 ? a->sent : rng_u32(&a->rng);
	}
	return addr_nth(list, is6, n);
}

void actor_pick(struct actor *a, const struct stage *stage, struct pick *p)
{
	bool is6 = a->family == 6 || (a->family == 0 && rng_u64(&a->rng) >> 63);

	p->index = pick_source(a);
	p->trait = mix64(a->key ^ (p->index + 1));
	if (a->from.n) {
		/* an odd factor walks every address of the prefixes before one comes again */
		uint64_t at =
			a->in_order || a->walk || is6 ? p->index : p->index * 2654435761U + (a->key & 0xffff);

		p->src = addr_nth(&a->from, is6, is6 ? at * 2 : at);
	} else {
		p->src = addr_public(a->key, p->index, is6, &stage->scenario->dark);
	}
	p->dst = pick_target(a, stage, p, is6);
	a->sent++;
}

uint32_t actor_port(struct actor *a)
{
	const struct port_set *s = &a->ports;
	int i = 0;

	if (s->n == 0)
		return 0;
	if (a->walk && s->n == 1) /* the packet was counted already */
		return s->range[0].low + (uint32_t)((a->sent - 1) / (a->sources ? a->sources : 1) %
						    (s->range[0].high - s->range[0].low + 1U));
	if (s->n > 1) {
		uint32_t r = rng_below(&a->rng, s->range[s->n - 1].upto);
		while (r >= s->range[i].upto)
			i++;
	}
	if (s->range[i].low == s->range[i].high)
		return s->range[i].low;
	return rng_between(&a->rng, s->range[i].low, s->range[i].high);
}

int actor_variant(struct actor *a)
{
	int n = 0;

	if (a->variants)
		return a->variant[a->variants == 1 ? 0 : rng_below(&a->rng, (uint32_t)a->variants)];
	if (!a->kind->any_variant)
		return 0;
	while (a->kind->variants[n])
		n++;
	return (int)rng_below(&a->rng, (uint32_t)n);
}

uint32_t actor_ephemeral(struct rng *r)
{
	uint32_t port = rng_between(r, 49152, 65535);

	return port == 53413 ? 53414 : port;
}

uint8_t actor_ttl(const struct actor *a, const struct pick *p, uint32_t initial)
{
	if (a->ttl >= 0)
		return (uint8_t)a->ttl;
	return (uint8_t)(initial - 6 - (p->trait >> 20) % 9);
}

void actor_ip(struct actor *a, const struct pick *p, struct ip_spec *ip, uint32_t protocol, uint32_t ttl)
{
	memset(ip, 0, sizeof(*ip));
	ip->src = p->src;
	ip->dst = p->dst;
	ip->protocol = (uint8_t)protocol;
	ip->ttl = actor_ttl(a, p, ttl);
	ip->id = a->ipid >= 0 ? (uint16_t)a->ipid : (uint16_t)rng_u32(&a->rng);
	if (a->df)
		ip->frag = IP_DF;
}

void actor_send_tcp(struct actor *a, struct frame *f, const struct ip_spec *ip, const struct tcp_spec *t,
		    enum class class, enum tool tool)
{
	struct tcp_spec sent = *t;

	if (a->doff >= 0)
		sent.doff = (uint8_t)a->doff;
	frame_start(f, &a->path);
	frame_ip(f, ip);
	frame_tcp(f, &sent);
	f->v.class = (uint8_t) class;
	f->v.tool = (uint8_t)tool;
	frame_end(f);
}

void actor_send_udp(struct actor *a, struct frame *f, const struct ip_spec *ip, uint32_t sport, uint32_t dport,
		    const void *payload, size_t len, enum class class)
{
	frame_start(f, &a->path);
	frame_ip(f, ip);
	frame_udp(f, sport, dport, payload, len);
	f->v.class = (uint8_t) class;
	frame_end(f);
}

enum class actor_tcp_class(uint32_t flags) {
	uint32_t core = flags & (TCP_F | TCP_S | TCP_R | TCP_A);

	if (core == TCP_S || flags == 0 || flags == TCP_F ||
	    flags == (TCP_F | TCP_P | TCP_U)) return CLASS_SCAN;
	if (core == (TCP_S | TCP_A) || core == TCP_R || core == (TCP_R | TCP_A)) return CLASS_BACKSCATTER;
	return CLASS_OTHER;
}

bool actor_any_payload_port(uint32_t port)
{
	return port == 7 || port == 17 || port == 19 || port == 10074;
}
