/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clocks as numbers of nanoseconds.
 */
#ifndef AIRGLOW_BASE_CLOCK_H
#define AIRGLOW_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS    1000000000LL /* of a second */
#define DAY_S 86400

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

#endif
