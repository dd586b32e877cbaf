// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts of one interface: what rtnetlink, the driver and the BPF subsystem tell of it.
 */
#include "doctor/host.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "collect/ethtool.h"
#include "collect/nic.h"
#include "collect/netlink.h"

#define ATTRIBUTES (IFLA_MAX + 1)

/* What RTM_GETLINK tells beside struct host_link: only needed to look further. */
struct link_answer {
	struct host_link *link;
	uint32_t peer_ifindex;
	int32_t peer_netnsid; /* -1: this namespace */
};

static void copy_string(char *out, size_t size, const struct nlattr *attr)
{
	snprintf(out, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
		 (const char *)mnl_attr_get_payload(attr));
}

static void read_xdp(struct host_link *link, const struct nlattr *nest)
{
	const struct nlattr *xdp[IFLA_XDP_MAX + 1];
	uint8_t attached;

	netlink_nested(nest, xdp, IFLA_XDP_MAX + 1);
	attached = xdp[IFLA_XDP_ATTACHED] ? mnl_attr_get_u8(xdp[IFLA_XDP_ATTACHED]) : XDP_ATTACHED_NONE;
	if (attached == XDP_ATTACHED_NONE)
		return;
	link->xdp = attached == XDP_ATTACHED_SKB ? HOST_XDP_GENERIC : HOST_XDP_NATIVE;
	if (xdp[IFLA_XDP_PROG_ID])
		link->xdp_program = mnl_attr_get_u32(xdp[IFLA_XDP_PROG_ID]);
	else if (xdp[IFLA_XDP_DRV_PROG_ID]) /* several at once: the driver's runs first */
		link->xdp_program = mnl_attr_get_u32(xdp[IFLA_XDP_DRV_PROG_ID]);
}

/* A port of a VRF, too, has a master, but keeps its addresses. */
static void read_master(struct host_link *link, const struct nlattr *master, const struct nlattr *port_kind)
{
	char name[IF_NAMESIZE];

	if (!master || (port_kind &&
			!strncmp(mnl_attr_get_payload(port_kind), "vrf", mnl_attr_get_payload_len(port_kind))))
		return;
	if (if_indextoname(mnl_attr_get_u32(master), name))
		snprintf(link->master, sizeof(link->master), "%s", name);
}

static int note_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[ATTRIBUTES], *kind[IFLA_INFO_MAX + 1] = {};
	struct link_answer *answer = arg;
	struct host_link *link = answer->link;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, ATTRIBUTES);
	link->ifindex = (uint32_t)info->ifi_index;
	link->hardware = info->ifi_type;
	link->up = info->ifi_flags & IFF_UP;
	link->loopback = info->ifi_flags & IFF_LOOPBACK;
	link->carrier =
		attrs[IFLA_CARRIER] ? mnl_attr_get_u8(attrs[IFLA_CARRIER]) : info->ifi_flags & IFF_RUNNING;
	link->promiscuous = info->ifi_flags & IFF_PROMISC ||
			    (attrs[IFLA_PROMISCUITY] && mnl_attr_get_u32(attrs[IFLA_PROMISCUITY]));
	if (attrs[IFLA_IFNAME])
		copy_string(link->called, sizeof(link->called), attrs[IFLA_IFNAME]);
	if (attrs[IFLA_MTU])
		link->mtu = mnl_attr_get_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_NUM_RX_QUEUES])
		link->rx_queues = mnl_attr_get_u32(attrs[IFLA_NUM_RX_QUEUES]);
	if (attrs[IFLA_XDP])
		read_xdp(link, attrs[IFLA_XDP]);
	if (attrs[IFLA_LINKINFO]) {
		netlink_nested(attrs[IFLA_LINKINFO], kind, IFLA_INFO_MAX + 1);
		if (kind[IFLA_INFO_KIND])
			copy_string(link->kind, sizeof(link->kind), kind[IFLA_INFO_KIND]);
	}
	read_master(link, attrs[IFLA_MASTER], kind[IFLA_INFO_SLAVE_KIND]);
	if (attrs[IFLA_LINK])
		answer->peer_ifindex = mnl_attr_get_u32(attrs[IFLA_LINK]);
	if (attrs[IFLA_LINK_NETNSID])
		answer->peer_netnsid = (int32_t)mnl_attr_get_u32(attrs[IFLA_LINK_NETNSID]);
	return MNL_CB_OK;
}

static int note_name(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attrs[ATTRIBUTES];
	struct host_link *link = arg;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(struct ifinfomsg), attrs, ATTRIBUTES);
	if (attrs[IFLA_IFNAME])
		copy_string(link->peer, sizeof(link->peer), attrs[IFLA_IFNAME]);
	return MNL_CB_OK;
}

static int ask_link(uint32_t ifindex, int32_t netnsid, mnl_cb_t callback, void *arg)
{
	char buffer[1024];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	if (netnsid >= 0)
		mnl_attr_put_u32(request, IFLA_TARGET_NETNSID, (uint32_t)netnsid);
	return netlink_ask(NETLINK_ROUTE, request, callback, arg);
}

