// SPDX-License-Identifier: GPL-2.0-only
/*
 * The doctor without a sensor, for test-doctor: doctor_driver [--iface NAME[:FEED[:MODE]]]… [--dark PREFIX]…
 * [--live PREFIX]… prints a line a result: state, check, subject, value, remedy, separated by tabs.
 * doctor_driver --hold NAME OBJECT attaches an object's program by a BPF link, says so, and holds it until its
 * input ends.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "doctor/doctor.h"

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

static int add_prefix(char *text, unsigned int in_scope)
{
	struct plan_prefix *prefix = &prefixes[config.prefixes_count++];
	char *slash = strchr(text, '/');
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	prefix->prefix.family = family == AF_INET ? 4 : 6;
	prefix->prefix.length = family == AF_INET ? 32 : 128;
	prefix->scope = in_scope;
	if (slash) {
		*slash = '\0';
		prefix->prefix.length = (uint8_t)strtoul(slash + 1, NULL, 10);
	}
	return inet_pton(family, text, prefix->prefix.addr) == 1 ? 0 : -1;
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
	static const char *const states[] = {
		[SNAPSHOT_OK] = "ok",
		[SNAPSHOT_WARNING] = "warning",
		[SNAPSHOT_FAULT] = "fault",
		[SNAPSHOT_UNKNOWN] = "unknown",
	};
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	struct doctor_subject subject = {.config = &config};
	int count;

	if (argc == 4 && !strcmp(argv[1], "--hold"))
		return hold(argv[2], argv[3]);
	for (int i = 1; i + 1 < argc; i += 2) {
		int bad = 0;

		if (!strcmp(argv[i], "--iface") && config.interfaces_count < AG_INTERFACES_MAX)
			add_interface(argv[i + 1]);
		else if (config.prefixes_count < PREFIXES)
			bad = add_prefix(argv[i + 1], !strcmp(argv[i], "--dark"));
		if (bad) {
			fprintf(stderr, "doctor_driver: cannot read %s\n", argv[i + 1]);
			return 2;
		}
	}
	count = doctor_run(&subject, checks, SNAPSHOT_CHECKS_MAX);
	if (count < 0) {
		fprintf(stderr, "doctor_driver: %s\n", strerror(-count));
		return 2;
	}
	for (int i = 0; i < count; i++)
		printf("%s\t%s\t%s\t%s\t%s\n", states[checks[i].state], checks[i].name, checks[i].subject,
		       checks[i].value, checks[i].remedy);
	return (int)doctor_worst(checks, (unsigned int)count);
}
