/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doctor: is what reaches us what we think? Each check gives a state, the value found and the command that
 * cures it. Looks at the host (rtnetlink, ethtool, sysctl, proc), never at packets.
 */
#ifndef AIRGLOW_DOCTOR_DOCTOR_H
#define AIRGLOW_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "collect/snapshot.h"
#include "engine/plan.h"

enum doctor_check {
#define AG_CHECK(name, label, help) DOCTOR_##name,
#include "airglow/check.def"
	DOCTOR_CHECK_MAX
};

/*
 * What the last run saw, so that the next one judges what happened since instead of all sums since start. The
 * caller's: zeroed before the first run, kept between runs, one a thread. Its fields are the doctor's.
 */
struct doctor_past {
	bool valid;
	int64_t begin_ns; /* of the sensor that was looked at */
	uint64_t dark, arp_dark, src_dark;
	/* Moved on when enough packets were expected to tell silence from chance. */
	int64_t scope_time_ns[AG_SCOPES_MAX + 1];
	uint64_t scope_packets[AG_SCOPES_MAX + 1];
	uint64_t scope_addresses[AG_SCOPES_MAX + 1];
	struct {
		char name[32];
		uint64_t packets, lost;
	} interfaces[AG_INTERFACES_MAX];
};

struct doctor_subject {
	const struct config *config;
	const struct plan *plan;	 /* in force; NULL: what the config says */
	const struct snapshot *snapshot; /* running sensor: figures and XDP modes; NULL before start */
	struct doctor_past *past;	 /* updated by doctor_run; NULL: judge the sums since start */
};

/*
 * Runs every check, in the network namespace of the calling thread, and changes nothing. Each check gives at
 * least one result, its worst, in the order of check.def; further interfaces and prefixes that are not well
 * follow it while there is room. At most `size` results into checks, returns how many (or -errno).
 */
int doctor_run(const struct doctor_subject *subject, struct snapshot_check *checks, unsigned int size);

/* Worst state of a report: fault, warning, unknown, ok. */
enum snapshot_state doctor_worst(const struct snapshot_check *checks, unsigned int count);

#endif
