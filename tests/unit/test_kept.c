// SPDX-License-Identifier: GPL-2.0-only
/*
 * kept: what is named by a number keeps it while the configuration changes: scopes, interfaces, watched ports;
 * and what a file may not say.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/kept.h"

static struct ag_kept *kept;
static char why[512];

static void begin(void)
{
	kept = calloc(1, sizeof(*kept));
	cr_assert(kept);
}

static void end(void)
{
	free(kept);
}

TestSuite(kept, .init = begin, .fini = end);

/* --- scopes
 * ----------------------------------------------------------------------------------------------------*/

/* A configuration with 10.N.0.0/16 for each name, NULL-terminated. */
static struct config *configure(const char *const *names)
{
	struct config *config = NULL;

	cr_assert_eq(config_new(&config), 0);
	for (unsigned int i = 0; names[i]; i++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", i);
		cr_assert_eq(config_add_dark(config, prefix, names[i], why, sizeof(why)), 0, "%s", why);
	}
	return config;
}

/* Numbers and commits a configuration; *config is it. */
static int number(struct config **config, const char *const *names)
{
	int err;

	*config = configure(names);
	err = kept_number_scopes(kept, *config, why, sizeof(why));
	if (!err)
		kept_commit_scopes(kept, *config);
	return err;
}

/* The name of the scope that prefix i is in. */
static const char *scope_of(const struct config *config, unsigned int i)
{
	unsigned int scope = config->prefixes[i].scope;

	cr_assert_geq(scope, 1);
	cr_assert_leq(scope, config->scopes_count);
	return config->scopes[scope - 1].name;
}

static void check_scopes(const char *const *names, const char *const *all)
{
	struct config *config;
	unsigned int i;

	cr_assert_eq(number(&config, names), 0, "%s", why);
	for (i = 0; names[i]; i++)
		cr_assert_str_eq(scope_of(config, i), names[i]);
	for (i = 0; all[i]; i++) {
		cr_assert_lt(i, config->scopes_count);
		cr_assert_str_eq(config->scopes[i].name, all[i]);
		cr_assert_str_eq(kept->scopes[i + 1], all[i]);
	}
	cr_assert_eq(config->scopes_count, i);
	cr_assert_str_empty(kept->scopes[i + 1]);
	config_free(&config);
}

Test(kept, scopes_keep_their_numbers)
{
	check_scopes((const char *[]){"a", "b", "c", NULL}, (const char *[]){"a", "b", "c", NULL});
	check_scopes((const char *[]){"c", "a", "b", NULL}, (const char *[]){"a", "b", "c", NULL});
	check_scopes((const char *[]){"c", NULL}, (const char *[]){"a", "b", "c", NULL});
	check_scopes((const char *[]){"d", "c", "b", NULL}, (const char *[]){"a", "b", "c", "d", NULL});
	check_scopes((const char *[]){NULL}, (const char *[]){"a", "b", "c", "d", NULL});
	check_scopes((const char *[]){"a", "e", NULL}, (const char *[]){"a", "b", "c", "d", "e", NULL});
}