void host_read_link(struct host_link *link, const char *name, uint32_t ifindex)
{
	struct link_answer answer = {.link = link, .peer_netnsid = -1};
	uint32_t named = if_nametoindex(name);

	memset(link, 0, sizeof(*link));
	snprintf(link->name, sizeof(link->name), "%s", name);
	snprintf(link->called, sizeof(link->called), "%s", name);
	link->native_xdp = link->vlan_strip = link->lro = link->gro = link->gro_hw = HOST_UNKNOWN;
	link->peer_segments = link->peer_tags = HOST_UNKNOWN;
	link->forwarding4 = link->forwarding6 = link->proxy_arp = HOST_UNKNOWN;
	if (!ifindex)
		ifindex = named;
	if (!ifindex) {
		link->error = -ENODEV;
		return;
	}
	link->error = ask_link(ifindex, -1, note_link, &answer);
	link->renamed = named != ifindex;
	link->name_taken = named && link->renamed;
	if (link->error || strcmp(link->kind, "veth") || !answer.peer_ifindex)
		return;
	link->peer_elsewhere = answer.peer_netnsid >= 0;
	/* Without privileges over the other namespace the name stays empty. */
	(void)ask_link(answer.peer_ifindex, answer.peer_netnsid, note_name, link);
}

/*
 * What the driver can do, by the generic netlink family "netdev" (kernel 6.3; its header is not in Debian
 * 12's). Older kernels do not know the family: the answer stays unknown, and attaching is the only probe.
 */
#define NETDEV_CMD_DEV_GET	  1
#define NETDEV_A_DEV_IFINDEX	  1
#define NETDEV_A_DEV_XDP_FEATURES 3
#define NETDEV_XDP_ACT_BASIC	  1

static int note_xdp_features(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attrs[NETDEV_A_DEV_XDP_FEATURES + 1];
	struct host_link *link = arg;

	netlink_attributes(message, sizeof(struct genlmsghdr), attrs, NETDEV_A_DEV_XDP_FEATURES + 1);
	if (attrs[NETDEV_A_DEV_XDP_FEATURES])
		link->native_xdp = mnl_attr_get_u64(attrs[NETDEV_A_DEV_XDP_FEATURES]) & NETDEV_XDP_ACT_BASIC
					   ? HOST_YES
					   : HOST_NO;
	return MNL_CB_OK;
}

static void read_xdp_features(struct host_link *link)
{
	char buffer[1024];
	struct nlmsghdr *request;
	uint16_t family;

	if (netlink_family("netdev", &family, NULL, NULL))
		return;
	request = netlink_begin(buffer, family, 0);
	netlink_put_generic(request, NETDEV_CMD_DEV_GET);
	mnl_attr_put_u32(request, NETDEV_A_DEV_IFINDEX, link->ifindex);
	(void)netlink_ask(NETLINK_GENERIC, request, note_xdp_features, link);
}

/* Features that let a veth's end hand over what no wire could carry. */
static const char *const peer_features[] = {
	"tx-tcp-segmentation",	   "tx-tcp6-segmentation",
	"tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation",
	"tx-generic-segmentation", "tx-udp-segmentation",
	"tx-sctp-segmentation",	   "tx-gso-list",
	"tx-vlan-hw-insert", /* the last: tags, not sizes */
};
#define PEER_FEATURES (sizeof(peer_features) / sizeof(peer_features[0]))

static void read_peer(int fd, struct host_link *link)
{
	int on[PEER_FEATURES];

	if (!link->peer[0] || link->peer_elsewhere ||
	    ethtool_features(fd, link->peer, peer_features, on, PEER_FEATURES))
		return;
	link->peer_tags = on[PEER_FEATURES - 1];
	link->peer_segments = HOST_NO;
	for (size_t i = 0; i + 1 < PEER_FEATURES; i++)
		if (on[i] == 1)
			link->peer_segments = HOST_YES;
}

void host_read_features(struct host_link *link)
{
	static const char *const names[] = {"rx-vlan-hw-parse", "rx-lro", "rx-gro", "rx-gro-hw"};
	CLEANUP(cleanup_fd) int fd = ethtool_open();
	uint32_t queues;
	bool combined;
	int on[4];

	read_xdp_features(link);
	(void)nic_read(link->ifindex, &link->packets, link->nic, &link->nic_count);
	if (fd < 0)
		return;
	(void)ethtool_driver(fd, link->called, link->driver, sizeof(link->driver));
	if (!ethtool_features(fd, link->called, names, on, 4)) {
		link->vlan_strip = on[0];
		link->lro = on[1];
		link->gro = on[2];
		link->gro_hw = on[3];
	}
	(void)ethtool_rx_ring(fd, link->called, &link->rx_ring, &link->rx_ring_max);
	if (!ethtool_rx_queues(fd, link->called, &queues, &combined)) {
		link->rx_queues = queues;
		link->queues_combined = combined;
	}
	read_peer(fd, link);
}

/* The BPF link that holds a program on an interface, if we may look: such a program `ip link` cannot take off.
 */
static uint32_t find_link(uint32_t program, uint32_t ifindex)
{
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = {0};
		uint32_t size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id), err;

		if (fd < 0)
			continue;
		err = bpf_obj_get_info_by_fd(fd, &info, &size);
		close(fd);
		if (!err && info.type == BPF_LINK_TYPE_XDP && info.prog_id == program &&
		    info.xdp.ifindex == ifindex)
			return id;
	}
	return 0;
}

void host_read_xdp_holder(struct host_link *link)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd;

	if (!link->xdp_program)
		return;
	fd = bpf_prog_get_fd_by_id(link->xdp_program);
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		snprintf(link->xdp_name, sizeof(link->xdp_name), "%s", info.name[0] ? info.name : "unnamed");
	close(fd);
	link->xdp_link = find_link(link->xdp_program, link->ifindex);
}
