/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The replay front end: frames of captures through an engine, in packet time. The same for both engines.
 */
#ifndef AIRGLOW_ENGINE_REPLAY_H
#define AIRGLOW_ENGINE_REPLAY_H

#include <stdint.h>

#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/own_flows.h"

/* Where in which file something was first seen. */
struct replay_position {
	const char *file;
	uint64_t packet; /* 1-based */
	uint64_t offset; /* bytes */
};

/* Who closes intervals and empties the logs. */
struct replay_follower {
	void *arg;
	void (*begin)(void *arg, uint64_t begin_ns); /* an interval begins with the packet that comes */
	void (*drain)(void *arg);		     /* before the logs can be full */
};

struct replay {
	struct engine *engine;
	struct own_flows *own; /* borrowed; NULL: nothing is known of the capturing host */
	struct replay_follower follower;
	uint64_t drain_each; /* packets */
	uint64_t frames;
	uint64_t last_ns;     /* of the packet before */
	uint64_t interval_ns; /* length of an interval, in packet time */
	uint64_t begin_ns;    /* of the open interval */
	uint64_t steps_back;  /* packets older than the one before them: counted in the open interval */
	struct replay_position first_step;
};

void replay_init(struct replay *replay, struct engine *engine, uint64_t interval_ns,
		 const struct replay_follower *follower);

/* The first pass of --own-flows over what is left of a capture: nothing is counted, and no problem told. */
void replay_learn(struct own_flows *own, struct capture *capture);

/*
 * Runs what is left of a capture. 0 at its end; 1 when the capture had a problem (capture_problem tells);
 * -errno when the engine failed, with a sentence in why.
 */
int replay_capture(struct replay *replay, struct capture *capture, const char *file, char *why,
		   size_t why_size);

#endif
