// SPDX-License-Identifier: GPL-2.0-only
/*
 * The current day (today.h): its first interval for the addresses that are seen, and the bitmaps of promoted
 * sources, which change with it.
 */
#include <string.h>

#include "base/clock.h"
#include "collect/promoted.h"
#include "collect/today.h"

static void set_epoch(struct today *t, uint32_t epoch)
{
	atomic_store(&t->epoch, epoch);
	if (t->kept)
		__atomic_store_n(&t->kept->day_epoch, epoch, __ATOMIC_RELEASE);
}

/* Last: who goes on after a process that ended before this begins the day, too. */
static void set_day(struct today *t, int64_t day)
{
	t->day = day;
	if (t->kept)
		__atomic_store_n(&t->kept->day, (__u32)day, __ATOMIC_RELEASE);
}

void today_begin(struct today *t, struct books *books)
{
	*t = (struct today){.books = books};
	atomic_store(&t->epoch, 1);
}

/*
 * What was seen while no process ran is of the open interval, and of the new day: some of the last one is
 * better than none of this one.
 */
void today_go_on(struct today *t, int64_t now_ns)
{
	uint32_t open = t->books->control->epoch;

	t->kept = &t->books->collected->kept;
	set_epoch(t, t->kept->day_epoch < open ? t->kept->day_epoch : open);
	t->day = t->kept->day;
	if (t->day)
		today_move(t, now_ns, open);
	else
		set_day(t, now_ns / NS / DAY_S); /* new books: none was before */
}

void today_move(struct today *t, int64_t now_ns, uint32_t epoch)
{
	int64_t day = now_ns / NS / DAY_S, days = day - t->day;

	if (days > 0) { /* a clock that was set back does not begin a day */
		promoted_begin_day(t->books, days);
		set_epoch(t, epoch);
	}
	if (days)
		set_day(t, day);
}

struct active_walk {
	const struct ag_page *seen;
	uint32_t epoch;
	uint64_t *active;
};

static void count_page(void *arg, uint32_t page, const struct ag_split *split, unsigned int scope)
{
	const struct active_walk *walk = arg;
	unsigned int i;

	for (i = 0; i < AG_PAGE_ADDRESSES; i++) {
		uint32_t epoch = __atomic_load_n(&walk->seen[page].epoch[i], __ATOMIC_RELAXED);

		if (epoch && epoch >= walk->epoch)
			walk->active[split ? split->scope[i] : scope]++;
	}
}

void today_active(const struct today *t, const struct plan *plan, uint64_t active[AG_SCOPES_MAX + 1])
{
	uint64_t counts[AG_SCOPES_MAX + 1] = {};
	struct active_walk walk = {.seen = t->books->seen, .epoch = atomic_load(&t->epoch), .active = counts};

	plan_each_page(plan, count_page, &walk);
	memcpy(active, counts, sizeof(counts));
}