Test(kept, a_hole_stays_a_hole)
{
	struct config *config = configure((const char *[]){"a", "b", NULL});

	memcpy(kept->scopes[1], "b", 2);
	cr_assert_eq(config_add_live(config, "10.0.1.0/24", why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(kept_number_scopes(kept, config, why, sizeof(why)), 0);
	cr_assert_eq(config->prefixes[0].scope, 2);
	cr_assert_eq(config->prefixes[1].scope, 1);
	cr_assert_eq(config->prefixes[2].scope, 0);
	cr_assert_str_empty(kept->scopes[2], "the books learn of them when they are committed");
	config_free(&config);
}

/* Own addresses (the word `self`) stand in no prefix; they go with the name of their scope. */
Test(kept, own_addresses_keep_their_scope)
{
	static const char *const orders[][3] = {
		{"net", "self"}, {"self", "net"}, {"self"}, {"new", "self", "net"}};
	struct config *config;

	memcpy(kept->scopes[1], "net", 4);
	memcpy(kept->scopes[2], "self", 5);
	for (unsigned int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		cr_assert_eq(config_new(&config), 0);
		for (unsigned int j = 0; j < 3 && orders[i][j]; j++) {
			const char *what = strcmp(orders[i][j], "self") ? "198.51.100.0/24" : "self";

			if (!strcmp(orders[i][j], "new"))
				what = "203.0.113.0/24";
			cr_assert_eq(config_add_dark(config, what, orders[i][j], why, sizeof(why)), 0, "%s",
				     why);
		}
		cr_assert_eq(kept_number_scopes(kept, config, why, sizeof(why)), 0, "%s", why);
		cr_assert_eq(config->self_scope, 2, "order %u: in scope %u", i, config->self_scope);
		config_free(&config);
	}
	config = configure((const char *[]){"net", NULL});
	cr_assert_eq(kept_number_scopes(kept, config, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(config->self_scope, 0, "none of it is dark");
	config_free(&config);
}

/* Names of one reload take the place of those of another: 64 in all, and then no more. */
Test(kept, there_are_64_names)
{
	static char text[AG_SCOPES_MAX][16];
	const char *names[AG_SCOPES_MAX + 1] = {NULL};
	struct config *config;
	struct ag_kept before;

	for (unsigned int i = 0; i < AG_SCOPES_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "scope-%u", i);
		names[i] = text[i];
	}
	cr_assert_eq(number(&config, names), 0, "%s", why);
	cr_assert_eq(config->scopes_count, AG_SCOPES_MAX);
	config_free(&config);
	before = *kept;
	cr_assert_eq(number(&config, (const char *[]){"scope-3", "one-more", NULL}), -ENOSPC);
	cr_assert(strstr(why, "one-more") && strstr(why, "64"), "%s", why);
	cr_assert_not(strchr(why, '\n'));
	config_free(&config);
	cr_assert(!memcmp(&before, kept, sizeof(before)), "nothing of it was taken");
	cr_assert_eq(number(&config, (const char *[]){"scope-63", NULL}), 0);
	cr_assert_eq(config->prefixes[0].scope, 64);
	config_free(&config);
}

/* --- interfaces
 * ----------------------------------------------------------------------------------------------------*/

static void number_interfaces(const char *names, const __u64 received[AG_INTERFACES_MAX],
			      unsigned int slots[AG_INTERFACES_MAX])
{
	struct config *config = NULL;
	char list[256], *at = list, *name;

	cr_assert_eq(config_new(&config), 0);
	snprintf(list, sizeof(list), "%s", names);
	while ((name = strsep(&at, " ")))
		cr_assert_eq(config_add_interface(config, name, why, sizeof(why)), 0, "%s", why);
	memset(slots, 0xff, AG_INTERFACES_MAX * sizeof(*slots));
	kept_number_interfaces(kept, config, received, slots);
	config_free(&config);
}

Test(kept, interfaces_keep_their_slots)
{
	const __u64 received[AG_INTERFACES_MAX] = {100, 200, 300};
	unsigned int slots[AG_INTERFACES_MAX];

	number_interfaces("eth0 eth1", (__u64[AG_INTERFACES_MAX]){}, slots);
	cr_assert_eq(slots[0], 0);
	cr_assert_eq(slots[1], 1);
	kept->interfaces[1].packets = 77;
	number_interfaces("eth1 eth2 eth0", received, slots);
	cr_assert_eq(slots[0], 1);
	cr_assert_eq(slots[1], 2);
	cr_assert_eq(slots[2], 0);
	cr_assert_eq(kept->interfaces[0].received_before, 0, "its own");
	cr_assert_eq(kept->interfaces[1].packets, 77);
	cr_assert_eq(kept->interfaces[2].received_before, 300);
	number_interfaces("eth2", received, slots);
	cr_assert_eq(slots[0], 2);
	cr_assert_str_eq(kept->interfaces[0].name, "eth0", "who is away keeps its slot");
	number_interfaces("eth2 eth3", received, slots);
	cr_assert_eq(slots[0], 2);
	cr_assert_eq(slots[1], 3, "as long as one is free");
}

/* With all slots taken a new interface gets that of one which is not configured any more, and begins at zero.
 */
Test(kept, a_slot_that_is_left_is_used_again)
{
	const __u64 received[AG_INTERFACES_MAX] = {10, 11, 12, 13, 14, 15, 16, 17};
	unsigned int slots[AG_INTERFACES_MAX];

	number_interfaces("e0 e1 e2 e3 e4 e5 e6 e7", (__u64[AG_INTERFACES_MAX]){}, slots);
	for (unsigned int i = 0; i < AG_INTERFACES_MAX; i++)
		cr_assert_eq(slots[i], i);
	kept->interfaces[2] = (struct ag_kept_interface){.name = "e2", .ifindex = 9, .packets = 5};
	number_interfaces("e7 new e0 e1 e3 e4 e5 e6", received, slots);
	cr_assert_eq(slots[0], 7);
	cr_assert_eq(slots[1], 2);
	cr_assert_str_eq(kept->interfaces[2].name, "new");
	cr_assert_eq(kept->interfaces[2].received_before, 12);
	cr_assert_eq(kept->interfaces[2].ifindex, 0);
	cr_assert_eq(kept->interfaces[2].packets, 0, "nothing of its earlier holder");
	cr_assert_eq(kept->interfaces[7].received_before, 0);
	number_interfaces("a b c d e f g h", received, slots);
	for (unsigned int i = 0; i < AG_INTERFACES_MAX; i++)
		for (unsigned int j = 0; j < i; j++)
			cr_assert_neq(slots[i], slots[j]);
}

/* --- watched ports
 * ----------------------------------------------------------------------------------------------------*/

static void watch(struct config *config, unsigned int at, unsigned int protocol, unsigned int port)
{
	config->watch[at] = (struct config_watch){.protocol = (uint8_t)protocol, .port = (uint16_t)port};
	config->watch_count = at + 1;
}

Test(kept, what_a_port_had_before_it_was_watched)
{
	struct ag_ports *ports = calloc(1, sizeof(*ports));
	__u64 before[AG_WATCH_MAX] = {0};
	struct config *config = NULL;

	cr_assert(ports);
	cr_assert_eq(config_new(&config), 0);
	watch(config, 0, 6, 23);
	watch(config, 1, 17, 53);
	kept_watch(kept, config, ports, before);
	cr_assert_eq(before[0], 0, "watched from the beginning");
	ports->tcp[23] = 100;
	ports->udp[23] = 7;
	ports->tcp[53] = 1000;
	ports->udp[53] = 50;
	watch(config, 0, 17, 53); /* another order, and a new one */
	watch(config, 1, 6, 53);
	watch(config, 2, 6, 23);
	kept_watch(kept, config, ports, before);
	cr_assert_eq(before[0], 0);
	cr_assert_eq(before[1], 1000);
	cr_assert_eq(before[2], 0);
	ports->tcp[53] = 1500;
	watch(config, 0, 6, 53); /* the others are left */
	kept_watch(kept, config, ports, before);
	cr_assert_eq(before[0], 1000, "it was watched all the time");
	ports->tcp[23] = 300;
	watch(config, 1, 6, 23);
	kept_watch(kept, config, ports, before);
	cr_assert_eq(before[0], 1000);
	cr_assert_eq(before[1], 300, "what it had belongs to the others for ever");
	cr_assert_eq(kept->ports[2].protocol, 0);
	config_free(&config);
	free(ports);
}

/* --- gaps
 * ----------------------------------------------------------------------------------------------------*/

/* The lists of gaps begin a page; what a reader finds at the first write to it, or to the page of the counts
 * before it. */
static struct ag_kept *mapped_kept;
static size_t guarded;
static struct {
	unsigned int writes, gaps, sums;
	int64_t last_from_ns;
} found;

static void on_write(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr / guarded * guarded;

	(void)signal_number, (void)context;
	if (page != (uintptr_t)mapped_kept->gaps && page + guarded != (uintptr_t)mapped_kept->gaps)
		_exit(3); /* a true fault */
	found.writes++;
	found.gaps = mapped_kept->gaps_count;
	found.sums = mapped_kept->gap_sums_count;
	found.last_from_ns = mapped_kept->gaps[3].from_ns;
	mprotect((void *)page, guarded, PROT_READ | PROT_WRITE);
}

static void map_kept(void)
{
	struct sigaction action = {.sa_sigaction = on_write, .sa_flags = SA_SIGINFO};
	size_t before = offsetof(struct ag_kept, gaps), bytes;
	char *at;

	guarded = (size_t)sysconf(_SC_PAGESIZE);
	before = (before + guarded - 1) / guarded * guarded;
	bytes = before + (sizeof(*kept) + guarded - 1) / guarded * guarded;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(at, MAP_FAILED);
	mapped_kept = (struct ag_kept *)(void *)(at + before - offsetof(struct ag_kept, gaps));
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Stores them with a page read-only: that of the lists (0), or that before it (-1), where the counts are. */
static void store_guarded(const struct gaps *gaps, int which)
{
	char *page = (char *)mapped_kept->gaps + which * (ssize_t)guarded;

	memset(&found, 0, sizeof(found));
	cr_assert_eq(mprotect(page, guarded, PROT_READ), 0);
	kept_store_gaps(mapped_kept, gaps);
	cr_assert_eq(mprotect(page, guarded, PROT_READ | PROT_WRITE), 0);
}

/* Whenever the process ends, and whoever reads meanwhile: the gaps of before or those of now. */
Test(kept, gaps_are_never_away_while_they_are_stored)
{
	struct gaps gaps = {}, back = {};

	map_kept();
	gaps_add(&gaps, "eth0", 10, 20, "gone");
	gaps_add(&gaps, "eth1", 30, 40, "gone");
	gaps_open(&gaps, "eth0", 50, "down");
	kept_store_gaps(mapped_kept, &gaps);
	store_guarded(&gaps, 0);
	cr_assert_eq(found.writes, 0, "nothing new: every second");
	gaps_close(&gaps, "eth0", 60);
	store_guarded(&gaps, 0);
	cr_assert_eq(found.writes, 1);
	cr_assert_eq(found.gaps, 3);
	cr_assert_eq(found.sums, 2);
	gaps_add(&gaps, "eth2", 70, 80, "gone");
	store_guarded(&gaps, -1);
	cr_assert_eq(found.writes, 1);
	cr_assert_eq(found.gaps, 3);
	cr_assert_eq(found.last_from_ns, 70, "it is told of when it is there");
	kept_load_gaps(mapped_kept, &back);
	cr_assert_eq(back.count, 4);
	cr_assert_eq(back.sums_count, 3);
	cr_assert_eq(back.list[2].to_ns, 60);
	cr_assert_str_eq(back.list[3].subject, "eth2");
	memset(&gaps, 0, sizeof(gaps));
	store_guarded(&gaps, -1);
	cr_assert_eq(found.gaps, 4);
	cr_assert_eq(mapped_kept->gaps_count, 0);
	cr_assert_eq(mapped_kept->gap_sums_count, 0);
}

/* --- books
 * ----------------------------------------------------------------------------------------------------*/

Test(kept, books_begin_once)
{
	struct ag_kept first;

	kept_begin(kept, 1000);
	cr_assert_neq(kept->id, 0);
	cr_assert_eq(kept->start_ns, 1000);
	first = *kept;
	kept_begin(kept, 2000);
	cr_assert(!memcmp(&first, kept, sizeof(first)));
	memset(kept, 0, sizeof(*kept));
	kept_begin(kept, 1000);
	cr_assert_neq(kept->id, first.id);
}

/* What a file may say. */
Test(kept, what_is_sound)
{
	const struct {
		const char *what;
		void *at;
		int64_t value;
	} times[] = {
		{"start", &kept->start_ns, -1},
		{"start", &kept->start_ns, INT64_MAX},
		{"gap", &kept->gaps[0].from_ns, INT64_MIN},
		{"gap", &kept->gaps[AG_GAPS_MAX - 1].to_ns, INT64_MAX},
		{"sum", &kept->gap_sums[AG_GAP_SUMS_MAX - 1].closed_ns, INT64_MAX},
		{"sum", &kept->gap_sums[0].closed_ns, -1},
	};
	struct ag_kept good;

	cr_assert(kept_is_sound(kept), "nothing is");
	memcpy(kept->scopes[1], "north", 6);
	memcpy(kept->scopes[2], "south_2-b", 10);
	kept->start_ns = 1700000000000000000;
	kept->gaps_count = AG_GAPS_MAX;
	kept->gap_sums_count = AG_GAP_SUMS_MAX;
	cr_assert(kept_is_sound(kept));
	good = *kept;
	for (unsigned int i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		memcpy(times[i].at, &times[i].value, sizeof(times[i].value));
		cr_assert_not(kept_is_sound(kept), "%s: %lld", times[i].what, (long long)times[i].value);
		*kept = good;
	}
	kept->gaps_count++;
	cr_assert_not(kept_is_sound(kept));
	*kept = good;
	kept->gap_sums_count++;
	cr_assert_not(kept_is_sound(kept));
	*kept = good;
	memcpy(kept->scopes[4], "gap", 4);
	cr_assert_not(kept_is_sound(kept), "names in a row");
	*kept = good;
	memcpy(kept->scopes[2], "a\"b", 4);
	cr_assert_not(kept_is_sound(kept));
	memcpy(kept->scopes[2], "\xff\xfe", 3);
	cr_assert_not(kept_is_sound(kept));
}
