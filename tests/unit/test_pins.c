// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins: the directory of pinned maps and links. Needs root.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/magic.h>

#include "bpffs.h"
#include "engine/backend.h"

#define LO 1 /* index of the loopback interface in a network namespace of its own */

TestSuite(pins, .init = bpffs_begin, .fini = bpffs_end);

static bool is_mounted(void)
{
	struct statfs fs;

	return !statfs(directory, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

static uint64_t value_of(unsigned int set, const char *name)
{
	int fd = pins_get_map(pins, set, name);
	uint32_t zero = 0;
	uint64_t value = 0;

	cr_assert_geq(fd, 0, "%u %s: %d", set, name, fd);
	cr_assert_eq(bpf_map_lookup_elem(fd, &zero, &value), 0);
	close(fd);
	return value;
}

/* --- the directory
 * ---------------------------------------------------------------------------------------------------------*/

Test(pins, one_holder_at_a_time)
{
	struct pins *other = NULL;
	struct stat st;
	char own[32];

	NEED_ROOT();
	cr_assert(is_mounted());
	cr_assert_eq(stat(directory, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	cr_assert_str_eq(pins_directory(pins), directory);
	for (unsigned int make = 0; make < 2; make++) {
		cr_assert_eq(pins_open(&other, directory, make, why, sizeof(why)), -EBUSY);
		cr_assert_null(other);
		snprintf(own, sizeof(own), "process %d;", getpid());
		cr_assert(strstr(why, own) && strstr(why, directory) && !strchr(why, '\n'), "%s", why);
	}
	pins_close(&pins);
	pins_close(&pins);
	cr_assert_eq(pins_open(&pins, directory, false, why, sizeof(why)), 0, "%s", why);
}

Test(pins, what_is_no_bpffs)
{
	struct pins *other = NULL;
	char path[160];

	NEED_ROOT();
	cr_assert_eq(pins_open(&other, base, false, why, sizeof(why)), -ENOENT);
	cr_assert(strstr(why, base) && strstr(why, "nothing is pinned"), "%s", why);
	snprintf(path, sizeof(path), "%s/none", base);
	cr_assert_eq(pins_open(&other, path, false, why, sizeof(why)), -ENOENT);
	cr_assert_neq(access(path, F_OK), 0, "who only looks makes nothing");
	snprintf(path, sizeof(path), "/proc/none");
	cr_assert_lt(pins_open(&other, path, true, why, sizeof(why)), 0);
	cr_assert(strstr(why, path) && !strchr(why, '\n'), "%s", why);
	cr_assert_null(other);
}

/* --- sets and links
 * ---------------------------------------------------------------------------------------------------------*/

Test(pins, sets_by_their_numbers)
{
	unsigned int sets[PINS_SETS_MAX];
	char path[160];
	int fd;

	NEED_ROOT();
	cr_assert_eq(pins_sets(pins, sets), 0);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(pins_make_set(pins, (const unsigned int[]){10, 3, 2}[i]), 0);
	cr_assert_eq(pins_make_set(pins, 3), -EEXIST);
	snprintf(path, sizeof(path), "%s/set_x", directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/unset_5", directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(pins_sets(pins, sets), 3);
	cr_assert_eq(sets[0], 2);
	cr_assert_eq(sets[1], 3);
	cr_assert_eq(sets[2], 10);
	fd = bpffs_make_map(41);
	cr_assert_eq(pins_put_map(pins, 3, "figures", fd), 0);
	cr_assert_eq(pins_put_map(pins, 3, "figures", fd), -EEXIST);
	cr_assert_eq(pins_put_map(pins, 4, "figures", fd), -ENOENT);
	close(fd);
	cr_assert_eq(value_of(3, "figures"), 41, "it outlives who made it");
	cr_assert_eq(pins_get_map(pins, 2, "figures"), -ENOENT);
	cr_assert_eq(pins_drop_set(pins, 3), 0);
	cr_assert_eq(pins_get_map(pins, 3, "figures"), -ENOENT);
	cr_assert_eq(pins_drop_set(pins, 3), -ENOENT);
	cr_assert_eq(pins_sets(pins, sets), 2);
}

/* A program on an interface, held by its pin alone. */
static int attach(void)
{
	struct bpf_insn drop[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2},
				  {.code = BPF_JMP | BPF_EXIT}};
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_SKB_MODE);
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", drop, 2, NULL), link;

	cr_assert_geq(program, 0);
	link = bpf_link_create(program, LO, BPF_XDP, &opts);
	cr_assert_geq(link, 0, "%d", link);
	close(program);
	return link;
}

static bool is_attached(void)
{
	uint32_t id = 0;

	cr_assert_eq(bpf_xdp_query_id(LO, 0, &id), 0);
	return id;
}

/* The kernel lets go of a link a moment after its last pin. */
static bool is_left(void)
{
	for (unsigned int ms = 0; ms < 5000 && is_attached(); ms++)
		usleep(1000);
	return !is_attached();
}

Test(pins, a_link_outlives_its_process)
{
	uint32_t links[PINS_LINKS_MAX];
	int fd;

	NEED_ROOT();
	cr_assert_eq(pins_links(pins, links), 0);
	cr_assert_eq(pins_get_link(pins, LO), -ENOENT);
	fd = attach();
	cr_assert_eq(pins_put_link(pins, LO, fd), 0);
	close(fd);
	cr_assert(is_attached());
	cr_assert_eq(pins_links(pins, links), 1);
	cr_assert_eq(links[0], LO);
	fd = pins_get_link(pins, LO);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert(is_attached());
	cr_assert_eq(pins_drop_link(pins, LO), 0);
	cr_assert(is_left());
	cr_assert_eq(pins_drop_link(pins, LO), -ENOENT);
}

Test(pins, clear_leaves_nothing)
{
	unsigned int sets[PINS_SETS_MAX];
	uint32_t links[PINS_LINKS_MAX];
	int fd = 0, map;

	NEED_ROOT();
	fd = attach();
	map = bpffs_make_map(1);
	cr_assert_eq(pins_put_link(pins, LO, fd), 0);
	close(fd);
	for (unsigned int set = 1; set <= 2; set++) {
		cr_assert_eq(pins_make_set(pins, set), 0);
		cr_assert_eq(pins_put_map(pins, set, "one", map), 0);
		cr_assert_eq(pins_put_map(pins, set, "two", map), 0);
	}
	close(map);
	cr_assert_eq(pins_clear(pins), 0);
	cr_assert_eq(pins_sets(pins, sets), 0);
	cr_assert_eq(pins_links(pins, links), 0);
	cr_assert(is_left());
	cr_assert_eq(pins_clear(pins), 0);
	pins_remove(&pins);
	cr_assert_null(pins);
	cr_assert_neq(access(directory, F_OK), 0, "mount and directory are gone");
	cr_assert_eq(access(base, F_OK), 0);
}

/* What others pinned beside ours goes with no mount. */
Test(pins, others_keep_what_they_pinned)
{
	char path[160];
	int fd;

	NEED_ROOT();
	fd = bpffs_make_map(5);
	snprintf(path, sizeof(path), "%s/theirs", directory);
	cr_assert_eq(bpf_obj_pin(fd, path), 0);
	close(fd);
	cr_assert_eq(pins_clear(pins), 0);
	pins_remove(&pins);
	cr_assert(is_mounted());
	fd = bpf_obj_get(path);
	cr_assert_geq(fd, 0);
	close(fd);
}

/* A bpffs that was there before is not ours to take away, although it is empty. */
Test(pins, the_mount_of_another)
{
	NEED_ROOT();
	pins_close(&pins);
	cr_assert_eq(umount(directory), 0);
	cr_assert_eq(mount("theirs", directory, "bpf", 0, "mode=0755"), 0);
	cr_assert_eq(pins_open(&pins, directory, true, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(pins_clear(pins), 0);
	pins_remove(&pins);
	cr_assert(is_mounted());
}

/* Of another user, who may then remove it. */
Test(pins, given_to_another_user)
{
	unsigned int sets[PINS_SETS_MAX];
	struct stat st;
	char path[160];
	int map;

	NEED_ROOT();
	map = bpffs_make_map(1);
	cr_assert_eq(pins_make_set(pins, 7), 0);
	cr_assert_eq(pins_put_map(pins, 7, "one", map), 0);
	close(map);
	cr_assert_eq(pins_chown(pins, 1234, 5678), 0);
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", directory,
			 (const char *[]){"", "/set_7", "/set_7/one"}[i]);
		cr_assert_eq(stat(path, &st), 0);
		cr_assert_eq(st.st_uid, 1234, "%s", path);
		cr_assert_eq(st.st_gid, 5678, "%s", path);
	}
	cr_assert_eq(pins_sets(pins, sets), 1);
}

/* Whom the pins were given to may put links beside them; who comes as root follows none. */
Test(pins, links_to_elsewhere)
{
	char elsewhere[128], file[160], path[160], target[160];
	unsigned int sets[PINS_SETS_MAX];
	uint32_t links[PINS_LINKS_MAX];
	struct stat st;
	int map;

	NEED_ROOT();
	snprintf(elsewhere, sizeof(elsewhere), "%s/else", base);
	snprintf(file, sizeof(file), "%s/file", elsewhere);
	cr_assert(!mkdir(elsewhere, 0700) && !mknod(file, S_IFREG | 0600, 0));
	snprintf(path, sizeof(path), "%s/set_9", directory);
	cr_assert_eq(symlink(elsewhere, path), 0);
	map = bpffs_make_map(1);
	cr_assert(!pins_make_set(pins, 7) && !pins_put_map(pins, 7, "one", map));
	snprintf(target, sizeof(target), "%s/set_7/one", directory);
	snprintf(path, sizeof(path), "%s/set_7/two", directory);
	cr_assert_eq(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/link_%d", directory, LO);
	cr_assert_eq(symlink(target, path), 0);
	cr_expect_eq(pins_sets(pins, sets), 1);
	cr_expect_eq(pins_links(pins, links), 0);
	cr_expect_eq(pins_get_map(pins, 7, "two"), -ELOOP);
	cr_expect_eq(pins_get_link(pins, LO), -ELOOP);
	cr_expect_eq(pins_put_map(pins, 9, "one", map), -ENOTDIR);
	close(map);
	cr_expect_eq(pins_chown(pins, 1234, 5678), 0);
	cr_expect(!stat(elsewhere, &st) && !st.st_uid);
	cr_expect(pins_drop_set(pins, 9) && !pins_clear(pins));
	cr_expect_eq(unlink(file), 0, "it was removed");
	cr_assert_eq(rmdir(elsewhere), 0);
	pins_close(&pins);
	cr_assert_eq(symlink(directory, elsewhere), 0);
	for (unsigned int make = 0; make < 2; make++)
		cr_expect_eq(pins_open(&pins, elsewhere, make, why, sizeof(why)), -ENOTDIR, "%s", why);
	cr_expect(strstr(why, "is a symbolic link"), "%s", why);
	cr_assert_eq(unlink(elsewhere), 0);
}

Test(pins, no_more_sets_than_are_listed)
{
	unsigned int sets[PINS_SETS_MAX], set;

	NEED_ROOT();
	for (set = 0; set < PINS_SETS_MAX; set++)
		cr_assert_eq(pins_make_set(pins, set), 0);
	cr_assert_eq(pins_make_set(pins, set), -ENOSPC);
	cr_assert_eq(pins_clear(pins), 0);
	cr_assert_eq(pins_sets(pins, sets), 0);
}
