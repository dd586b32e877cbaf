// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIOCETHTOOL, the reading half. Knows the ioctl's layouts, not what the values mean to a telescope.
 */
#include "collect/ethtool.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

/* More strings than any driver has (mlx5 with 64 queues: about 6,000); bounds what the kernel makes us
 * allocate. */
#define ETHTOOL_STRINGS_MAX 65536u

int ethtool_open(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int ask_driver(int fd, const char *name, void *command)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENODEV;
	memcpy(request.ifr_name, name, strlen(name));
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

int ethtool_driver(int fd, const char *name, char *driver, size_t driver_size)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	int err = ask_driver(fd, name, &info);

	if (!err)
		snprintf(driver, driver_size, "%.*s", (int)sizeof(info.driver), info.driver);
	return err;
}

/* The labels of a string set: *out is the caller's to free, *count of them in out->data. */
static int read_strings(int fd, const char *name, uint32_t set, struct ethtool_gstrings **out, uint32_t *count)
{
	union { /* the layout ends in data[]: one length, for the one set asked for */
		struct ethtool_sset_info info;
		uint32_t words[5];
	} sizes = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << set}};
	struct ethtool_gstrings *strings;
	uint32_t length;
	int err;

	err = ask_driver(fd, name, &sizes);
	if (err)
		return err;
	length = sizes.words[4]; /* data[0] */
	if (!sizes.info.sset_mask || !length || length > ETHTOOL_STRINGS_MAX)
		return -EOPNOTSUPP;
	strings = calloc(1, sizeof(*strings) + (size_t)length * ETH_GSTRING_LEN);
	if (!strings)
		return -ENOMEM;
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = set;
	strings->len = length;
	err = ask_driver(fd, name, strings);
	if (err) {
		free(strings);
		return err;
	}
	/* The kernel says how many it wrote; a driver that grew meanwhile must not run over our buffer. */
	*count = strings->len < length ? strings->len : length;
	*out = strings;
	return 0;
}

static void copy_label(char label[ETH_GSTRING_LEN + 1], const struct ethtool_gstrings *strings, uint32_t index)
{
	memcpy(label, strings->data + (size_t)index * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
	label[ETH_GSTRING_LEN] = '\0';
}

int ethtool_features(int fd, const char *name, const char *const *features, int *on, size_t count)
{
	struct ethtool_gstrings *strings;
	struct ethtool_gfeatures *bits;
	uint32_t total, words;
	int err;

	err = read_strings(fd, name, ETH_SS_FEATURES, &strings, &total);
	if (err)
		return err;
	words = (total + 31) / 32;
	bits = calloc(1, sizeof(*bits) + words * sizeof(bits->features[0]));
	if (!bits) {
		free(strings);
		return -ENOMEM;
	}
	bits->cmd = ETHTOOL_GFEATURES;
	bits->size = words;
	err = ask_driver(fd, name, bits);
	for (size_t i = 0; !err && i < count; i++) {
		on[i] = -1;
		for (uint32_t j = 0; j < total; j++) {
			char label[ETH_GSTRING_LEN + 1];

			copy_label(label, strings, j);
			if (!strcmp(label, features[i]))
				on[i] = !!(bits->features[j / 32].active & (1u << (j % 32)));
		}
	}
	free(bits);
	free(strings);
	return err;
}

int ethtool_rx_ring(int fd, const char *name, uint32_t *packets, uint32_t *packets_max)
{
	struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};
	int err = ask_driver(fd, name, &ring);

	if (err)
		return err;
	if (!ring.rx_max_pending)
		return -EOPNOTSUPP;
	*packets = ring.rx_pending;
	*packets_max = ring.rx_max_pending;
	return 0;
}

int ethtool_rx_queues(int fd, const char *name, uint32_t *queues, bool *combined)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	int err = ask_driver(fd, name, &channels);

	if (err)
		return err;
	if (!channels.rx_count && !channels.combined_count)
		return -EOPNOTSUPP;
	*queues = channels.rx_count + channels.combined_count;
	*combined = channels.combined_count > 0;
	return 0;
}

int ethtool_statistics(int fd, const char *name, void (*visit)(void *arg, const char *label, uint64_t value),
		       void *arg)
{
	struct ethtool_gstrings *strings;
	struct ethtool_stats *values;
	uint32_t count;
	int err;

	err = read_strings(fd, name, ETH_SS_STATS, &strings, &count);
	if (err)
		return err;
	/* Room to spare: a driver that gains queues between the two calls writes more than it announced. */
	values = calloc(1, sizeof(*values) + (2 * (size_t)count + 1024) * sizeof(values->data[0]));
	if (!values) {
		free(strings);
		return -ENOMEM;
	}
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = count;
	err = ask_driver(fd, name, values);
	/* Another number than announced: labels and values no longer belong together. */
	if (!err && values->n_stats != count)
		err = -EAGAIN;
	for (uint32_t i = 0; !err && i < count; i++) {
		char label[ETH_GSTRING_LEN + 1];

		copy_label(label, strings, i);
		visit(arg, label, values->data[i]);
	}
	free(values);
	free(strings);
	return err;
}
