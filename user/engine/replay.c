// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of captures through an engine (replay.h). Time is what the packets say; it moves the epoch, and when
 * it runs backwards the packet is counted in the open interval and the step is remembered.
 */
#include <stdio.h>
#include <string.h>

#include "engine/replay.h"

void replay_init(struct replay *replay, struct engine *engine, uint64_t interval_ns,
		 const struct replay_follower *follower)
{
	memset(replay, 0, sizeof(*replay));
	replay->engine = engine;
	replay->interval_ns = interval_ns;
	replay->follower = *follower;
	/* A packet puts at most one record and one touch into the logs; there is room for more touches. */
	replay->drain_each = engine_books(engine)->log_records_size;
}

static void begin_interval(struct replay *r, uint64_t time_ns)
{
	r->begin_ns = time_ns - time_ns % r->interval_ns;
	r->follower.begin(r->follower.arg, r->begin_ns);
}

static void follow_time(struct replay *r, const struct capture_frame *frame, const char *file)
{
	if (!r->frames) {
		begin_interval(r, frame->time_ns);
	} else if (frame->time_ns < r->last_ns) {
		if (!r->steps_back++)
			r->first_step = (struct replay_position){file, frame->index, frame->offset};
	} else if (frame->time_ns >= r->begin_ns + r->interval_ns) {
		begin_interval(r, frame->time_ns);
	}
	r->last_ns = frame->time_ns;
}

void replay_learn(struct own_flows *own, struct capture *capture)
{
	struct capture_frame frame;

	while (capture_next(capture, &frame) > 0)
		own_flows_learn(own, &frame);
}

int replay_capture(struct replay *r, struct capture *capture, const char *file, char *why, size_t why_size)
{
	struct capture_frame frame;
	int state;

	while ((state = capture_next(capture, &frame)) > 0) {
		struct ag_replay word = {
			.time_ns = frame.time_ns,
			.wirelen = frame.wirelen,
			.caplen = (__u16)(frame.caplen < AG_HEAD_BYTES ? frame.caplen : AG_HEAD_BYTES),
			.flags = r->own ? own_flows_judge(r->own, &frame) : 0,
		};
		int verdict;

		follow_time(r, &frame, file);
		verdict = engine_run(r->engine, &word, frame.bytes);
		if (verdict < 0) {
			snprintf(why, why_size, "%s: the %s engine failed at packet %llu: %s", file,
				 engine_name(r->engine), (unsigned long long)frame.index, strerror(-verdict));
			return verdict;
		}
		if (++r->frames % r->drain_each == 0)
			r->follower.drain(r->follower.arg);
	}
	return state < 0 || capture_skipped(capture) ? 1 : 0;
}
