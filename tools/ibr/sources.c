// SPDX-License-Identifier: GPL-2.0-only
/*
 * sources.c - exact books of sources: packets, classes, tools, distinct ports and destinations of
 * each, within a bound; beyond it only the exact number of distinct sources.
 */
#include "sources.h"

#include <stdlib.h>

#define PAIRS_MOST (72ULL << 20) /* pairs of (source, port or destination) kept apart */

struct source {
	struct addr addr;
	uint32_t packets, ports, services, destinations, syns;
	uint32_t class[CLASS_MAX], tool[TOOL_MAX];
};

/* Open addressing over non-zero 64-bit keys. */
struct set {
	uint64_t *key;
	uint64_t mask, used;
};

struct high_low {
	uint64_t high, low;
};

struct sources {
	struct source *list;
	uint32_t *slot; /* index + 1 into the list */
	uint64_t slot_mask, n, most;
	struct set ports, services, destinations;
	bool given_up;
	uint32_t *seen4; /* addresses, from time to time sorted and made unique */
	struct high_low *seen6;
	size_t seen4_n, seen4_room, seen6_n, seen6_room;
};

static uint64_t hash_addr(const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, 16);
	return mix64(w[0] ^ mix64(w[1] + a->is6));
}

/* 1 if the key is new, 0 if known; there must be a free place. */
static int insert_key(struct set *s, uint64_t key)
{
	uint64_t at;

	for (at = mix64(key) & s->mask; s->key[at]; at = (at + 1) & s->mask)
		if (s->key[at] == key)
			return 0;
	s->key[at] = key;
	s->used++;
	return 1;
}

/* The same with as many places as it takes; -1 without memory. */
static int add_key(struct set *s, uint64_t key)
{
	if (s->used * 2 >= s->mask) {
		struct set more = {.mask = s->mask ? s->mask * 2 + 1 : 0xffff};

		more.key = calloc(more.mask + 1, sizeof(*more.key));
		if (!more.key)
			return -1;
		for (uint64_t i = 0; s->key && i <= s->mask; i++)
			if (s->key[i])
				insert_key(&more, s->key[i]);
		free(s->key);
		*s = more;
	}
	return insert_key(s, key ? key : 1);
}

struct sources *sources_new(uint64_t most)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->most = most;
	s->given_up = most == 0;
	return s;
}

static void give_up(struct sources *s)
{
	free(s->list);
	free(s->slot);
	free(s->ports.key);
	free(s->services.key);
	free(s->destinations.key);
	s->list = NULL;
	s->slot = NULL;
	memset(&s->ports, 0, sizeof(s->ports));
	memset(&s->services, 0, sizeof(s->services));
	memset(&s->destinations, 0, sizeof(s->destinations));
	s->given_up = true;
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	give_up(s);
	free(s->seen4);
	free(s->seen6);
	free(s);
}

static int grow_list(struct sources *s)
{
	uint64_t room = s->slot_mask ? (s->slot_mask + 1) * 2 : 1 << 12;
	struct source *list = realloc(s->list, room / 2 * sizeof(*list));
	uint32_t *slot = calloc(room, sizeof(*slot));

	if (list)
		s->list = list;
	if (!list || !slot) {
		free(slot);
		return complain("no memory for the truth about sources; use --truth-sources 0");
	}
	free(s->slot);
	s->slot = slot;
	s->slot_mask = room - 1;
	for (uint64_t i = 0; i < s->n; i++) {
		uint64_t at = hash_addr(&s->list[i].addr) & s->slot_mask;

		while (slot[at])
			at = (at + 1) & s->slot_mask;
		slot[at] = (uint32_t)i + 1;
	}
	return 0;
}

static struct source *find_source(struct sources *s, const struct addr *a)
{
	uint64_t at;

	if (s->n * 2 >= s->slot_mask && grow_list(s))
		return NULL;
	for (at = hash_addr(a) & s->slot_mask; s->slot[at]; at = (at + 1) & s->slot_mask)
		if (addr_equal(&s->list[s->slot[at] - 1].addr, a))
			return &s->list[s->slot[at] - 1];
	s->slot[at] = (uint32_t)++s->n;
	memset(&s->list[s->n - 1], 0, sizeof(*s->list));
	s->list[s->n - 1].addr = *a;
	return &s->list[s->n - 1];
}

/* Least significant byte first; `spare` is as long as `v`. */
static void sort_u32(uint32_t *v, uint32_t *spare, size_t n)
{
	for (int shift = 0; shift < 32; shift += 8) {
		size_t at[257] = {0};
		uint32_t *swap;

		for (size_t i = 0; i < n; i++)
			at[(v[i] >> shift & 255) + 1]++;
		for (int i = 0; i < 256; i++)
			at[i + 1] += at[i];
		for (size_t i = 0; i < n; i++)
			spare[at[v[i] >> shift & 255]++] = v[i];
		swap = v;
		v = spare;
		spare = swap;
	}
}

static int settle_v4(struct sources *s)
{
	uint32_t *spare = malloc(s->seen4_n * sizeof(*spare) + 1);
	size_t n = 0;

	if (!spare)
		return complain("no memory to count the sources");
	sort_u32(s->seen4, spare, s->seen4_n);
	free(spare);
	for (size_t i = 0; i < s->seen4_n; i++)
		if (i == 0 || s->seen4[i] != s->seen4[n - 1])
			s->seen4[n++] = s->seen4[i];
	s->seen4_n = n;
	return 0;
}

static int compare_v6(const void *a, const void *b)
{
	struct high_low x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x.high != y.high)
		return x.high < y.high ? -1 : 1;
	return x.low < y.low ? -1 : x.low > y.low;
}

