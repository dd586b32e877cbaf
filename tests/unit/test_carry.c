// SPDX-License-Identifier: GPL-2.0-only
/*
 * carry: what books stand for goes over into new ones, once and whole, by memory and by the file in the state
 * directory; what the file must be like. Pinned books: tests/e2e/test-pins.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collect/carry.h"
#include "collect/collect.h"
#include "collect/hll.h"
#include "collect/kept.h"
#include "collect/ledger.h"
#include "engine/backend.h"
#include "packets.h"

#define NS UINT64_C(1000000000)

static char why[1024], directory[64], path[128];
static struct config *config;
static struct plan *plan;
static struct layout *layout;
static struct carry *carry;

/* Books with their reader. */
static struct engine *engine;
static struct collector *collector;
static struct books *books;
static uint64_t clock_ns;

static void close_books(void)
{
	collector_free(&collector);
	engine_free(&engine);
}

static void open_books(void)
{
	struct engine_options eo = {
		.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = 16 << 20, .plan = plan};
	struct collector_options co = {.config = config, .plan = plan};

	close_books();
	cr_assert_eq(engine_open(&engine, &eo, why, sizeof(why)), 0, "%s", why);
	books = engine_books(engine);
	co.engine = engine;
	cr_assert_eq(collector_new(&collector, &co, why, sizeof(why)), 0, "%s", why);
}

static void begin(void)
{
	snprintf(directory, sizeof(directory), "/tmp/airglow-carry-XXXXXX");
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/books.json", directory);
	cr_assert_eq(config_new(&config), 0);
	cr_assert_eq(config_add_dark(config, "198.51.100.0/24", "north", why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(plan_new(&plan, config->prefixes, config->prefixes_count, false, why, sizeof(why)), 0);
	cr_assert_eq(kernel_layout(&layout), 0);
	config_write(config, &plan->settings);
	carry = carry_new();
	cr_assert(carry);
	clock_ns = 1700000000 * NS;
	open_books();
}

static void end(void)
{
	close_books();
	plan_free(&plan);
	config_free(&config);
	layout_free(&layout);
	free(carry);
	unlink(path);
	cr_assert_eq(rmdir(directory), 0, "something was left in the state directory");
}

TestSuite(carry, .init = begin, .fini = end);

/* Of as many sources, to port 23 + n. */
static void send_packets(unsigned int first_source, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct ag_replay word;
		struct frame f;

		frame_syn4(&f, 23 + i % 3);
		frame_set32(&f, 26, 0x08000000 + first_source + i);
		frame_set32(&f, 30, 0xc6336400 + i % 256);
		word = (struct ag_replay){.time_ns = clock_ns, .wirelen = f.n, .caplen = (__u16)f.n};
		cr_assert_geq(engine_run(engine, &word, f.bytes), 0);
	}
}

/* The next interval: the one before is closed. */
static void next_interval(void)
{
	clock_ns += 10 * NS;
	collector_begin_interval(collector, clock_ns);
}

static void take(void)
{
	memset(carry, 0, sizeof(*carry));
	carry_of_books(carry, books);
}

/* What it stands for is consistent with itself: all dark packets are told of, or lost. */
static void check_law(uint64_t dark)
{
	const struct ag_told *t = &carry->told;

	cr_assert_eq(carry->carried.counters.dark, dark);
	cr_assert_eq(t->dark, dark, "%llu", t->dark);
	cr_assert_eq(t->record_packets + t->touches + ledger_lost(t->lost), dark);
}

static struct ag_interval *interval_of(unsigned int slice, uint32_t epoch)
{
	return &books->intervals[slice * 2 + epoch % 2];
}

/* --- by memory
 * --------------------------------------------------------------------------------------------------------*/

Test(carry, an_empty_one)
{
	take();
	check_law(0);
	cr_assert_eq(carry->told.incomplete, 0);
}

Test(carry, totals_go_on_in_new_books)
{
	struct snapshot *before, *after;
	struct ag_kept kept;
	uint64_t sent = 0;

	next_interval();
	for (unsigned int i = 0; i < 4; i++) {
		send_packets(100 * i, 40 + i);
		sent += 40 + i;
		next_interval();
	}
	send_packets(1000, 17); /* of an interval that nobody will close */
	sent += 17;
	before = collector_snapshot(collector);
	kept_begin(&books->collected->kept, (int64_t)clock_ns);
	kept = books->collected->kept;
	take();
	check_law(sent);
	cr_assert(!memcmp(&carry->kept, &kept, sizeof(kept)), "whose they are, and what userspace knows");
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 17);
	cr_assert_eq(carry->told.incomplete, 1);
	cr_assert_eq(carry->told.intervals, before->flow.intervals);
	open_books();
	books->abi->complete = 0; /* as those that were begun beside others */
	carry_into_books(carry, books);
	cr_assert_eq(books->abi->complete, 1);
	cr_assert(!memcmp(&books->collected->kept, &kept, sizeof(kept)));
	after = collector_snapshot(collector);
	cr_assert(!memcmp(&before->totals, &after->totals, sizeof(before->totals)));
	cr_assert(!memcmp(&before->ports, &after->ports, sizeof(before->ports)));
	cr_assert(!memcmp(&before->icmp, &after->icmp, sizeof(before->icmp)));
	cr_assert_eq(after->sources, before->sources);
	cr_assert_eq(after->flow.records, before->flow.records);
	cr_assert_eq(after->flow.dark, sent);
	for (unsigned int law = 0; law < AG_LAW_MAX; law++)
		cr_assert_eq(after->imbalance[law], 0);
	snapshot_unref(&before);
	snapshot_unref(&after);
	next_interval();
	send_packets(100, 5);
	next_interval();
	take();
	check_law(sent + 5);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 17, "once");
	cr_assert_eq(carry->told.incomplete, 1);
}

