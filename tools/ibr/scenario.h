/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scenario.h - who does what: the scenario file as it was read.  Knows the names of kinds, not how
 * they build their packets.
 */
#ifndef IBR_SCENARIO_H
#define IBR_SCENARIO_H

#include "frame.h"

#define ACTORS_MAX	250
#define PORT_RANGES_MAX 128
#define VARIANTS_MAX	32
#define SERVICES_MAX	64
#define PAYLOAD_MAX	1400

struct port_set {
	struct {
		uint16_t low, high;
		uint32_t upto; /* weights of this range and those before it */
	} range[PORT_RANGES_MAX];
	int n;
};

enum target { TO_DARK, TO_OTHER, TO_LIST };

struct kind;

/* One actor: a population of sources that do the same thing.  A field that was not given is -1. */
struct actor {
	char name[64];
	const struct kind *kind;
	struct prefix_list from; /* empty: the public Internet */
	struct prefix_list to_list;
	struct port_set ports;
	struct path path;
	double share;	  /* of what the exact counts leave */
	uint64_t packets; /* exact count, 0 = by share */
	uint64_t sources; /* 0 = a fresh random source each packet */
	uint64_t hosts;	  /* destinations, 0 = all */
	int64_t seq, ipid;
	int32_t sport, window, ttl, doff, flags, protocol, type, code;
	int32_t class, tool, outcome; /* what the scenario claims against the kind's own word */
	int32_t skew;		      /* 1 = all sources alike, 2, 3, … = ever fewer send most */
	int32_t family;		      /* 4, 6, or 0 = both */
	int32_t retries;
	enum target to;
	bool seq_is_dst, in_order, walk, df;
	uint8_t variant[VARIANTS_MAX], service[SERVICES_MAX];
	int variants, services;
	uint8_t options[40], payload[PAYLOAD_MAX];
	uint16_t options_len, payload_len;

	/* of the running actor, see actors.h */
	struct rng rng;
	uint64_t key; /* of the traits of its sources */
	uint64_t sent;
	void *state;
};

struct scenario {
	char name[64];
	uint64_t seed, packets, start_s, rate_pps;
	double seconds;
	struct prefix_list dark, other;
	uint8_t src_mac[6], dst_mac[6];
	struct actor *actor;
	int actors;
};

/* Reads `text`; `file` only names it in complaints.  0 or -1, said. */
int scenario_read(struct scenario *s, const char *file, const char *text, size_t len);
int scenario_load(struct scenario *s, const char *file);
/* Reads "a.b.c.d/n,…" into the list. */
int scenario_read_prefixes(struct prefix_list *list, const char *text);
int scenario_read_mac(const char *text, uint8_t mac[6]);
/* After the dark prefixes are settled: overlaps, kinds' demands. */
int scenario_check(const struct scenario *s);
void scenario_free(struct scenario *s);

#endif
