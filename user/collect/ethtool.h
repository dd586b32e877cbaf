/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver tells of its interface, by the ioctl SIOCETHTOOL: reading only, which needs no privileges. All
 * functions take a socket of ethtool_open and return 0 or -errno; -EOPNOTSUPP: the driver does not tell.
 */
#ifndef AIRGLOW_COLLECT_ETHTOOL_H
#define AIRGLOW_COLLECT_ETHTOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A socket for the calls below, in the calling thread's network namespace; the caller's to close. */
int ethtool_open(void);

int ethtool_driver(int fd, const char *name, char *driver, size_t driver_size);

/* Features by their kernel names ("rx-lro"): on[i] = 1 on, 0 off, -1 not known to this kernel. */
int ethtool_features(int fd, const char *name, const char *const *features, int *on, size_t count);

int ethtool_rx_ring(int fd, const char *name, uint32_t *packets, uint32_t *packets_max);

/* Receive queues in use; *combined: they are counted as "combined" channels. */
int ethtool_rx_queues(int fd, const char *name, uint32_t *queues, bool *combined);

/* Calls back for each statistic of the driver. */
int ethtool_statistics(int fd, const char *name, void (*visit)(void *arg, const char *label, uint64_t value),
		       void *arg);

#endif
