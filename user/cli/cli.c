// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the commands share (cli.h): options read, and the configuration that file and options make together.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"

bool cli_parse(struct options *options, enum command command, int argc, char **argv, int *status)
{
	unsigned int level = command == COMMAND_RUN ? LOG_INFO : LOG_WARN;
	char why[512];

	libbpf_set_print(log_libbpf);
	if (options_parse(options, command, argc, argv, why, sizeof(why))) {
		log_warnx("%s", why);
		*status = CLI_USAGE;
		return false;
	}
	if (options_has(options, OPTION_HELP)) {
		options_print_help(stdout, command);
		options_fini(options);
		*status = fflush(stdout) ? CLI_FAILED : CLI_OK;
		return false;
	}
	level += options_count(options, OPTION_VERBOSE);
	log_set_level(level > LOG_TRACE ? LOG_TRACE : (enum log_level)level);
	return true;
}

static int add_interface(void *arg, const char *part, char *why, size_t why_size)
{
	return config_add_interface(arg, part, why, why_size);
}

static int add_interfaces(struct config *config, const struct options *options, char *why, size_t why_size)
{
	const char *feed = options_text(options, OPTION_FEED, "observe"), *list;
	size_t cursor = 0, first = config->interfaces_count;

	if (config_feed(feed) == AG_FEED_MAX) {
		snprintf(why, why_size,
			 "--feed does not take \"%.60s\"; it wants observe, routed, mirror, tunnel or self",
			 feed);
		return -EINVAL;
	}
	while ((list = options_next(options, OPTION_IFACE, &cursor))) {
		int err = list_each(list, add_interface, config, why, why_size);

		if (err)
			return err;
	}
	for (size_t i = first; i < config->interfaces_count; i++) {
		config->interfaces[i].feed = config_feed(feed);
		config->interfaces[i].mode =
			(enum config_mode)options_number(options, OPTION_MODE, CONFIG_MODE_AUTO);
	}
	if (first == config->interfaces_count &&
	    (options_has(options, OPTION_FEED) || options_has(options, OPTION_MODE))) {
		snprintf(why, why_size,
			 "--feed and --mode are for the interfaces of --iface, and none is given; "
			 "in a file write feed: and mode: beside the name");
		return -EINVAL;
	}
	return 0;
}

/* NAME=PREFIX[,PREFIX...] */
static int add_scope(struct config *config, const char *text, char *why, size_t why_size)
{
	const char *equals = strchr(text, '=');
	CLEANUP(cleanup_free) char *name = equals ? strndup(text, (size_t)(equals - text)) : NULL;

	if (!equals) {
		snprintf(why, why_size, "--scope does not take \"%.60s\"; it wants NAME=PREFIX[,PREFIX...]",
			 text);
		return -EINVAL;
	}
	if (!name) {
		snprintf(why, why_size, "not enough memory for the configuration");
		return -ENOMEM;
	}
	return config_add_dark(config, equals + 1, name, why, why_size);
}

static int add_prefixes(struct config *config, const struct options *options, char *why, size_t why_size)
{
	int err = 0;

	for (size_t i = 0; i < options->given_count && !err; i++) {
		const struct option_given *given = &options->given[i];

		if (given->id == OPTION_DARK)
			err = config_add_dark(config, given->text, NULL, why, why_size);
		else if (given->id == OPTION_SCOPE)
			err = add_scope(config, given->text, why, why_size);
		else if (given->id == OPTION_LIVE)
			err = config_add_live(config, given->text, why, why_size);
		else if (given->id == OPTION_DECAP)
			err = config_add_decap(config, given->text, why, why_size);
		else if (given->id == OPTION_LIVE_PORTS)
			err = config_add_live_ports(config, given->text, why, why_size);
	}
	return err;
}

/* All --listen, with commas between them, in place of the file's. */
static int set_listen(struct config *config, const struct options *options, char *why, size_t why_size)
{
	const char *text;
	size_t cursor = 0;
	char *joined = NULL, *more;

	while ((text = options_next(options, OPTION_LISTEN, &cursor))) {
		if (asprintf(&more, "%s%s%s", joined ? joined : "", joined ? "," : "", text) < 0) {
			free(joined);
			snprintf(why, why_size, "not enough memory for the configuration");
			return -ENOMEM;
		}
		free(joined);
		joined = more;
	}
	if (joined) {
		free(config->listen);
		config->listen = joined;
	}
	return 0;
}

/* Texts and numbers of the options in place of the file's. */
static int set_values(struct config *config, const struct options *options, char *why, size_t why_size)
{
	const struct {
		enum option_id id;
		char **into;
	} texts[] = {{OPTION_WEB_CONFIG, &config->web_config},
		     {OPTION_NETNS, &config->netns},
		     {OPTION_STATE, &config->state},
		     {OPTION_PINS, &config->pins},
		     {OPTION_RUN_AS, &config->user}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = options_text(options, texts[i].id, NULL);
		char *copy = text ? strdup(text) : NULL;

		if (!text)
			continue;
		if (!copy) {
			snprintf(why, why_size, "not enough memory for the configuration");
			return -ENOMEM;
		}
		free(*texts[i].into);
		*texts[i].into = copy;
	}
	config->keep = config->keep || options_has(options, OPTION_KEEP);
	config->listen_open = config->listen_open || options_has(options, OPTION_LISTEN_OPEN);
	config->memory_bytes = options_number(options, OPTION_MEMORY, config->memory_bytes);
	config->addresses = options_number(options, OPTION_ADDRESSES, config->addresses);
	config->replay = options->command == COMMAND_REPLAY;
	config->own_flows = options_has(options, OPTION_OWN_FLOWS);
	return 0;
}

int cli_config(struct config **out, const struct options *options, char *why, size_t why_size)
{
	const char *path = options_text(options, OPTION_CONFIG, NULL);
	struct config *config;
	int err = config_new(&config);

	if (err) {
		snprintf(why, why_size, "not enough memory for the configuration");
		return err;
	}
	if (path)
		err = config_read(config, path, why, why_size);
	if (!err)
		err = add_interfaces(config, options, why, why_size);
	if (!err)
		err = add_prefixes(config, options, why, why_size);
	if (!err)
		err = set_listen(config, options, why, why_size);
	if (!err)
		err = set_values(config, options, why, why_size);
	if (err) {
		config_free(&config);
		return err;
	}
	*out = config;
	return 0;
}

int cli_enter_netns(const char *name, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int fd = -1;
	char path[300];
	int err = 0;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		snprintf(why, why_size,
			 "cannot open the network namespace %.60s: %s; \"ip netns\" lists those there are",
			 name, strerror(-err));
	} else if (setns(fd, CLONE_NEWNET)) {
		err = -errno;
		snprintf(why, why_size, "cannot enter the network namespace %.60s: %s%s", name, strerror(-err),
			 err == -EPERM ? "; run as root or with CAP_SYS_ADMIN" : "");
	}
	return err;
}
