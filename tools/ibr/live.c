// SPDX-License-Identifier: GPL-2.0-only
/*
 * live.c - what both ways of sending share, and the slow one: paced, through a packet socket.
 */
#include "live.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH	  64
#define TAG_BYTES 4

volatile sig_atomic_t live_stop;

uint64_t live_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t live_due_ns(const struct live *l)
{
	if (l->rate_pps == 0)
		return 0;
	return l->stream->stage.now_ns - l->stream->scenario->start_s * NS_PER_S;
}

bool live_over(const struct live *l)
{
	if (live_stop)
		return true;
	return l->seconds > 0 && (double)(live_now_ns() - l->began_ns) >= l->seconds * (double)NS_PER_S;
}

bool live_wait(const struct live *l, uint64_t due_ns)
{
	uint64_t at = l->began_ns + due_ns;

	while (!live_over(l)) {
		uint64_t now = live_now_ns(), wake = at;
		struct timespec t;

		if (now >= at)
			return true;
		/* in short steps, so that a limit in seconds holds */
		if (wake > now + NS_PER_S / 5)
			wake = now + NS_PER_S / 5;
		t.tv_sec = (time_t)(wake / NS_PER_S);
		t.tv_nsec = (long)(wake % NS_PER_S);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}
	return false;
}

bool live_next(struct live *l, struct frame *f)
{
	while (stream_next(l->stream, f)) {
		l->report.generated++;
		if (f->len >= sizeof(struct ether_header) && f->len <= l->frame_most)
			return true;
		l->report.not_sendable++;
	}
	return false;
}

/* 32-bit counters are enough: only their differences are used. */
static int read_counters(const char *interface, uint32_t *packets, uint32_t *dropped)
{
	struct ifaddrs *list, *i;
	int err = -1;

	if (getifaddrs(&list))
		return -1;
	for (i = list; i; i = i->ifa_next) {
		struct rtnl_link_stats stats;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_PACKET ||
		    strcmp(i->ifa_name, interface) != 0 || !i->ifa_data)
			continue;
		memcpy(&stats, i->ifa_data, sizeof(stats));
		*packets = stats.tx_packets;
		*dropped = stats.tx_dropped;
		err = 0;
	}
	freeifaddrs(list);
	return err;
}

int live_open(struct live *l)
{
	uint32_t packets = 0, dropped = 0;
	struct ifreq request = {0};
	int fd;

	l->ifindex = if_nametoindex(l->interface);
	if (!l->ifindex)
		return complain("there is no interface %s here", l->interface);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", l->interface);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request)) {
		close(fd);
		return complain("cannot ask interface %s: %s", l->interface, strerror(errno));
	}
	if (!(request.ifr_flags & IFF_UP)) {
		close(fd);
		return complain("interface %s is down; ip link set %s up", l->interface, l->interface);
	}
	if (ioctl(fd, SIOCGIFMTU, &request)) {
		close(fd);
		return complain("cannot ask interface %s: %s", l->interface, strerror(errno));
	}
	close(fd);
	l->frame_most = (uint32_t)request.ifr_mtu + sizeof(struct ether_header) + TAG_BYTES;
	l->report.interface_packets = l->report.interface_dropped = -1;
	if (read_counters(l->interface, &packets, &dropped) == 0) {
		l->report.interface_packets = packets;
		l->report.interface_dropped = dropped;
	}
	l->began_ns = live_now_ns();
	return 0;
}

void live_close(struct live *l)
{
	struct send_report *r = &l->report;
	uint32_t packets, dropped, before = (uint32_t)r->interface_packets;

	r->seconds = (double)(live_now_ns() - l->began_ns) / (double)NS_PER_S;
	fprintf(stderr, "ibr: sent %lld packets through %s in %.3f s (%.0f a second, by %s)\n",
		(long long)r->sent, l->interface, r->seconds,
		(double)r->sent / (r->seconds > 0 ? r->seconds : 1), r->mode);
	if (r->dropped)
		fprintf(stderr, "ibr: %lld more were dropped by %s and are not in the truth\n",
			(long long)r->dropped, l->interface);
	if (r->interface_packets < 0)
		return;
	/* the far side of a veth counts for this one, a moment later */
	for (int i = 0; i < 50; i++) {
		if (read_counters(l->interface, &packets, &dropped))
			return;
		if (packets - before >= (uint32_t)r->sent)
			break;
		usleep(10000);
	}
	r->interface_packets = packets - before;
	r->interface_dropped = dropped - (uint32_t)r->interface_dropped;
	if (r->interface_packets != (uint32_t)r->sent)
		fprintf(stderr, "ibr: %s itself counted %lld packets sent and %lld dropped\n", l->interface,
			(long long)r->interface_packets, (long long)r->interface_dropped);
}

struct batch {
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	struct frame frame[BATCH];
	unsigned int n;
};

static int send_batch(struct live *l, int fd, struct batch *b)
{
	unsigned int done = 0;

	while (done < b->n) {
		int n = sendmmsg(fd, b->message + done, b->n - done, 0);

		if (n < 0 && errno == EINTR) {
			if (live_over(l))
				break;
			continue;
		}
		if (n < 0 && (errno == ENOBUFS || errno == EAGAIN)) {
			/* not taken: the same frame again, a little later */
			usleep(100);
			if (live_over(l))
				break;
			continue;
		}
		if (n < 0)
			return complain("cannot send through %s: %s", l->interface, strerror(errno));
		for (int i = 0; i < n; i++)
			if (l->truth && truth_add(l->truth, &b->frame[done + (unsigned int)i].v))
				return -1;
		l->report.sent += n;
		done += (unsigned int)n;
	}
	b->n = 0;
	return 0;
}

static int open_packet_socket(const struct live *l)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)l->ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), size = 8 << 20;

	if (fd < 0)
		return complain("cannot open a packet socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return complain("cannot send through %s: %s", l->interface, strerror(errno));
	}
	return fd;
}

int live_send_packet(struct live *l)
{
	static struct batch b;
	int fd = open_packet_socket(l), err = 0;

	if (fd < 0)
		return -1;
	l->report.mode = "packet";
	b.n = 0;
	for (unsigned int i = 0; i < BATCH; i++) {
		b.part[i].iov_base = b.frame[i].buf;
		b.message[i].msg_hdr.msg_iov = &b.part[i];
		b.message[i].msg_hdr.msg_iovlen = 1;
	}
	while (!err && live_next(l, &b.frame[b.n])) {
		uint64_t due = live_due_ns(l);
		unsigned int at = b.n;

		if (due && l->began_ns + due > live_now_ns()) {
			/* those before it are due: out with them */
			err = send_batch(l, fd, &b);
			if (at)
				b.frame[0] = b.frame[at];
			if (!live_wait(l, due))
				break;
		}
		b.part[b.n].iov_len = b.frame[b.n].len;
		if (++b.n == BATCH && !err)
			err = live_over(l) ? 1 : send_batch(l, fd, &b);
	}
	if (!err && b.n && !live_over(l))
		err = send_batch(l, fd, &b);
	if (err == 1)
		err = 0;
	close(fd);
	return err;
}
