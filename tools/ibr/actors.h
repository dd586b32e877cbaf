/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * actors.h - the kinds of senders.  Each builds its packets from nothing but its scenario entry, its
 * own random numbers and the time; each says in the verdict what it sent.
 */
#ifndef IBR_ACTORS_H
#define IBR_ACTORS_H

#include "scenario.h"

/* What one packet of an actor is about: which source, which destination. */
struct pick {
	uint64_t index; /* of the source in its population */
	uint64_t trait; /* a number that stays with the source */
	struct addr src, dst;
};

struct stage {
	const struct scenario *scenario;
	uint64_t now_ns; /* packet time */
};

struct kind {
	const char *name;
	const char *what;
	void (*emit)(struct actor *a, const struct stage *stage, struct frame *f);
	const char *const *variants; /* NULL-terminated, NULL = has none */
	const char *ports;	     /* used if the scenario names none */
	bool only_v4;
	bool any_variant; /* without a list: all of them, else the first */
};

extern const struct kind *const kinds[]; /* NULL-terminated */
const struct kind *kind_find(const char *name);

/* Seeds the actor's numbers: its stream does not depend on the other actors. */
void actor_start(struct actor *a, uint64_t seed);
void actor_stop(struct actor *a);

/* Helpers of the kinds. */
void actor_pick(struct actor *a, const struct stage *stage, struct pick *p);
uint32_t actor_port(struct actor *a);
int actor_variant(struct actor *a);
/* 49152…65535, never the port of an amplification service */
uint32_t actor_ephemeral(struct rng *r);
/* The TTL on arrival: `initial` less the hops to this source. */
uint8_t actor_ttl(const struct actor *a, const struct pick *p, uint32_t initial);
void actor_ip(struct actor *a, const struct pick *p, struct ip_spec *ip, uint32_t protocol, uint32_t ttl);
/* Frame, IP, TCP, end. */
void actor_send_tcp(struct actor *a, struct frame *f, const struct ip_spec *ip, const struct tcp_spec *t,
		    enum class class, enum tool tool);
void actor_send_udp(struct actor *a, struct frame *f, const struct ip_spec *ip, uint32_t sport, uint32_t dport,
		    const void *payload, size_t len, enum class class);
/* The class that TCP flags alone decide (definitions: "Packets, class"). */
enum class actor_tcp_class(uint32_t flags);
/* echo, qotd, chargen, tp240: any payload to these is a request that would be amplified */
bool actor_any_payload_port(uint32_t port);

/* actors_*.c */
extern const struct kind kind_survey, kind_mirai, kind_iot, kind_zmap, kind_masscan, kind_nmap,
	kind_unicornscan, kind_hping, kind_tcp, kind_udp, kind_udp_probe, kind_ping, kind_icmp, kind_ip,
	kind_backscatter, kind_amp_scan, kind_amp_abuse, kind_carpet, kind_amp_response, kind_synack_reflection,
	kind_syn_flood, kind_misconfig, kind_malformed, kind_truncated, kind_fragments, kind_ipv6_chain,
	kind_arp, kind_nd, kind_sctp, kind_gre, kind_other_protocols, kind_non_ip, kind_encap_broken,
	kind_random;

#endif
