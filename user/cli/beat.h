/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sensor's heart-beat to the service manager: it beats only while the collector makes fresh figures, so
 * that the manager's watchdog ends a sensor that still runs but counts nothing any more.
 */
#ifndef AIRGLOW_CLI_BEAT_H
#define AIRGLOW_CLI_BEAT_H

#include <stdint.h>

#include "collect/snapshot.h"

/* All 0 at the start. */
struct beat {
	uint64_t second;   /* of the last look */
	uint64_t sequence; /* of the snapshot seen then */
};

/* Once a second, with the seconds since the start. */
void beat_second(struct beat *beat, uint64_t second, struct snapshot_box *box);

#endif
