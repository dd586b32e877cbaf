// SPDX-License-Identifier: GPL-2.0-only
/*
 * links: what the kernel tells of interfaces, in a network namespace of the test's own (needs root).
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/links.h"

#define TOLD_MS	 2000
#define QUIET_MS 50

static void run(const char *command)
{
	/* NOLINTNEXTLINE(cert-env33-c): fixed words */
	cr_assert_eq(system(command), 0, "%s", command);
}

/* A namespace of this process alone, with one cable; it goes with the process. */
static void enter(void)
{
	if (geteuid())
		cr_skip_test("needs root for a network namespace");
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "%s", strerror(errno));
	run("ip link add v0 address 02:00:5e:00:53:01 numrxqueues 2 numtxqueues 2 type veth "
	    "peer name v1 numrxqueues 2 numtxqueues 2");
}

struct heard {
	unsigned int deleted;
	uint32_t ifindex;
};

static void note_deleted(void *arg, uint32_t ifindex)
{
	struct heard *heard = arg;

	heard->deleted++;
	heard->ifindex = ifindex;
}

/* Is something told within a while? All of it is then read. */
static bool is_told(int fd, struct heard *heard)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	bool told = false;

	while (poll(&waiting, 1, told ? QUIET_MS : TOLD_MS) > 0)
		told = links_drain(fd, heard ? note_deleted : NULL, heard) || told;
	return told;
}

Test(links, what_an_interface_is)
{
	static const uint8_t mac[6] = {2, 0, 0x5e, 0, 0x53, 1};
	struct link_now now;
	uint32_t number;

	enter();
	number = if_nametoindex("v0");
	cr_assert_eq(links_read(number, &now), 0);
	cr_assert_str_eq(now.name, "v0");
	cr_assert(now.ethernet && !memcmp(now.mac, mac, sizeof(mac)));
	cr_assert(!now.up && !now.carrier);
	run("ip link set v0 up");
	cr_assert_eq(links_read(number, &now), 0);
	cr_assert(now.up && !now.carrier);
	run("ip link set v1 up; ip link set v0 name wan9 2>/dev/null || "
	    "{ ip link set v0 down; ip link set v0 name wan9; ip link set wan9 up; }");
	cr_assert_eq(links_read(number, &now), 0);
	cr_assert_str_eq(now.name, "wan9");
	cr_assert(now.up && now.carrier);
	cr_assert_eq(links_read(if_nametoindex("lo"), &now), 0);
	cr_assert(!now.ethernet);
	cr_assert_eq(links_read(999, &now), -ENODEV);
}

Test(links, interfaces_and_addresses_are_told)
{
	struct heard heard = {};
	uint32_t number;
	int fd;

	enter();
	fd = links_watch();
	cr_assert_geq(fd, 0);
	cr_assert_not(links_drain(fd, NULL, NULL)); /* nothing has happened since */
	number = if_nametoindex("v0");
	run("ip link set v0 mtu 1400");
	cr_assert(is_told(fd, &heard));
	run("ip address add 198.51.100.1/32 dev lo");
	cr_assert(is_told(fd, &heard));
	run("ip -6 address add 2001:db8::1/128 dev v0 nodad");
	cr_assert(is_told(fd, &heard));
	cr_assert_eq(heard.deleted, 0);
	run("ip link set v0 down; ip link del v0");
	cr_assert(is_told(fd, &heard));
	cr_assert_eq(heard.deleted, 2); /* both ends */
	cr_assert(heard.ifindex == number || heard.ifindex == number - 1 || heard.ifindex == number + 1);
	cr_assert_not(links_drain(fd, NULL, NULL));
	close(fd);
}

/* What rtnetlink need not tell: queues, rings, offloads. */
Test(links, drivers_settings_are_told)
{
	int fd;

	enter();
	fd = links_watch_drivers();
	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	cr_assert_not(links_drain(fd, NULL, NULL));
	run("ethtool -L v0 rx 1");
	cr_assert(is_told(fd, NULL));
	run("ethtool -K v0 gro on");
	cr_assert(is_told(fd, NULL));
	cr_assert_not(links_drain(fd, NULL, NULL));
	close(fd);
}

/* More than the socket holds: that something was lost is told too, and what comes later is heard. */
Test(links, what_is_lost_is_told)
{
	struct heard heard = {};
	int fd, little = 2048;

	enter();
	fd = links_watch();
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
	run("for i in 1 2 3 4 5 6 7 8 9 10; do ip link set v0 mtu 140$i 2>/dev/null || ip link set v0 mtu 14$i; done");
	cr_assert(is_told(fd, &heard));
	run("ip link set v1 mtu 1300");
	cr_assert(is_told(fd, &heard));
	close(fd);
}
