// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paths and what they answer (endpoint.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "serve/endpoint.h"
#include "serve/labels.h"
#include "serve/metrics.h"
#include "serve/serve.h"
#include "version.h"

#define TYPE_JSON	 "application/json"
#define TYPE_TEXT	 "text/plain; charset=utf-8"
#define TYPE_HTML	 "text/html; charset=utf-8"
#define TYPE_PROMETHEUS	 "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define NS		 1000000000LL
#define FRESH_NS	 (5 * NS)
#define LIMIT_MAX	 131072

/* Takes the reference to object. */
static int answer_json(struct answer *answer, json_t *object)
{
	char *body = object ? json_dumps(object, JSON_INDENT(1)) : NULL;

	json_decref(object);
	if (!body)
		return -ENOMEM;
	answer->body = body;
	answer->size = strlen(body);
	answer->type = TYPE_JSON;
	return 0;
}

int endpoint_error(struct answer *answer, unsigned int status, const char *error, const char *reason)
{
	answer->status = status;
	return answer_json(answer, json_pack("{s:s, s:s}", "error", error, "reason", reason));
}

static int answer_metrics(struct answer *answer, const struct snapshot *s, const struct request *r,
			  unsigned int (*write)(FILE *, const struct snapshot *, bool))
{
	FILE *out = open_memstream(&answer->body, &answer->size);
	bool failed;

	if (!out)
		return -ENOMEM;
	write(out, s, r->openmetrics);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	answer->type = r->openmetrics ? TYPE_OPENMETRICS : TYPE_PROMETHEUS;
	return failed ? -ENOMEM : 0;
}

static int render_metrics(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	return answer_metrics(answer, s, r, serve_metrics);
}

static int render_port_metrics(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	return answer_metrics(answer, s, r, serve_port_metrics);
}

static int render_summary(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	(void)r;
	return answer_json(answer, serve_summary(s));
}

/* A part of the summary under its own path. */
static int render_part(struct answer *answer, const struct snapshot *s, const char *name)
{
	json_t *summary = serve_summary(s), *part = json_object_get(summary, name), *object;

	object = part ? json_pack("{s:O}", name, part) : NULL;
	json_decref(summary);
	return answer_json(answer, object);
}

static int render_scopes(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	(void)r;
	return render_part(answer, s, "scopes");
}

/* Nobody may be promoted: then there is nothing to list. */
static int render_promoted(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	(void)r;
	if (!s->promoted_count)
		return answer_json(answer, json_pack("{s:[]}", "promoted"));
	return render_part(answer, s, "promoted");
}

static int render_tools(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	json_t *array = json_array();
	unsigned int i;

	static const struct {
		unsigned int bits;
		const char *rule;
	} rules[AG_TOOL_MAX] = {
#define AG_TOOL(name, label, chance_bits, help) {chance_bits, help},
#include "airglow/tool.def"
#undef AG_TOOL
	};

	(void)r;
	for (i = 0; i < AG_TOOL_MAX; i++)
		json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:s}", "tool", labels_tool[i],
						       "packets", (json_int_t)s->totals.tool[i], "chance_bits",
						       (json_int_t)rules[i].bits, "rule", rules[i].rule));
	return answer_json(answer, json_pack("{s:o}", "tools", array));
}

static json_t *nic_rows(const struct snapshot *s)
{
	json_t *summary = serve_summary(s), *nic = json_object_get(summary, "nic");

	nic = nic ? json_incref(nic) : json_object();
	json_decref(summary);
	return nic;
}

static json_int_t sum(const __u64 *counts, size_t n)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < n; i++)
		total += counts[i];
	return (json_int_t)total;
}

static json_t *lost_rows(const struct reader_totals *t)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < AG_LOST_MAX; i++)
		json_object_set_new(object, labels_lost[i], json_integer((json_int_t)t->lost[i]));
	return object;
}

static int render_ledger(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	const struct ag_counters *t = &s->totals;

	static const char *const equations[AG_LAW_MAX] = {
#define AG_LAW(name, label, equation) equation,
#include "airglow/law.def"
#undef AG_LAW
	};

	const struct reader_totals *f = &s->flow;
	json_t *l1, *l2, *l3;

	(void)r;
	l1 = json_pack("{s:s, s:I, s:I, s:I}", "law", equations[AG_LAW_L1], "imbalance",
		       (json_int_t)s->imbalance[AG_LAW_L1], "received", (json_int_t)t->received, "outcomes",
		       sum(t->outcome, AG_OUTCOME_MAX));
	l2 = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "law", equations[AG_LAW_L2], "imbalance",
		       (json_int_t)s->imbalance[AG_LAW_L2], "dark", (json_int_t)t->dark, "classes",
		       sum(&t->class_packets[0][0], sizeof(t->class_packets) / sizeof(__u64)), "protocols",
		       sum(t->protocol, 256), "tcp_ports", sum(s->ports.tcp, AG_PORTS), "udp_ports",
		       sum(s->ports.udp, AG_PORTS), "no_port", (json_int_t)t->no_port);
	l3 = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "law", equations[AG_LAW_L3], "imbalance",
		       (json_int_t)s->imbalance[AG_LAW_L3], "intervals", (json_int_t)f->intervals, "dark",
		       (json_int_t)f->dark, "record_packets", (json_int_t)f->record_packets, "touches",
		       (json_int_t)f->touches);
	return answer_json(answer, json_pack("{s:{s:o, s:o, s:o}, s:o, s:o}", "laws", "L1", l1, "L2", l2, "L3",
					     l3, "lost", lost_rows(f), "nic", nic_rows(s)));
}

