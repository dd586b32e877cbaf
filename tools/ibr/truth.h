/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * truth.h - the books of the sender: what was sent, from the verdicts of the actors.
 */
#ifndef IBR_TRUTH_H
#define IBR_TRUTH_H

#include "scenario.h"

struct truth;

/* What the way out can tell beside the frames themselves; a number of -1 is unknown. */
struct send_report {
	const char *mode; /* "pcap", "packet", "xdp" */
	int64_t generated, sent, dropped, not_sendable, interface_packets, interface_dropped;
	double seconds;
};

struct truth *truth_new(const struct scenario *s, uint32_t snaplen, uint64_t sources_most);
void truth_free(struct truth *t);
int truth_add(struct truth *t, const struct verdict *v);
/* The file appears only when it is whole. */
int truth_write(struct truth *t, const char *file, const struct send_report *report, const bool *left_out);

#endif
