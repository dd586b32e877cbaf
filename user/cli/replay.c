// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow replay FILE...`: captures through the same pipeline as live packets, in packet time. The figures go
 * to stdout, messages to stderr; nothing of the figures depends on wall time, path or host.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/log.h"
#include "cli/cli.h"
#include "collect/collect.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/replay.h"
#include "serve/serve.h"

int replay_main(int argc, char **argv);

#define WHY_BYTES	 512
#define TOP_LINES	 10
#define SOURCES_TOLD_MAX 1000000 /* --sources */

/* What a replay holds, in the order in which it is made. */
struct session {
	struct config *config;
	struct plan *plan;
	struct engine *engine;
	struct collector *collector;
	struct own_flows *own; /* NULL without --own-flows */
	struct replay replay;
	bool complete; /* every file was read to its end, and every packet of it could be handed on */
	bool opened;   /* at least one capture could be opened */
};

static void begin_interval(void *arg, uint64_t begin_ns)
{
	struct session *s = arg;

	collector_begin_interval(s->collector, begin_ns);
}

static void drain_logs(void *arg)
{
	struct session *s = arg;

	collector_drain(s->collector);
}

/* What --own-flows needs: the host's addresses, and captures that can be read twice. */
static int check_own_flows(const struct config *config, const struct options *options, char *why,
			   size_t why_size)
{
	if (!config->prefixes_count) {
		snprintf(why, why_size,
			 "--own-flows needs the addresses of the host that captured; give them with --dark");
		return -EINVAL;
	}
	for (size_t i = 0; i < options->operands_count; i++) {
		const char *path = options->operands[i];
		struct stat status;

		if (strcmp(path, "-") && (stat(path, &status) || S_ISREG(status.st_mode)))
			continue;
		snprintf(
			why, why_size,
			"--own-flows reads a capture twice, and %.200s can be read only once; write it to a file",
			path);
		return -EINVAL;
	}
	return 0;
}

static int open_session(struct session *s, const struct options *options, char *why, size_t why_size)
{
	struct engine_options engine = {
		.kind = options_number(options, OPTION_ENGINE, 0) ? ENGINE_KERNEL : ENGINE_NATIVE,
		.replay = true,
	};
	struct collector_options collector = {};
	const struct replay_follower follower = {s, begin_interval, drain_logs};
	int err = cli_config(&s->config, options, why, why_size);

	if (!err)
		err = config_check(s->config, false, why, why_size);
	if (!err && s->config->own_flows)
		err = check_own_flows(s->config, options, why, why_size);
	if (err)
		return err;
	err = plan_new(&s->plan, s->config->prefixes, s->config->prefixes_count, !s->config->prefixes_count,
		       why, why_size);
	if (err)
		return err;
	config_write(s->config, &s->plan->settings);
	if (s->config->own_flows)
		s->plan->settings.interfaces[0].feed = AG_FEED_SELF;
	engine.plan = s->plan;
	engine.memory_bytes = s->config->memory_bytes;
	err = engine_open(&s->engine, &engine, why, why_size);
	if (err)
		return err;
	collector.engine = s->engine;
	collector.plan = s->plan;
	collector.config = s->config;
	err = collector_new(&s->collector, &collector, why, why_size);
	if (err)
		return err;
	if (s->config->own_flows) {
		s->own = own_flows_new(s->plan);
		if (!s->own) {
			snprintf(why, why_size, "not enough memory for the flows of the capturing host");
			return -ENOMEM;
		}
	}
	replay_init(&s->replay, s->engine, s->config->interval_ms * 1000000, &follower);
	s->replay.own = s->own;
	s->complete = true;
	return 0;
}

static void close_session(struct session *s)
{
	own_flows_free(&s->own);
	collector_free(&s->collector);
	engine_free(&s->engine);
	plan_free(&s->plan);
	config_free(&s->config);
}

static void tell_notes(struct capture *capture)
{
	const char *note;

	while ((note = capture_note(capture)))
		log_warnx("%s", note);
}

/* One file. 0, or -errno when the engine failed; what is wrong with the file is told and remembered. */
static int run_file(struct session *s, const char *path, char *why, size_t why_size)
{
	struct capture *capture;
	int state = capture_open(&capture, path, why, why_size);

	if (state) {
		log_warnx("%s", why);
		s->complete = false;
		/* What was opened and is no capture still gives figures: all of them 0. */
		s->opened |= state != -ENOENT && state != -EACCES && state != -EISDIR && state != -EPERM;
		return 0;
	}
	s->opened = true;
	state = replay_capture(&s->replay, capture, path, why, why_size);
	tell_notes(capture);
	if (capture_problem(capture))
		log_warnx("%s", capture_problem(capture));
	if (state)
		s->complete = false;
	capture_free(&capture);
	return state < 0 ? state : 0;
}

/* The first pass of --own-flows; what is wrong with a file is told by the second. */
static void learn_files(struct session *s, const struct options *options)
{
	char why[WHY_BYTES];

	for (size_t i = 0; i < options->operands_count; i++) {
		struct capture *capture;

		if (capture_open(&capture, options->operands[i], why, sizeof(why)))
			continue;
		replay_learn(s->own, capture);
		capture_free(&capture);
	}
	own_flows_rewind(s->own);
}

static void tell_forgotten(const struct session *s)
{
	uint64_t forgotten = s->own ? own_flows_forgotten(s->own) : 0;

	if (forgotten)
		log_warnx("%" PRIu64
			  " flows of the capturing host were forgotten for others; packets that came for them "
			  "later are counted as unasked",
			  forgotten);
}

