// SPDX-License-Identifier: GPL-2.0-only
/*
 * The doctor for test-doctor: doctor_driver [--iface NAME[:FEED[:MODE]]]... [--dark PREFIX]... [--live
 * PREFIX]... prints a line a result: state, check, subject, value, remedy, separated by tabs. doctor_driver
 * --watch [the same]: runs the sensor, and examines it for every line of input; an empty line ends each report.
 * doctor_driver --hold NAME OBJECT: attaches an object's program by a BPF link, says so, and holds it until its
 * input ends.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/address.h"
#include "collect/collect.h"
#include "doctor/doctor.h"
#include "engine/attach.h"
#include "engine/engine.h"

#define PREFIXES 64

static struct config_interface interfaces[AG_INTERFACES_MAX];
static struct plan_prefix prefixes[PREFIXES];
static struct config_scope scope = {"dark"};
static struct config config = {
	.interfaces = interfaces, .prefixes = prefixes, .scopes = &scope, .scopes_count = 1};

static void add_interface(char *text)
{
	static const char *const feeds[AG_FEED_MAX] = {
#define AG_FEED(name, label, drops, help) [AG_FEED_##name] = label,
#include "airglow/feed.def"
#undef AG_FEED
	};
	struct config_interface *interface = &interfaces[config.interfaces_count++];
	char *feed, *mode;

	interface->name = strtok(text, ":");
	feed = strtok(NULL, ":");
	mode = strtok(NULL, ":");
	for (unsigned int i = 0; feed && i < AG_FEED_MAX; i++)
		if (!strcmp(feed, feeds[i]))
			interface->feed = (enum ag_feed)i;
	if (mode && !strcmp(mode, "native"))
		interface->mode = CONFIG_MODE_NATIVE;
	if (mode && !strcmp(mode, "generic"))
		interface->mode = CONFIG_MODE_GENERIC;
}

static int add_prefix(const char *text, unsigned int in_scope)
{
	struct plan_prefix *prefix = &prefixes[config.prefixes_count++];
	char why[256];
	int err = prefix_parse(&prefix->prefix, text, why, sizeof(why));

	if (err)
		fprintf(stderr, "doctor_driver: %s\n", why);
	prefix->scope = in_scope;
	return err;
}

static int examine(const struct snapshot *snapshot, struct doctor_past *past)
{
	static const char *const states[] = {
		[SNAPSHOT_OK] = "ok",
		[SNAPSHOT_WARNING] = "warning",
		[SNAPSHOT_FAULT] = "fault",
		[SNAPSHOT_UNKNOWN] = "unknown",
	};
	struct doctor_subject subject = {.config = &config, .snapshot = snapshot, .past = past};
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	int count = doctor_run(&subject, checks, SNAPSHOT_CHECKS_MAX);

	if (count < 0) {
		fprintf(stderr, "doctor_driver: %s\n", strerror(-count));
		return 2;
	}
	for (int i = 0; i < count; i++)
		printf("%s\t%s\t%s\t%s\t%s\n", states[checks[i].state], checks[i].name, checks[i].subject,
		       checks[i].value, checks[i].remedy);
	return (int)doctor_worst(checks, (unsigned int)count);
}

struct telescope {
	struct plan *plan;
	struct engine *engine;
	struct attachment *attachments[AG_INTERFACES_MAX];
	struct collector *collector;
};

static int start(struct telescope *t, char *why, size_t why_size)
{
	struct engine_options options = {.kind = ENGINE_KERNEL};
	struct collector_options watched = {.config = &config, .live = true};
	int err = plan_new(&t->plan, prefixes, config.prefixes_count, false, why, why_size);

	for (size_t i = 0; !err && i < config.interfaces_count; i++)
		err = attach_describe(&t->plan->settings.interfaces[i], interfaces[i].name, interfaces[i].feed,
				      why, why_size);
	options.plan = t->plan;
	watched.plan = t->plan;
	if (!err)
		err = engine_open(&t->engine, &options, why, why_size);
	watched.engine = t->engine;
	if (!err)
		err = collector_new(&t->collector, &watched, why, why_size);
	for (size_t i = 0; !err && i < config.interfaces_count; i++) {
		err = attach_interface(&t->attachments[i], engine_program_fd(t->engine), interfaces[i].name,
				       interfaces[i].mode, NULL, why, why_size);
		if (!err)
			err = collector_add_interface(t->collector, interfaces[i].name, (unsigned int)i,
						      interfaces[i].feed, attach_mode(t->attachments[i]));
	}
	return err;
}

static void stop(struct telescope *t)
{
	for (size_t i = 0; i < AG_INTERFACES_MAX; i++)
		attach_free(&t->attachments[i]);
	collector_free(&t->collector);
	engine_free(&t->engine);
	plan_free(&t->plan);
}

static int watch(void)
{
	struct telescope telescope = {0};
	struct doctor_past past = {0};
	char why[512] = "", line[16];

	if (start(&telescope, why, sizeof(why))) {
		fprintf(stderr, "doctor_driver: %s\n", why);
		stop(&telescope);
		return 2;
	}
	printf("watching\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		struct snapshot *snapshot = collector_snapshot(telescope.collector);

		examine(snapshot, &past);
		printf("\n");
		fflush(stdout);
		snapshot_unref(&snapshot);
	}
	stop(&telescope);
	return 0;
}

static int hold(const char *name, const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_link *link;
	char byte;

	if (!object || bpf_object__load(object))
		return 2;
	link = bpf_program__attach_xdp(bpf_object__next_program(object, NULL), (int)if_nametoindex(name));
	if (!link)
		return 2;
	printf("holding\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	bpf_link__destroy(link);
	bpf_object__close(object);
	return 0;
}

int main(int argc, char **argv)
{
	bool watching = argc > 1 && !strcmp(argv[1], "--watch");

	if (argc == 4 && !strcmp(argv[1], "--hold"))
		return hold(argv[2], argv[3]);
	for (int i = watching ? 2 : 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--iface") && config.interfaces_count < AG_INTERFACES_MAX)
			add_interface(argv[i + 1]);
		else if (config.prefixes_count == PREFIXES ||
			 add_prefix(argv[i + 1], !strcmp(argv[i], "--dark")))
			return 2;
	}
	return watching ? watch() : examine(NULL, NULL);
}
