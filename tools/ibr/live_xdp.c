// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_xdp.c - full speed: this thread makes frames into a ring that the kernel maps, another one
 * stays in BPF_PROG_RUN, in live mode, where the driver program sends them.  Owns the ring and the
 * settlement: the truth gets what the interface took.
 */
#include "driver.h"
#include "live.h"

#include "driver.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REPEAT	     (1 << 21)	    /* runs a call: setting one up and down takes the kernel 20 ms */
#define KERNEL_BATCH 64		    /* frames the kernel makes at a time: a veth's ring holds 256 */
#define PUBLISH	     64		    /* frames that are handed over together */
#define TRIAL_NS     (NS_PER_S / 2) /* after which an interface that took nothing takes nothing */

struct xdp {
	struct live *live;
	struct driver_bpf *skel;
	struct driver_slot *slot;
	struct verdict *verdict; /* of the frames in the ring */
	size_t map_bytes;
	uint64_t filled, settled;
	pthread_t sender;
	int sender_err;
	bool over;
};

static uint64_t load(const volatile __u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void *run_sender(void *argument)
{
	static const uint8_t blank[64];
	struct xdp *x = argument;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = blank, .data_size_in = sizeof(blank),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = KERNEL_BATCH, .repeat = REPEAT);
	int fd = bpf_program__fd(x->skel->progs.ibr_send);

	while (!__atomic_load_n(&x->over, __ATOMIC_ACQUIRE)) {
		int err = bpf_prog_test_run_opts(fd, &opts);

		/* a signal ends the call, between two batches */
		if (err && err != -EINTR && err != -EAGAIN) {
			__atomic_store_n(&x->sender_err, err, __ATOMIC_RELEASE);
			return NULL;
		}
	}
	return NULL;
}

/* Books the frames whose fate is known. */
static int settle(struct xdp *x)
{
	uint64_t taken = load(&x->skel->bss->taken);

	for (; x->settled < taken; x->settled++) {
		uint64_t at = x->settled % DRIVER_SLOTS;

		if (x->slot[at].dropped) {
			x->live->report.dropped++;
			continue;
		}
		x->live->report.sent++;
		if (x->live->truth && truth_add(x->live->truth, &x->verdict[at]))
			return -1;
	}
	return 0;
}

static void rest(long ns)
{
	struct timespec t = {.tv_nsec = ns};

	nanosleep(&t, NULL);
}

/* Is the sender still getting somewhere?  0, 1 = the interface takes nothing, -1 said. */
static int check_sender(struct xdp *x)
{
	int err = __atomic_load_n(&x->sender_err, __ATOMIC_ACQUIRE);

	if (err)
		return complain("cannot send through %s by BPF_PROG_RUN: %s", x->live->interface,
				strerror(-err));
	if (load(&x->skel->bss->refused))
		return complain("the kernel could not build a frame for %s", x->live->interface);
	if (!load(&x->skel->bss->taken) && load(&x->skel->bss->begun) &&
	    live_now_ns() - x->live->began_ns > TRIAL_NS)
		return 1;
	return 0;
}

static void publish(struct xdp *x)
{
	__atomic_store_n(&x->skel->bss->filled, x->filled, __ATOMIC_RELEASE);
}

/* Waits until at most `most` frames are under way; errors as check_sender. */
static int wait_for_room(struct xdp *x, uint64_t most)
{
	uint64_t last = x->settled, since = live_now_ns();
	int err;

	for (;;) {
		if (settle(x))
			return -1;
		if (x->filled - x->settled <= most)
			return 0;
		err = check_sender(x);
		if (err)
			return err;
		if (x->settled != last) {
			last = x->settled;
			since = live_now_ns();
		} else if (x->settled && live_now_ns() - since > 5 * NS_PER_S) {
			return complain(
				"%s took no frame for 5 s (did it go down?); %llu frames were lost on the way",
				x->live->interface, (unsigned long long)(x->filled - x->settled));
		}
		rest(20000);
	}
}

static int make_frames(struct xdp *x)
{
	static struct frame f;
	int err = 0;

	while (!err && !live_over(x->live)) {
		for (int i = 0; i < PUBLISH; i++) {
			struct driver_slot *slot = &x->slot[x->filled % DRIVER_SLOTS];
			uint64_t due;

			if (!live_next(x->live, &f))
				goto exit_publish;
			due = live_due_ns(x->live);
			if (due && x->live->began_ns + due > live_now_ns()) {
				publish(x);
				if (!live_wait(x->live, due))
					goto exit_publish;
			}
			slot->len = f.len;
			slot->dropped = 0;
			memcpy(slot->bytes, f.buf, f.len);
			x->verdict[x->filled % DRIVER_SLOTS] = f.v;
			x->filled++;
		}
		publish(x);
		err = wait_for_room(x, DRIVER_SLOTS - PUBLISH);
	}
exit_publish:
	publish(x);
	return err ? err : wait_for_room(x, 0);
}

static int open_driver(struct xdp *x)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = sizeof(struct driver_slot) * DRIVER_SLOTS;
	void *map;
	int err;

	libbpf_set_print(NULL);
	x->skel = driver_bpf__open();
	if (!x->skel)
		return complain("cannot open the driver program: %s", strerror(errno));
	x->skel->rodata->ifindex = x->live->ifindex;
	err = driver_bpf__load(x->skel);
	if (!err)
		err = driver_bpf__attach(x->skel);
	if (err)
		return complain("cannot load the driver program for %s: %s; try --send packet",
				x->live->interface, strerror(-err));
	x->map_bytes = (bytes + page - 1) / page * page;
	map = mmap(NULL, x->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(x->skel->maps.ring), 0);
	if (map == MAP_FAILED)
		return complain("cannot map the ring: %s", strerror(errno));
	x->slot = map;
	x->verdict = calloc(DRIVER_SLOTS, sizeof(*x->verdict));
	return x->verdict ? 0 : complain("no memory for the ring");
}

static void close_driver(struct xdp *x)
{
	if (x->slot)
		munmap(x->slot, x->map_bytes);
	free(x->verdict);
	driver_bpf__destroy(x->skel);
}

/* Ends the call that the sender is in: a signal interrupts it. */
static void stop_sender(struct xdp *x)
{
	struct timespec until;

	__atomic_store_n(&x->over, true, __ATOMIC_RELEASE);
	do {
		pthread_kill(x->sender, SIGUSR1);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 50000000;
		if (until.tv_nsec >= (long)NS_PER_S) {
			until.tv_nsec -= (long)NS_PER_S;
			until.tv_sec++;
		}
	} while (pthread_timedjoin_np(x->sender, NULL, &until));
}

static void ignore_signal(int number)
{
	(void)number;
}

int live_send_xdp(struct live *l)
{
	struct sigaction interrupt = {.sa_handler = ignore_signal};
	struct xdp x = {.live = l};
	int err;

	l->report.mode = "xdp";
	if (open_driver(&x)) {
		close_driver(&x);
		return -1;
	}
	sigaction(SIGUSR1, &interrupt, NULL);
	l->began_ns = live_now_ns();
	err = pthread_create(&x.sender, NULL, run_sender, &x);
	if (err) {
		close_driver(&x);
		return complain("cannot start the sender: %s", strerror(err));
	}
	err = make_frames(&x);
	stop_sender(&x);
	close_driver(&x);
	return err;
}
