// SPDX-License-Identifier: GPL-2.0-only
/*
 * continued: what a collector shows never goes back: not when it is reloaded, not when another one goes on with
 * the same books.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collect.h"
#include "collect/kept.h"
#include "packets.h"
#include "serve/metrics.h"

#define LO  1
#define TCP 6

static char why[512];
static struct config *config;
static struct plan *plan;
static struct engine *engine;
static struct collector *collector;
static struct books *books;

/* The watch list alone, of TCP. */
static struct config *configure(const unsigned int *ports)
{
	struct config *c = NULL;

	cr_assert_eq(config_new(&c), 0);
	cr_assert_eq(config_add_dark(c, "198.51.100.0/24", "north", why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(config_add_promoted(c, "acme", "8.0.0.1", why, sizeof(why)), 0, "%s", why);
	c->watch_count = 0;
	for (; *ports; ports++)
		c->watch[c->watch_count++] = (struct config_watch){.protocol = TCP, .port = (uint16_t)*ports};
	return c;
}

static void begin_collector(void)
{
	struct collector_options co = {.engine = engine, .plan = plan, .config = config, .live = true};

	cr_assert_eq(collector_new(&collector, &co, why, sizeof(why)), 0, "%s", why);
}

static void begin(void)
{
	struct engine_options eo = {.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = 16 << 20};

	config = configure((const unsigned int[]){23, 80, 0});
	cr_assert_eq(plan_new(&plan, config->prefixes, config->prefixes_count, false, why, sizeof(why)), 0);
	config_write(config, &plan->settings);
	plan->settings.interfaces[0].ifindex = LO;
	eo.plan = plan;
	cr_assert_eq(engine_open(&engine, &eo, why, sizeof(why)), 0, "%s", why);
	books = engine_books(engine);
	begin_collector();
}

static void end(void)
{
	collector_free(&collector);
	engine_free(&engine);
	plan_free(&plan);
	config_free(&config);
}

TestSuite(continued, .init = begin, .fini = end);

static void send_to(uint32_t last, unsigned int port, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct ag_replay word;
		struct frame f;

		frame_syn4(&f, port);
		frame_set32(&f, 26, 0x08000001);
		frame_set32(&f, 30, 0xc6336400 + last);
		word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
		cr_assert_geq(engine_run(engine, &word, f.bytes), 0);
	}
}

/* --- watched ports
 * ----------------------------------------------------------------------------------------------------*/

/* The series of a port, and of all others (port 0), as /metrics counts them. */
static uint64_t series(const struct snapshot *s, unsigned int port)
{
	uint64_t other = 0;

	for (size_t i = 0; i < AG_PORTS; i++)
		other += s->ports.tcp[i];
	for (size_t i = 0; i < s->watch_count; i++) {
		uint64_t its = s->ports.tcp[s->watch[i].port] - s->watch_before[i];

		if (s->watch[i].port == port)
			return its;
		other -= its;
	}
	return port ? 0 : other;
}

/* Sends a packet to each port, and none of the series may have become smaller. */
static void check_series(uint64_t others, uint64_t telnet, uint64_t http, uint64_t https)
{
	static uint64_t before;
	struct snapshot *s = collector_snapshot(collector);

	cr_assert(s);
	cr_assert_eq(series(s, 0), others, "others: %lu", series(s, 0));
	cr_assert_eq(series(s, 23), telnet, "23: %lu", series(s, 23));
	cr_assert_eq(series(s, 80), http, "80: %lu", series(s, 80));
	cr_assert_eq(series(s, 443), https, "443: %lu", series(s, 443));
	cr_assert_geq(series(s, 0), before, "others went back");
	before = series(s, 0);
	snapshot_unref(&s);
}

static void send_round(void)
{
	send_to(1, 23, 1);
	send_to(1, 80, 1);
	send_to(1, 443, 1);
	send_to(1, 9999, 1);
}

static void reload(const unsigned int *ports)
{
	struct config *next = configure(ports);

	collector_reload(collector, next, plan);
	config_free(&config);
	config = next;
}

static void replace_collector(void)
{
	collector_free(&collector);
	begin_collector();
}

Test(continued, no_series_of_ports_goes_back)
{
	send_round();
	check_series(2, 1, 1, 0);
	reload((const unsigned int[]){23, 443, 0});
	check_series(3, 1, 0, 0); /* what 443 had stays with the others, and 80 is one of them */
	send_round();
	check_series(5, 2, 0, 1);
	replace_collector();
	check_series(5, 2, 0, 1);
	reload((const unsigned int[]){80, 443, 0});
	check_series(7, 0, 0, 1);
	send_round();
	check_series(9, 0, 1, 2);
	reload((const unsigned int[]){443, 80, 23, 0});
	check_series(9, 0, 1, 2);
	send_round();
	replace_collector();
	check_series(10, 1, 2, 3);
}

/* --- scopes
 * ----------------------------------------------------------------------------------------------------*/

static void reload_scopes(const char *const *names)
{
	struct config *next = NULL;
	char prefix[32];

	cr_assert_eq(config_new(&next), 0);
	for (unsigned int i = 0; names[i]; i++) {
		snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", i);
		cr_assert_eq(config_add_dark(next, prefix, names[i], why, sizeof(why)), 0, "%s", why);
	}
	cr_assert_eq(kept_number_scopes(&books->collected->kept, next, why, sizeof(why)), 0, "%s", why);
	collector_reload(collector, next, plan);
	config_free(&config);
	config = next;
}

static unsigned int number_of(const char *scope)
{
	for (unsigned int i = 1; i <= config->scopes_count; i++)
		if (!strcmp(config->scopes[i - 1].name, scope))
			return i;
	cr_assert(false, "%s has no number", scope);
	return 0;
}

static void count_in(const char *scope, unsigned int packets)
{
	struct ag_counters *counters = (struct ag_counters *)(uintptr_t)books->counters;

	counters->class_packets[number_of(scope)][AG_CLASS_SCAN] += packets;
	counters->class_bytes[number_of(scope)][AG_CLASS_SCAN] += 40 * packets;
}

/* A series of /metrics; -1: there is none. */
static long series_of(const char *metrics, const char *scope, const char *unit)
{
	char name[128];
	const char *at;

	snprintf(name, sizeof(name), "\nairglow_%s_total{scope=\"%s\",class=\"scan\"} ", unit, scope);
	at = strstr(metrics, name);
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* What /metrics says of a scope; packets and bytes alike. */
static long packets_of(const char *scope)
{
	struct snapshot *s = collector_snapshot(collector);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	long packets;

	cr_assert(s && out);
	serve_metrics(out, s, false);
	fclose(out);
	packets = series_of(text, scope, "packets");
	cr_assert_eq(series_of(text, scope, "bytes"), packets < 0 ? -1 : 40 * packets);
	free(text);
	snapshot_unref(&s);
	return packets;
}

/* Names come and go: those in use have series, and the sum of the others never goes back. */
Test(continued, scopes_in_use_have_series)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};

