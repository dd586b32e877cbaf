// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring (feed.h). A message's place is its number; the lock is held for the copy of some of them.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collect/feed.h"

#define NS 1000000000LL

struct feed {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct ag_settings settings;
	uint64_t end; /* number of the next message */
	bool closed;
	struct feed_message kept[FEED_MESSAGES]; /* by number % FEED_MESSAGES */
};

struct feed *feed_new(const struct ag_settings *settings)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	pthread_condattr_t monotonic;

	if (!feed)
		return NULL;
	feed->settings = *settings;
	pthread_mutex_init(&feed->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&feed->more, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return feed;
}

void feed_free(struct feed **feed)
{
	if (!*feed)
		return;
	pthread_cond_destroy(&(*feed)->more);
	pthread_mutex_destroy(&(*feed)->lock);
	free(*feed);
	*feed = NULL;
}

/* Under the lock. False: it is nothing for the live views. */
static bool translate(const struct feed *feed, struct feed_message *out, const void *message, size_t bytes)
{
	struct ag_message_sample sample;
	uint32_t kind;

	if (bytes < sizeof(kind))
		return false;
	memcpy(&kind, message, sizeof(kind));
	if (kind == AG_MESSAGE_ALERT && bytes >= sizeof(out->sign)) {
		out->kind = FEED_SIGN;
		memcpy(&out->sign, message, sizeof(out->sign));
		return out->sign.kind < AG_ALERT_MAX;
	}
	if (kind != AG_MESSAGE_SAMPLE || bytes < sizeof(sample))
		return false;
	memcpy(&sample, message, sizeof(sample));
	out->kind = FEED_SAMPLE;
	out->sample.class = sample.class;
	return sample.class < AG_CLASS_MAX && sample.caplen <= AG_SAMPLE_BYTES &&
	       header_read(&out->sample.header, sample.bytes, sample.caplen, sample.wirelen, &feed->settings);
}

void feed_take(void *arg, const void *message, size_t bytes)
{
	struct feed *feed = arg;
	struct feed_message one = {};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	one.time_ns = now.tv_sec * NS + now.tv_nsec;
	pthread_mutex_lock(&feed->lock);
	if (translate(feed, &one, message, bytes)) {
		feed->kept[feed->end++ % FEED_MESSAGES] = one;
		pthread_cond_broadcast(&feed->more);
	}
	pthread_mutex_unlock(&feed->lock);
}

void feed_use(struct feed *feed, const struct ag_settings *settings)
{
	pthread_mutex_lock(&feed->lock);
	feed->settings = *settings;
	pthread_mutex_unlock(&feed->lock);
}

uint64_t feed_end(struct feed *feed)
{
	uint64_t end;

	pthread_mutex_lock(&feed->lock);
	end = feed->end;
	pthread_mutex_unlock(&feed->lock);
	return end;
}

size_t feed_read(struct feed *feed, uint64_t *cursor, struct feed_message *out, size_t most, uint64_t *lost)
{
	uint64_t oldest;
	size_t used = 0;

	*lost = 0;
	pthread_mutex_lock(&feed->lock);
	oldest = feed->end > FEED_MESSAGES ? feed->end - FEED_MESSAGES : 0;
	if (*cursor < oldest) {
		*lost = oldest - *cursor;
		*cursor = oldest;
	}
	while (used < most && *cursor < feed->end)
		out[used++] = feed->kept[(*cursor)++ % FEED_MESSAGES];
	pthread_mutex_unlock(&feed->lock);
	return used;
}

void feed_wait(struct feed *feed, uint64_t cursor, unsigned int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= NS) {
		until.tv_sec++;
		until.tv_nsec -= NS;
	}
	pthread_mutex_lock(&feed->lock);
	while (feed->end <= cursor && !feed->closed &&
	       !pthread_cond_timedwait(&feed->more, &feed->lock, &until))
		;
	pthread_mutex_unlock(&feed->lock);
}

void feed_close(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	feed->closed = true;
	pthread_cond_broadcast(&feed->more);
	pthread_mutex_unlock(&feed->lock);
}
