// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of gaps and their sums (gaps.h). Knows no clock and no interface.
 */
#include "collect/gaps.h"

#include <stdio.h>
#include <string.h>

const struct gap *gaps_find_open(const struct gaps *gaps, const char *subject)
{
	for (unsigned int i = 0; i < gaps->count; i++)
		if (!gaps->list[i].to_ns && !strcmp(gaps->list[i].subject, subject))
			return &gaps->list[i];
	return NULL;
}

static struct gap_sum *find_sum(struct gaps *gaps, const char *subject)
{
	for (unsigned int i = 0; i < gaps->sums_count; i++)
		if (!strcmp(gaps->sums[i].subject, subject))
			return &gaps->sums[i];
	return NULL;
}

/* The oldest gap that is over makes room; with none over, the oldest. */
static void make_room(struct gaps *gaps)
{
	unsigned int i = 0;

	if (gaps->count < GAPS_MAX)
		return;
	while (i < GAPS_MAX && !gaps->list[i].to_ns)
		i++;
	if (i == GAPS_MAX)
		i = 0;
	memmove(&gaps->list[i], &gaps->list[i + 1], (GAPS_MAX - 1 - i) * sizeof(gaps->list[0]));
	gaps->count--;
}

static void append(struct gaps *gaps, const char *subject, int64_t from_ns, int64_t to_ns, const char *reason)
{
	struct gap *gap;

	make_room(gaps);
	gap = &gaps->list[gaps->count++];
	*gap = (struct gap){.from_ns = from_ns, .to_ns = to_ns};
	snprintf(gap->subject, sizeof(gap->subject), "%s", subject);
	snprintf(gap->reason, sizeof(gap->reason), "%s", reason);
}

/* Subjects come and go with the configuration: the first that was known makes room. */
static struct gap_sum *make_sum(struct gaps *gaps, const char *subject)
{
	struct gap_sum *sum;

	if (gaps->sums_count == GAPS_SUBJECTS_MAX) {
		memmove(&gaps->sums[0], &gaps->sums[1], (GAPS_SUBJECTS_MAX - 1) * sizeof(gaps->sums[0]));
		gaps->sums_count--;
	}
	sum = &gaps->sums[gaps->sums_count++];
	*sum = (struct gap_sum){.closed_ns = 0};
	snprintf(sum->subject, sizeof(sum->subject), "%s", subject);
	return sum;
}

static void add_to_sum(struct gaps *gaps, const struct gap *gap)
{
	struct gap_sum *sum = find_sum(gaps, gap->subject);

	if (!sum)
		sum = make_sum(gaps, gap->subject);
	sum->closed_ns += gap->to_ns - gap->from_ns;
}

void gaps_open(struct gaps *gaps, const char *subject, int64_t from_ns, const char *reason)
{
	const struct gap *open = gaps_find_open(gaps, subject);

	if (open && !strcmp(open->reason, reason))
		return;
	gaps_close(gaps, subject, from_ns);
	append(gaps, subject, from_ns, 0, reason);
}

void gaps_close(struct gaps *gaps, const char *subject, int64_t to_ns)
{
	const struct gap *found = gaps_find_open(gaps, subject);
	struct gap *open;

	if (!found)
		return;
	open = &gaps->list[found - gaps->list];
	/* A clock that was set back makes no negative time. */
	open->to_ns = to_ns > open->from_ns ? to_ns : open->from_ns;
	add_to_sum(gaps, open);
}

void gaps_add(struct gaps *gaps, const char *subject, int64_t from_ns, int64_t to_ns, const char *reason)
{
	append(gaps, subject, from_ns, to_ns > from_ns ? to_ns : from_ns, reason);
	add_to_sum(gaps, &gaps->list[gaps->count - 1]);
}

static int64_t lasted(const struct gaps *gaps, const char *subject, int64_t now_ns)
{
	const struct gap *open = gaps_find_open(gaps, subject);
	int64_t sum = 0;

	for (unsigned int i = 0; i < gaps->sums_count; i++)
		if (!strcmp(gaps->sums[i].subject, subject))
			sum = gaps->sums[i].closed_ns;
	return open && now_ns > open->from_ns ? sum + now_ns - open->from_ns : sum;
}

int64_t gaps_lasted_ns(const struct gaps *gaps, const char *subject, int64_t now_ns)
{
	return lasted(gaps, subject, now_ns) + (*subject ? lasted(gaps, GAPS_ALL, now_ns) : 0);
}

void gaps_each(const struct gaps *gaps, void (*visit)(void *arg, const struct gap *gap), void *arg)
{
	for (unsigned int i = 0; i < gaps->count; i++)
		visit(arg, &gaps->list[i]);
}

void gaps_each_sum(const struct gaps *gaps, void (*visit)(void *arg, const struct gap_sum *sum), void *arg)
{
	for (unsigned int i = 0; i < gaps->sums_count; i++)
		visit(arg, &gaps->sums[i]);
}

void gaps_load(struct gaps *gaps, const struct gap *gap)
{
	append(gaps, gap->subject, gap->from_ns, gap->to_ns, gap->reason);
}

void gaps_load_sum(struct gaps *gaps, const struct gap_sum *sum)
{
	struct gap_sum *own = find_sum(gaps, sum->subject);

	if (!own)
		own = make_sum(gaps, sum->subject);
	own->closed_ns = sum->closed_ns;
}