	count_in("north", 5);
	for (unsigned int i = 0; i < 11; i++) {
		reload_scopes((const char *[]){"north", names[i], NULL});
		cr_assert_leq(packets_of(names[i]), 0);
		count_in("north", 100);
		count_in(names[i], 10);
		replace_collector();
		cr_assert_eq(packets_of("north"), 100 * (i + 1) + 5);
		cr_assert_eq(packets_of(names[i]), 10, "%s: %ld", names[i], packets_of(names[i]));
		/* Seven places for them: each further one takes that of the first. */
		cr_assert_eq(packets_of("other"), i < 7 ? -1 : 10 * ((long)i - 6));
		cr_assert_eq(packets_of("a"), i < 7 ? 10 : -1);
	}
}

/* Nine in use: who is in use keeps its place, and who gets one leaves its past where it was. */
Test(continued, a_scope_gets_a_place_when_one_is_left)
{
	static const char *const nine[] = {"north", "a", "b", "c", "d", "e", "f", "g", "h", NULL};

	reload_scopes(nine);
	count_in("h", 7);
	count_in("b", 20);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(packets_of("h"), -1);
		cr_assert_eq(packets_of("other"), 7);
		cr_assert_eq(packets_of("b"), 20);
		reload_scopes((const char *[]){"h", "g", "f", "e", "d", "c", "b", "a", "north", NULL});
	}
	reload_scopes((const char *[]){"h", "a", "north", "c", NULL});
	cr_assert_eq(packets_of("h"), 0);
	cr_assert_eq(packets_of("b"), -1);
	cr_assert_eq(packets_of("other"), 27);
	count_in("h", 3);
	replace_collector();
	cr_assert_eq(packets_of("h"), 3);
	cr_assert_eq(packets_of("other"), 27);
	reload_scopes(nine);
	cr_assert_eq(packets_of("h"), 3, "its place is its own now");
	cr_assert_eq(packets_of("other"), 27);
	reload_scopes((const char *[]){"b", NULL});
	cr_assert_eq(packets_of("b"), 0);
	cr_assert_eq(packets_of("other"), 27);
}

