/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Alerts as userspace settles them: from the joined records of all slices, over five minutes and over a day.
 * definitions: README, "Alerts". The kernel's flags are an early sign of the same.
 */
#ifndef AIRGLOW_COLLECT_ALERTS_H
#define AIRGLOW_COLLECT_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "airglow/abi.h"

#define ALERTS_KEPT 1024 /* the newest */

/* Numbers begin at 1 and are never used again. */
struct alert {
	uint32_t number;
	uint8_t kind;  /* enum ag_alert_kind */
	bool v6, slow; /* slow: reached within a day, not within five minutes */
	uint8_t class, protocol;
	uint16_t port; /* service port; type * 256 + code of ICMP; 0 of scan_vertical */
	uint64_t src_hi, src_lo;
	uint64_t packets;	  /* of what was judged, up to now */
	uint32_t distinct;	  /* destinations, of scan_vertical ports; of many an estimate */
	int64_t raised_s, last_s; /* Unix time */
};

struct alerts {
	struct alert kept[ALERTS_KEPT]; /* by number % ALERTS_KEPT */
	uint32_t raised;		/* the newest number */
	__u64 by_kind[AG_ALERT_MAX];
};

struct sources;

struct source;

/* A source sent more that no flow tells of: its vertical scan, if one was told, goes on. */
void alerts_go_on(struct sources *sources, const struct source *source);

/* Judges what was touched in this tick; the lock is held. now_s: Unix time for what is raised. */
void alerts_settle(struct sources *sources, int64_t now_s);

#endif
