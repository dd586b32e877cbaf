/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doctor: is what reaches us what we think? Each check gives a state, the value found and the command that
 * cures it. Looks at the host (rtnetlink, ethtool, sysctl, proc), never at packets.
 */
#ifndef AIRGLOW_DOCTOR_DOCTOR_H
#define AIRGLOW_DOCTOR_DOCTOR_H

#include <stddef.h>

#include "base/config.h"
#include "collect/snapshot.h"
#include "engine/plan.h"

struct doctor_subject {
	const struct config *config;
	const struct plan *plan;	  /* may be NULL: built from the config */
	const struct snapshot *snapshot;  /* running sensor: figures and XDP modes; NULL before start */
};

/* Runs every check; at most `size` results into checks, returns how many (or -errno). */
int doctor_run(const struct doctor_subject *subject, struct snapshot_check *checks, unsigned int size);

/* Worst state of a report. */
enum snapshot_state doctor_worst(const struct snapshot_check *checks, unsigned int count);

#endif