/* What is kept may be damaged, or of a version that did not keep it. */
Test(continued, places_that_cannot_be)
{
	reload_scopes((const char *[]){"north", "a", "b", NULL});
	count_in("a", 7);
	for (unsigned int i = 0; i < 4; i++) {
		struct ag_kept_scope *shown = books->collected->kept.shown;

		if (i == 0)
			memset(shown, 0, AG_SCOPES_SHOWN * sizeof(*shown));
		else if (i == 1)
			shown[7].scope = UINT32_MAX;
		else if (i == 2)
			shown[7].scope = 4;
		else
			shown[2].scope = 2;
		replace_collector();
		cr_assert_eq(packets_of("north"), 0);
		cr_assert_eq(packets_of("a"), 7);
		cr_assert_eq(packets_of("b"), 0);
		cr_assert_eq(packets_of("other"), -1);
	}
}

/* --- totals of userspace
 * ----------------------------------------------------------------------------------------------------*/

static uint64_t alerts_in(const struct snapshot *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < AG_ALERT_MAX; i++)
		sum += s->alerts[i];
	return sum;
}

/* A scan of all addresses for a port, in an interval that is closed. */
static uint64_t scan(unsigned int port)
{
	struct snapshot *s;
	uint64_t alerts;

	for (uint32_t last = 0; last < 256; last++)
		send_to(last, port, 2);
	cr_assert_eq(collector_start(collector), 0);
	collector_stop(collector);
	s = collector_snapshot(collector);
	cr_assert(s);
	alerts = alerts_in(s);
	snapshot_unref(&s);
	return alerts;
}

Test(continued, alerts_go_on)
{
	uint64_t first = scan(23), second;
	struct snapshot *s;

	cr_assert_gt(first, 0);
	replace_collector();
	s = collector_snapshot(collector);
	cr_assert_eq(alerts_in(s), first, "before it has raised one");
	cr_assert_gt(s->start_ns, 0);
	cr_assert_gt(s->process_start_ns, s->start_ns);
	snapshot_unref(&s);
	second = scan(80);
	cr_assert_gt(second, first);
	replace_collector();
	replace_collector();
	s = collector_snapshot(collector);
	cr_assert_eq(alerts_in(s), second, "once");
	snapshot_unref(&s);
}

Test(continued, forgotten_sources_go_on)
{
	struct snapshot *s;

	collector_free(&collector);
	books->collected->kept.forgotten_sources = 1000;
	for (unsigned int i = 0; i < 3; i++) {
		begin_collector();
		s = collector_snapshot(collector);
		cr_assert_eq(s->kept.forgotten_sources, 1000);
		snapshot_unref(&s);
		collector_free(&collector);
	}
	begin_collector();
}

Test(continued, intervals_and_sources_go_on)
{
	struct snapshot *s;
	uint64_t intervals;

	scan(23);
	s = collector_snapshot(collector);
	intervals = s->flow.intervals;
	cr_assert_eq(s->flow.dark, 512);
	cr_assert_eq(s->sources, 1);
	snapshot_unref(&s);
	replace_collector();
	s = collector_snapshot(collector);
	cr_assert_eq(s->flow.intervals, intervals);
	cr_assert_eq(s->flow.dark, 512);
	cr_assert_eq(s->sources, 1);
	snapshot_unref(&s);
	scan(80);
	s = collector_snapshot(collector);
	cr_assert_eq(s->flow.dark, 1024);
	cr_assert_eq(s->imbalance[AG_LAW_L3], 0);
	cr_assert_eq(s->flow.lost[AG_LOST_RESTART], 0, "the first one had read all");
	snapshot_unref(&s);
}

