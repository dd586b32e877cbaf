// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host as a whole: clock, CPUs, kernel, sysctl. Interfaces are host_link.c's, addresses and routes
 * host_route.c's.
 */
#include "doctor/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/cleanup.h"

#define TIMESYNC_FRESH_S 7200 /* a few questions may go unanswered */

bool host_prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

/* A number from /proc/sys or /sys; -errno when it cannot be read. */
static int read_number(const char *path, long *value)
{
	CLEANUP(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return -EIO;
	text[length] = '\0';
	*value = strtol(text, NULL, 10);
	return 0;
}

static enum host_answer read_switch(const char *path)
{
	long value = 0;

	if (read_number(path, &value))
		return HOST_UNKNOWN;
	return value ? HOST_YES : HOST_NO;
}

static enum host_answer read_sysctl(const char *family, const char *interface, const char *key)
{
	char path[128];

	/* An interface's name holds no slash, but may be "..". */
	if (!strcmp(interface, ".") || !strcmp(interface, ".."))
		return HOST_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, interface, key);
	return read_switch(path);
}

static enum host_answer either(enum host_answer a, enum host_answer b)
{
	return a > b ? a : b;
}

static void read_forwarding(struct host_link *link, enum ag_feed feed)
{
	link->forwarding4 = read_sysctl("ipv4", link->called, "forwarding");
	/* What leaves a tunnel is routed by the tunnel interface's switch, which follows the common one. */
	if (feed == AG_FEED_TUNNEL)
		link->forwarding4 = either(link->forwarding4, read_sysctl("ipv4", "all", "forwarding"));
	/* IPv6 asks the common switch, and since 6.17 one an interface. */
	link->forwarding6 = either(read_sysctl("ipv6", "all", "forwarding"),
				   read_sysctl("ipv6", link->called, "force_forwarding"));
	link->proxy_arp =
		either(read_sysctl("ipv4", "all", "proxy_arp"), read_sysctl("ipv4", link->called, "proxy_arp"));
}

/*
 * ProtectClock= of systemd refuses the question together with the setting. systemd-timesyncd leaves a file that
 * says when it last set the clock; it asks every 34 minutes at most. Where others keep the time the answer is
 * unknown.
 */
static bool was_synchronised(void)
{
	struct stat s;

	return !stat("/run/systemd/timesync/synchronized", &s) && time(NULL) - s.st_mtime < TIMESYNC_FRESH_S;
}

static void read_clock(struct host_facts *facts)
{
	struct timex clock = {.modes = 0}; /* asks only */
	int state = adjtimex(&clock);

	facts->clock_synchronised = HOST_UNKNOWN;
	if (state < 0 && errno == EPERM && was_synchronised())
		facts->clock_synchronised = HOST_YES;
	facts->clock_error_us = -1;
	if (state < 0)
		return;
	facts->clock_synchronised = state == TIME_ERROR || (clock.status & STA_UNSYNC) ? HOST_NO : HOST_YES;
	facts->clock_error_us = clock.maxerror;
}

static void read_kernel(struct host_facts *facts)
{
	struct utsname names;

	facts->realtime = read_switch("/sys/kernel/realtime");
	facts->jit = read_switch("/proc/sys/net/core/bpf_jit_enable");
	if (uname(&names))
		return;
	snprintf(facts->kernel, sizeof(facts->kernel), "%.60s", names.release);
	/* Before it had a file of its own the build string told. */
	if (facts->realtime == HOST_UNKNOWN)
		facts->realtime = strstr(names.version, "PREEMPT_RT") ? HOST_YES : HOST_NO;
}

/* Bits of a list like "0-3,5". */
void host_read_cpus(struct host_facts *facts)
{
	CLEANUP(cleanup_file) FILE *file = fopen("/sys/devices/system/cpu/online", "re");
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int first, last;
	char separator = ',';

	facts->cpus_online = online > 0 ? (uint32_t)online : 0;
	while (file && separator == ',' && fscanf(file, "%9u", &first) == 1) {
		last = first;
		if (fscanf(file, "%c", &separator) == 1 && separator == '-' &&
		    (fscanf(file, "%9u", &last) != 1 || fscanf(file, "%c", &separator) != 1))
			return;
		for (; first <= last && first < AG_CPUS_MAX; first++)
			facts->cpus[first / 64] |= 1ULL << (first % 64);
	}
}

static uint32_t ifindex_of(const struct snapshot *snapshot, const char *name)
{
	for (unsigned int i = 0; snapshot && i < snapshot->interfaces_count; i++)
		if (!strcmp(snapshot->interfaces[i].name, name))
			return snapshot->interfaces[i].ifindex;
	return 0;
}

int host_read(struct host_facts *facts, const struct config *config, const struct snapshot *snapshot)
{
	int err;

	memset(facts, 0, sizeof(*facts));
	for (size_t i = 0; i < config->interfaces_count && i < AG_INTERFACES_MAX; i++) {
		struct host_link *link = &facts->links[facts->links_count++];

		host_read_link(link, config->interfaces[i].name,
			       ifindex_of(snapshot, config->interfaces[i].name));
		if (link->error)
			continue;
		host_read_features(link);
		host_read_xdp_holder(link);
		read_forwarding(link, config->interfaces[i].feed);
	}
	err = host_read_addresses(facts);
	facts->addresses_known = !err;
	if (!err) {
		err = host_read_routes(facts, config);
		facts->routes_known = !err;
	}
	if (err == -ENOMEM) {
		host_free(facts);
		return err;
	}
	host_read_cpus(facts);
	read_clock(facts);
	read_kernel(facts);
	return 0;
}

void host_free(struct host_facts *facts)
{
	free(facts->addresses);
	free(facts->routes);
	memset(facts, 0, sizeof(*facts));
}
