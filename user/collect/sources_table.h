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
#define WINDOW_TICKS 30 /* five minutes */
#define HOUR_TICKS   360
#define DAY_TICKS    8640 /* from the first packet on */
#define DAY_HOURS    24
#define IDLE_S	     3600 /* after which the same alert is raised again */
#define SLOTS	     8	  /* sources a bucket */

/* Stamps: ticks from 1, hours from 128; 0: never, or more than a day ago (stamps.h). */
#define STAMP_TICKS 127
#define STAMP_HOURS 128

/* A (source, class, protocol, service port), over all scopes. Its destinations of the last five minutes, and of
 * the last 24 hours, are the bits whose stamp is younger than that. */
struct flow {
	uint32_t source; /* number of its source */
	uint32_t next_of_source, next_in_chain;
	uint16_t port;
	uint8_t protocol;
	uint8_t class : 7, listed : 1; /* listed: among those that are touched in this tick */
	uint64_t packets;
	uint32_t first_s, last_s;
	struct ag_distinct day; /* destinations since day_tick */
	uint32_t day_tick, day_packets;
	uint32_t touched;   /* tick of the last record */
	uint32_t alert;	    /* number of its alert; 0: none, or it was idle since */
	uint8_t stamps[64]; /* by bit; all as of `touched` */
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
	uint8_t port_zero; /* bit 0: of TCP, bit 1: of UDP; among the ports */
	bool ports_at_least;
	uint32_t hits[AG_TOOL_MAX], syns;
	uint32_t anomalies;
	uint32_t judged;    /* settlement in which its ports were judged */
	uint32_t scan_tick; /* of its last request for a port */
	uint32_t since;	    /* tick: ports that were asked for before were told by an alert that is over */
	uint32_t asked;	    /* ports since then that nobody had counted */
	uint64_t asked_packets;
	uint32_t alert;	      /* of a vertical scan; 0: none, or it was idle since */
	uint32_t hand;	      /* flow behind which the search for one to give up goes on; NO_FLOW: the newest */
	uint32_t looked_tick; /* in this tick so many flows in a row were found to be none that can be given up
			       */
	uint32_t looked;
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
	uint32_t *touched; /* flows of this tick to be judged, each once */
	unsigned int touched_count;
	uint32_t tick, settlement;
	unsigned int maps; /* port maps in use */
	struct sources_options options;
	uint32_t matches[AG_TOOL_MAX]; /* how many it takes to tell a source's tool */
	struct alerts alerts;
	struct sources_totals totals;
};

/* Room for so many sources at least. 0 or -ENOMEM. */
int table_new(struct sources *s, unsigned int sources_max);
void table_free(struct sources *s);
/* No more flows, but of sources that give one up. */
bool table_is_full(const struct sources *s);

uint64_t table_hash(uint64_t hi, uint64_t lo, bool v6);
/*
 * Fetches what adding a record will read, in steps of which each looks at what the one before has fetched: the
 * bucket; the source, or whoever makes room for it, of which the number is returned; the heads of the chains;
 * the flows. A guess that a record in between makes wrong costs time, nothing else.
 */
void table_prefetch(const struct sources *s, uint64_t hash);
uint32_t table_prefetch_source(const struct sources *s, uint64_t hash);
void table_prefetch_chain(const struct sources *s, uint32_t source, unsigned int protocol, unsigned int port);
void table_prefetch_flow(const struct sources *s, uint32_t source, unsigned int protocol, unsigned int port);
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
/*
 * A new flow, zeroed but for its key; NULL: there is no room. A source with SOURCES_FLOWS_MAX, or with many
 * when there is no more room, gives up a small one that was not touched for five minutes; NULL where there is
 * none.
 */
struct flow *table_make_flow(struct sources *s, struct source *source, unsigned int class,
			     unsigned int protocol, unsigned int port);

#endif
