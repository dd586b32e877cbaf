// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heart-beat (beat.h).
 */
#include "base/notify.h"
#include "cli/beat.h"

#define LOOKS_A_WATCH 4 /* one may be late, and three are in time */
#define UNWATCHED_S   15

/* Of the manager's watch; where nobody watches, the status line is told all the same. */
static uint64_t period_s(void)
{
	uint64_t watchdog_s = notify_watchdog_s();

	if (!watchdog_s)
		return UNWATCHED_S;
	return watchdog_s < LOOKS_A_WATCH ? 1 : watchdog_s / LOOKS_A_WATCH;
}

void beat_second(struct beat *beat, uint64_t second, struct snapshot_box *box)
{
	struct snapshot *latest;

	if (second - beat->second < period_s())
		return;
	beat->second = second;
	latest = snapshot_latest(box);
	if (!latest)
		return;
	if (latest->sequence != beat->sequence) {
		notify_alive();
		notify_status("%llu packets received, %llu dark", latest->totals.received, latest->totals.dark);
	}
	beat->sequence = latest->sequence;
	snapshot_unref(&latest);
}
