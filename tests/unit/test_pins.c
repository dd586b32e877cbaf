// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins: the directory of pinned maps and links, in a mount namespace of the test's own; and engines that begin
 * books there, go on with them, or begin others beside them. Needs root. Under traffic:
 * tests/e2e/test-takeover.
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

#include "collect/carry.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/pins.h"
#include "engine/resume.h"

#define LO 1 /* index of the loopback interface in a network namespace of its own */

static char base[64], directory[128], why[1024];
static struct pins *pins;
static const char *missing; /* what this host has not */

static void begin(void)
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

static void end(void)
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

TestSuite(pins, .init = begin, .fini = end);

#define NEED_ROOT()                                                                                            \
	do {                                                                                                   \
		if (missing)                                                                                   \
			cr_skip_test("%s", missing);                                                           \
		cr_assert(pins, "%s", why);                                                                    \
	} while (0)

static bool is_mounted(void)
{
	struct statfs fs;

	return !statfs(directory, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* A map whose only element is a number. */
static int make_map(uint64_t value)
{
	uint32_t zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test", sizeof(zero), sizeof(value), 1, NULL);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_map_update_elem(fd, &zero, &value, BPF_ANY), 0);
	return fd;
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
	fd = make_map(41);
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
	map = make_map(1);
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
	fd = make_map(5);
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
	map = make_map(1);
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
	map = make_map(1);
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

/* --- engines
 * ----------------------------------------------------------------------------------------------------*/

static struct plan *plan_of(unsigned int slash24s)
{
	struct plan_prefix prefixes[64];
	struct plan *plan = NULL;

	for (unsigned int i = 0; i < slash24s; i++)
		prefixes[i] = (struct plan_prefix){
			.prefix = {.family = 4, .length = 24, .addr = {10, (uint8_t)(slash24s - i), 0, 0}},
			.scope = 1};
	cr_assert_eq(plan_new(&plan, prefixes, slash24s, false, why, sizeof(why)), 0, "%s", why);
	return plan;
}

static struct engine *open_engine(struct plan *plan, unsigned int mib)
{
	struct engine_options options = {
		.kind = ENGINE_KERNEL, .plan = plan, .memory_bytes = (uint64_t)mib << 20, .pins = pins};
	struct engine *engine = NULL;

	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	return engine;
}

/* What the program of an engine would count, and the totals that it would be told with. */
static void count(struct engine *engine, unsigned int slice, uint64_t packets)
{
	struct books *books = engine_books(engine);
	struct ag_counters *k = (struct ag_counters *)(uintptr_t)&books->counters[slice];
	struct ag_ports *p = (struct ag_ports *)(uintptr_t)&books->ports[slice];

	k->received += packets;
	k->dark += packets;
	p->tcp[23] += packets;
	((struct ag_icmp *)(uintptr_t)books->icmp)->v4[0x0800] += packets;
	books->intervals[slice * 2 + books->control->epoch % 2].dark += packets;
	books->intervals[slice * 2 + books->control->epoch % 2].lost[AG_LOST_RING] += 1;
}

static void check_carry(unsigned int set, uint64_t packets, uint64_t shared, uint64_t ring)
{
	struct carry *carry = carry_new();
	struct layout *layout = NULL;

	cr_assert(carry);
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_eq(carry_of_pins(carry, pins, set, layout), 0);
	cr_assert_eq(carry->carried.counters.received, packets, "%llu", carry->carried.counters.received);
	cr_assert_eq(carry->carried.counters.dark, packets);
	cr_assert_eq(carry->carried.ports.tcp[23], packets);
	cr_assert_eq(carry->carried.icmp.v4[0x0800], packets);
	cr_assert_eq(carry->carried.shared, shared, "%llu", carry->carried.shared);
	cr_assert_eq(carry->told.dark, packets);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], packets, "nobody read them");
	cr_assert_eq(carry->told.lost[AG_LOST_RING], ring, "%llu", carry->told.lost[AG_LOST_RING]);
	free(carry);
	layout_free(&layout);
}

/* All maps of the books are there, and how they describe themselves. */
static void check_whole(unsigned int set)
{
	static const char *const names[] = {"abi",     "control",   "settings",	 "counters", "ports",
					    "icmp",    "seen",	    "flows",	 "logs",     "layout",
					    "carried", "collected", "intervals", "scope16"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = pins_get_map(pins, set, names[i]);

		cr_assert_geq(fd, 0, "%s", names[i]);
		close(fd);
	}
}

Test(pins, an_engine_goes_on_with_its_books)
{
	struct plan *plan = plan_of(2), *again = plan_of(1);
	struct engine *engine;
	uint64_t seed;

	NEED_ROOT();
	engine = open_engine(plan, 64);
	cr_assert_not(engine_is_resumed(engine));
	cr_assert_eq(engine_books(engine)->control->epoch, 1);
	check_whole(engine_set(engine));
	count(engine, 0, 100);
	seed = engine_books(engine)->abi->seed[0];
	engine_books(engine)->abi->complete = 1;
	engine_books(engine)->control->epoch = 9;
	engine_free(&engine);
	engine = open_engine(again, 64);
	cr_assert(engine_is_resumed(engine));
	cr_assert_eq(engine_books(engine)->counters[0].received, 100);
	cr_assert_eq(engine_books(engine)->control->epoch, 9);
	cr_assert_eq(engine_books(engine)->abi->seed[0], seed, "the tables are found by the same hashes");
	cr_assert_eq(engine_books(engine)->abi->complete, 1);
	engine_free(&engine);
	plan_free(&plan);
	plan_free(&again);
}

static void begin_with_totals(void *arg, struct books *books)
{
	unsigned int sets[PINS_SETS_MAX];

	cr_assert_eq(pins_sets(pins, sets), 0, "nobody can find books that do not have it yet");
	carry_into_books(arg, books);
}

/* A sensor that is killed at any time after its first start leaves books with the totals of before. */
Test(pins, books_are_pinned_with_what_they_begin_with)
{
	struct plan *plan = plan_of(2);
	struct carry *carry = carry_new();
	struct engine_options options = {
		.kind = ENGINE_KERNEL, .plan = plan, .begin = begin_with_totals, .begin_arg = carry};
	struct engine *engine = NULL;

	NEED_ROOT();
	cr_assert(carry);
	options.pins = pins;
	options.memory_bytes = 128 << 20;
	carry->carried.counters.received = carry->carried.counters.dark = 5000;
	carry->carried.ports.tcp[23] = carry->carried.icmp.v4[0x0800] = 5000;
	carry->told.dark = carry->told.lost[AG_LOST_RESTART] = 5000;
	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	count(engine, 0, 20);
	engine_free(&engine);
	check_carry(UINT32_MAX, 5020, 0, 1);
	options.memory_bytes = 64 << 20;
	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0,
		     "only the first books begin with it: %s", why);
	cr_assert_eq(engine_books(engine)->carried->counters.received, 0);
	check_carry(engine_set(engine), 5020, 0, 1);
	engine_free(&engine);
	free(carry);
	plan_free(&plan);
}