/* Of books beside these the intervals are numbered on; of a file neither they nor the bitmaps are there. */
Test(carry, the_day_is_of_books_that_saw_it)
{
	for (unsigned int beside = 0; beside < 2; beside++) {
		take();
		carry->kept.day = 20000;
		carry->kept.day_epoch = 1;
		open_books();
		books->control->epoch = beside ? 3 : 1;
		carry_into_books(carry, books);
		cr_assert_eq(books->collected->kept.day, beside ? 20000 : 0);
		cr_assert_eq(books->collected->kept.day_epoch, beside ? 1 : 0);
	}
}

/* Over and over, with an open interval each time. */
Test(carry, from_books_to_books_to_books)
{
	for (unsigned int i = 1; i <= 4; i++) {
		next_interval();
		send_packets(100 * i, 10);
		next_interval();
		send_packets(100 * i + 50, 3);
		take();
		check_law(13 * i);
		cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 3 * i);
		cr_assert_eq(carry->told.incomplete, i);
		cr_assert_eq(carry->carried.ports.tcp[23], 5 * i);
		open_books();
		carry_into_books(carry, books);
	}
	take();
	check_law(13 * 4);
	cr_assert_eq(carry->told.incomplete, 4, "nothing was open in books that were only begun");
}

/* Into books that the program writes already, whose epoch is their own. */
Test(carry, into_books_that_are_in_use)
{
	next_interval();
	send_packets(0, 10);
	next_interval();
	take();
	open_books();
	books->control->epoch = 41;
	books->collected->told[0].epoch = 40;
	next_interval();
	send_packets(500, 7);
	carry_into_books(carry, books);
	cr_assert_eq(books->collected->told[0].epoch, 40);
	cr_assert_eq(books->control->epoch, 41);
	next_interval();
	take();
	check_law(17);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 0);
	cr_assert_eq(carry->told.incomplete, 0);
}

Test(carry, losses_and_flags_of_open_intervals)
{
	next_interval();
	send_packets(0, 10);
	next_interval();
	interval_of(0, books->control->epoch)->lost[AG_LOST_RING] = 1000;
	interval_of(1, books->control->epoch)->lost[AG_LOST_CPU] = 0;
	interval_of(0, books->control->epoch)->flagged[0] = 3;
	interval_of(0, books->control->epoch)->hosts_used[AG_CLASS_OTHER] = 1;
	interval_of(0, books->control->epoch)->hosts[AG_CLASS_OTHER].reg[5] = 9;
	take();
	check_law(10);
	cr_assert_eq(carry->told.lost[AG_LOST_RING], 1000);
	cr_assert_eq(carry->told.flagged[0], 3);
	cr_assert_eq(carry->told.hosts[AG_CLASS_OTHER].reg[5], 9);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 0, "what is lost in the ring was no packet");
}

/* What is lost of an open interval is no packet of a restart too. */
Test(carry, lost_packets_are_lost_once)
{
	next_interval();
	send_packets(0, 10);
	interval_of(0, books->control->epoch)->lost[AG_LOST_TOUCH_LOG] = 4;
	take();
	check_law(10);
	cr_assert_eq(carry->told.lost[AG_LOST_TOUCH_LOG], 4);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 6);
}

/* The reader ended between entering an interval and clearing it: it is in the sums, and its entries are there.
 */
