/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The books: the memory that the packet program writes and the collector reads, whoever runs the program.
 * The kernel engine maps it from BPF arrays, the native engine allocates it; readers cannot tell which.
 */
#ifndef AIRGLOW_ENGINE_BOOKS_H
#define AIRGLOW_ENGINE_BOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"

struct books {
	unsigned int slices; /* per-CPU slices; entry [slices] of each array is the shared slice */
	const struct ag_counters *counters; /* [slices + 1] */
	const struct ag_ports *ports;	    /* [slices + 1] */
	const struct ag_sources *sources;   /* [slices + 1] */
	const struct ag_icmp *icmp;	    /* one, shared by all slices */
	const struct ag_page *seen;	    /* [pages] */
	unsigned int pages;
	struct ag_control *control; /* written by userspace only */
	size_t bytes;		    /* memory of all maps together */
};

#endif