/* Larger tables, other caches: new books beside the old ones, whose epochs go on. */
Test(pins, an_engine_begins_other_books_beside)
{
	struct plan *plan = plan_of(2), *large = plan_of(2);
	unsigned int sets[PINS_SETS_MAX];
	struct engine *engine;
	struct books *books;
	uint32_t index;

	NEED_ROOT();
	engine = open_engine(plan, 64);
	engine_books(engine)->abi->complete = 1;
	engine_books(engine)->control->epoch = 9;
	count(engine, 0, 100);
	count(engine, engine_books(engine)->slices, 7);
	cr_assert(plan_lookup4(plan, 0x0a010005, &index));
	((struct ag_page *)(uintptr_t)engine_books(engine)->seen)[index / 256].epoch[5] = 8;
	engine_free(&engine);
	engine = open_engine(large, 128);
	books = engine_books(engine);
	cr_assert_not(engine_is_resumed(engine));
	cr_assert_eq(pins_sets(pins, sets), 2);
	cr_assert_eq(sets[1], engine_set(engine));
	check_whole(sets[1]);
	cr_assert_geq(books->control->epoch, 10);
	cr_assert_eq(books->collected->told[0].epoch, books->control->epoch - 1, "nothing waits");
	cr_assert_eq(books->abi->complete, 0);
	cr_assert_eq(books->counters[0].received, 0);
	check_carry(engine_set(engine), 107, 7, 2);
	cr_assert(plan_lookup4(large, 0x0a010005, &index));
	((struct ag_page *)(uintptr_t)books->seen)[index / 256].epoch[6] = 12;
	engine_inherit_seen(engine, large, pins);
	cr_assert_eq(books->seen[index / 256].epoch[5], 8);
	cr_assert_eq(books->seen[index / 256].epoch[6], 12);
	engine_free(&engine);
	plan_free(&plan);
	plan_free(&large);
}

