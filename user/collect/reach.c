// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a telescope of N addresses can see (reach.h). Thresholds: README, "What is counted"; each bound below is
 * the definition's own.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collect/reach.h"

#define IPV4_ADDRESSES	       4294967296.0
#define SCANNER_PPS	       100.0 /* ORION's reference scanner */
#define DOS_WINDOW_PPS	       0.5   /* 30 packets in a 60 s window (Moore et al. as in Corsaro) */
#define SPLIT_CHANCE	       0.001 /* ORION: chance to split one scan in two */
#define SCAN_TIMEOUT_CAP_S     3600.0
#define SURVEY_ADDRESSES_MIN   4096
#define REACHABILITY_ADDRESSES 1024

static void add_blind(struct snapshot_reach *reach, const char *text)
{
	if (reach->blind_count == sizeof(reach->blind) / sizeof(reach->blind[0]))
		return;
	snprintf(reach->blind[reach->blind_count++], sizeof(reach->blind[0]), "%s", text);
}

void reach_from_addresses(struct snapshot_reach *reach, uint64_t addresses)
{
	double n = (double)addresses;

	memset(reach, 0, sizeof(*reach));
	reach->addresses = addresses;
	if (!addresses) {
		add_blind(reach,
			  "every rule that depends on the number of dark IPv4 addresses: there are none");
		return;
	}
	reach->expected_pps = REACH_PPS_PER_ADDRESS * n;
	reach->scanner_touch_s = IPV4_ADDRESSES / (SCANNER_PPS * n);
	reach->smallest_flood_pps = DOS_WINDOW_PPS * IPV4_ADDRESSES / n;
	if (addresses < SURVEY_ADDRESSES_MIN) {
		add_blind(reach, "survey scanners by behaviour (needs 4,096 addresses): by list only");
		add_blind(reach,
			  "active addresses of a day (needs 4,096 addresses): addresses in force are used");
	}
	if (addresses < REACHABILITY_ADDRESSES)
		add_blind(reach, "reachability by known scanners (needs 1,024 addresses): silence rule only");
	if (-log(SPLIT_CHANCE) * IPV4_ADDRESSES / (SCANNER_PPS * n) > SCAN_TIMEOUT_CAP_S)
		add_blind(reach, "scan durations and rates (timeout above 3,600 s): scan events are per day");
}
