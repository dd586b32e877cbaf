/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins in a bpffs of the test's own, in a mount namespace of its own: for test_pins.c and test_books.c.
 */
#ifndef TESTS_UNIT_BPFFS_H
#define TESTS_UNIT_BPFFS_H

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "engine/pins.h"

static char base[64], directory[128], why[1024];
static struct pins *pins;
static const char *missing; /* what this host has not */

static void bpffs_begin(void)
{
	snprintf(base, sizeof(base), "/tmp/airglow-pins-XXXXXX");
	cr_assert(mkdtemp(base));
	snprintf(directory, sizeof(directory), "%s/a/b", base);
	if (geteuid())
		missing = "pinning needs root";
	else if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		missing = "this root may have no namespaces of its own";
	else if (pins_open(&pins, directory, true, why, sizeof(why)) == -EPERM)
		missing = "this root may not mount a bpffs";
}

static void bpffs_end(void)
{
	char path[160];

	pins_close(&pins);
	umount2(directory, MNT_DETACH); /* its pins go with it */
	snprintf(path, sizeof(path), "%s/a/b", base);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", base);
	rmdir(path);
	cr_assert_eq(rmdir(base), 0, "something was left");
}

#define NEED_ROOT()                                                                                            \
	do {                                                                                                   \
		if (missing)                                                                                   \
			cr_skip_test("%s", missing);                                                           \
		cr_assert(pins, "%s", why);                                                                    \
	} while (0)

/* A map whose only element is a number. */
static int bpffs_make_map(uint64_t value)
{
	uint32_t zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test", sizeof(zero), sizeof(value), 1, NULL);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_map_update_elem(fd, &zero, &value, BPF_ANY), 0);
	return fd;
}

#endif
