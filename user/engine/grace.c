// SPDX-License-Identifier: GPL-2.0-only
/*
 * An RCU grace period from userspace (grace.h): XDP runs inside an RCU read-side section, and membarrier's
 * global command is one synchronize_rcu().
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/grace.h"

#define FALLBACK_NS 20000000L

void grace_wait(void)
{
	struct timespec pause = {.tv_nsec = FALLBACK_NS};

	/* Refused where CPUs run in full dynticks: then a pause that no packet outlives. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&pause, NULL);
}
