// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of interfaces, by rtnetlink and by ethtool's generic netlink family (links.h).
 */
#include "cli/links.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "collect/netlink.h"

#define LOWER_UP (1u << 16) /* IFF_LOWER_UP: its header and <net/if.h> exclude each other */

static int open_bus(int bus, uint32_t groups)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus), err;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int links_watch(void)
{
	return open_bus(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

int links_watch_drivers(void)
{
	uint32_t group;
	uint16_t family;
	int err = netlink_family("ethtool", &family, "monitor", &group), fd;

	if (err)
		return err;
	fd = open_bus(NETLINK_GENERIC, 0);
	if (fd < 0 || !setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void tell_deleted(const char *buffer, size_t length, void (*deleted)(void *arg, uint32_t ifindex),
			 void *arg)
{
	const struct nlmsghdr *message = (const void *)buffer;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
		const struct nlattr *attrs[IFLA_MAX + 1];

		/* A bridge tells of its ports by the same type, under its own family. */
		if (message->nlmsg_type != RTM_DELLINK || mnl_nlmsg_get_payload_len(message) < sizeof(*info) ||
		    info->ifi_family != AF_UNSPEC)
			continue;
		netlink_attributes(message, sizeof(*info), attrs, IFLA_MAX + 1);
		/* What was moved to another network namespace is there, and the program on it. */
		if (!attrs[IFLA_NEW_NETNSID] && !attrs[IFLA_NEW_IFINDEX])
			deleted(arg, (uint32_t)info->ifi_index);
	}
}

bool links_drain(int fd, void (*deleted)(void *arg, uint32_t ifindex), void *arg)
{
	_Alignas(struct nlmsghdr) char buffer[32768];
	bool any = false;

	if (fd < 0)
		return false;
	for (;;) {
		ssize_t length = recv(fd, buffer, sizeof(buffer), 0);

		/* ENOBUFS says that messages were lost: the next read goes on behind them. */
		if (length <= 0 && errno != ENOBUFS && errno != EINTR)
			return any;
		any = true;
		if (length > 0 && deleted)
			tell_deleted(buffer, (size_t)length, deleted, arg);
	}
}

static int note_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[IFLA_MAX + 1];
	struct link_now *now = arg;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, IFLA_MAX + 1);
	now->up = info->ifi_flags & IFF_UP;
	now->carrier = info->ifi_flags & LOWER_UP;
	now->ethernet = info->ifi_type == ARPHRD_ETHER && attrs[IFLA_ADDRESS] &&
			mnl_attr_get_payload_len(attrs[IFLA_ADDRESS]) == sizeof(now->mac);
	if (now->ethernet)
		memcpy(now->mac, mnl_attr_get_payload(attrs[IFLA_ADDRESS]), sizeof(now->mac));
	if (attrs[IFLA_IFNAME])
		snprintf(now->name, sizeof(now->name), "%s", mnl_attr_get_str(attrs[IFLA_IFNAME]));
	return MNL_CB_OK;
}

int links_read(uint32_t ifindex, struct link_now *now)
{
	char buffer[1024];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	memset(now, 0, sizeof(*now));
	return netlink_ask(NETLINK_ROUTE, request, note_link, now);
}
