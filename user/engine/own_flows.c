// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows and ports of the host that captured (own_flows.h), in two bounded tables. A frame is read by the
 * pipeline's own parser, so that both see the same packet in it.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/hash.h"
#include "bpf/parse.h"
#include "engine/own_flows.h"

#define NS	   1000000000ULL
#define WAYS	   8
#define FLOW_SETS  32768       /* 262,144 flows, 18 MiB */
#define PORT_SETS  2048	       /* 16,384 ports */
#define TCP_AGE	   (7440 * NS) /* RFC 5382: 2 hours 4 minutes */
#define CLOSED_AGE (60 * NS)   /* TIME-WAIT of Linux */
#define OTHER_AGE  (300 * NS)  /* RFC 4787: 5 minutes */

enum {
	ECHO4_REQUEST = 8,
	ECHO4_REPLY = 0,
	ECHO6_REQUEST = 128,
	ECHO6_REPLY = 129,
};

/* A flow as the host sees it; a port: `far` is 0. */
struct key {
	struct address own, far;
	uint32_t own_port, far_port, protocol, family;
};

enum {
	STATE_USED = 1,
	STATE_ASKED = 2,     /* UDP: the other side began */
	STATE_FIN_SEEN = 4,  /* TCP: the other side closed ... */
	STATE_FIN_SENT = 8,  /* ... and the host did */
	STATE_LAST_ACK = 16, /* ... second: with the answer to its FIN the socket is gone */
	STATE_PORT = 32,     /* never too old */
};

struct entry {
	struct key key;
	uint64_t last_ns;
	uint32_t fin_ack; /* of STATE_FIN_SENT: what acknowledges it */
	uint32_t state;
};

struct table {
	struct entry *entries; /* [sets * WAYS] */
	unsigned int sets;     /* a power of two */
	uint64_t forgotten;
};

struct own_flows {
	const struct plan *plan;
	struct table flows, ports;
};

static uint64_t age_limit(const struct entry *e)
{
	if (e->key.protocol != PROTO_TCP)
		return OTHER_AGE;
	return e->state & STATE_FIN_SEEN && e->state & STATE_FIN_SENT ? CLOSED_AGE : TCP_AGE;
}

static bool is_over(const struct entry *e, uint64_t now_ns)
{
	if (!(e->state & STATE_USED))
		return true;
	return !(e->state & STATE_PORT) && now_ns > e->last_ns && now_ns - e->last_ns > age_limit(e);
}

static bool is_key(const struct key *a, const struct key *b)
{
	return address_equal(&a->own, &b->own) && address_equal(&a->far, &b->far) &&
	       a->own_port == b->own_port && a->far_port == b->far_port && a->protocol == b->protocol &&
	       a->family == b->family;
}

static struct entry *set_of(const struct table *t, const struct key *k)
{
	uint64_t hash = hash_mix(k->own.hi ^ hash_mix(k->own.lo));

	hash = hash_mix(hash ^ k->far.hi ^ hash_mix(k->far.lo + 1));
	hash = hash_mix(hash ^ ((uint64_t)k->own_port << 48 | (uint64_t)k->far_port << 32 | k->protocol << 8 |
				k->family));
	return &t->entries[(hash & (t->sets - 1)) * WAYS];
}

static struct entry *table_find(const struct table *t, const struct key *k, uint64_t now_ns)
{
	struct entry *set = set_of(t, k);

	for (unsigned int i = 0; i < WAYS; i++)
		if (!is_over(&set[i], now_ns) && is_key(&set[i].key, k))
			return &set[i];
	return NULL;
}

/* The entry of a key, made if new: in a place that is free, else in the oldest's. */
static struct entry *table_touch(struct table *t, const struct key *k, uint64_t now_ns)
{
	struct entry *e = table_find(t, k, now_ns), *set = set_of(t, k);

	for (unsigned int i = 0; !e && i < WAYS; i++)
		if (is_over(&set[i], now_ns))
			(e = &set[i])->state = 0;
	if (!e) {
		e = set;
		for (unsigned int i = 1; i < WAYS; i++)
			if (set[i].last_ns < e->last_ns)
				e = &set[i];
		t->forgotten++;
		e->state = 0;
	}
	e->key = *k;
	e->last_ns = now_ns;
	return e;
}

