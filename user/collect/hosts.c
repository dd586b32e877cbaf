// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings of sketches (hosts.h). Memory is touched when it is used: a set that nobody is in costs nothing.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/hash.h"
#include "collect/hll.h"
#include "collect/hosts.h"

#define PROTO_TCP  6
#define PROTO_UDP  17
#define PROTOCOLS  2
#define TOOL_BITS  12 /* 1.6 % */
#define PORT_BITS  10 /* 3.3 % */
#define SLOTS_MOST 31
#define UNFOLLOWED 0xff
_Static_assert(HOSTS_PORTS_MAX < UNFOLLOWED, "a followed port's number is a byte");

/* Slots of a window, and ticks of a slot; one more slot is open. */
static const struct {
	unsigned int slots, ticks;
} windows[HOSTS_WINDOWS] = {[HOSTS_5M] = {30, 1}, [HOSTS_1H] = {12, 30}, [HOSTS_1D] = {24, 360}};

/* The sketches of one set and window. A slot is of the span (tick / ticks) that stands beside it. */
struct ring {
	uint8_t *reg; /* [slots + 1][1 << bits]; NULL until it is used */
	uint32_t span[SLOTS_MOST];
};

struct followed {
	uint16_t port[HOSTS_PORTS_MAX];
	struct ring ring[HOSTS_PORTS_MAX];
	unsigned int count;
	uint8_t at[AG_PORTS]; /* index of a port, or UNFOLLOWED */
};

struct hosts {
	pthread_mutex_t lock;
	struct ring class[AG_CLASS_MAX][HOSTS_WINDOWS];
	struct ring tool[AG_TOOL_MAX][HOSTS_WINDOWS];
	struct followed followed[PROTOCOLS];
	uint32_t tick;
};

struct hosts *hosts_new(void)
{
	struct hosts *h = calloc(1, sizeof(*h));
	unsigned int i;

	if (!h)
		return NULL;
	pthread_mutex_init(&h->lock, NULL);
	for (i = 0; i < PROTOCOLS; i++)
		memset(h->followed[i].at, UNFOLLOWED, sizeof(h->followed[i].at));
	return h;
}

void hosts_free(struct hosts **hosts)
{
	struct hosts *h = *hosts;
	unsigned int i, j;

	if (!h)
		return;
	for (j = 0; j < HOSTS_WINDOWS; j++) {
		for (i = 0; i < AG_CLASS_MAX; i++)
			free(h->class[i][j].reg);
		for (i = 0; i < AG_TOOL_MAX; i++)
			free(h->tool[i][j].reg);
	}
	for (j = 0; j < PROTOCOLS; j++)
		for (i = 0; i < HOSTS_PORTS_MAX; i++)
			free(h->followed[j].ring[i].reg);
	pthread_mutex_destroy(&h->lock);
	free(h);
	*hosts = NULL;
}

uint64_t hosts_hash(uint64_t src_hi, uint64_t src_lo, bool v6)
{
	return sketch_hash(src_hi, src_lo, v6);
}

/* The open slot's registers, empty when it begins; NULL without memory: the host is then not counted. */
static uint8_t *open_slot(struct ring *ring, enum hosts_window window, unsigned int bits, uint32_t tick)
{
	unsigned int slots = windows[window].slots + 1, slot;
	uint32_t span = tick / windows[window].ticks;
	size_t bytes = (size_t)1 << bits;

	if (!ring->reg) {
		ring->reg = calloc(slots, bytes);
		if (!ring->reg)
			return NULL;
		memset(ring->span, 0xff, sizeof(ring->span));
	}
	slot = span % slots;
	if (ring->span[slot] != span) {
		memset(ring->reg + slot * bytes, 0, bytes);
		ring->span[slot] = span;
	}
	return ring->reg + slot * bytes;
}

/* The union of what is not older than the window. */
static void join_slots(const struct ring *ring, enum hosts_window window, unsigned int bits, uint32_t tick,
		       uint8_t *into)
{
	unsigned int slots = windows[window].slots + 1, slot;
	uint32_t span = tick / windows[window].ticks;
	size_t bytes = (size_t)1 << bits;

	for (slot = 0; ring->reg && slot < slots; slot++)
		if (span - ring->span[slot] < slots)
			hll_merge_registers(into, ring->reg + slot * bytes, bits);
}

static void move_on(struct hosts *h, uint32_t tick)
{
	if (tick > h->tick)
		h->tick = tick;
}

void hosts_add(struct hosts *h, uint32_t tick, const struct ag_hll *by_class)
{
	static const struct ag_hll nobody;
	unsigned int class, window;

	pthread_mutex_lock(&h->lock);
	move_on(h, tick);
	for (class = 0; class < AG_CLASS_MAX; class ++) {
		if (!memcmp(&by_class[class], &nobody, sizeof(nobody)))
			continue;
		for (window = 0; window < HOSTS_WINDOWS; window++) {
			uint8_t *reg = open_slot(&h->class[class][window], window, AG_HLL_BITS, tick);

			if (reg)
				hll_merge_registers(reg, by_class[class].reg, AG_HLL_BITS);
		}
	}
	pthread_mutex_unlock(&h->lock);
}