Test(carry, an_interval_that_is_told_is_not_open)
{
	struct ag_interval entries[4];

	next_interval();
	send_packets(0, 10);
	interval_of(0, books->control->epoch)->lost[AG_LOST_RING] = 1000;
	interval_of(0, books->control->epoch)->flagged[0] = 3;
	memcpy(entries, books->intervals, sizeof(entries));
	next_interval();
	memcpy(books->intervals, entries, sizeof(entries));
	take();
	check_law(10);
	cr_assert_eq(carry->told.lost[AG_LOST_RING], 1000);
	cr_assert_eq(carry->told.flagged[0], 3);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 0);
}

/* It ended before: the interval before the open one waits, and both are open. */
Test(carry, an_interval_that_waits_is_open)
{
	next_interval();
	send_packets(0, 10);
	next_interval();
	send_packets(0, 5);
	interval_of(0, books->control->epoch)->lost[AG_LOST_RING] = 1000;
	books->control->epoch++;
	send_packets(0, 2);
	interval_of(0, books->control->epoch)->lost[AG_LOST_RING] = 100;
	take();
	check_law(17);
	cr_assert_eq(carry->told.lost[AG_LOST_RING], 1100);
	cr_assert_eq(carry->told.lost[AG_LOST_RESTART], 7);
}

Test(carry, the_shared_slice_and_icmp)
{
	struct ag_counters *shared;
	struct ag_icmp *icmp;
	struct snapshot *s;

	for (unsigned int i = 1; i <= 2; i++) {
		shared = (struct ag_counters *)(uintptr_t)&books->counters[books->slices];
		icmp = (struct ag_icmp *)(uintptr_t)books->icmp;
		shared->received = shared->outcome[AG_OUTCOME_NON_IP] = 5;
		icmp->v4[0x0800] = 2;
		icmp->v6[AG_ICMP_KINDS - 1] = 3;
		take();
		cr_assert_eq(carry->carried.shared, 5 * i);
		cr_assert_eq(carry->carried.counters.received, 5 * i);
		cr_assert_eq(carry->carried.icmp.v4[0x0800], 2 * i);
		cr_assert_eq(carry->carried.icmp.v6[AG_ICMP_KINDS - 1], 3 * i);
		s = collector_snapshot(collector);
		cr_assert_eq(s->shared_packets, 5 * i);
		cr_assert_eq(s->icmp.v4[0x0800], 2 * i);
		snapshot_unref(&s);
		open_books();
		carry_into_books(carry, books);
	}
}

/* --- the file
 * ---------------------------------------------------------------------------------------------------------*/

static void save(bool clean)
{
	cr_assert_eq(carry_save(carry, directory, layout, clean, why, sizeof(why)), 0, "%s", why);
}

static int load(struct carry **out)
{
	why[0] = 0;
	*out = carry_new();
	cr_assert(*out);
	return carry_load(*out, directory, layout, why, sizeof(why));
}

static void put_file(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	cr_assert(file);
	cr_assert_eq(fwrite(text, 1, length, file), length);
	cr_assert_eq(fclose(file), 0);
}