static struct key port_of(const struct key *flow)
{
	struct key port = *flow;

	port.far = (struct address){};
	port.far_port = 0;
	return port;
}

static void note_port(struct own_flows *own, const struct key *flow, uint64_t now_ns)
{
	struct key port = port_of(flow);

	table_touch(&own->ports, &port, now_ns)->state = STATE_USED | STATE_PORT;
}

struct own_flows *own_flows_new(const struct plan *plan)
{
	struct own_flows *own = calloc(1, sizeof(*own));

	if (!own)
		return NULL;
	own->plan = plan;
	own->flows.sets = FLOW_SETS;
	own->ports.sets = PORT_SETS;
	own->flows.entries = calloc((size_t)FLOW_SETS * WAYS, sizeof(*own->flows.entries));
	own->ports.entries = calloc((size_t)PORT_SETS * WAYS, sizeof(*own->ports.entries));
	if (!own->flows.entries || !own->ports.entries)
		own_flows_free(&own);
	return own;
}

void own_flows_free(struct own_flows **own)
{
	if (!*own)
		return;
	free((*own)->flows.entries);
	free((*own)->ports.entries);
	free(*own);
	*own = NULL;
}

void own_flows_rewind(struct own_flows *own)
{
	memset(own->flows.entries, 0, (size_t)FLOW_SETS * WAYS * sizeof(*own->flows.entries));
	own->flows.forgotten = 0;
}

uint64_t own_flows_forgotten(const struct own_flows *own)
{
	return own->flows.forgotten + own->ports.forgotten;
}

static bool is_own(const struct own_flows *own, uint32_t family, const struct address *a)
{
	uint8_t bytes[16];
	uint32_t index;

	if (family == 4)
		return plan_lookup4(own->plan, (uint32_t)a->lo, &index);
	for (unsigned int i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(a->hi >> (56 - 8 * i));
		bytes[8 + i] = (uint8_t)(a->lo >> (56 - 8 * i));
	}
	return plan_lookup6(own->plan, bytes);
}

/* What a frame is to the host. */
enum way { WAY_OTHER, WAY_SENT, WAY_RECEIVED };

static enum way read_frame(const struct own_flows *own, const struct capture_frame *frame, struct packet *p,
			   struct head *h)
{
	bool from, to;

	memset(h, 0, sizeof(*h));
	memset(p, 0, sizeof(*p));
	h->wirelen = frame->wirelen;
	h->caplen = frame->caplen < AG_HEAD_BYTES ? frame->caplen : AG_HEAD_BYTES;
	memcpy(h->bytes, frame->bytes, h->caplen);
	if (parse(p, h, &own->plan->settings) != PACKET_GOES_ON || !p->family)
		return WAY_OTHER;
	from = frame->outgoing || is_own(own, p->family, &p->src);
	to = is_own(own, p->family, &p->dst);
	/* From itself to itself is nothing that this host would send out. */
	if (from == to)
		return WAY_OTHER;
	return from ? WAY_SENT : WAY_RECEIVED;
}

/* The identifier of an echo stands for its ports; -1: it is none that begins or answers. */
static int64_t echo_of(const struct packet *p, const struct head *h, enum way way)
{
	uint32_t request = p->family == 4 ? ECHO4_REQUEST : ECHO6_REQUEST;
	uint32_t reply = p->family == 4 ? ECHO4_REPLY : ECHO6_REPLY;

	if (!p->has_icmp || p->icmp_type != (way == WAY_SENT ? request : reply) || !packet_has(p, h, p->l4, 8))
		return -1;
	return head_u16(h, p->l4 + 4);
}