static const char *const states[] = {[SNAPSHOT_OK] = "ok",
				     [SNAPSHOT_WARNING] = "warning",
				     [SNAPSHOT_FAULT] = "fault",
				     [SNAPSHOT_UNKNOWN] = "unknown"};

static int render_doctor(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	json_t *array = json_array();
	enum snapshot_state worst = SNAPSHOT_OK;
	unsigned int i;

	(void)r;
	for (i = 0; i < s->checks_count; i++) {
		const struct snapshot_check *c = &s->checks[i];

		if (c->state != SNAPSHOT_UNKNOWN && c->state > worst)
			worst = c->state;
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", c->name, "subject",
						       c->subject, "state", states[c->state], "value", c->value,
						       "remedy", c->remedy));
	}
	return answer_json(answer, json_pack("{s:s, s:I, s:o}", "state", states[worst], "age_seconds",
					     (json_int_t)(s->checks_ns ? (s->time_ns - s->checks_ns) / NS : -1),
					     "checks", array));
}

struct port_row {
	unsigned int port;
	uint64_t packets;
	const char *protocol;
};

static int compare_rows(const void *a, const void *b)
{
	const struct port_row *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	if (x->protocol != y->protocol)
		return strcmp(x->protocol, y->protocol);
	return x->port < y->port ? -1 : x->port > y->port;
}

static size_t collect_rows(struct port_row *rows, size_t used, const __u64 counts[AG_PORTS],
			   const char *protocol)
{
	unsigned int port;

	for (port = 0; port < AG_PORTS; port++)
		if (counts[port])
			rows[used++] = (struct port_row){port, counts[port], protocol};
	return used;
}

static int render_ports(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	struct port_row *rows = calloc((size_t)2 * AG_PORTS, sizeof(*rows));
	json_t *array;
	size_t used = 0, i;

	if (!rows)
		return -ENOMEM;
	if (!r->protocol || !strcmp(r->protocol, "tcp"))
		used = collect_rows(rows, used, s->ports.tcp, "tcp");
	if (!r->protocol || !strcmp(r->protocol, "udp"))
		used = collect_rows(rows, used, s->ports.udp, "udp");
	if (!r->by_port)
		qsort(rows, used, sizeof(*rows), compare_rows);
	array = json_array();
	for (i = 0; i < used && (!r->limit || i < r->limit); i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:i, s:I}", "protocol", rows[i].protocol, "port",
						(int)rows[i].port, "packets", (json_int_t)rows[i].packets));
	free(rows);
	return answer_json(answer, json_pack("{s:I, s:I, s:o}", "ports_with_packets", (json_int_t)used,
					     "no_port", (json_int_t)s->totals.no_port, "ports", array));
}

static int render_health(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	(void)s;
	(void)r;
	return answer_json(answer, json_pack("{s:s}", "status", "ok"));
}

static int render_ready(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	char reason[ENDPOINT_REASON_BYTES];
	struct timespec now;
	unsigned int i;

	(void)r;
	if (!s)
		return endpoint_error(answer, 503, "not ready", "no figures yet");
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec * 1000000000LL + now.tv_nsec - s->time_ns > FRESH_NS)
		return endpoint_error(answer, 503, "not ready", "the newest figures are older than 5 s");
	for (i = 0; i < s->interfaces_count; i++)
		if (!s->interfaces[i].present) {
			snprintf(reason, sizeof(reason), "interface %s is gone", s->interfaces[i].name);
			return endpoint_error(answer, 503, "not ready", reason);
		}
	return answer_json(answer, json_pack("{s:s}", "status", "ready"));
}

static int render_openapi(struct answer *answer, const struct snapshot *s, const struct request *r);
static int render_root(struct answer *answer, const struct snapshot *s, const struct request *r);

static const struct endpoint endpoints[] = {
	{"/", "what there is to ask for", {}, true, render_root},
	{"/metrics", "OpenMetrics or Prometheus text, bounded", {}, true, render_metrics},
	{"/metrics/ports", "every port with a count, as metrics", {}, true, render_port_metrics},
	{"/healthz", "200 while the process serves", {}, false, render_health},
	{"/readyz",
	 "200 while fresh figures exist and every interface is there, else 503",
	 {},
	 false,
	 render_ready},
	{"/api/v1/summary", "all figures, by the names of replay --json", {}, true, render_summary},
	{"/api/v1/ports", "packets by destination port", {"protocol", "limit", "sort"}, true, render_ports},
	{"/api/v1/scopes", "packets, bytes and addresses by scope", {}, true, render_scopes},
	{"/api/v1/promoted",
	 "dark addresses that the promoted sources reached, exact",
	 {},
	 true,
	 render_promoted},
	{"/api/v1/tools", "packets by the header rule of a sending program", {}, true, render_tools},
	{"/api/v1/ledger", "both sides of every law, and what the interfaces say", {}, true, render_ledger},
	{"/api/v1/doctor", "the newest checks with their cures", {}, true, render_doctor},
	{"/api/v1/openapi.json", "this list, for programs", {}, false, render_openapi},
};

