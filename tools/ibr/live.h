/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * live.h - the ways out through an interface.  Both enter into the truth only what was really sent.
 */
#ifndef IBR_LIVE_H
#define IBR_LIVE_H

#include "stream.h"
#include "truth.h"

#include <signal.h>

struct live {
	const char *interface;
	struct stream *stream;
	struct truth *truth; /* may be NULL */
	uint64_t rate_pps;   /* 0 = as fast as it goes */
	double seconds;	     /* 0 = no limit */
	struct send_report report;

	unsigned int ifindex;
	uint32_t frame_most; /* bytes */
	uint64_t began_ns;   /* monotonic */
};

extern volatile sig_atomic_t live_stop;

/* Looks the interface up, notes its counters. 0 or -1, said. */
int live_open(struct live *l);
int live_send_packet(struct live *l);
/* 1: this interface does not take redirected frames, nothing was sent; else 0 or -1, said. */
int live_send_xdp(struct live *l);
/* The interface's own counters, and a sentence on stderr. */
void live_close(struct live *l);

uint64_t live_now_ns(void);
/* Nanoseconds from the beginning at which the stream's current frame is due. */
uint64_t live_due_ns(const struct live *l);
bool live_over(const struct live *l);
/* Sleeps until `due_ns` after the beginning; false if told to stop. */
bool live_wait(const struct live *l, uint64_t due_ns);
/* The next frame that this interface can carry; false at the end. */
bool live_next(struct live *l, struct frame *f);

#endif
