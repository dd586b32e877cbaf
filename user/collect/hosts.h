/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct hosts of the last five minutes, hour and day: overall, by class, by tool, and of the ports that get
 * most packets. Classes come from the kernel's sketches and stay right when a log overflows; tools and ports
 * come from the records. A host is an IPv4 address or an IPv6 /64 (definitions: README, "What is counted").
 *
 * A window is whole slots and the one that is open: it is never shorter than its name, and at most a slot
 * longer (10 s, 5 min, 1 h). Standard errors: 1.04 / sqrt(2^bits) (Flajolet et al. 2007).
 */
#ifndef AIRGLOW_COLLECT_HOSTS_H
#define AIRGLOW_COLLECT_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"

#define HOSTS_PORTS_MAX 30 /* ports a protocol that are followed */

enum hosts_window { HOSTS_5M, HOSTS_1H, HOSTS_1D, HOSTS_WINDOWS };

/* Sets: all, then the classes, then the tools. */
#define HOSTS_ALL  0u
#define HOSTS_SETS (1u + AG_CLASS_MAX + AG_TOOL_MAX)

/* Estimates. */
struct hosts_figures {
	uint64_t hosts[HOSTS_SETS][HOSTS_WINDOWS];
};

struct hosts;

/* NULL without memory. One thread adds, any thread asks. */
struct hosts *hosts_new(void);
void hosts_free(struct hosts **hosts);

/* What a sketch knows a host by: fixed, the same as in the kernel's (bpf/sketch.h). */
uint64_t hosts_hash(uint64_t src_hi, uint64_t src_lo, bool v6);

/*
 * The sketches of a closed interval, [AG_CLASS_MAX], at a time in ticks of 10 s that never steps back; and a
 * host that is known to use a tool, or asked for a port (protocol 6 or 17; others are ignored).
 */
void hosts_add(struct hosts *hosts, uint32_t tick, const struct ag_hll *by_class);
void hosts_add_tool(struct hosts *hosts, uint32_t tick, unsigned int tool, uint64_t hash);
void hosts_add_port(struct hosts *hosts, uint32_t tick, unsigned int protocol, unsigned int port,
		    uint64_t hash);

/* These ports are followed from now on, at most HOSTS_PORTS_MAX; of one that was not, hosts count from now. */
void hosts_follow(struct hosts *hosts, unsigned int protocol, const uint16_t *ports, unsigned int count);

/* open: the sketches of what is not closed yet, [AG_CLASS_MAX]; they count in every window. */
void hosts_figures(struct hosts *hosts, const struct ag_hll *open, struct hosts_figures *out);
/* Hosts that asked for a followed port in the last hour; 0 of one that is not followed. */
uint64_t hosts_of_port(struct hosts *hosts, unsigned int protocol, unsigned int port);

#endif
