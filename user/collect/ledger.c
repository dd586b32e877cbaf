// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cumulative laws under traffic (ledger.h): left sides are read, then everybody who was in the program at
 * that moment is waited for, then the right sides are read, then the left sides again. account.h books left
 * before right.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/grace.h"
#include "collect/ledger.h"

/* Left sides of the laws, by slice. */
struct left {
	uint64_t received, dark;
};

static uint64_t load(const __u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

uint64_t ledger_lost(const __u64 lost[AG_LOST_MAX])
{
	uint64_t sum = 0;

#define AG_LOST(name, label, of_records, help) sum += of_records ? lost[AG_LOST_##name] : 0;
#include "airglow/lost.def"
#undef AG_LOST
	return sum;
}

void ledger_add(void *out, const void *in, size_t bytes)
{
	const __u64 *from = in;
	__u64 *to = out;
	size_t i;

	for (i = 0; i < bytes / sizeof(__u64); i++)
		to[i] += load(&from[i]);
}

static uint64_t sum_words(const void *in, size_t bytes)
{
	const __u64 *from = in;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < bytes / sizeof(__u64); i++)
		sum += load(&from[i]);
	return sum;
}

static void read_left(const struct books *books, struct left *left)
{
	unsigned int i;

	for (i = 0; i <= books->slices; i++) {
		left[i].received = load(&books->counters[i].received);
		left[i].dark = load(&books->counters[i].dark);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Until every packet that is in the program now has left it. */
static void wait_grace(bool live)
{
	if (live)
		grace_wait();
}

/* How far a right side lies outside [before, after]. */
static uint64_t outside(uint64_t right, uint64_t before, uint64_t after)
{
	if (right < before)
		return before - right;
	return right > after ? right - after : 0;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Right sides of one slice against its left sides. */
static void check_slice(const struct ag_counters *k, uint64_t port_packets, const struct left *before,
			const struct left *after, __u64 imbalance[AG_LAW_MAX])
{
	uint64_t outcomes = sum_words(k->outcome, sizeof(k->outcome));
	uint64_t classes = sum_words(k->class_packets, sizeof(k->class_packets));
	uint64_t protocols = sum_words(k->protocol, sizeof(k->protocol));
	uint64_t ports = port_packets + k->no_port;
	uint64_t worst = outside(classes, before->dark, after->dark);

	worst = max_of(worst, outside(protocols, before->dark, after->dark));
	worst = max_of(worst, outside(ports, before->dark, after->dark));
	imbalance[AG_LAW_L1] += outside(outcomes, before->received, after->received);
	imbalance[AG_LAW_L2] += worst;
}

int ledger_read(const struct books *books, bool live, struct snapshot *s)
{
	unsigned int slices = books->slices + 1, i;
	struct ag_counters *right = calloc(slices, sizeof(*right));
	uint64_t *port_packets = calloc(slices, sizeof(*port_packets));
	struct left *before = calloc(slices, sizeof(*before)), *after = calloc(slices, sizeof(*after));
	bool self = books->visits_size == AG_PORTS;
	int err = right && port_packets && before && after ? 0 : -ENOMEM;

	if (!err && self) {
		s->visits = calloc(AG_PORTS, sizeof(*s->visits)); /* the snapshot's */
		err = s->visits ? 0 : -ENOMEM;
	}
	if (err)
		goto out;
	read_left(books, before);
	wait_grace(live);
	for (i = 0; i < slices; i++) {
		ledger_add(&right[i], &books->counters[i], sizeof(*right));
		port_packets[i] = sum_words(&books->ports[i], sizeof(books->ports[i]));
	}
	wait_grace(live);
	read_left(books, after);
	for (i = 0; i < slices; i++) {
		check_slice(&right[i], port_packets[i], &before[i], &after[i], s->imbalance);
		ledger_add(&s->totals, &right[i], sizeof(*right));
		ledger_add(&s->ports, &books->ports[i], sizeof(s->ports));
	}
	/* What earlier books counted is in the totals, not in the laws: it is not written any more. */
	ledger_add(&s->totals, &books->carried->counters, sizeof(s->totals));
	ledger_add(&s->ports, &books->carried->ports, sizeof(s->ports));
	ledger_add(&s->icmp, &books->carried->icmp, sizeof(s->icmp));
	ledger_add(&s->icmp, books->icmp, sizeof(s->icmp));
	if (self) {
		ledger_add(s->visits, books->carried->visits, AG_PORTS * sizeof(*s->visits));
		ledger_add(s->visits, books->visits, AG_PORTS * sizeof(*s->visits));
	}
	s->shared_packets = right[books->slices].received + books->carried->shared;
out:
	free(right);
	free(port_packets);
	free(before);
	free(after);
	return err;
}
