/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace that the driver program plays: frames in an mmapable map, shared by stages.bpf.c and stages.c.
 */
#ifndef AIRGLOW_BENCH_TRACE_H
#define AIRGLOW_BENCH_TRACE_H

#include <linux/types.h>

/* As many bytes as the pipeline ever reads of a frame. */
#define TRACE_BYTES 256

struct trace_frame {
	__u32 caplen;  /* bytes below, at least an Ethernet header */
	__u32 wirelen; /* length of the frame, at least caplen */
	__u8 bytes[TRACE_BYTES];
};

#endif