#define ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

static json_t *describe_parameters(const struct endpoint *e)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < ENDPOINT_PARAMETERS_MAX && e->parameters[i]; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:{s:s}}", "name", e->parameters[i], "in", "query",
						"schema", "type",
						strcmp(e->parameters[i], "limit") ? "string" : "integer"));
	return array;
}

static int render_openapi(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	json_t *paths = json_object();
	size_t i;

	(void)s;
	(void)r;
	for (i = 0; i < ENDPOINTS; i++)
		json_object_set_new(paths, endpoints[i].path,
				    json_pack("{s:{s:s, s:o, s:{s:{s:s}}}}", "get", "summary",
					      endpoints[i].summary, "parameters",
					      describe_parameters(&endpoints[i]), "responses", "200",
					      "description", "done"));
	return answer_json(answer, json_pack("{s:s, s:{s:s, s:s}, s:o}", "openapi", "3.0.3", "info", "title",
					     "airglow", "version", AIRGLOW_VERSION, "paths", paths));
}

static int render_root(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	FILE *out = open_memstream(&answer->body, &answer->size);
	bool failed;
	size_t i;

	if (!out)
		return -ENOMEM;
	if (!r->plain)
		fputs("<!doctype html><meta charset=utf-8><title>airglow</title><h1>airglow</h1><pre>\n", out);
	fprintf(out,
		"airglow %s: %" PRIu64 " packets received, %" PRIu64 " dark, about %" PRIu64 " sources\n\n",
		AIRGLOW_VERSION, (uint64_t)s->totals.received, (uint64_t)s->totals.dark, s->sources);
	for (i = 0; i < ENDPOINTS; i++)
		if (r->plain)
			fprintf(out, "%-24s %s\n", endpoints[i].path, endpoints[i].summary);
		else
			fprintf(out, "<a href=\"%s\">%s</a>%*s%s\n", endpoints[i].path, endpoints[i].path,
				(int)(25 - strlen(endpoints[i].path)), "", endpoints[i].summary);
	if (!r->plain)
		fputs("</pre>\n", out);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	answer->type = r->plain ? TYPE_TEXT : TYPE_HTML;
	return failed ? -ENOMEM : 0;
}

const struct endpoint *endpoint_find(const char *path)
{
	size_t i;

	for (i = 0; i < ENDPOINTS; i++)
		if (!strcmp(endpoints[i].path, path))
			return &endpoints[i];
	return NULL;
}

/* Bit of a parameter in request.given; 0: the endpoint has none of that name. */
static unsigned int parameter_bit(const struct endpoint *e, const char *name)
{
	unsigned int i;

	for (i = 0; i < ENDPOINT_PARAMETERS_MAX && e->parameters[i]; i++)
		if (!strcmp(e->parameters[i], name))
			return 1u << i;
	return 0;
}

static int read_limit(struct request *request, const char *value)
{
	unsigned long limit = 0;
	const char *c;

	for (c = value; *c >= '0' && *c <= '9' && limit <= LIMIT_MAX; c++)
		limit = limit * 10 + (unsigned long)(*c - '0');
	if (!*value || *c || !limit || limit > LIMIT_MAX)
		return -EINVAL;
	request->limit = (unsigned int)limit;
	return 0;
}

int endpoint_parameter(const struct endpoint *endpoint, struct request *request, const char *name,
		       const char *value, char reason[ENDPOINT_REASON_BYTES])
{
	unsigned int bit = parameter_bit(endpoint, name);
	const char *wanted = NULL;

	if (!value)
		value = "";
	if (bit & request->given) {
		snprintf(reason, ENDPOINT_REASON_BYTES, "%s is given twice", name);
		return -EINVAL;
	}
	request->given |= bit;
	if (!bit) {
		snprintf(reason, ENDPOINT_REASON_BYTES, "%s takes no parameter of that name", endpoint->path);
		return -EINVAL;
	}
	if (!strcmp(name, "protocol")) {
		request->protocol = !strcmp(value, "tcp") ? "tcp" : !strcmp(value, "udp") ? "udp" : NULL;
		wanted = request->protocol ? NULL : "tcp or udp";
	} else if (!strcmp(name, "sort")) {
		request->by_port = !strcmp(value, "port");
		wanted = request->by_port || !strcmp(value, "packets") ? NULL : "packets or port";
	} else if (read_limit(request, value)) {
		wanted = "a number from 1 to 131072";
	}
	if (!wanted)
		return 0;
	snprintf(reason, ENDPOINT_REASON_BYTES, "%s must be %s", name, wanted);
	return -EINVAL;
}