static char *get_file(size_t *length)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	char *text;

	cr_assert(file);
	cr_assert_eq(fstat(fileno(file), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	*length = (size_t)st.st_size;
	text = calloc(1, *length + 1);
	cr_assert(text);
	cr_assert_eq(fread(text, 1, *length, file), *length);
	fclose(file);
	return text;
}

static void fill_carry(void)
{
	next_interval();
	send_packets(0, 50);
	next_interval();
	take();
	kept_begin(&carry->kept, (int64_t)clock_ns);
	memcpy(carry->kept.scopes[1], "north", 6);
	carry->kept.alerts[0] = 12;
}

/* One gap, from when it was written until now. */
static void check_gap(const struct carry *loaded, const char *reason)
{
	struct timespec now;
	int64_t now_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = now.tv_sec * (int64_t)NS + now.tv_nsec;
	cr_assert_eq(loaded->kept.gaps_count, 1);
	cr_assert_str_eq(loaded->kept.gaps[0].reason, reason);
	cr_assert_str_eq(loaded->kept.gaps[0].subject, "");
	cr_assert_leq(loaded->kept.gaps[0].from_ns, loaded->kept.gaps[0].to_ns);
	cr_assert_leq(loaded->kept.gaps[0].to_ns, now_ns);
	cr_assert_gt(loaded->kept.gaps[0].from_ns, now_ns - 600 * (int64_t)NS);
	cr_assert_eq(loaded->kept.gap_sums[0].closed_ns,
		     loaded->kept.gaps[0].to_ns - loaded->kept.gaps[0].from_ns);
}

Test(carry, a_file_there_and_back)
{
	struct carry *loaded;

	fill_carry();
	for (unsigned int clean = 0; clean < 2; clean++) {
		save(clean);
		cr_assert_eq(load(&loaded), 0, "%s", why);
		cr_assert(!memcmp(&loaded->carried, &carry->carried, sizeof(carry->carried)));
		cr_assert(!memcmp(&loaded->told, &carry->told, sizeof(carry->told)));
		check_gap(loaded, clean ? "stopped" : "killed");
		loaded->kept.gaps_count = loaded->kept.gap_sums_count = 0;
		memset(loaded->kept.gaps, 0, sizeof(loaded->kept.gaps));
		memset(loaded->kept.gap_sums, 0, sizeof(loaded->kept.gap_sums));
		cr_assert(!memcmp(&loaded->kept, &carry->kept, sizeof(carry->kept)));
		free(loaded);
	}
}

/* Written under another boot. */
Test(carry, after_a_reboot)
{
	struct carry *loaded;
	size_t length;
	char *text, *boot;

	fill_carry();
	carry->kept.interfaces[2] = (struct ag_kept_interface){.name = "eth2", .ifindex = 3, .packets = 12};
	save(false);
	text = get_file(&length);
	boot = strstr(text, "\"boot\":\"");
	cr_assert(boot);
	boot[8] = boot[8] == '0' ? '1' : '0';
	put_file(text, length);
	cr_assert_eq(load(&loaded), 0, "%s", why);
	check_gap(loaded, "reboot");
	cr_assert_eq(loaded->kept.interfaces[2].ifindex, 0, "which may be another's now");
	cr_assert_eq(loaded->kept.interfaces[2].packets, 12, "what was shown stays");
	free(loaded);
	free(text);
}

Test(carry, there_is_none)
{
	struct carry *loaded;

	cr_assert_eq(load(&loaded), -ENOENT);
	free(loaded);
}

/* A sensor that ended while it wrote left a part beside the file. */
Test(carry, a_part_that_is_left_over)
{
	struct carry *loaded;
	char new[160];
	FILE *file;

	fill_carry();
	save(false);
	snprintf(new, sizeof(new), "%s.new", path);
	file = fopen(new, "w");
	cr_assert(file);
	for (unsigned int i = 0; i < 100000; i++)
		fputs("{\"airglow_books\":", file);
	fclose(file);
	cr_assert_eq(load(&loaded), 0, "%s", why);
	cr_assert_eq(loaded->carried.counters.dark, 50);
	free(loaded);
	save(true);
	cr_assert_neq(access(new, F_OK), 0, "it was written over, and is the file now");
	cr_assert_eq(load(&loaded), 0, "%s", why);
	free(loaded);
}

static void check_refused(const char *what)
{
	struct carry *loaded;

	cr_assert_eq(load(&loaded), -EINVAL, "%s", what);
	cr_assert(strstr(why, path), "%s: %s", what, why);
	cr_assert(strstr(why, "move it away"), "%s: %s", what, why);
	cr_assert_not(strchr(why, '\n'), "%s", what);
	free(loaded);
}

/* The user of the directory may put links into it; root (detach) writes and reads there. */
Test(carry, links_in_the_directory)
{
	char new[160], other[160];
	struct stat before, after, own;
	struct carry *loaded;

	snprintf(new, sizeof(new), "%s.new", path);
	snprintf(other, sizeof(other), "%s/other", directory);
	fill_carry();
	save(false);
	cr_assert_eq(rename(path, other), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_assert_eq(symlink(other, new), 0);
	cr_assert_eq(stat(other, &before), 0);
	cr_assert_eq(load(&loaded), -ELOOP);
	free(loaded);
	cr_assert(strstr(why, path) && strstr(why, "is a symbolic link") && !strchr(why, '\n'), "%s", why);
	cr_assert(geteuid() || !chown(directory, 1234, 5678));
	carry->carried.counters.dark = 12345678;
	save(true);
	cr_assert(!stat(other, &after) && !lstat(path, &own));
	cr_assert(after.st_size == before.st_size && after.st_uid == before.st_uid, "somebody else's file");
	cr_assert(S_ISREG(own.st_mode));
	cr_assert(geteuid() || own.st_uid == 1234, "%u", own.st_uid);
	cr_assert_eq(load(&loaded), 0, "%s", why);
	free(loaded);
	cr_assert(!unlink(path) && !mkfifo(path, 0600));
	check_refused("a pipe");
	cr_assert_eq(unlink(other), 0);
}

/* Blanks behind its end, which JSON does not mind. */
static void pad_file(size_t bytes)
{
	FILE *file = fopen(path, "a");
	static char blanks[65536];

	cr_assert(file);
	memset(blanks, ' ', sizeof(blanks));
	for (; bytes; bytes -= sizeof(blanks))
		cr_assert_eq(fwrite(blanks, 1, sizeof(blanks), file), sizeof(blanks));
	cr_assert_eq(fclose(file), 0);
}

Test(carry, a_damaged_file)
{
	size_t length;
	char *text;

	fill_carry();
	save(false);
	text = get_file(&length);
	for (size_t cut = 0; cut < length; cut += length / 50) {
		put_file(text, cut);
		check_refused("cut off");
	}
	text[length / 2] = '\x80';
	put_file(text, length);
	check_refused("a bit fell over");
	free(text);
	save(false);
	pad_file((size_t)65 << 20);
	check_refused("longer than any of ours");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	check_refused("a directory");
	cr_assert_eq(rmdir(path), 0);
}

Test(carry, a_file_that_is_not_ours)
{
	static const char *const foreign[] = {
		"{}",
		"[]",
		"{\"airglow_books\":1}",
		"{\"airglow_books\":2,\"saved_ns\":5,\"kept\":{},\"told\":{},\"carried\":{}}", /* later */
		"{\"airglow_books\":\"1\",\"saved_ns\":5,\"kept\":{},\"told\":{},\"carried\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":0,\"kept\":{},\"told\":{},\"carried\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":-5,\"kept\":{},\"told\":{},\"carried\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":9223372036854775807,\"kept\":{},\"told\":{},\"carried\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":5,\"kept\":[],\"told\":{},\"carried\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":5,\"kept\":{},\"told\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":5,\"kept\":{\"scopes\":{\"1\":\"A b\"}},\"told\":{},\"carried\":{}}",
		"{\"airglow_books\":1,\"saved_ns\":5,\"kept\":{\"scopes\":{\"2\":\"b\"}},\"told\":{},\"carried\":{}}",
		/* in parts, for its length */
		("{\"airglow_books\":1,\"saved_ns\":5,\"kept\":{\"gap_sums\":{\"0\":{\"closed_ns\":"
		 "9223372036854775807}}},\"told\":{},\"carried\":{}}"),
	};

	for (unsigned int i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		put_file(foreign[i], strlen(foreign[i]));
		check_refused(foreign[i]);
	}
}

/* What a later version of the same format adds is passed over. */
Test(carry, a_file_with_more_in_it)
{
	static const char text[] =
		"{\"airglow_books\":1,\"saved_ns\":5,\"more\":[1],\"kept\":{\"id\":7,\"more\":{}},\"told\":{\"dark\":4},"
		"\"carried\":{\"counters\":{\"dark\":4,\"outcome\":{\"4000\":1}}}}";
	struct carry *loaded;

	put_file(text, sizeof(text) - 1);
	cr_assert_eq(load(&loaded), 0, "%s", why);
	cr_assert_eq(loaded->kept.id, 7);
	cr_assert_eq(loaded->carried.counters.dark, 4);
	cr_assert_str_eq(loaded->kept.gaps[0].reason, "killed");
	free(loaded);
}

static void check_unwritten(const char *what)
{
	char new[160];

	why[0] = 0;
	cr_assert_lt(carry_save(carry, directory, layout, true, why, sizeof(why)), 0, "%s", what);
	cr_assert(strstr(why, path) && !strchr(why, '\n'), "%s: %s", what, why);
	snprintf(new, sizeof(new), "%s.new", path);
	cr_assert_neq(access(new, F_OK), 0, "%s: a part was left", what);
}

/* What cannot be written leaves the file before as it was. */
Test(carry, a_file_that_cannot_be_written)
{
	struct rlimit whole, small;
	struct carry *loaded;

	fill_carry();
	save(false);
	carry->carried.counters.dark++;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &whole), 0);
	small = (struct rlimit){100, whole.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	check_unwritten("a full disk");
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &whole), 0);
	cr_assert_eq(chmod(directory, 0555), 0);
	if (!geteuid())
		cr_assert_eq(seteuid(65534), 0);
	check_unwritten("a directory of another user");
	if (!getuid())
		cr_assert_eq(seteuid(0), 0);
	cr_assert_eq(chmod(directory, 0700), 0);
	cr_assert_eq(load(&loaded), 0, "%s", why);
	cr_assert_eq(loaded->carried.counters.dark, 50);
	free(loaded);
}

Test(carry, a_directory_that_is_not_there)
{
	take();
	cr_assert(carry_save(carry, path, layout, true, why, sizeof(why)) == -ENOENT && strstr(why, path));
}
