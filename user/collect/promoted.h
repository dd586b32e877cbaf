/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bitmaps of promoted sources: how many dark addresses each reached, exactly, today and yesterday (UTC).
 */
#ifndef AIRGLOW_COLLECT_PROMOTED_H
#define AIRGLOW_COLLECT_PROMOTED_H

#include <stdint.h>

#include "engine/books.h"

/* Distinct dark IPv4 addresses. */
struct promoted_figures {
	uint64_t today, yesterday;
};

/*
 * Another day has begun, `days` after the last one: its bitmap is empty, and the old one is yesterday's if that
 * is what it is. A packet that is in the program at that moment counts on either side of midnight.
 */
void promoted_begin_day(struct books *books, int64_t days);

/* slot: from 0, below books.promoted. */
void promoted_count(const struct books *books, unsigned int slot, struct promoted_figures *out);

#endif
