// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of this host and the routes that have to do with dark prefixes. A host with a full routing table
 * has a million of the others: they are let go as they are read.
 */
#include "doctor/host.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/address.h"
#include "collect/netlink.h"

#define RULES_OF_EVERY_HOST 5 /* IPv4: local, main, default; IPv6: local, main */

/* The dark prefixes, sorted, and what is made of the messages. */
struct route_reader {
	struct host_facts *facts;
	const struct prefix **dark;
	size_t dark_count;
	bool lengths[129]; /* of the dark prefixes: there are few */
	size_t room;
	int err;
	unsigned int rules;
	uint32_t *dummies; /* interfaces that discard what they are given */
	size_t dummies_count;
};

static int grow(void **array, size_t *room, size_t used, size_t item)
{
	size_t next = *room ? 2 * *room : 64;
	void *larger;

	if (used < *room)
		return 0;
	larger = reallocarray(*array, next, item);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*room = next;
	return 0;
}

static uint8_t family_of(unsigned char af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

static void read_prefix(struct prefix *out, unsigned char af, unsigned char length, const struct nlattr *attr)
{
	size_t size = af == AF_INET ? 4 : 16;

	memset(out, 0, sizeof(*out));
	out->family = family_of(af);
	out->length = length;
	if (attr && mnl_attr_get_payload_len(attr) >= size)
		memcpy(out->addr, mnl_attr_get_payload(attr), size);
}

static int note_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[IFA_MAX + 1], *local;
	struct route_reader *reader = arg;
	struct host_facts *facts = reader->facts;
	struct host_address *address;

	if (message->nlmsg_type != RTM_NEWADDR || !family_of(info->ifa_family))
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, IFA_MAX + 1);
	/* On a point-to-point interface IFA_ADDRESS is the other side's. */
	local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!local)
		return MNL_CB_OK;
	reader->err = grow((void **)&facts->addresses, &reader->room, facts->addresses_count, sizeof(*address));
	if (reader->err)
		return MNL_CB_STOP;
	address = &facts->addresses[facts->addresses_count++];
	memset(address, 0, sizeof(*address));
	read_prefix(&address->prefix, info->ifa_family, info->ifa_prefixlen, local);
	address->ifindex = info->ifa_index;
	address->reachable = netlink_is_reachable(info, attrs[IFA_FLAGS] ? mnl_attr_get_u32(attrs[IFA_FLAGS])
									 : info->ifa_flags);
	if (!if_indextoname(info->ifa_index, address->interface))
		address->interface[0] = '\0';
	return MNL_CB_OK;
}

static int dump(uint16_t type, size_t header_size, mnl_cb_t callback, struct route_reader *reader)
{
	char buffer[1024];
	struct nlmsghdr *request = netlink_begin(buffer, type, NLM_F_DUMP);
	int err;

	mnl_nlmsg_put_extra_header(request, header_size);
	err = netlink_ask(NETLINK_ROUTE, request, callback, reader);
	return reader->err ? reader->err : err;
}

int host_read_addresses(struct host_facts *facts)
{
	struct route_reader reader = {.facts = facts};

	return dump(RTM_GETADDR, sizeof(struct ifaddrmsg), note_address, &reader);
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(*(const struct prefix *const *)a, *(const struct prefix *const *)b);
}

/* The first `length` bits of a prefix. */
static struct prefix shorten(const struct prefix *prefix, unsigned int length)
{
	struct prefix out = {.family = prefix->family, .length = (uint8_t)length};

	memcpy(out.addr, prefix->addr, length / 8);
	if (length % 8)
		out.addr[length / 8] = (uint8_t)(prefix->addr[length / 8] & (0xff00u >> (length % 8)));
	return out;
}

/*
 * Does a route concern a dark prefix? In the sorted list those that the route covers follow the route's place;
 * one that covers the route is found by its length.
 */
static bool concerns_dark(const struct route_reader *reader, const struct prefix *to)
{
	size_t low = 0, high = reader->dark_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(reader->dark[middle], to) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < reader->dark_count && prefix_contains(to, reader->dark[low]))
		return true;
	for (unsigned int length = 0; length <= to->length; length++) {
		struct prefix key;
		const struct prefix *pointer = &key;

		if (!reader->lengths[length])
			continue;
		key = shorten(to, length);
		if (bsearch(&pointer, reader->dark, reader->dark_count, sizeof(void *), compare_prefixes))
			return true;
	}
	return false;
}

