/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When each bit of a bitmap was last set, in a byte: to the tick of ten seconds for five minutes, then to the
 * hour for a day. So "within five minutes" and "within 24 hours" slide, wherever the day of the flow begins.
 */
#ifndef AIRGLOW_COLLECT_STAMPS_H
#define AIRGLOW_COLLECT_STAMPS_H

#include "collect/sources_table.h"

/* How many ticks before `now` the stamp of a tick was made: less than STAMP_TICKS. */
static inline uint32_t stamp_age(uint8_t stamp, uint32_t now)
{
	return (now % STAMP_TICKS + STAMP_TICKS - (stamp - 1u)) % STAMP_TICKS;
}

/* The same of an hour, in hours. */
static inline uint32_t stamp_hours(uint8_t stamp, uint32_t now)
{
	return (now / HOUR_TICKS % STAMP_HOURS + STAMP_HOURS - (stamp - STAMP_HOURS)) % STAMP_HOURS;
}

/* A stamp as of `touched`, as it is to be read from `now` on. */
static inline uint8_t stamp_later(uint8_t stamp, uint32_t touched, uint32_t now)
{
	uint32_t hour = touched / HOUR_TICKS, made;

	if (!stamp)
		return 0;
	if (stamp < STAMP_HOURS) {
		made = touched - stamp_age(stamp, touched);
		if (now - made < WINDOW_TICKS)
			return stamp;
		hour = made / HOUR_TICKS;
	} else {
		hour -= stamp_hours(stamp, touched);
	}
	return now / HOUR_TICKS - hour < DAY_HOURS ? (uint8_t)(STAMP_HOURS + hour % STAMP_HOURS) : 0;
}

/* Sets the stamps of `bits`. touched: the tick of the last time, 0: none. Stamps that a tick's number would
 * soon tell wrongly are made hours. */
static inline void stamps_add(uint8_t stamps[64], uint32_t touched, uint32_t now, uint64_t bits)
{
	unsigned int i;

	for (i = 0; touched && now / WINDOW_TICKS != touched / WINDOW_TICKS && i < 64; i++)
		stamps[i] = stamp_later(stamps[i], touched, now);
	for (; bits; bits &= bits - 1)
		stamps[__builtin_ctzll(bits)] = (uint8_t)(now % STAMP_TICKS + 1);
}

/* Bits of the last five minutes before `now`, the tick of the last stamps_add. */
static inline uint64_t stamps_of_window(const uint8_t stamps[64], uint32_t now)
{
	uint64_t bits = 0;
	unsigned int i;

	for (i = 0; i < 64; i++)
		if (stamps[i] && stamps[i] < STAMP_HOURS && stamp_age(stamps[i], now) < WINDOW_TICKS)
			bits |= 1ULL << i;
	return bits;
}

/* Of the last 24 hours, to an hour. */
static inline uint64_t stamps_of_day(const uint8_t stamps[64])
{
	uint64_t bits = 0;
	unsigned int i;

	for (i = 0; i < 64; i++)
		if (stamps[i])
			bits |= 1ULL << i;
	return bits;
}

#endif