static void settle_v6(struct sources *s)
{
	size_t n = 0;

	qsort(s->seen6, s->seen6_n, sizeof(*s->seen6), compare_v6);
	for (size_t i = 0; i < s->seen6_n; i++)
		if (i == 0 || compare_v6(&s->seen6[i], &s->seen6[n - 1]) != 0)
			s->seen6[n++] = s->seen6[i];
	s->seen6_n = n;
}

/* Room for one more in both lists of addresses seen; made unique first, enlarged if that frees too little. */
static int make_room(struct sources *s)
{
	if (s->seen4_n == s->seen4_room) {
		if (s->seen4_n && settle_v4(s))
			return -1;
		if (s->seen4_n * 2 >= s->seen4_room) {
			size_t room = s->seen4_room ? s->seen4_room * 2 : 1 << 16;
			uint32_t *v = realloc(s->seen4, room * sizeof(*v));

			if (!v)
				return complain("no memory to count the sources");
			s->seen4 = v;
			s->seen4_room = room;
		}
	}
	if (s->seen6_n == s->seen6_room) {
		if (s->seen6_n)
			settle_v6(s);
		if (s->seen6_n * 2 >= s->seen6_room) {
			size_t room = s->seen6_room ? s->seen6_room * 2 : 1 << 12;
			struct high_low *v = realloc(s->seen6, room * sizeof(*v));

			if (!v)
				return complain("no memory to count the sources");
			s->seen6 = v;
			s->seen6_room = room;
		}
	}
	return 0;
}

static struct high_low read_v6(const struct addr *a)
{
	struct high_low v = {
		.high = (uint64_t)get32(a->b) << 32 | get32(a->b + 4),
		.low = (uint64_t)get32(a->b + 8) << 32 | get32(a->b + 12),
	};

	return v;
}

/* Counts a pair of the index-th source that was not seen before. */
static int add_pair(struct set *pairs, uint64_t pair, uint32_t *count)
{
	int fresh = add_key(pairs, pair);

	if (fresh < 0)
		return complain("no memory for the truth about sources; use --truth-sources 0");
	*count += (uint32_t)fresh;
	return 0;
}

static int add_pairs(struct sources *s, struct source *e, const struct verdict *v,
		     const struct source_packet *p)
{
	uint64_t index = (uint64_t)(e - s->list) + 1, dst = get32(v->dst.b);

	if (p->port >= 0 && (add_pair(&s->ports, index << 24 | (uint32_t)p->port, &e->ports) ||
			     add_pair(&s->services, index << 24 | (uint32_t)p->service, &e->services)))
		return -1;
	if (v->dst.is6)
		dst = hash_addr(&v->dst) >> 32 ^ hash_addr(&v->dst);
	return add_pair(&s->destinations, v->dst.is6 ? mix64(index) ^ dst : index << 32 | dst,
			&e->destinations);
}

int sources_add(struct sources *s, const struct verdict *v, const struct source_packet *p)
{
	struct source *e;

	if (make_room(s))
		return -1;
	if (v->src.is6)
		s->seen6[s->seen6_n++] = read_v6(&v->src);
	else
		s->seen4[s->seen4_n++] = get32(v->src.b);
	if (s->given_up)
		return 0;
	e = find_source(s, &v->src);
	if (!e)
		return -1;
	if (s->n > s->most || s->ports.used + s->services.used + s->destinations.used > PAIRS_MOST) {
		give_up(s);
		return 0;
	}
	e->packets++;
	e->class[p->class]++;
	e->tool[v->tool]++;
	e->syns += p->syn;
	return add_pairs(s, e, v, p);
}

uint64_t sources_count(struct sources *s)
{
	if (s->seen4_n)
		settle_v4(s);
	if (s->seen6_n)
		settle_v6(s);
	return s->seen4_n + s->seen6_n;
}

uint64_t sources_hosts(struct sources *s)
{
	uint64_t networks = 0;

	sources_count(s);
	for (size_t i = 0; i < s->seen6_n; i++)
		networks += i == 0 || s->seen6[i].high != s->seen6[i - 1].high;
	return s->seen4_n + networks;
}

bool sources_listed(const struct sources *s)
{
	return !s->given_up;
}

static json_t *describe_source(const struct source *e)
{
	json_t *o = json_object(), *classes = json_object(), *tools = json_object();
	char text[PREFIX_TEXT];

	addr_text(&e->addr, text);
	json_object_set_new(o, "source", json_string(text));
	json_object_set_new(o, "packets", json_integer(e->packets));
	json_object_set_new(o, "ports", json_integer(e->ports));
	json_object_set_new(o, "services", json_integer(e->services));
	json_object_set_new(o, "syns", json_integer(e->syns));
	json_object_set_new(o, "destinations", json_integer(e->destinations));
	for (int i = 0; i < CLASS_MAX; i++)
		if (e->class[i])
			json_object_set_new(classes, class_label[i], json_integer(e->class[i]));
	for (int i = TOOL_NONE + 1; i < TOOL_MAX; i++)
		if (e->tool[i])
			json_object_set_new(tools, tool_label[i], json_integer(e->tool[i]));
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "tools", tools);
	return o;
}

int sources_write(const struct sources *s, FILE *out)
{
	for (uint64_t i = 0; i < s->n && !s->given_up; i++) {
		json_t *o = describe_source(&s->list[i]);
		int err = json_dumpf(o, out, JSON_COMPACT);

		json_decref(o);
		if (err)
			return -1;
		fputs(i + 1 < s->n ? ",\n" : "\n", out);
	}
	return ferror(out) ? -1 : 0;
}