static bool is_dummy(const struct route_reader *reader, uint32_t ifindex)
{
	for (size_t i = 0; i < reader->dummies_count; i++)
		if (reader->dummies[i] == ifindex)
			return true;
	return false;
}

static int note_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[RTA_MAX + 1];
	struct route_reader *reader = arg;
	struct host_facts *facts = reader->facts;
	struct host_route *route;
	struct prefix to;
	uint32_t oif = 0;

	if (message->nlmsg_type != RTM_NEWROUTE || !family_of(info->rtm_family) ||
	    info->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, RTA_MAX + 1);
	read_prefix(&to, info->rtm_family, info->rtm_dst_len, attrs[RTA_DST]);
	if (!concerns_dark(reader, &to))
		return MNL_CB_OK;
	reader->err = grow((void **)&facts->routes, &reader->room, facts->routes_count, sizeof(*route));
	if (reader->err)
		return MNL_CB_STOP;
	route = &facts->routes[facts->routes_count++];
	memset(route, 0, sizeof(*route));
	route->to = to;
	route->type = info->rtm_type;
	route->table = attrs[RTA_TABLE] ? mnl_attr_get_u32(attrs[RTA_TABLE]) : info->rtm_table;
	route->by_kernel = info->rtm_protocol == RTPROT_KERNEL;
	if (attrs[RTA_OIF])
		oif = mnl_attr_get_u32(attrs[RTA_OIF]);
	route->discards = oif && is_dummy(reader, oif);
	if (oif && !if_indextoname(oif, route->interface))
		route->interface[0] = '\0';
	return MNL_CB_OK;
}

static int count_rule(const struct nlmsghdr *message, void *arg)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	struct route_reader *reader = arg;

	reader->rules += message->nlmsg_type == RTM_NEWRULE && family_of(rule->family); /* not multicast's */
	return MNL_CB_OK;
}

static int note_dummy(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attrs[IFLA_MAX + 1], *kind[IFLA_INFO_MAX + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct route_reader *reader = arg;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, IFLA_MAX + 1);
	if (!attrs[IFLA_LINKINFO])
		return MNL_CB_OK;
	netlink_nested(attrs[IFLA_LINKINFO], kind, IFLA_INFO_MAX + 1);
	if (!kind[IFLA_INFO_KIND] || strcmp(mnl_attr_get_str(kind[IFLA_INFO_KIND]), "dummy"))
		return MNL_CB_OK;
	reader->err = grow((void **)&reader->dummies, &reader->room, reader->dummies_count, sizeof(uint32_t));
	if (reader->err)
		return MNL_CB_STOP;
	reader->dummies[reader->dummies_count++] = (uint32_t)info->ifi_index;
	return MNL_CB_OK;
}

int host_read_routes(struct host_facts *facts, const struct config *config)
{
	struct route_reader reader = {.facts = facts};
	int err;

	reader.dark = calloc(config->prefixes_count + 1, sizeof(void *));
	if (!reader.dark)
		return -ENOMEM;
	for (size_t i = 0; i < config->prefixes_count; i++) {
		const struct prefix *prefix = &config->prefixes[i].prefix;

		if (!config->prefixes[i].scope || prefix->length > 128)
			continue;
		reader.dark[reader.dark_count++] = prefix;
		reader.lengths[prefix->length] = true;
	}
	qsort(reader.dark, reader.dark_count, sizeof(void *), compare_prefixes);
	err = dump(RTM_GETLINK, sizeof(struct ifinfomsg), note_dummy, &reader);
	reader.room = 0;
	if (!err)
		err = dump(RTM_GETROUTE, sizeof(struct rtmsg), note_route, &reader);
	free(reader.dummies);
	free(reader.dark);
	if (err)
		return err;
	facts->policy_rules = HOST_UNKNOWN;
	if (!dump(RTM_GETRULE, sizeof(struct fib_rule_hdr), count_rule, &reader))
		facts->policy_rules = reader.rules > RULES_OF_EVERY_HOST ? HOST_YES : HOST_NO;
	return 0;
}
