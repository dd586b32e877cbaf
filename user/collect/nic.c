// SPDX-License-Identifier: GPL-2.0-only
/*
 * L0: what the interface says it received and lost. Asks rtnetlink and the driver; knows no packet and no book.
 */
#include "collect/nic.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "collect/ethtool.h"
#include "collect/nic_table.h"
#include "collect/netlink.h"

static int find_stats(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attributes[IFLA_STATS64 + 1];
	struct rtnl_link_stats64 *out = arg;
	const struct nlattr *stats;
	size_t length;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(struct ifinfomsg), attributes, IFLA_STATS64 + 1);
	stats = attributes[IFLA_STATS64];
	if (!stats)
		return MNL_CB_OK;
	/* A newer kernel's is longer, an older one's shorter. */
	length = mnl_attr_get_payload_len(stats);
	memcpy(out, mnl_attr_get_payload(stats), length < sizeof(*out) ? length : sizeof(*out));
	return MNL_CB_OK;
}

static int read_link_stats(uint32_t ifindex, struct rtnl_link_stats64 *stats)
{
	char buffer[1024];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	memset(stats, 0, sizeof(*stats));
	return netlink_ask(NETLINK_ROUTE, request, find_stats, stats);
}

static void add_statistic(void *arg, const char *label, uint64_t value)
{
	nic_table_add(arg, label, value);
}

int nic_read(uint32_t ifindex, const char *name, uint64_t *packets, struct snapshot_nic_counter *counters,
	     unsigned int *count)
{
	struct rtnl_link_stats64 stats;
	struct nic_tally tally = {0};
	char driver[64] = "";
	int fd, err;

	err = read_link_stats(ifindex, &stats);
	if (err)
		return err;
	tally.driver = driver;
	fd = ethtool_open();
	if (fd >= 0) {
		/* A driver that tells nothing is no error: its kinds stay unknown. */
		if (!ethtool_driver(fd, name, driver, sizeof(driver)))
			(void)ethtool_statistics(fd, name, add_statistic, &tally);
		close(fd);
	}
	nic_table_add(&tally, "rtnl.rx_dropped", stats.rx_dropped);
	nic_table_add(&tally, "rtnl.rx_missed_errors", stats.rx_missed_errors);
	tally.known[NIC_RX_DROPPED] = true;
	tally.packets[NIC_RX_DROPPED] = stats.rx_dropped;
	/* A driver that is not in the table and says 0 may simply not count; one that says more does. */
	if (!tally.known[NIC_RX_MISSED] && stats.rx_missed_errors) {
		tally.known[NIC_RX_MISSED] = true;
		tally.packets[NIC_RX_MISSED] = stats.rx_missed_errors;
	}
	*packets = stats.rx_packets;
	*count = nic_table_counters(&tally, counters);
	return 0;
}
