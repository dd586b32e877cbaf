/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One question to the kernel's routing netlink and its answers, by libmnl. Never changes anything: the callers
 * ask RTM_GET* only. Works without privileges, in the network namespace of the calling thread.
 */
#ifndef AIRGLOW_COLLECT_RTNL_H
#define AIRGLOW_COLLECT_RTNL_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/*
 * Starts a request of the given type (RTM_GETLINK, …) in a buffer of MNL_SOCKET_BUFFER_SIZE bytes. The caller
 * adds the type's header and attributes.
 */
struct nlmsghdr *rtnl_begin(char *buffer, uint16_t type, uint16_t flags);

/* Sends the request and calls back for every message of the answer. 0 or -errno (of the kernel or the socket).
 */
int rtnl_ask(struct nlmsghdr *request, mnl_cb_t callback, void *arg);

/* The attributes behind a header of header_size bytes, by type: table[0..types - 1], NULL where there is none.
 */
void rtnl_attributes(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table,
		     uint16_t types);
void rtnl_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t types);

#endif
