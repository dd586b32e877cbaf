/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The books: the memory that the packet program writes and the collector reads, whoever runs the program.
 * The kernel engine maps it from BPF arrays, the native engine allocates it; readers cannot tell which.
 */
#ifndef AIRGLOW_ENGINE_BOOKS_H
#define AIRGLOW_ENGINE_BOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "airglow/keep.h"

struct books {
	unsigned int slices; /* per-CPU slices; entry [slices] of each array is the shared slice */
	const struct ag_counters *counters; /* [slices + 1] */
	const struct ag_ports *ports;	    /* [slices + 1] */
	const struct ag_icmp *icmp;	    /* one, shared by all slices */
	const __u64 *visits;		    /* [visits_size], by TCP port: feed self; one entry without it */
	unsigned int visits_size;
	const struct ag_page *seen; /* [pages] */
	unsigned int pages;
	struct ag_control *control;	    /* written by userspace only */
	const struct ag_settings *settings; /* [2] */

	struct ag_abi *abi; /* userspace's own, like the next two */
	struct ag_collected *collected;
	struct ag_carried *carried; /* what earlier books counted */

	/* The flow cache. Tables and intervals are double, [slice * 2 + parity]; those of the parity that is
	 * not open are the reader's to read and to clear. */
	struct ag_interval *intervals;	     /* [(slices + 1) * 2] */
	struct ag_flow_set *flows;	     /* [slices * 2 * flow_sets] */
	struct ag_summary_set *summaries;    /* [slices * 2 * summary_sets] */
	struct ag_sweepers *sweepers;	     /* [slices * 2] */
	struct ag_reached *reached;	     /* [2 * promoted * pages], by day, slot and page */
	unsigned int promoted;		     /* slots a day */
	struct ag_log *logs;		     /* [slices]; the reader moves the tails */
	const struct ag_record *log_records; /* [slices * log_records_size] */
	const __u64 *log_touches;	     /* [slices * log_touches_size] */
	unsigned int flow_sets, summary_sets, log_records_size, log_touches_size; /* powers of two */
	unsigned int flow_shift, summary_shift; /* of a set's number to its bit in ag_interval */
	size_t bytes;				/* memory of all maps together */
};

#endif