void hosts_add_tool(struct hosts *h, uint32_t tick, unsigned int tool, uint64_t hash)
{
	unsigned int window;

	if (tool >= AG_TOOL_MAX)
		return;
	pthread_mutex_lock(&h->lock);
	move_on(h, tick);
	for (window = 0; window < HOSTS_WINDOWS; window++) {
		uint8_t *reg = open_slot(&h->tool[tool][window], window, TOOL_BITS, tick);

		if (reg)
			hll_touch(reg, TOOL_BITS, hash);
	}
	pthread_mutex_unlock(&h->lock);
}

static struct followed *followed_of(struct hosts *h, unsigned int protocol)
{
	return &h->followed[protocol == PROTO_UDP];
}

static bool has_ports(unsigned int protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP;
}

void hosts_add_port(struct hosts *h, uint32_t tick, unsigned int protocol, unsigned int port, uint64_t hash)
{
	struct followed *f = followed_of(h, protocol);
	uint8_t *reg;

	/* Most ports are not followed, and for those no lock is taken: who begins to be is seen a record later.
	 */
	if (!has_ports(protocol) || __atomic_load_n(&f->at[port & 0xffff], __ATOMIC_RELAXED) == UNFOLLOWED)
		return;
	pthread_mutex_lock(&h->lock);
	move_on(h, tick);
	if (f->at[port & 0xffff] != UNFOLLOWED) {
		reg = open_slot(&f->ring[f->at[port & 0xffff]], HOSTS_1H, PORT_BITS, tick);
		if (reg)
			hll_touch(reg, PORT_BITS, hash);
	}
	pthread_mutex_unlock(&h->lock);
}

/* Whoever stays keeps what it has. */
void hosts_follow(struct hosts *h, unsigned int protocol, const uint16_t *ports, unsigned int count)
{
	struct followed *f = followed_of(h, protocol), *old = malloc(sizeof(*old));
	unsigned int i;

	if (!old)
		return;
	pthread_mutex_lock(&h->lock);
	*old = *f;
	memset(f->ring, 0, sizeof(f->ring));
	f->count = 0;
	for (i = 0; i < old->count; i++)
		__atomic_store_n(&f->at[old->port[i]], UNFOLLOWED, __ATOMIC_RELAXED);
	for (i = 0; i < count && i < HOSTS_PORTS_MAX; i++) {
		uint8_t was = old->at[ports[i]];

		if (was != UNFOLLOWED) {
			f->ring[f->count] = old->ring[was];
			old->ring[was].reg = NULL;
		}
		f->port[f->count] = ports[i];
		__atomic_store_n(&f->at[ports[i]], (uint8_t)f->count++, __ATOMIC_RELAXED);
	}
	for (i = 0; i < old->count; i++)
		free(old->ring[i].reg);
	pthread_mutex_unlock(&h->lock);
	free(old);
}

static void estimate_classes(const struct hosts *h, enum hosts_window window, const struct ag_hll *open,
			     struct hosts_figures *out)
{
	struct ag_hll all = {}, one;
	unsigned int class;

	for (class = 0; class < AG_CLASS_MAX; class ++) {
		one = open[class];
		join_slots(&h->class[class][window], window, AG_HLL_BITS, h -> tick, one.reg);
		out->hosts[1 + class][window] = hll_estimate(&one);
		hll_merge(&all, &one);
	}
	out->hosts[HOSTS_ALL][window] = hll_estimate(&all);
}

static void estimate_tools(const struct hosts *h, enum hosts_window window, struct hosts_figures *out)
{
	uint8_t reg[1 << TOOL_BITS];
	unsigned int tool;

	for (tool = 0; tool < AG_TOOL_MAX; tool++) {
		memset(reg, 0, sizeof(reg));
		join_slots(&h->tool[tool][window], window, TOOL_BITS, h->tick, reg);
		out->hosts[1 + AG_CLASS_MAX + tool][window] = hll_estimate_registers(reg, TOOL_BITS);
	}
}

void hosts_figures(struct hosts *h, const struct ag_hll *open, struct hosts_figures *out)
{
	unsigned int window;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&h->lock);
	for (window = 0; window < HOSTS_WINDOWS; window++) {
		estimate_classes(h, window, open, out);
		estimate_tools(h, window, out);
	}
	pthread_mutex_unlock(&h->lock);
}

uint64_t hosts_of_port(struct hosts *h, unsigned int protocol, unsigned int port)
{
	struct followed *f = followed_of(h, protocol);
	uint8_t reg[1 << PORT_BITS] = {};
	uint64_t hosts = 0;

	pthread_mutex_lock(&h->lock);
	if (has_ports(protocol) && f->at[port & 0xffff] != UNFOLLOWED) {
		join_slots(&f->ring[f->at[port & 0xffff]], HOSTS_1H, PORT_BITS, h->tick, reg);
		hosts = hll_estimate_registers(reg, PORT_BITS);
	}
	pthread_mutex_unlock(&h->lock);
	return hosts;
}
