// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two bitmaps a slot, by the day in ag_control (promoted.h).
 */
#include <string.h>

#include "collect/promoted.h"

static struct ag_reached *bitmap(const struct books *books, unsigned int day, unsigned int slot)
{
	return &books->reached[((size_t)day * books->promoted + slot) * books->pages];
}

static void clear(struct books *books, unsigned int day)
{
	memset(bitmap(books, day, 0), 0, (size_t)books->promoted * books->pages * sizeof(*books->reached));
}

void promoted_begin_day(struct books *books, int64_t days)
{
	unsigned int day = books->control->day, next = !day;

	if (!books->promoted)
		return;
	clear(books, next);
	__atomic_store_n(&books->control->day, next, __ATOMIC_RELEASE);
	if (days != 1)
		clear(books, day);
}

static uint64_t count_bits_of(const struct ag_reached *reached, unsigned int pages)
{
	uint64_t count = 0;
	unsigned int page, word;

	for (page = 0; page < pages; page++)
		for (word = 0; word < AG_PAGE_ADDRESSES / 64; word++)
			count += (unsigned int)__builtin_popcountll(
				__atomic_load_n(&reached[page].bits[word], __ATOMIC_RELAXED));
	return count;
}

void promoted_count(const struct books *books, unsigned int slot, struct promoted_figures *out)
{
	unsigned int day = __atomic_load_n(&books->control->day, __ATOMIC_ACQUIRE);

	out->today = count_bits_of(bitmap(books, day, slot), books->pages);
	out->yesterday = count_bits_of(bitmap(books, !day, slot), books->pages);
}
