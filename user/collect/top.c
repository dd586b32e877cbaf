// SPDX-License-Identifier: GPL-2.0-only
/*
 * Top ports over a sliding hour (top.h). Past counts are kept modulo 2^32: their difference is exact while a
 * port gets fewer than 4 G packets an hour. 13 marks of 256 KiB.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/top.h"

#define MARK_EVERY_S  300
#define MARKS	      13  /* 12 spans make an hour */
#define CANDIDATES    30  /* rank down to which a listed port stays */
#define ENTER_PERCENT 110 /* of the one that it replaces */

struct top_ports {
	uint32_t mark[MARKS][AG_PORTS];
	unsigned int marks, next;
	uint64_t marked_s;
	struct snapshot_port list[SNAPSHOT_TOP_PORTS];
	unsigned int listed;
	uint16_t candidates[CANDIDATES];
	unsigned int candidates_count;
};

int top_new(struct top_ports **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void top_free(struct top_ports **top)
{
	free(*top);
	*top = NULL;
}

static void keep_mark(struct top_ports *top, const __u64 counts[AG_PORTS], uint64_t now_s)
{
	unsigned int i;

	for (i = 0; i < AG_PORTS; i++)
		top->mark[top->next][i] = (uint32_t)counts[i];
	top->next = (top->next + 1) % MARKS;
	if (top->marks < MARKS)
		top->marks++;
	top->marked_s = now_s;
}

/* The first CANDIDATES ports of the window, sorted; fewer when fewer have packets. */
static unsigned int rank_ports(const struct top_ports *top, const __u64 counts[AG_PORTS],
			       struct snapshot_port ranked[CANDIDATES])
{
	const uint32_t *past = top->mark[top->marks < MARKS ? 0 : top->next];
	unsigned int used = 0, i, at;

	for (i = 0; i < AG_PORTS; i++) {
		uint32_t packets = (uint32_t)counts[i] - past[i];

		if (!packets || (used == CANDIDATES && packets <= ranked[used - 1].packets))
			continue;
		at = used < CANDIDATES ? used++ : used - 1;
		for (; at && ranked[at - 1].packets < packets; at--)
			ranked[at] = ranked[at - 1];
		ranked[at].port = (uint16_t)i;
		ranked[at].packets = packets;
	}
	return used;
}

static bool is_listed(const struct top_ports *top, uint16_t port)
{
	unsigned int i;

	for (i = 0; i < top->listed; i++)
		if (top->list[i].port == port)
			return true;
	return false;
}

static int compare_packets(const void *a, const void *b)
{
	const struct snapshot_port *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	return x->port < y->port ? -1 : x->port > y->port;
}

void top_update(struct top_ports *top, const __u64 counts[AG_PORTS], uint64_t now_s)
{
	struct snapshot_port ranked[CANDIDATES] = {}, list[SNAPSHOT_TOP_PORTS];
	unsigned int ranks, listed = 0, i;

	/* The first mark is the empty past: what was counted before the first update belongs to the window. */
	if (!top->marks) {
		top->marks = 1;
		top->next = 1;
		top->marked_s = now_s;
	} else if (now_s - top->marked_s >= MARK_EVERY_S) {
		keep_mark(top, counts, now_s);
	}
	ranks = rank_ports(top, counts, ranked);
	for (i = 0; i < ranks; i++)
		top->candidates[i] = ranked[i].port;
	top->candidates_count = ranks;
	for (i = 0; i < ranks && listed < SNAPSHOT_TOP_PORTS; i++)
		if (is_listed(top, ranked[i].port))
			list[listed++] = ranked[i];
	for (i = 0; i < ranks && i < SNAPSHOT_TOP_PORTS; i++) {
		if (is_listed(top, ranked[i].port))
			continue;
		if (listed < SNAPSHOT_TOP_PORTS)
			list[listed++] = ranked[i];
		else if (ranked[i].packets * 100 >= list[listed - 1].packets * ENTER_PERCENT)
			list[listed - 1] = ranked[i];
		qsort(list, listed, sizeof(*list), compare_packets);
	}
	memcpy(top->list, list, listed * sizeof(*list));
	top->listed = listed;
}

unsigned int top_list(const struct top_ports *top, struct snapshot_port list[SNAPSHOT_TOP_PORTS])
{
	memcpy(list, top->list, top->listed * sizeof(*list));
	return top->listed;
}

unsigned int top_candidates(const struct top_ports *top, uint16_t *ports, unsigned int most)
{
	unsigned int count = top->candidates_count < most ? top->candidates_count : most;

	memcpy(ports, top->candidates, count * sizeof(*ports));
	return count;
}
