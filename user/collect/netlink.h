/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One question to the kernel by netlink and its answers, by libmnl. Never changes anything: the callers only
 * ask for what there is. Works without privileges, in the network namespace of the calling thread.
 */
#ifndef AIRGLOW_COLLECT_NETLINK_H
#define AIRGLOW_COLLECT_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include <linux/if_addr.h>

/*
 * Starts a request of the given type (RTM_GETLINK, a generic family's number, …) in a buffer. The caller adds
 * the type's header and attributes.
 */
struct nlmsghdr *netlink_begin(char *buffer, uint16_t type, uint16_t flags);

/*
 * Sends the request on a bus (NETLINK_ROUTE, NETLINK_GENERIC) and calls back for every message of the answer.
 * 0 or -errno (of the kernel or the socket).
 */
int netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t callback, void *arg);

/* The header of a request to a generic family. */
void netlink_put_generic(struct nlmsghdr *request, uint8_t command);

/*
 * The number of a generic family by its name, and if wanted (else NULL) that of one of its multicast groups. 0
 * or -errno: -ENOENT when this kernel has no such family or group.
 */
int netlink_family(const char *name, uint16_t *family, const char *group, uint32_t *group_id);

/* The attributes behind a header of header_size bytes, by type: table[0..types - 1], NULL where there is none.
 */
void netlink_attributes(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table,
			uint16_t types);
void netlink_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t types);

/*
 * An address that other hosts send to, by its IFA_FLAGS: feed self takes it for one of this host's own. One
 * that is being tried out (DAD) is not there yet.
 */
bool netlink_is_reachable(const struct ifaddrmsg *info, uint32_t flags);

#endif
