// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow lookup ADDRESS`: what a running sensor knows of one source, from its API.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/view.h"

#define FLOWS_SHOWN 20

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static void print_time(const char *before, uint64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm utc;
	char text[32];

	gmtime_r(&time, &utc);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &utc);
	printf("%s%s", before, text);
}

/* "scan 40, backscatter 3": those that are not 0. */
static void print_counts(json_t *counts)
{
	const char *name, *between = "";
	char count[28];
	json_t *value;

	json_object_foreach(counts, name, value)
	{
		if (!view_integer(counts, name))
			continue;
		printf("%s%s %s", between, name, view_count(count, sizeof(count), view_integer(counts, name)));
		between = ", ";
	}
}

static void print_source(const json_t *source)
{
	const json_t *anomalies = json_object_get(source, "anomalies"), *anomaly;
	json_t *hits = json_object_get(source, "tool_hits");
	char packets[28], bytes[28], ports[28], destinations[28];
	size_t i;

	printf("%s\n", text_of(source, "source"));
	printf("  packets        %s (%s bytes): ",
	       view_count(packets, sizeof(packets), view_integer(source, "packets")),
	       view_count(bytes, sizeof(bytes), view_integer(source, "bytes")));
	print_counts(json_object_get(source, "classes"));
	printf("\n  tool           %s%s", text_of(source, "tool"), json_object_size(hits) ? "; matches: " : "");
	print_counts(hits);
	printf("\n  asked for      %s%s ports of TCP and UDP, about %s destinations\n",
	       json_is_true(json_object_get(source, "ports_at_least")) ? "at least " : "",
	       view_count(ports, sizeof(ports), view_integer(source, "ports")),
	       view_count(destinations, sizeof(destinations), view_integer(source, "destinations")));
	printf("  tcp flags      %s\n", text_of(source, "tcp_flags"));
	if (json_array_size(anomalies)) {
		printf("  anomalies     ");
		json_array_foreach(anomalies, i, anomaly)
		{
			printf(" %s", json_string_value(anomaly));
		}
		printf("\n");
	}
	print_time("  seen           ", view_integer(source, "first_seen"));
	print_time(" to ", view_integer(source, "last_seen"));
	printf(" UTC\n");
}

/* "tcp 23", "icmp 8/0", "47". */
static void print_service(const json_t *object)
{
	uint64_t protocol = view_integer(object, "protocol");
	char text[32];

	if (json_object_get(object, "icmp"))
		snprintf(text, sizeof(text), "%s %s", protocol == IPPROTO_ICMP ? "icmp" : "icmpv6",
			 text_of(object, "icmp"));
	else if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		snprintf(text, sizeof(text), "%s %" PRIu64, protocol == IPPROTO_TCP ? "tcp" : "udp",
			 view_integer(object, "port"));
	else if (protocol)
		snprintf(text, sizeof(text), "protocol %" PRIu64, protocol);
	else
		snprintf(text, sizeof(text), "many ports");
	printf("%-14s", text);
}

static void print_flows(const json_t *flows)
{
	char packets[28], destinations[28];
	const json_t *flow;
	size_t i;

	printf("flows\n");
	json_array_foreach(flows, i, flow)
	{
		if (i == FLOWS_SHOWN) {
			printf("  ... and %zu with fewer packets; --json has them\n",
			       json_array_size(flows) - i);
			break;
		}
		printf("  %-14s ", text_of(flow, "class"));
		print_service(flow);
		printf(" %12s packets, about %s destinations",
		       view_count(packets, sizeof(packets), view_integer(flow, "packets")),
		       view_count(destinations, sizeof(destinations), view_integer(flow, "destinations")));
		print_time(", last ", view_integer(flow, "last_seen"));
		printf("\n");
	}
}

static void print_alerts(const json_t *alerts)
{
	char packets[28], distinct[28];
	const json_t *alert;
	size_t i;

	printf("alerts\n");
	json_array_foreach(alerts, i, alert)
	{
		printf("  %-14s ", text_of(alert, "kind"));
		print_service(alert);
		printf(" %12s packets, %s distinct%s",
		       view_count(packets, sizeof(packets), view_integer(alert, "packets")),
		       view_count(distinct, sizeof(distinct), view_integer(alert, "distinct")),
		       json_is_true(json_object_get(alert, "slow")) ? ", slow" : "");
		print_time(", raised ", view_integer(alert, "raised"));
		printf("\n");
	}
	if (!json_array_size(alerts))
		printf("  (none)\n");
}

/* The alerts of the source, under its object. */
static int join_alerts(json_t *source, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "alerts");
	json_t *alerts = json_array(), *alert;
	int err = alerts ? 0 : -ENOMEM;
	size_t i;

	json_array_foreach(list, i, alert)
	{
		if (!strcmp(text_of(alert, "source"), text_of(source, "source")) &&
		    json_array_append(alerts, alert))
			err = -ENOMEM;
	}
	if (json_object_set_new(source, "alerts", alerts))
		err = -ENOMEM;
	return err;
}

static int print_answer(json_t *source, bool json)
{
	if (json) {
		if (json_dumpf(source, stdout, JSON_INDENT(1)) || putchar('\n') == EOF)
			return -EIO;
	} else {
		print_source(source);
		print_flows(json_object_get(source, "flows"));
		print_alerts(json_object_get(source, "alerts"));
	}
	return fflush(stdout) ? -EIO : 0;
}

/* The exit status. */
static int look_up(struct client *client, const char *address, bool json, char *why, size_t why_size)
{
	json_t *source = NULL, *answer = NULL;
	int status = CLI_OK, err;
	char path[128];

	snprintf(path, sizeof(path), "/api/v1/sources/%s", address);
	err = client_get(client, path, &source, why, why_size);
	if (err == -ENOENT)
		snprintf(
			why, why_size,
			"%s is unknown to the sensor at %s: it sent nothing to dark addresses, or it was forgotten",
			address, client_address(client));
	if (!err)
		err = client_get(client, "/api/v1/alerts", &answer, why, why_size);
	if (err)
		status = err == -ENOENT ? CLI_FAILED : CLI_NO_SENSOR;
	else if (join_alerts(source, answer) || print_answer(source, json))
		status = CLI_FAILED;
	if (!err && status)
		snprintf(why, why_size, "cannot print the answer");
	json_decref(answer);
	json_decref(source);
	return status;
}

int lookup_main(int argc, char **argv)
{
	char address[ADDRESS_TEXT_BYTES], why[512];
	struct client *client = NULL;
	struct options options;
	uint64_t hi, lo;
	int status, err = 0;
	bool v6;

	if (!cli_parse(&options, COMMAND_LOOKUP, argc, argv, &status))
		return status;
	status = CLI_USAGE;
	if (options.operands_count != 1) {
		snprintf(why, sizeof(why), "lookup takes one address: airglow lookup ADDRESS");
		err = -EINVAL;
	}
	if (!err)
		err = address_parse(&hi, &lo, &v6, options.operands[0], why, sizeof(why));
	if (!err)
		err = client_new(&client, &options, why, sizeof(why));
	if (!err)
		status = look_up(client, address_format(address, sizeof(address), hi, lo, v6),
				 options_has(&options, OPTION_JSON), why, sizeof(why));
	if (status != CLI_OK)
		log_warnx("%s", why);
	client_free(&client);
	options_fini(&options);
	return status;
}
