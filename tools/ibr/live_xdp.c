// SPDX-License-Identifier: GPL-2.0-only
/*
 * live_xdp.c - full speed: frames are made by one thread into one half of a trace that the kernel
 * maps, while BPF_PROG_RUN in live mode sends the other half.  Owns the hand-over of the halves, and
 * the settlement: the truth gets what the interface took.
 */
#include "driver.h"
#include "live.h"

#include "driver.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HALF (DRIVER_SLOTS / 2)
#define FIRST_CHUNK 64	/* frames that try whether the interface takes any */
#define KERNEL_BATCH 64 /* frames the kernel makes at a time: a veth's ring holds 256 */

struct half {
	struct verdict verdict[HALF];
	uint64_t due_ns[HALF];
	uint32_t n;	/* frames filled in */
	uint32_t sent;	/* of these, handed to the kernel */
	uint64_t first; /* number of the first frame */
	bool last;
	sem_t filled, emptied;
};

struct xdp {
	struct live *live;
	struct driver_bpf *skel;
	struct driver_slot *slot;
	struct half *half; /* two */
	size_t map_bytes;
	bool stop, failed;
};

/* What became of the frames of a half: into the truth, or into the count of drops. */
static int settle_half(struct xdp *x, struct half *h)
{
	for (uint32_t i = 0; i < h->sent; i++) {
		struct driver_slot *slot = &x->slot[(h->first + i) % DRIVER_SLOTS];

		if (slot->dropped) {
			x->live->report.dropped++;
			continue;
		}
		x->live->report.sent++;
		if (x->live->truth && truth_add(x->live->truth, &h->verdict[i]))
			return -1;
	}
	h->sent = 0;
	return 0;
}

/* Fills a half; a paced run keeps the halves short, so that they are not filled long before they are due. */
static void fill_half(struct xdp *x, struct half *h, uint64_t first, uint32_t most)
{
	static struct frame f;

	h->n = 0;
	h->first = first;
	h->last = false;
	while (h->n < most) {
		struct driver_slot *slot = &x->slot[(first + h->n) % DRIVER_SLOTS];

		if (!live_next(x->live, &f)) {
			h->last = true;
			return;
		}
		slot->len = f.len;
		slot->dropped = 0;
		memcpy(slot->bytes, f.buf, f.len);
		h->verdict[h->n] = f.v;
		h->due_ns[h->n++] = live_due_ns(x->live);
	}
}

static void *run_generator(void *argument)
{
	struct xdp *x = argument;
	uint32_t most = HALF;
	uint64_t first = 0;

	if (x->live->rate_pps && x->live->rate_pps / 100 < HALF)
		most = (uint32_t)(x->live->rate_pps / 100) + 1;
	for (int i = 0;; i ^= 1) {
		struct half *h = &x->half[i];

		while (sem_wait(&h->emptied))
			;
		if (settle_half(x, h))
			x->failed = true;
		if (__atomic_load_n(&x->stop, __ATOMIC_ACQUIRE) || x->failed) {
			h->n = 0;
			h->last = true;
		} else {
			fill_half(x, h, first, most);
			first += h->n;
		}
		sem_post(&h->filled);
		if (h->last)
			return NULL;
	}
}

/* Lets the kernel send the frames up to `upto`; 0, 1 = told to stop, -1 said. */
static int run_driver(struct xdp *x, uint64_t upto)
{
	static const uint8_t blank[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = blank, .data_size_in = sizeof(blank),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = KERNEL_BATCH);
	int fd = bpf_program__fd(x->skel->progs.ibr_send);

	__atomic_store_n(&x->skel->bss->end, upto, __ATOMIC_RELEASE);
	for (;;) {
		uint64_t at = __atomic_load_n(&x->skel->bss->next, __ATOMIC_ACQUIRE);
		int err;

		if (at >= upto)
			return 0;
		if (live_over(x->live))
			return 1;
		opts.repeat = (int)(upto - at);
		err = bpf_prog_test_run_opts(fd, &opts);
		if (err && err != -EINTR && err != -EAGAIN)
			return complain("cannot send through %s by BPF_PROG_RUN: %s", x->live->interface,
					strerror(-err));
	}
}

