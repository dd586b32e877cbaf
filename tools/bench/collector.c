// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the collector costs: a capture through the native engine in packet time, as `airglow replay` plays it,
 * and the CPU time of the collector's own calls (draining the logs, closing the intervals, adding every record
 * to the table of sources) apart from that of the packets. Prints JSON. The collector is the sensor's,
 * user/collect/. Packets and records take turns on one CPU here, so the collector finds its caches full of the
 * packets' tables: on a core of its own it is not slower.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "base/config.h"
#include "collect/collect.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/replay.h"

#define CACHE_BYTES (128u << 20) /* the default of `memory` */

struct bench {
	struct config *config;
	struct plan *plan;
	struct engine *engine;
	struct collector *collector;
	struct replay replay;
	uint64_t first_ns;
	double drain_ns, close_ns;
};

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	va_list args;

	fputs("collector: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void begin_interval(void *arg, uint64_t begin_ns)
{
	struct bench *b = arg;
	double began = cpu_ns();

	if (!b->first_ns)
		b->first_ns = begin_ns;
	collector_begin_interval(b->collector, begin_ns);
	b->close_ns += cpu_ns() - began;
}

static void drain_logs(void *arg)
{
	struct bench *b = arg;
	double began = cpu_ns();

	collector_drain(b->collector);
	b->drain_ns += cpu_ns() - began;
}

static int open_bench(struct bench *b, char *dark)
{
	struct engine_options engine = {.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = CACHE_BYTES};
	const struct replay_follower follower = {b, begin_interval, drain_logs};
	struct collector_options collector = {};
	char why[512] = "no memory";

	if (config_new(&b->config) || config_add_dark(b->config, dark, NULL, why, sizeof(why)) ||
	    plan_new(&b->plan, b->config->prefixes, b->config->prefixes_count, false, why, sizeof(why)))
		return complain("%s", why);
	config_write(b->config, &b->plan->settings);
	engine.plan = b->plan;
	if (engine_open(&b->engine, &engine, why, sizeof(why)))
		return complain("%s", why);
	collector.engine = b->engine;
	collector.plan = b->plan;
	collector.config = b->config;
	if (collector_new(&b->collector, &collector, why, sizeof(why)))
		return complain("%s", why);
	replay_init(&b->replay, b->engine, b->config->interval_ms * 1000000, &follower);
	return 0;
}

static void close_bench(struct bench *b)
{
	collector_free(&b->collector);
	engine_free(&b->engine);
	plan_free(&b->plan);
	config_free(&b->config);
}

static int play(struct bench *b, const char *path)
{
	struct capture *capture;
	char why[512] = "";
	double began;
	int err;

	if (capture_open(&capture, path, why, sizeof(why)))
		return complain("%s", why);
	err = replay_capture(&b->replay, capture, path, why, sizeof(why));
	capture_free(&capture);
	if (err)
		return complain("%s: %s", path, err < 0 ? why : "not whole");
	if (!b->replay.frames)
		return complain("%s: no frame could be read", path);
	began = cpu_ns();
	collector_finish(b->collector);
	b->close_ns += cpu_ns() - began;
	return 0;
}

static int print_figures(const struct bench *b)
{
	struct snapshot *s = collector_snapshot(b->collector);
	struct sources_totals totals;
	json_t *figures;
	uint64_t lost = 0;
	unsigned int i;

	if (!s)
		return complain("no memory");
	sources_totals(collector_sources(b->collector), &totals);
	for (i = 0; i < AG_LOST_MAX; i++)
		lost += s->flow.lost[i];
	figures = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "packets",
			    (json_int_t)b->replay.frames, "records", (json_int_t)s->flow.records, "touches",
			    (json_int_t)s->flow.touches, "intervals", (json_int_t)s->flow.intervals,
			    "lost_packets", (json_int_t)lost, "sources", (json_int_t)totals.sources,
			    "forgotten_sources", (json_int_t)totals.forgotten_sources, "flows",
			    (json_int_t)totals.flows, "drain_s", b->drain_ns / 1e9, "close_s",
			    b->close_ns / 1e9, "capture_s", (double)(b->replay.last_ns - b->first_ns) / 1e9);
	json_dumpf(figures, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(figures);
	snapshot_unref(&s);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench bench = {};
	int err;

	err = argc == 3 ? open_bench(&bench, argv[1]) : complain("usage: collector PREFIX[,...] CAPTURE");
	if (!err)
		err = play(&bench, argv[2]);
	if (!err)
		err = print_figures(&bench);
	close_bench(&bench);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