static void tell_time(const struct replay *r)
{
	if (!r->steps_back)
		return;
	log_warnx("packet time runs backwards %" PRIu64 " times, first in %s at packet %" PRIu64
		  " (byte %" PRIu64 "); those packets are counted in the interval that was open",
		  r->steps_back, r->first_step.file, r->first_step.packet, r->first_step.offset);
}

/* The proof that the kernel ran the program for every packet (BPF statistics). */
static int tell_runs(const struct session *s)
{
	uint64_t runs;

	if (engine_runs(s->engine, &runs))
		return 0;
	log_info("program runs: %" PRIu64, runs);
	if (runs == s->replay.frames)
		return 0;
	log_warnx("the kernel ran the program %" PRIu64 " times for %" PRIu64 " packets", runs,
		  s->replay.frames);
	return -EIO;
}

static void print_object(const json_t *summary, const char *title, const char *name)
{
	const json_t *object = json_object_get(summary, name), *value;
	const char *key;

	printf("%s:", title);
	json_object_foreach((json_t *)(uintptr_t)object, key, value) if (json_integer_value(value))
		printf(" %s=%" JSON_INTEGER_FORMAT, key, json_integer_value(value));
	printf("\n");
}

/* The ports with most packets; the object is in the order of the numbers. */
static void print_ports(const char *title, const __u64 counts[AG_PORTS])
{
	unsigned int best[TOP_LINES] = {}, used = 0, i, at;

	for (i = 0; i < AG_PORTS; i++) {
		if (!counts[i] || (used == TOP_LINES && counts[i] <= counts[best[used - 1]]))
			continue;
		at = used < TOP_LINES ? used++ : used - 1;
		for (; at && counts[best[at - 1]] < counts[i]; at--)
			best[at] = best[at - 1];
		best[at] = i;
	}
	printf("%s:", title);
	for (i = 0; i < used; i++)
		printf(" %u=%llu", best[i], counts[best[i]]);
	printf("\n");
}

static void print_text(const struct snapshot *s, const json_t *summary)
{
	printf("received %llu packets, dark %llu, distinct sources about %" PRIu64 "\n", s->totals.received,
	       s->totals.dark, s->sources);
	print_object(summary, "outcomes", "outcomes");
	print_object(summary, "classes", "classes");
	print_object(summary, "protocols", "protocols");
	print_ports("tcp ports", s->ports.tcp);
	print_ports("udp ports", s->ports.udp);
	print_object(summary, "tools", "tools");
	printf("flows: %" PRIu64 " records and %" PRIu64 " touches in %" PRIu64 " intervals\n", s->flow.records,
	       s->flow.touches, s->flow.intervals);
	printf("ledger: L1 %llu, L2 %llu, L3 %llu packets out of balance\n", s->imbalance[AG_LAW_L1],
	       s->imbalance[AG_LAW_L2], s->imbalance[AG_LAW_L3]);
}

static int print_figures(struct session *s, bool json, size_t top_sources)
{
	struct snapshot *snapshot = collector_snapshot(s->collector);
	struct sources *sources = collector_sources(s->collector);
	json_t *summary = snapshot ? serve_summary(snapshot, sources, top_sources) : NULL;
	int err = summary ? 0 : -ENOMEM;

	if (summary && json) {
		if (json_dumpf(summary, stdout, JSON_INDENT(1)) || putchar('\n') == EOF)
			err = -EIO;
	} else if (summary) {
		print_text(snapshot, summary);
	}
	if (fflush(stdout))
		err = -EIO;
	json_decref(summary);
	snapshot_unref(&snapshot);
	return err;
}

static int run_session(struct session *s, const struct options *options, char *why, size_t why_size)
{
	size_t i;
	int err;

	if (options_number(options, OPTION_ENGINE, 0) && engine_count_runs(s->engine))
		log_info("the kernel does not count program runs for us");
	if (s->own)
		learn_files(s, options);
	for (i = 0; i < options->operands_count; i++) {
		err = run_file(s, options->operands[i], why, why_size);
		if (err)
			return err;
	}
	if (s->replay.frames)
		collector_finish(s->collector);
	tell_time(&s->replay);
	tell_forgotten(s);
	if (!s->opened)
		return 0;
	err = print_figures(s, options_has(options, OPTION_JSON),
			    options_number(options, OPTION_SOURCES, SOURCES_TOP));
	if (err)
		snprintf(why, why_size, "cannot write the figures: %s", strerror(-err));
	if (!err && tell_runs(s)) {
		snprintf(why, why_size, "the figures of the kernel engine cannot be trusted");
		err = -EIO;
	}
	return err;
}

int replay_main(int argc, char **argv)
{
	char why[WHY_BYTES] = "";
	struct session session = {};
	struct options options;
	int status, err;

	if (!cli_parse(&options, COMMAND_REPLAY, argc, argv, &status))
		return status;
	if (!options.operands_count) {
		log_warnx("replay needs a capture: airglow replay FILE...");
		options_fini(&options);
		return CLI_USAGE;
	}
	if (options_number(&options, OPTION_SOURCES, 0) > SOURCES_TOLD_MAX) {
		log_warnx("--sources takes a number up to %d", SOURCES_TOLD_MAX);
		options_fini(&options);
		return CLI_USAGE;
	}
	err = open_session(&session, &options, why, sizeof(why));
	if (!err)
		err = run_session(&session, &options, why, sizeof(why));
	if (err)
		log_warnx("%s", why);
	status = err ? CLI_FAILED : session.complete ? CLI_OK : CLI_FAILED;
	close_session(&session);
	options_fini(&options);
	return status;
}
