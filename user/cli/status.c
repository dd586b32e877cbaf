// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow status`: one page about a running sensor, from its API.
 */
#include <inttypes.h>
#include <time.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/view.h"
#include "doctor/doctor.h"

static void print_head(const struct client *client, const json_t *summary)
{
	uint64_t now = view_integer(summary, "time"), start = view_integer(summary, "start_time");
	char duration[28], received[28], dark[28], sources[28];

	printf("airglow at %s%s, up %s\n", client_scheme(client), client_address(client),
	       view_duration(duration, sizeof(duration), now > start ? (double)(now - start) : 0));
	printf("  received       %s packets, %s of them to dark addresses, from about %s sources\n",
	       view_count(received, sizeof(received), view_integer(summary, "received")),
	       view_count(dark, sizeof(dark), view_integer(summary, "dark")),
	       view_count(sources, sizeof(sources), view_integer(summary, "sources")));
}

/* One interface: feed, mode, packets, and the drops that its driver tells. */
static void print_interface(const char *name, const json_t *one)
{
	const json_t *dropped = json_object_get(one, "dropped"), *value;
	const char *feed = json_string_value(json_object_get(one, "feed"));
	const char *mode = json_string_value(json_object_get(one, "mode")), *key;
	char received[28], count[28];

	printf("  %-14s feed %s, %s mode, %s packets%s; driver drops:", name, feed ? feed : "?",
	       mode ? mode : "?", view_count(received, sizeof(received), view_integer(one, "received")),
	       json_is_true(json_object_get(one, "present")) ? "" : " (GONE: nothing is counted there)");
	if (!json_object_size(dropped))
		printf(" unknown");
	json_object_foreach((json_t *)(uintptr_t)dropped, key, value)
		printf(" %s %s", key,
		       json_is_integer(value) ? view_count(count, sizeof(count), view_integer(dropped, key))
					      : "unknown");
	printf("\n");
}

static void print_interfaces(const json_t *summary)
{
	const char *name;
	json_t *one;

	printf("interfaces\n");
	json_object_foreach(json_object_get(summary, "nic"), name, one) print_interface(name, one);
}

/* true: every law holds. */
static bool print_ledger(const json_t *summary)
{
	bool balanced = true;
	const char *law, *between = " ";
	json_t *value;

	printf("ledger          ");
	json_object_foreach(json_object_get(summary, "ledger"), law, value)
	{
		balanced = balanced && !json_integer_value(value);
		printf("%s%s ", between, law);
		if (json_integer_value(value))
			printf("is out by %" JSON_INTEGER_FORMAT " packets", json_integer_value(value));
		else
			printf("balances");
		between = "; ";
	}
	printf("\n");
	return balanced;
}

static void print_memory(const json_t *summary)
{
	const json_t *memory = json_object_get(summary, "memory");

	printf("memory           maps %.1f MB, process %.1f MB\n",
	       (double)view_integer(memory, "map_bytes") / 1e6,
	       (double)view_integer(memory, "rss_anon_bytes") / 1e6);
}

static void print_doctor(const struct snapshot_check *checks, unsigned int count)
{
	unsigned int states[SNAPSHOT_UNKNOWN + 1] = {};

	for (unsigned int i = 0; i < count; i++)
		states[checks[i].state]++;
	printf("doctor           %u ok, %u warning%s, %u fault%s, %u unknown%s\n", states[SNAPSHOT_OK],
	       states[SNAPSHOT_WARNING], states[SNAPSHOT_WARNING] == 1 ? "" : "s", states[SNAPSHOT_FAULT],
	       states[SNAPSHOT_FAULT] == 1 ? "" : "s", states[SNAPSHOT_UNKNOWN],
	       states[SNAPSHOT_WARNING] + states[SNAPSHOT_FAULT] ? "; \"airglow doctor\" tells the cures" : "");
	for (unsigned int i = 0; i < count; i++)
		if (checks[i].state == SNAPSHOT_WARNING || checks[i].state == SNAPSHOT_FAULT)
			printf("  %-14s %s: %s%s%s\n", view_state(checks[i].state), checks[i].name,
			       checks[i].subject, *checks[i].subject ? ": " : "", checks[i].value);
}

static int worst_status(const struct snapshot_check *checks, unsigned int count, bool balanced)
{
	enum snapshot_state worst = doctor_worst(checks, count);

	if (worst == SNAPSHOT_FAULT || !balanced)
		return CLI_FAULT;
	return worst == SNAPSHOT_WARNING ? CLI_WARNING : CLI_OK;
}

static int print_page(const struct client *client, const json_t *summary, const json_t *report)
{
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	unsigned int count = view_read_checks(checks, SNAPSHOT_CHECKS_MAX, report);
	struct snapshot_reach reach;
	bool balanced;

	print_head(client, summary);
	if (view_read_reach(&reach, summary))
		view_reach(stdout, &reach);
	print_interfaces(summary);
	balanced = print_ledger(summary);
	print_doctor(checks, count);
	print_memory(summary);
	return worst_status(checks, count, balanced);
}

/* The objects of the API as they are, under their names. */
static int print_objects(json_t *summary, json_t *report)
{
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	unsigned int count = view_read_checks(checks, SNAPSHOT_CHECKS_MAX, report);
	json_t *both = json_pack("{s:O, s:O}", "summary", summary, "doctor", report);
	const char *law;
	json_t *value;
	bool balanced = true;

	if (!both || json_dumpf(both, stdout, JSON_INDENT(1)) || putchar('\n') == EOF)
		log_warnx("cannot print the answer");
	json_decref(both);
	json_object_foreach(json_object_get(summary, "ledger"), law, value) balanced =
		balanced && !json_integer_value(value);
	return worst_status(checks, count, balanced);
}

int status_main(int argc, char **argv)
{
	struct options options;
	struct client *client = NULL;
	json_t *summary = NULL, *report = NULL;
	char why[512];
	int status, err;

	if (!cli_parse(&options, COMMAND_STATUS, argc, argv, &status))
		return status;
	err = client_new(&client, &options, why, sizeof(why));
	status = CLI_USAGE;
	if (!err) {
		status = CLI_NO_SENSOR;
		err = client_get(client, "/api/v1/summary", &summary, why, sizeof(why));
	}
	if (!err)
		err = client_get(client, "/api/v1/doctor", &report, why, sizeof(why));
	if (err)
		log_warnx("%s", why);
	else if (options_has(&options, OPTION_JSON))
		status = print_objects(summary, report);
	else
		status = print_page(client, summary, report);
	json_decref(report);
	json_decref(summary);
	client_free(&client);
	options_fini(&options);
	return status;
}