/* The flow that a packet belongs to, or that the error in it is about; false: none. */
static bool key_of(struct key *k, const struct packet *p, const struct head *h, enum way way)
{
	bool sent = way == WAY_SENT, icmp = p->protocol == PROTO_ICMP || p->protocol == PROTO_ICMP6;
	int64_t echo = icmp ? echo_of(p, h, way) : -1;

	*k = (struct key){.own = sent ? p->src : p->dst,
			  .far = sent ? p->dst : p->src,
			  .protocol = p->protocol,
			  .family = p->family};
	if (p->quoted) {
		k->far = p->quoted_dst;
		k->protocol = p->quoted & 0xff;
		k->own_port = p->quoted_ports >> 16;
		k->far_port = p->quoted_ports & 0xffff;
		return !sent && p->quoted_ports && address_equal(&p->quoted_src, &p->dst) &&
		       (k->protocol == PROTO_TCP || k->protocol == PROTO_UDP);
	}
	if (icmp) {
		k->own_port = k->far_port = (uint32_t)echo;
		return echo >= 0;
	}
	if (p->has_ports) {
		k->own_port = sent ? p->sport : p->dport;
		k->far_port = sent ? p->dport : p->sport;
	}
	return p->has_ports || (p->protocol != PROTO_TCP && p->protocol != PROTO_UDP);
}

void own_flows_learn(struct own_flows *own, const struct capture_frame *frame)
{
	struct packet p;
	struct head h;
	struct key k;
	enum way way = read_frame(own, frame, &p, &h);

	if (way == WAY_OTHER || p.quoted || !key_of(&k, &p, &h, way))
		return;
	if (p.protocol == PROTO_TCP) {
		if (way == WAY_SENT && p.has_flags &&
		    (p.tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
			note_port(own, &k, frame->time_ns);
	} else if (p.protocol == PROTO_UDP) {
		struct entry *e = table_find(&own->flows, &k, frame->time_ns);

		/* A host that answers who began listens there; one that began may use the port for that alone.
		 */
		if (way == WAY_SENT && e && e->state & STATE_ASKED)
			note_port(own, &k, frame->time_ns);
		if (!e)
			table_touch(&own->flows, &k, frame->time_ns)->state =
				STATE_USED | (way == WAY_RECEIVED ? STATE_ASKED : 0);
		else
			e->last_ns = frame->time_ns;
	}
}

static void judge_sent(struct own_flows *own, const struct key *k, const struct packet *p, uint64_t now_ns)
{
	struct entry *e;

	if (p->protocol != PROTO_TCP) {
		table_touch(&own->flows, k, now_ns)->state |= STATE_USED;
		return;
	}
	if (p->tcp_flags & TCP_RST) { /* there is no socket, or no more */
		e = table_find(&own->flows, k, now_ns);
		if (e)
			e->state = 0;
		return;
	}
	e = table_touch(&own->flows, k, now_ns);
	if (p->tcp_flags & TCP_SYN)
		e->state = 0;
	e->state |= STATE_USED;
	if (p->tcp_flags & TCP_FIN) {
		e->fin_ack = p->seq + p->payload_len + 1;
		e->state |= STATE_FIN_SENT;
		if (e->state & STATE_FIN_SEEN)
			e->state |= STATE_LAST_ACK;
	}
}

/* A packet of the flow comes in: the socket had it, and may be gone behind it. */
static void follow_received(struct entry *e, const struct packet *p, uint64_t now_ns)
{
	e->last_ns = now_ns;
	if (p->quoted || p->protocol != PROTO_TCP)
		return;
	if (p->tcp_flags & TCP_RST ||
	    (e->state & STATE_LAST_ACK && p->tcp_flags & TCP_ACK && p->ack == e->fin_ack))
		e->state = 0;
	else if (p->tcp_flags & TCP_FIN)
		e->state |= STATE_FIN_SEEN;
}

uint16_t own_flows_judge(struct own_flows *own, const struct capture_frame *frame)
{
	struct packet p;
	struct head h;
	struct key k, port;
	enum way way = read_frame(own, frame, &p, &h);
	bool known = way != WAY_OTHER && key_of(&k, &p, &h, way);
	struct entry *e;

	if (way == WAY_SENT || frame->outgoing) {
		if (known && (p.protocol != PROTO_TCP || p.has_tcp))
			judge_sent(own, &k, &p, frame->time_ns);
		return AG_REPLAY_SENT;
	}
	if (!known)
		return 0;
	e = table_find(&own->flows, &k, frame->time_ns);
	if (e) {
		follow_received(e, &p, frame->time_ns);
		return AG_REPLAY_FLOW;
	}
	port = port_of(&k);
	if (!table_find(&own->ports, &port, frame->time_ns))
		return 0;
	return k.protocol == PROTO_UDP ? AG_REPLAY_FLOW : AG_REPLAY_LISTENS;
}
