/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gaps in the coverage: from when to when nothing could be counted, where and why. Bounded: the last gaps by
 * name, and for each subject the sum of all. Plain memory, without a lock, to be copied and to be kept in a
 * file.
 */
#ifndef AIRGLOW_COLLECT_GAPS_H
#define AIRGLOW_COLLECT_GAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "airglow/keep.h"

#define GAPS_MAX	  AG_GAPS_MAX
#define GAPS_SUBJECTS_MAX AG_GAP_SUMS_MAX
#define GAPS_TEXT_BYTES	  AG_NAME_BYTES

/* Of an interface by its configured name, or of the whole sensor (GAPS_ALL). Wall clock; to_ns 0: still open.
 */
struct gap {
	char subject[GAPS_TEXT_BYTES];
	int64_t from_ns, to_ns;
	char reason[GAPS_TEXT_BYTES];
};

#define GAPS_ALL ""

/* How long all closed gaps of a subject lasted, also of those that are no longer listed. */
struct gap_sum {
	char subject[GAPS_TEXT_BYTES];
	int64_t closed_ns;
};

/* Zeroed before the first use. The fields are for reading. */
struct gaps {
	struct gap list[GAPS_MAX]; /* in the order in which they began to be known */
	unsigned int count;
	struct gap_sum sums[GAPS_SUBJECTS_MAX];
	unsigned int sums_count;
};

/* A gap begins. A subject has one open gap at most: one with the same reason goes on, another is closed by it.
 */
void gaps_open(struct gaps *gaps, const char *subject, int64_t from_ns, const char *reason);
/* The open gap of a subject, if there is one, ends. */
void gaps_close(struct gaps *gaps, const char *subject, int64_t to_ns);
/* A gap that is over, as it is known afterwards. */
void gaps_add(struct gaps *gaps, const char *subject, int64_t from_ns, int64_t to_ns, const char *reason);
/* The open gap of a subject, or NULL. */
const struct gap *gaps_find_open(const struct gaps *gaps, const char *subject);

/* How long nothing was counted on an interface, until now: its own gaps and those of the whole sensor. */
int64_t gaps_lasted_ns(const struct gaps *gaps, const char *subject, int64_t now_ns);

/*
 * To keep them: every gap and every sum, and back again into zeroed gaps, in the same order. Loading adds
 * nothing to the sums; what finds no room pushes out the oldest. Text that is too long is cut.
 */
void gaps_each(const struct gaps *gaps, void (*visit)(void *arg, const struct gap *gap), void *arg);
void gaps_each_sum(const struct gaps *gaps, void (*visit)(void *arg, const struct gap_sum *sum), void *arg);
void gaps_load(struct gaps *gaps, const struct gap *gap);
void gaps_load_sum(struct gaps *gaps, const struct gap_sum *sum);

#endif
