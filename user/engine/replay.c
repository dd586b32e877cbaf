// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of captures through an engine (replay.h). Time is what the packets say; it moves the epoch, and when
 * it runs backwards the packet is counted in the open interval and the step is remembered.
 */
#include <stdio.h>
#include <string.h>

#include "engine/replay.h"

void replay_init(struct replay *replay, struct engine *engine)
{
	memset(replay, 0, sizeof(*replay));
	replay->engine = engine;
}

static void follow_time(struct replay *r, const struct capture_frame *frame, const char *file)
{
	struct books *books = engine_books(r->engine);

	if (!r->frames) {
		r->interval_ns = frame->time_ns - frame->time_ns % REPLAY_INTERVAL_NS;
	} else if (frame->time_ns < r->last_ns) {
		if (!r->steps_back++)
			r->first_step = (struct replay_position){file, frame->index, frame->offset};
	} else if (frame->time_ns >= r->interval_ns + REPLAY_INTERVAL_NS) {
		r->interval_ns = frame->time_ns - frame->time_ns % REPLAY_INTERVAL_NS;
		books->control->epoch++;
	}
	r->last_ns = frame->time_ns;
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
		};
		int verdict;

		follow_time(r, &frame, file);
		verdict = engine_run(r->engine, &word, frame.bytes);
		if (verdict < 0) {
			snprintf(why, why_size, "%s: the %s engine failed at packet %llu: %s", file,
				 engine_name(r->engine), (unsigned long long)frame.index, strerror(-verdict));
			return verdict;
		}
		r->frames++;
	}
	return state < 0 || capture_skipped(capture) ? 1 : 0;
}