/* Three sets: the last two were begun by sensors that ended before they had carried over what was before. */
Test(pins, totals_over_a_chain)
{
	struct plan *plan = plan_of(2);
	struct engine *engine;
	struct books *books;
	struct carry *carry;

	NEED_ROOT();
	for (unsigned int i = 0; i < 3; i++) {
		engine = open_engine(plan, 64 << i);
		books = engine_books(engine);
		if (!i)
			books->abi->complete = 1;
		cr_assert_eq(books->abi->complete, i == 0);
		count(engine, 0, (const uint64_t[]){1000, 100, 10}[i]);
		if (i < 2)
			engine_free(&engine);
	}
	check_carry(engine_set(engine), 1100, 0, 2);
	check_carry(engine_set(engine) + 1, 1110, 0, 3);
	/* The last one gets what was before, and stands for all. */
	carry = carry_new();
	cr_assert(carry);
	carry->carried.counters.received = carry->carried.counters.dark = 5000;
	carry->carried.ports.tcp[23] = carry->carried.icmp.v4[0x0800] = 5000;
	carry->told.dark = carry->told.lost[AG_LOST_RESTART] = 5000;
	carry_into_books(carry, engine_books(engine));
	check_carry(engine_set(engine) + 1, 5010, 0, 1);
	free(carry);
	engine_free(&engine);
	plan_free(&plan);
}

/* A sensor that ended while it pinned its books: nothing counted in them. */
Test(pins, a_set_that_is_half_there)
{
	struct plan *plan = plan_of(2);
	unsigned int sets[PINS_SETS_MAX], half;
	struct engine *engine;
	int map;

	NEED_ROOT();
	map = make_map(1);
	engine = open_engine(plan, 64);
	engine_books(engine)->abi->complete = 1;
	count(engine, 0, 100);
	half = engine_set(engine) + 1;
	engine_free(&engine);
	cr_assert_eq(pins_make_set(pins, half), 0);
	check_carry(half + 1, 100, 0, 1);
	cr_assert_eq(pins_put_map(pins, half, "layout", map), 0);
	cr_assert_eq(pins_put_map(pins, half, "control", map), 0);
	check_carry(half + 1, 100, 0, 1);
	engine = open_engine(plan, 64);
	cr_assert(engine_is_resumed(engine));
	cr_assert_eq(engine_books(engine)->counters[0].received, 100);
	cr_assert_eq(pins_sets(pins, sets), 1, "it was removed");
	engine_free(&engine);
	close(map);
	plan_free(&plan);
}

static void check_refused(struct plan *plan)
{
	struct engine_options options = {.kind = ENGINE_KERNEL, .plan = plan, .pins = pins};
	struct engine *engine = NULL;
	unsigned int sets[PINS_SETS_MAX];

	cr_assert_lt(engine_open(&engine, &options, why, sizeof(why)), 0);
	cr_assert_null(engine);
	cr_assert(strstr(why, directory) && strstr(why, "not airglow's") && !strchr(why, '\n'), "%s", why);
	cr_assert_eq(pins_sets(pins, sets), 1, "it is left alone");
}

Test(pins, what_is_not_airglows)
{
	struct plan *plan = plan_of(2);
	struct carry *carry = carry_new();
	struct layout *layout = NULL;
	int map;

	NEED_ROOT();
	map = make_map(1);
	cr_assert_eq(pins_make_set(pins, 5), 0);
	cr_assert_eq(pins_put_map(pins, 5, "abi", map), 0);
	check_refused(plan);
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_neq(carry_of_all_pins(carry, pins, layout), 0);
	cr_assert_neq(carry_of_all_pins(carry, pins, layout), -ENOENT, "something is there");
	cr_assert_eq(pins_put_map(pins, 5, "layout", map), 0);
	cr_assert_eq(carry_of_all_pins(carry, pins, layout), -EINVAL);
	layout_free(&layout);
	free(carry);
	close(map);
	plan_free(&plan);
}

Test(pins, nothing_is_pinned)
{
	struct carry *carry = carry_new();
	struct layout *layout = NULL;

	NEED_ROOT();
	cr_assert_eq(kernel_layout(&layout), 0);
	cr_assert_eq(carry_of_all_pins(carry, pins, layout), -ENOENT);
	layout_free(&layout);
	free(carry);
}
