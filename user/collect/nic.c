// SPDX-License-Identifier: GPL-2.0-only
/*
 * L0: what the interface says it received and lost. Asks rtnetlink and the driver; knows no packet and no book.
 */
#include "collect/nic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "collect/ethtool.h"
#include "collect/nic_table.h"
#include "collect/netlink.h"

struct link_answer {
	struct rtnl_link_stats64 stats;
	char name[32]; /* now: an interface may be renamed */
};

static int find_stats(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attributes[IFLA_STATS64 + 1];
	struct link_answer *out = arg;
	const struct nlattr *stats;
	size_t length;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(struct ifinfomsg), attributes, IFLA_STATS64 + 1);
	if (attributes[IFLA_IFNAME])
		snprintf(out->name, sizeof(out->name), "%s", mnl_attr_get_str(attributes[IFLA_IFNAME]));
	stats = attributes[IFLA_STATS64];
	if (!stats)
		return MNL_CB_OK;
	/* A newer kernel's is longer, an older one's shorter. */
	length = mnl_attr_get_payload_len(stats);
	memcpy(&out->stats, mnl_attr_get_payload(stats),
	       length < sizeof(out->stats) ? length : sizeof(out->stats));
	return MNL_CB_OK;
}

static int read_link_stats(uint32_t ifindex, struct link_answer *answer)
{
	char buffer[1024];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	memset(answer, 0, sizeof(*answer));
	return netlink_ask(NETLINK_ROUTE, request, find_stats, answer);
}

static void add_statistic(void *arg, const char *label, uint64_t value)
{
	nic_table_add(arg, label, value);
}

int nic_read(uint32_t ifindex, uint64_t *packets, struct snapshot_nic_counter *counters, unsigned int *count)
{
	struct link_answer answer;
	struct nic_tally tally = {0};
	char driver[64] = "";
	int fd, err;

	err = read_link_stats(ifindex, &answer);
	if (err)
		return err;
	tally.driver = driver;
	fd = ethtool_open();
	if (fd >= 0) {
		/* A driver that tells nothing is no error: its kinds stay unknown. */
		if (!ethtool_driver(fd, answer.name, driver, sizeof(driver)))
			(void)ethtool_statistics(fd, answer.name, add_statistic, &tally);
		close(fd);
	}
	nic_table_add(&tally, "rtnl.rx_dropped", answer.stats.rx_dropped);
	nic_table_add(&tally, "rtnl.rx_missed_errors", answer.stats.rx_missed_errors);
	tally.known[NIC_RX_DROPPED] = true;
	tally.packets[NIC_RX_DROPPED] = answer.stats.rx_dropped;
	/* A driver that is not in the table and says 0 may simply not count; one that says more does. */
	if (!tally.known[NIC_RX_MISSED] && answer.stats.rx_missed_errors) {
		tally.known[NIC_RX_MISSED] = true;
		tally.packets[NIC_RX_MISSED] = answer.stats.rx_missed_errors;
	}
	*packets = answer.stats.rx_packets;
	*count = nic_table_counters(&tally, counters);
	return 0;
}
