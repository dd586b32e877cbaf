/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells when something changed about interfaces, their addresses or their drivers' settings, and what an
 * interface is now. A message may be lost when many come at once: it says that something changed, never what.
 */
#ifndef AIRGLOW_CLI_LINKS_H
#define AIRGLOW_CLI_LINKS_H

#include <stdbool.h>
#include <stdint.h>

/* Netlink sockets of the caller's network namespace, not blocking; a descriptor, or -errno. */
int links_watch(void);	       /* interfaces come, go and change; addresses come and go */
int links_watch_drivers(void); /* rings, queues, offloads (ethtool); -ENOENT: this kernel does not tell */

/*
 * Reads what has come, so that the descriptor is quiet until the next change. True when there was something.
 * deleted (may be NULL) is called for each interface that was.
 */
bool links_drain(int fd, void (*deleted)(void *arg, uint32_t ifindex), void *arg);

struct link_now {
	char name[32];
	bool up, carrier;
	bool ethernet; /* it has a MAC address */
	uint8_t mac[6];
};

/* What the interface with this number is now. -ENODEV: none has it in this network namespace. */
int links_read(uint32_t ifindex, struct link_now *now);

#endif
