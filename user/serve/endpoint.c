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
#define PATH_COLUMNS	 26 /* of the list of paths */

int endpoint_json(struct answer *answer, json_t *object)
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
	return endpoint_json(answer, json_pack("{s:s, s:s}", "error", error, "reason", reason));
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
	return endpoint_json(answer, serve_summary(s, r->sources, SOURCES_TOP));
}

/* A part of the summary under its own path. */
static int render_part(struct answer *answer, const struct snapshot *s, const char *name)
{
	json_t *summary = serve_summary(s, NULL, 0), *part = json_object_get(summary, name), *object;

	object = part ? json_pack("{s:O}", name, part) : NULL;
	json_decref(summary);
	return endpoint_json(answer, object);
}

static int render_scopes(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	(void)r;
	return render_part(answer, s, "scopes");
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
	return endpoint_json(answer, json_pack("{s:o}", "tools", array));
}

static json_t *nic_rows(const struct snapshot *s)
{
	json_t *summary = serve_summary(s, NULL, 0), *nic = json_object_get(summary, "nic");

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
	return endpoint_json(answer, json_pack("{s:{s:o, s:o, s:o}, s:o, s:o}", "laws", "L1", l1, "L2", l2,
					       "L3", l3, "lost", lost_rows(f), "nic", nic_rows(s)));
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
	return endpoint_json(answer,
			     json_pack("{s:s, s:I, s:o}", "state", states[worst], "age_seconds",
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
	return endpoint_json(answer, json_pack("{s:I, s:I, s:o}", "ports_with_packets", (json_int_t)used,
					       "no_port", (json_int_t)s->totals.no_port, "ports", array));
}

static int render_health(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	(void)s;
	(void)r;
	return endpoint_json(answer, json_pack("{s:s}", "status", "ok"));
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
	return endpoint_json(answer, json_pack("{s:s}", "status", "ready"));
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
	{"/api/v1/sources",
	 "who sent most packets",
	 {"limit", "class", "tool", "protocol", "port"},
	 true,
	 endpoint_render_sources},
	{"/api/v1/sources/{address}", "one source and its flows", {}, true, endpoint_render_source},
	{"/api/v1/alerts",
	 "what was settled from the records, oldest first",
	 {"limit", "after", "kind"},
	 true,
	 endpoint_render_alerts},
	{"/api/v1/stream",
	 "alerts, their early signs and sampled headers as they come (server-sent events)",
	 {},
	 false,
	 NULL},
	{"/api/v1/scopes", "packets, bytes and addresses by scope", {}, true, render_scopes},
	{"/api/v1/tools", "packets by the header rule of a sending program", {}, true, render_tools},
	{"/api/v1/ledger", "both sides of every law, and what the interfaces say", {}, true, render_ledger},
	{"/api/v1/doctor", "the newest checks with their cures", {}, true, render_doctor},
	{"/api/v1/openapi.json", "this list, for programs", {}, false, render_openapi},
};

#define ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* --- parameters ---------------------------------------------------------------------------------------------
 */

/* Decimal digits and nothing else, at most `most`. */
static int read_number(unsigned int *out, const char *value, unsigned long least, unsigned long most)
{
	unsigned long number = 0;
	const char *c;

	for (c = value; *c >= '0' && *c <= '9' && number <= most; c++)
		number = number * 10 + (unsigned long)(*c - '0');
	if (!*value || *c || number < least || number > most)
		return -EINVAL;
	*out = (unsigned int)number;
	return 0;
}

/* One of the labels, as its number plus one. */
static int read_label(unsigned int *out, const char *value, const char *const *labels, unsigned int n)
{
	unsigned int found = labels_find(labels, n, value);

	*out = found + 1;
	return found < n ? 0 : -EINVAL;
}

static int read_limit(struct request *request, const char *value)
{
	return read_number(&request->limit, value, 1, LIMIT_MAX);
}

static int read_protocol(struct request *request, const char *value)
{
	request->protocol = !strcmp(value, "tcp") ? "tcp" : !strcmp(value, "udp") ? "udp" : NULL;
	return request->protocol ? 0 : -EINVAL;
}

static int read_sort(struct request *request, const char *value)
{
	request->by_port = !strcmp(value, "port");
	return request->by_port || !strcmp(value, "packets") ? 0 : -EINVAL;
}

static int read_port(struct request *request, const char *value)
{
	request->has_port = true;
	return read_number(&request->port, value, 0, AG_PORTS - 1);
}

static int read_after(struct request *request, const char *value)
{
	request->has_after = true;
	return read_number(&request->after, value, 0, UINT32_MAX);
}

static int read_class(struct request *request, const char *value)
{
	return read_label(&request->class, value, labels_class, AG_CLASS_MAX);
}

static int read_kind(struct request *request, const char *value)
{
	return read_label(&request->kind, value, labels_alert, AG_ALERT_MAX);
}

static int read_tool(struct request *request, const char *value)
{
	int err = read_label(&request->tool, value, labels_tool, AG_TOOL_MAX);

	return !strcmp(value, LABELS_TOOL_UNKNOWN) ? 0 : err;
}

static const struct parameter {
	const char *name, *type; /* of JSON Schema */
	int (*read)(struct request *request, const char *value);
	const char *wanted; /* what it must be */
} parameters[] = {
	{"limit", "integer", read_limit, "a number from 1 to 131072"},
	{"protocol", "string", read_protocol, "tcp or udp"},
	{"sort", "string", read_sort, "packets or port"},
	{"port", "integer", read_port, "a number from 0 to 65535"},
	{"after", "integer", read_after, "the number of an alert"},
#define AG_CLASS(name, label, help) " " label
	{"class", "string", read_class, "one of"
#include "airglow/class.def"
	},
#undef AG_CLASS
#define AG_ALERT(name, label, help) " " label
	{"kind", "string", read_kind, "one of"
#include "airglow/alert.def"
	},
#undef AG_ALERT
#define AG_TOOL(name, label, bits, help) " " label
	{"tool", "string", read_tool,
	 "one of"
#include "airglow/tool.def"
	 " " LABELS_TOOL_UNKNOWN},
#undef AG_TOOL
};

static const struct parameter *find_parameter(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (!strcmp(parameters[i].name, name))
			return &parameters[i];
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

int endpoint_parameter(const struct endpoint *endpoint, struct request *request, const char *name,
		       const char *value, char reason[ENDPOINT_REASON_BYTES])
{
	unsigned int bit = parameter_bit(endpoint, name);
	const struct parameter *parameter = bit ? find_parameter(name) : NULL;

	if (!parameter) {
		snprintf(reason, ENDPOINT_REASON_BYTES, "%s takes no parameter of that name", endpoint->path);
		return -EINVAL;
	}
	if (bit & request->given) {
		snprintf(reason, ENDPOINT_REASON_BYTES, "%s is given twice", name);
		return -EINVAL;
	}
	request->given |= bit;
	if (!parameter->read(request, value ? value : ""))
		return 0;
	snprintf(reason, ENDPOINT_REASON_BYTES, "%s must be %s", name, parameter->wanted);
	return -EINVAL;
}

/* --- what describes itself ----------------------------------------------------------------------------------
 */

/* The operand in the path, then the parameters. */
static json_t *describe_parameters(const struct endpoint *e)
{
	const char *brace = strchr(e->path, '{');
	json_t *array = json_array();
	unsigned int i;

	if (brace)
		json_array_append_new(array, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", brace + 1,
						       strlen(brace + 1) - 1, "in", "path", "required", 1,
						       "schema", "type", "string"));
	for (i = 0; i < ENDPOINT_PARAMETERS_MAX && e->parameters[i]; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:{s:s}}", "name", e->parameters[i], "in", "query",
						"schema", "type", find_parameter(e->parameters[i])->type));
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
	return endpoint_json(answer, json_pack("{s:s, s:{s:s, s:s}, s:o}", "openapi", "3.0.3", "info", "title",
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
		if (r->plain || strchr(endpoints[i].path, '{'))
			fprintf(out, "%-*s %s\n", PATH_COLUMNS, endpoints[i].path, endpoints[i].summary);
		else
			fprintf(out, "<a href=\"%s\">%s</a>%*s%s\n", endpoints[i].path, endpoints[i].path,
				(int)(PATH_COLUMNS + 1 - strlen(endpoints[i].path)), "", endpoints[i].summary);
	if (!r->plain)
		fputs("</pre>\n", out);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	answer->type = r->plain ? TYPE_TEXT : TYPE_HTML;
	return failed ? -ENOMEM : 0;
}

/* Does path fit a pattern that ends in {name}? Then that is the operand. */
static bool match(const char *pattern, const char *path, const char **operand)
{
	size_t fixed = strcspn(pattern, "{");

	if (!pattern[fixed])
		return !strcmp(pattern, path);
	if (strncmp(pattern, path, fixed) || strchr(path + fixed, '/'))
		return false;
	*operand = path + fixed;
	return true;
}

const struct endpoint *endpoint_find(const char *path, const char **operand)
{
	size_t i;

	*operand = NULL;
	for (i = 0; i < ENDPOINTS; i++)
		if (match(endpoints[i].path, path, operand))
			return &endpoints[i];
	return NULL;
}
