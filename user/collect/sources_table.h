/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of sources and their flows (sources.h): a fixed number of both, found by hash. Private to
 * user/collect/. Who calls holds the lock.
 */
#ifndef AIRGLOW_COLLECT_SOURCES_TABLE_H
#define AIRGLOW_COLLECT_SOURCES_TABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "collect/sources.h"

#define NO_FLOW	     0xffffffffu
#define TICK_S	     10
#define WINDOW_TICKS 30	  /* five minutes */
#define DAY_TICKS    8640 /* from the first packet on */
#define SLOTS	     8	  /* sources a bucket */

/* A (source, class, protocol, service port), over all scopes. Its destinations of the last five minutes are the
 * bits whose stamp is younger than that. */
struct flow {
	uint32_t source; /* number of its source */
	uint32_t next_of_source, next_in_chain;
	uint16_t port;
	uint8_t protocol, class;
	uint64_t packets;
	uint32_t first_s, last_s;
	struct ag_distinct day; /* destinations since day_tick */
	uint32_t day_tick, day_packets;
	uint32_t touched;   /* tick of the last record */
	uint32_t alert;	    /* number of its alert; 0: none */
	uint8_t stamps[64]; /* by bit: tick % 255 + 1; 0: never */
};
_Static_assert(sizeof(struct flow) == 128, "two cache lines; the first is all that most flows need");

/* Which ports a source asked for that has more flows than are kept. */
struct port_map {
	uint64_t bits[2][AG_PORTS / 64]; /* TCP, UDP */
};

struct source {
	uint64_t hi, lo;
	uint64_t packets[AG_CLASS_MAX];
	uint64_t bytes;
	struct ag_distinct destinations;
	uint32_t first_s, last_s;
	uint32_t flows; /* the newest */
	uint16_t flows_count;
	uint8_t v6, flags;
	uint32_t ports;
	bool ports_at_least;
	uint32_t hits[AG_TOOL_MAX], syns;
	uint32_t anomalies;
	uint32_t touched; /* tick in which its ports were judged */
	uint32_t alert;	  /* of a vertical scan */
	struct port_map *map;
};

/* What is read to find one, and to choose who makes room: half a cache line. */
struct bucket {
	uint16_t tag[SLOTS];   /* 0: free */
	uint8_t weight[SLOTS]; /* grows with the packets */
	uint8_t turn;	       /* where the search for room begins */
	uint8_t pad[7];
};
_Static_assert(sizeof(struct bucket) == 32, "");

struct sources {
	pthread_mutex_t lock;
	struct bucket *buckets;
	struct source *sources; /* [buckets * SLOTS] */
	unsigned int buckets_mask;
	struct flow *flows;
	unsigned int flows_max, flows_used;
	uint32_t free_flows; /* chain by next_in_chain */
	uint32_t *chains;    /* by hash of (source, protocol, port) */
	unsigned int chains_mask;
	uint32_t *touched; /* flows of this tick to be judged, each at most twice */
	unsigned int touched_count;
	uint32_t tick;
	unsigned int maps; /* port maps in use */
	struct sources_options options;
	struct alerts alerts;
	struct sources_totals totals;
};

int table_new(struct sources *s, unsigned int sources_max);
void table_free(struct sources *s);

uint64_t table_hash(uint64_t hi, uint64_t lo, bool v6);
/* Fetches what table_find of this hash will read. */
void table_prefetch(const struct sources *s, uint64_t hash);
/* ... and the source itself, once the first has come. */
void table_prefetch_source(const struct sources *s, uint64_t hash);
/* The source, or NULL. */
struct source *table_find(const struct sources *s, uint64_t hash, uint64_t hi, uint64_t lo, bool v6);
/* The source, made where there is none: somebody smaller makes room. */
struct source *table_make(struct sources *s, uint64_t hash, uint64_t hi, uint64_t lo, bool v6);
/* Its weight, after it got packets. */
void table_weigh(struct sources *s, const struct source *source, uint64_t packets);
uint64_t source_packets(const struct source *source);

/* The flow, or NULL. known: was there one of this port, of any class? */
struct flow *table_find_flow(const struct sources *s, const struct source *source, unsigned int class,
			     unsigned int protocol, unsigned int port, bool *known);
/* A new flow, zeroed but for its key; NULL: the source has too many, or there is no room. */
struct flow *table_make_flow(struct sources *s, struct source *source, unsigned int class,
			     unsigned int protocol, unsigned int port);

#endif
