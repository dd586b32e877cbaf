// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow doctor`: the report of a running sensor, or, when interfaces and prefixes are named, one of our own.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/view.h"
#include "doctor/doctor.h"

static json_t *check_object(const struct snapshot_check *check)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", check->name, "subject", check->subject, "state",
			 view_state(check->state), "value", check->value, "remedy", check->remedy);
}

static int print_json(const struct snapshot_check *checks, unsigned int count)
{
	json_t *list = json_array(), *report = NULL;
	int err = list ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < count && !err; i++)
		err = json_array_append_new(list, check_object(&checks[i])) ? -ENOMEM : 0;
	if (!err)
		report = json_pack("{s:s, s:O}", "state", view_state(doctor_worst(checks, count)), "checks",
				   list);
	if (!report || json_dumpf(report, stdout, JSON_INDENT(1)) || putchar('\n') == EOF)
		err = -EIO;
	json_decref(report);
	json_decref(list);
	return err;
}

static int report_checks(const struct options *options, const struct snapshot_check *checks, unsigned int count)
{
	int err = 0;

	if (options_has(options, OPTION_JSON))
		err = print_json(checks, count);
	else
		view_checks(stdout, checks, count);
	if (err || fflush(stdout)) {
		log_warnx("cannot print the report");
		return CLI_FAULT;
	}
	switch (doctor_worst(checks, count)) {
	case SNAPSHOT_FAULT:
		return CLI_FAULT;
	case SNAPSHOT_WARNING:
		return CLI_WARNING;
	default:
		return CLI_OK;
	}
}

/* Our own examination, as the sensor would make it with this configuration. */
static int examine_host(const struct options *options)
{
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX] = {};
	struct doctor_subject subject = {};
	struct config *config = NULL;
	int status = CLI_FAULT, count;
	char why[512];
	int err = cli_config(&config, options, why, sizeof(why));

	if (!err)
		err = config_check(config, true, why, sizeof(why));
	if (!err && config->netns)
		err = cli_enter_netns(config->netns, why, sizeof(why));
	subject.config = config;
	count = err ? err : doctor_run(&subject, checks, SNAPSHOT_CHECKS_MAX);
	if (!err && count < 0)
		snprintf(why, sizeof(why), "the doctor could not look at this host: %s", strerror(-count));
	if (count < 0)
		log_warnx("%s", why);
	else
		status = report_checks(options, checks, (unsigned int)count);
	config_free(&config);
	return status;
}

/* 0 when a sensor answered, with the exit status in *status. */
static int ask_sensor(const struct options *options, int *status, char *why, size_t why_size)
{
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	struct client *client = NULL;
	json_t *report = NULL;
	int err = client_new(&client, options, why, why_size);

	if (!err)
		err = client_get(client, "/api/v1/doctor", &report, why, why_size);
	if (!err)
		*status = report_checks(options, checks, view_read_checks(checks, SNAPSHOT_CHECKS_MAX, report));
	if (!err && !options_has(options, OPTION_JSON))
		printf("the sensor looked %" PRIu64 " s ago\n", view_integer(report, "age_seconds"));
	json_decref(report);
	client_free(&client);
	return err;
}

int doctor_main(int argc, char **argv)
{
	struct options options;
	char why[512];
	int status;
	bool itself;

	if (!cli_parse(&options, COMMAND_DOCTOR, argc, argv, &status))
		return status;
	/* Options that describe a sensor ask for an examination of our own; a file alone, for a sensor that
	 * runs it. */
	itself = options_has(&options, OPTION_IFACE) || options_has(&options, OPTION_DARK) ||
		 options_has(&options, OPTION_SCOPE);
	if (!itself && ask_sensor(&options, &status, why, sizeof(why))) {
		if (options_has(&options, OPTION_CONFIG) && !options_has(&options, OPTION_SENSOR)) {
			itself = true;
		} else {
			log_warnx(
				"%s; to examine this host without a sensor, give --iface and --dark, or -c FILE",
				why);
			status = CLI_NO_SENSOR;
		}
	}
	if (itself)
		status = examine_host(&options);
	options_fini(&options);
	return status;
}