/* Sends one half, paced if a rate is set. */
static int send_half(struct xdp *x, struct half *h)
{
	uint32_t at = 0, upto;
	int err = 0;

	while (at < h->n && !err) {
		upto = h->first + at == 0 && h->n > FIRST_CHUNK ? FIRST_CHUNK : h->n;
		if (x->live->rate_pps) {
			uint64_t now;

			if (!live_wait(x->live, h->due_ns[at]))
				return 1;
			now = live_now_ns() - x->live->began_ns;
			for (uint32_t i = at + 1; i < upto; i++)
				if (h->due_ns[i] > now)
					upto = i;
		}
		err = run_driver(x, h->first + upto);
		at = (uint32_t)(x->skel->bss->next - h->first);
		h->sent = at;
		if (x->skel->bss->refused)
			return complain("the kernel could not build a frame for %s", x->live->interface);
		/* nothing of the first frames reached the device: it does not take redirected ones */
		if (x->skel->bss->next && !x->skel->bss->taken)
			return 2;
	}
	return err;
}

static int open_driver(struct xdp *x)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t bytes = sizeof(struct driver_slot) * DRIVER_SLOTS;
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
		return complain("cannot load the driver program for %s: %s; try --send packet", x->live->interface,
				strerror(-err));
	x->map_bytes = (bytes + (size_t)page - 1) / (size_t)page * (size_t)page;
	x->slot = mmap(NULL, x->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(x->skel->maps.trace), 0);
	if (x->slot == MAP_FAILED) {
		x->slot = NULL;
		return complain("cannot map the trace: %s", strerror(errno));
	}
	x->half = calloc(2, sizeof(*x->half));
	if (!x->half)
		return complain("no memory for the trace");
	for (int i = 0; i < 2; i++) {
		sem_init(&x->half[i].filled, 0, 0);
		sem_init(&x->half[i].emptied, 0, 1);
	}
	return 0;
}

static void close_driver(struct xdp *x)
{
	if (x->slot)
		munmap(x->slot, x->map_bytes);
	free(x->half);
	driver_bpf__destroy(x->skel);
}

/* The sender's loop; the generator runs beside it and ends after a half marked last. */
static int run_sender(struct xdp *x)
{
	int err = 0;

	for (int i = 0;; i ^= 1) {
		struct half *h = &x->half[i];
		bool last;

		while (sem_wait(&h->filled))
			;
		last = h->last;
		if (!err && h->n)
			err = send_half(x, h);
		if (err)
			__atomic_store_n(&x->stop, true, __ATOMIC_RELEASE);
		if (last)
			return err;
		sem_post(&h->emptied);
	}
}

int live_send_xdp(struct live *l)
{
	struct xdp x = { .live = l };
	pthread_t generator;
	int err;

	l->report.mode = "xdp";
	if (open_driver(&x)) {
		close_driver(&x);
		return -1;
	}
	l->began_ns = live_now_ns();
	err = pthread_create(&generator, NULL, run_generator, &x);
	if (err) {
		close_driver(&x);
		return complain("cannot start the generator: %s", strerror(err));
	}
	err = run_sender(&x);
	pthread_join(generator, NULL);
	if (err == 2) {
		close_driver(&x);
		return 1;
	}
	if (err == 1)
		err = 0;
	for (int i = 0; i < 2; i++)
		if (settle_half(&x, &x.half[i]) || x.failed)
			err = -1;
	if (!err && x.skel->bss->taken != x.skel->bss->next) {
		int64_t lost = (int64_t)(x.skel->bss->next - x.skel->bss->taken);

		err = complain("%lld frames never reached %s (did it go down?); the truth would not be true",
			       (long long)lost, l->interface);
	}
	close_driver(&x);
	return err;
}
