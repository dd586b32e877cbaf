// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of snapshots: reference counts, and the box with the newest one (snapshot.h).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "collect/snapshot.h"

struct snapshot_box {
	pthread_mutex_t lock;
	struct snapshot *latest;
};

struct snapshot *snapshot_new(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s)
		atomic_init(&s->references, 1);
	return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
	return s;
}

void snapshot_unref(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;

	*snapshot = NULL;
	if (!s || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
		return;
	config_free(&s->config);
	free(s->visits);
	free(s);
}

int snapshot_box_new(struct snapshot_box **out)
{
	struct snapshot_box *box = calloc(1, sizeof(*box));

	if (!box)
		return -ENOMEM;
	pthread_mutex_init(&box->lock, NULL);
	*out = box;
	return 0;
}

void snapshot_box_free(struct snapshot_box **box)
{
	if (!*box)
		return;
	snapshot_unref(&(*box)->latest);
	pthread_mutex_destroy(&(*box)->lock);
	free(*box);
	*box = NULL;
}

void snapshot_publish(struct snapshot_box *box, struct snapshot *s)
{
	struct snapshot *old;

	pthread_mutex_lock(&box->lock);
	old = box->latest;
	box->latest = s;
	pthread_mutex_unlock(&box->lock);
	snapshot_unref(&old);
}

struct snapshot *snapshot_latest(struct snapshot_box *box)
{
	struct snapshot *s;

	pthread_mutex_lock(&box->lock);
	s = box->latest ? snapshot_ref(box->latest) : NULL;
	pthread_mutex_unlock(&box->lock);
	return s;
}
