// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draining and closing in time (drain.h). An interval is closed in steps: the epoch moves on; the grace thread
 * is asked and meanwhile the logs are drained as ever; then the tables of the old parity are read. So nothing
 * waits for a grace period but the tables that need it.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "collect/drain.h"
#include "engine/grace.h"

#define LOOK_EACH_MS 20 /* at the logs; a log that gets half full wakes us before */

struct drain {
	struct drain_options options;
	pthread_t reading, grace;
	sem_t asked;
	atomic_bool passed, stop;
};

static void *run_grace(void *arg)
{
	struct drain *d = arg;

	/* By the thread itself: another's name is a file in /proc, closed to a process that gave up its rights.
	 */
	pthread_setname_np(pthread_self(), "ag-grace");
	for (;;) {
		while (sem_wait(&d->asked) && errno == EINTR)
			;
		if (atomic_load(&d->stop))
			return NULL;
		d->options.grace();
		atomic_store(&d->passed, true);
	}
}

/* The clock of the packets is the coarse monotonic one. */
static void begin(struct drain *d)
{
	atomic_store(&d->passed, false);
	reader_begin(d->options.reader, (uint64_t)clock_ns(CLOCK_MONOTONIC_COARSE), clock_ns(CLOCK_REALTIME));
}

static void *run_reading(void *arg)
{
	struct drain *d = arg;
	struct reader *r = d->options.reader;
	int64_t next = clock_ns(CLOCK_MONOTONIC) + d->options.interval_ns;

	pthread_setname_np(pthread_self(), "ag-drain");
	if (reader_is_closing(r)) /* another reader left an interval behind */
		sem_post(&d->asked);
	while (!atomic_load(&d->stop)) {
		int64_t left;

		reader_drain(r);
		if (reader_is_closing(r) && atomic_load(&d->passed))
			reader_close(r);
		left = next - clock_ns(CLOCK_MONOTONIC);
		if (left <= 0 && !reader_is_closing(r)) {
			begin(d);
			sem_post(&d->asked);
			next += d->options.interval_ns;
			/* The machine slept, or the grace period took longer than the interval. */
			if (next < clock_ns(CLOCK_MONOTONIC))
				next = clock_ns(CLOCK_MONOTONIC) + d->options.interval_ns;
			continue;
		}
		left = reader_is_closing(r) || left <= 0 ? 1 : left / 1000000 + 1;
		engine_wait(d->options.engine, left < LOOK_EACH_MS ? (int)left : LOOK_EACH_MS,
			    d->options.on_message, d->options.arg);
	}
	return NULL;
}

int drain_start(struct drain **out, const struct drain_options *options)
{
	struct drain *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->options = *options;
	if (!d->options.grace)
		d->options.grace = grace_wait;
	sem_init(&d->asked, 0, 0);
	err = pthread_create(&d->grace, NULL, run_grace, d);
	if (err)
		goto exit_free;
	err = pthread_create(&d->reading, NULL, run_reading, d);
	if (err)
		goto exit_grace;
	*out = d;
	return 0;

exit_grace:
	atomic_store(&d->stop, true);
	sem_post(&d->asked);
	pthread_join(d->grace, NULL);
exit_free:
	sem_destroy(&d->asked);
	free(d);
	return -err;
}

void drain_stop(struct drain **drain)
{
	struct drain *d = *drain;
	struct reader *r;

	if (!d)
		return;
	r = d->options.reader;
	atomic_store(&d->stop, true);
	sem_post(&d->asked);
	pthread_join(d->reading, NULL);
	pthread_join(d->grace, NULL);
	if (reader_is_closing(r)) {
		d->options.grace();
		reader_close(r);
	}
	begin(d);
	d->options.grace();
	reader_close(r);
	sem_destroy(&d->asked);
	free(d);
	*drain = NULL;
}
