// SPDX-License-Identifier: GPL-2.0-only
/*
 * One question to netlink and its answers. Of the messages it knows only what an address is good for.
 */
#include "collect/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NETLINK_TIMEOUT_S 2 /* the kernel answers at once or is in trouble */

struct nlmsghdr *netlink_begin(char *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return request;
}

static int receive_answers(struct mnl_socket *socket, uint32_t sequence, mnl_cb_t callback, void *arg)
{
	char buffer[32768]; /* what the kernel likes to fill when it dumps */
	uint32_t port = mnl_socket_get_portid(socket);

	for (;;) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		int more;

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)length, sequence, port, callback, arg);
		if (more < 0)
			return -errno;
		if (more == MNL_CB_STOP)
			return 0;
	}
}

int netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t callback, void *arg)
{
	struct timeval timeout = {.tv_sec = NETLINK_TIMEOUT_S};
	struct mnl_socket *socket;
	int err;

	socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!socket)
		return -errno;
	request->nlmsg_seq = (uint32_t)time(NULL);
	/* A single answer carries no end mark: ask for an acknowledgement behind it. */
	if (!(request->nlmsg_flags & NLM_F_DUMP))
		request->nlmsg_flags |= NLM_F_ACK;

	err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (!err &&
	    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		err = -errno;
	if (!err && mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		err = -errno;
	if (!err)
		err = receive_answers(socket, request->nlmsg_seq, callback, arg);
	mnl_socket_close(socket);
	return err;
}

struct attribute_table {
	const struct nlattr **by_type;
	uint16_t types;
};

static int note_attribute(const struct nlattr *attribute, void *arg)
{
	const struct attribute_table *table = arg;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type < table->types)
		table->by_type[type] = attribute;
	return MNL_CB_OK;
}

void netlink_attributes(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table,
			uint16_t types)
{
	struct attribute_table arg = {table, types};

	memset(table, 0, types * sizeof(void *));
	mnl_attr_parse(message, (unsigned int)header_size, note_attribute, &arg);
}

void netlink_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t types)
{
	struct attribute_table arg = {table, types};

	memset(table, 0, types * sizeof(void *));
	mnl_attr_parse_nested(nest, note_attribute, &arg);
}

void netlink_put_generic(struct nlmsghdr *request, uint8_t command)
{
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->cmd = command;
	header->version = 1;
}

struct family_answer {
	const char *group;
	uint16_t family;
	uint32_t group_id;
};

static int note_group(const struct nlattr *nest, void *arg)
{
	const struct nlattr *attrs[CTRL_ATTR_MCAST_GRP_MAX + 1];
	struct family_answer *answer = arg;

	netlink_nested(nest, attrs, CTRL_ATTR_MCAST_GRP_MAX + 1);
	if (attrs[CTRL_ATTR_MCAST_GRP_NAME] && attrs[CTRL_ATTR_MCAST_GRP_ID] &&
	    !strcmp(mnl_attr_get_str(attrs[CTRL_ATTR_MCAST_GRP_NAME]), answer->group))
		answer->group_id = mnl_attr_get_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]);
	return MNL_CB_OK;
}

static int note_family(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct family_answer *answer = arg;

	if (message->nlmsg_type != GENL_ID_CTRL)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(struct genlmsghdr), attrs, CTRL_ATTR_MAX + 1);
	if (attrs[CTRL_ATTR_FAMILY_ID])
		answer->family = mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	if (attrs[CTRL_ATTR_MCAST_GROUPS] && answer->group)
		mnl_attr_parse_nested(attrs[CTRL_ATTR_MCAST_GROUPS], note_group, answer);
	return MNL_CB_OK;
}

int netlink_family(const char *name, uint16_t *family, const char *group, uint32_t *group_id)
{
	struct family_answer answer = {.group = group};
	char buffer[1024];
	struct nlmsghdr *request = netlink_begin(buffer, GENL_ID_CTRL, 0);
	int err;

	netlink_put_generic(request, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);
	err = netlink_ask(NETLINK_GENERIC, request, note_family, &answer);
	if (err)
		return err;
	if (!answer.family || (group && !answer.group_id))
		return -ENOENT;
	*family = answer.family;
	if (group_id)
		*group_id = answer.group_id;
	return 0;
}

bool netlink_is_reachable(const struct ifaddrmsg *info, uint32_t flags)
{
	if (info->ifa_scope == RT_SCOPE_LINK || info->ifa_scope == RT_SCOPE_HOST)
		return false;
	if (flags & IFA_F_DADFAILED)
		return false;
	return !(flags & IFA_F_TENTATIVE) || flags & IFA_F_OPTIMISTIC;
}