/* --- gaps
 * ----------------------------------------------------------------------------------------------------*/

/* An interface that is not configured any more would never be looked at again. */
Test(continued, a_gap_of_an_interface_that_was_taken_out_ends)
{
	struct snapshot *s;

	cr_assert_eq(config_add_interface(config, "eth0", why, sizeof(why)), 0, "%s", why);
	collector_open_gap(collector, GAPS_ALL, "stopped");
	collector_open_gap(collector, "eth0", "down");
	collector_open_gap(collector, "eth1", "no carrier");
	snapshot_unref(&(struct snapshot *){collector_snapshot(collector)});
	replace_collector();
	for (unsigned int i = 0; i < 2; i++) {
		s = collector_snapshot(collector);
		cr_assert_eq(s->gaps.count, 3);
		cr_assert_eq(s->gaps.list[0].to_ns, 0, "of the whole sensor");
		cr_assert_eq(s->gaps.list[1].to_ns, 0, "it is still there");
		cr_assert_str_eq(s->gaps.list[2].subject, "eth1");
		cr_assert_geq(s->gaps.list[2].to_ns, s->gaps.list[2].from_ns);
		cr_assert_eq(s->gaps.sums_count, 1);
		cr_assert_eq(s->gaps.sums[0].closed_ns, s->gaps.list[2].to_ns - s->gaps.list[2].from_ns,
			     "once");
		snapshot_unref(&s);
		replace_collector();
	}
}

/* --- days
 * ----------------------------------------------------------------------------------------------------*/

/* Addresses that were seen today, and that the promoted source reached. */
static void check_today(uint64_t active, uint64_t today, uint64_t yesterday)
{
	struct snapshot *s = collector_snapshot(collector);

	cr_assert(s);
	cr_assert_eq(s->scopes[1].active_addresses, active, "%lu", s->scopes[1].active_addresses);
	cr_assert_eq(s->promoted_reached[0].today, today, "%lu", s->promoted_reached[0].today);
	cr_assert_eq(s->promoted_reached[0].yesterday, yesterday, "%lu", s->promoted_reached[0].yesterday);
	snapshot_unref(&s);
}

static void close_interval(void)
{
	cr_assert_eq(collector_start(collector), 0);
	collector_stop(collector);
}

/* What is kept is of `days` before: as if they had passed. */
static void let_pass(unsigned int days)
{
	collector_free(&collector);
	books->collected->kept.day -= days;
	begin_collector();
}

Test(continued, the_day_goes_on)
{
	send_to(1, 23, 1);
	send_to(2, 23, 1);
	close_interval();
	check_today(2, 2, 0);
	replace_collector();
	check_today(2, 2, 0);
	let_pass(1);
	check_today(0, 0, 2);
	send_to(2, 23, 1);
	close_interval();
	replace_collector(); /* the day began before it */
	check_today(1, 1, 2);
	let_pass(1);
	send_to(3, 23, 1);
	send_to(4, 23, 1);
	check_today(2, 2, 1);
	let_pass(2); /* the open interval is of today */
	check_today(2, 0, 0);
}

/* By a clock that went back: it is no new day, and the next one is. */
Test(continued, a_day_that_is_not_over)
{
	uint32_t day = books->collected->kept.day;

	cr_assert_gt(day, 20000);
	send_to(1, 23, 1);
	close_interval();
	collector_free(&collector);
	books->collected->kept.day += 3;
	begin_collector();
	check_today(1, 1, 0);
	cr_assert_eq(books->collected->kept.day, day);
}

/* An epoch that these books have not reached is of others. */
Test(continued, a_day_of_other_books)
{
	send_to(1, 23, 1);
	collector_free(&collector);
	books->collected->kept.day_epoch = 8640;
	begin_collector();
	check_today(1, 1, 0);
}
