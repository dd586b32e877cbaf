// SPDX-License-Identifier: GPL-2.0-only
/*
 * truth.c - adds up the verdicts and writes them as JSON.  Owns one rule: a thing counts if the bytes
 * that carry it are inside the packet, what is captured of the frame, and its first 256 bytes.
 * Never looks at a frame.
 */
#include "truth.h"
#include "actors.h"
#include "sources.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES     256
#define ETHERNET_BYTES 14

struct prefix_truth {
	uint64_t packets;
	uint64_t *net;	   /* packets by /24; IPv4 shorter than 24 bits only */
	uint32_t *port[2]; /* TCP, UDP */
};

struct truth {
	const struct scenario *scenario;
	struct sources *sources;
	struct prefix_truth *prefix;
	uint32_t snaplen;
	uint64_t packets, wire_bytes, dark4, dark6, no_port;
	uint64_t outcome[OUT_MAX], class[CLASS_MAX], tool[TOOL_MAX], protocol[256], flags[256],
		actor[ACTORS_MAX];
	uint64_t port[2][65536], icmp[2][65536];
};

void truth_free(struct truth *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->prefix && i < t->scenario->dark.n; i++) {
		free(t->prefix[i].net);
		free(t->prefix[i].port[0]);
		free(t->prefix[i].port[1]);
	}
	free(t->prefix);
	sources_free(t->sources);
	free(t);
}

static bool alloc_prefix(struct prefix_truth *p, const struct prefix *of)
{
	if (!of->addr.is6 && of->len < 24) {
		p->net = calloc(1ULL << (24 - of->len), sizeof(*p->net));
		if (!p->net)
			return false;
	}
	p->port[0] = calloc(65536, sizeof(uint32_t));
	p->port[1] = calloc(65536, sizeof(uint32_t));
	return p->port[0] && p->port[1];
}

struct truth *truth_new(const struct scenario *s, uint32_t snaplen, uint64_t sources_most)
{
	struct truth *t = calloc(1, sizeof(*t));
	bool whole = t != NULL;

	if (whole) {
		t->scenario = s;
		t->snaplen = snaplen;
		t->sources = sources_new(sources_most);
		t->prefix = calloc(s->dark.n, sizeof(*t->prefix));
		whole = t->sources && t->prefix;
	}
	for (size_t i = 0; whole && i < s->dark.n; i++)
		whole = alloc_prefix(&t->prefix[i], &s->dark.v[i]);
	if (whole)
		return t;
	truth_free(t);
	complain("no memory for the truth");
	return NULL;
}

/* How far the frame can be read: by what is captured and by the sensor's head. */
static uint32_t readable(const struct truth *t, const struct verdict *v)
{
	uint32_t end = v->frame_len;

	if (end > t->snaplen)
		end = t->snaplen;
	return end < HEAD_BYTES ? end : HEAD_BYTES;
}

static enum outcome settle_outcome(const struct truth *t, const struct verdict *v, int *prefix)
{
	uint32_t end = readable(t, v);

	*prefix = -1;
	if (end < ETHERNET_BYTES)
		return OUT_TRUNCATED_LINK;
	if (v->outcome != OUT_BY_ADDRESS && v->outcome != OUT_DARK)
		return v->outcome;
	if (end < v->ip_off + (v->nameless ? 1U : 0U))
		return OUT_TRUNCATED_LINK;
	if (end < v->ip_off + (v->dst.is6 ? 40U : 20U))
		return OUT_TRUNCATED_IP;
	*prefix = prefix_find(&t->scenario->dark, &v->dst);
	return *prefix >= 0 ? OUT_DARK : OUT_NOT_DARK;
}

static void add_to_prefix(struct truth *t, const struct verdict *v, int which, int port)
{
	const struct prefix *of = &t->scenario->dark.v[which];
	struct prefix_truth *p = &t->prefix[which];

	p->packets++;
	if (p->net)
		p->net[(get32(v->dst.b) - get32(of->addr.b)) >> 8]++;
	if (port >= 0)
		p->port[port >> 16 == 17][port & 0xffff]++;
}

static bool is_syn(const struct verdict *v)
{
	return v->flags >= 0 && (v->flags & 0x17) == 0x02;
}

static int add_dark(struct truth *t, const struct verdict *v, int which)
{
	uint32_t end = readable(t, v), l4 = v->l4_off;
	enum class class = CLASS_OTHER;
	int port = -1, service;

	if (end > v->ip_end)
		end = v->ip_end;
	if (v->has_port && l4 + 4 <= end)
		port = v->protocol << 16 | v->dport;
	if (!v->class_bytes || l4 + v->class_bytes <= end)
		class = v->class;
	*(v->dst.is6 ? &t->dark6 : &t->dark4) += 1;
	t->class[class]++;
	t->protocol[v->protocol]++;
	t->tool[l4 && l4 + 14 > end ? TOOL_NONE : v->tool]++;
	if (port < 0)
		t->no_port++;
	else
		t->port[v->protocol == 17][v->dport]++;
	if (v->flags >= 0 && l4 + 14 <= end)
		t->flags[v->flags]++;
	if (v->icmp_type >= 0 && l4 + 2 <= end)
		t->icmp[v->dst.is6][v->icmp_type << 8 | v->icmp_code]++;
	add_to_prefix(t, v, which, port);
	if (port >= 0 && (class == CLASS_BACKSCATTER || class == CLASS_UDP_RESPONSE))
		service = v->protocol << 16 | v->sport;
	else
		service = port;
	return sources_add(t->sources, v,
			   &(struct source_packet){port, service, class, l4 + 14 <= end && is_syn(v)});
}

int truth_add(struct truth *t, const struct verdict *v)
{
	enum outcome outcome;
	int which;

	t->packets++;
	t->wire_bytes += v->frame_len;
	t->actor[v->actor]++;
	outcome = settle_outcome(t, v, &which);
	t->outcome[outcome]++;
	return outcome == OUT_DARK ? add_dark(t, v, which) : 0;
}

static void set_count(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static json_t *label_counts(const uint64_t *n, const char *const *label, int from, int to)
{
	json_t *o = json_object();

	for (int i = from; i < to; i++)
		set_count(o, label[i], n[i]);
	return o;
}

static json_t *number_counts(const uint64_t *n, int len)
{
	json_t *o = json_object();
	char key[16];

	for (int i = 0; i < len; i++)
		if (n[i]) {
			snprintf(key, sizeof(key), "%d", i);
			set_count(o, key, n[i]);
		}
	return o;
}

static json_t *flag_counts(const uint64_t n[256])
{
	static const char letters[] = "FSRPAUEC";
	json_t *o = json_object();

	for (int i = 0; i < 256; i++) {
		char key[9] = "-";
		size_t len = 0;

		for (int bit = 0; bit < 8; bit++)
			if (i >> bit & 1)
				key[len++] = letters[bit];
		if (len)
			key[len] = '\0';
		if (n[i])
			set_count(o, key, n[i]);
	}
	return o;
}

static json_t *icmp_counts(const uint64_t n[65536])
{
	json_t *o = json_object();
	char key[16];

	for (int i = 0; i < 65536; i++)
		if (n[i]) {
			snprintf(key, sizeof(key), "%d/%d", i >> 8, i & 255);
			set_count(o, key, n[i]);
		}
	return o;
}

static json_t *prefix_ports(const uint32_t n[65536])
{
	json_t *o = json_object();
	char key[16];

	for (int i = 0; i < 65536; i++)
		if (n[i]) {
			snprintf(key, sizeof(key), "%d", i);
			set_count(o, key, n[i]);
		}
	return o;
}

static json_t *prefix_counts(const struct truth *t)
{
	json_t *o = json_object();

	for (size_t i = 0; i < t->scenario->dark.n; i++) {
		json_t *p = json_object();
		char key[PREFIX_TEXT];

		prefix_text(&t->scenario->dark.v[i], key);
		set_count(p, "packets", t->prefix[i].packets);
		json_object_set_new(p, "tcp", prefix_ports(t->prefix[i].port[0]));
		json_object_set_new(p, "udp", prefix_ports(t->prefix[i].port[1]));
		json_object_set_new(o, key, p);
	}
	return o;
}

/* Every /24 that got something; a prefix of 24 bits and more, or of IPv6, stands for itself. */
static json_t *net_counts(const struct truth *t)
{
	json_t *o = json_object();
	char key[PREFIX_TEXT];

	for (size_t i = 0; i < t->scenario->dark.n; i++) {
		const struct prefix *of = &t->scenario->dark.v[i];

		if (!t->prefix[i].net) {
			prefix_text(of, key);
			set_count(o, key, t->prefix[i].packets);
			continue;
		}
		for (uint32_t n = 0; n < 1U << (24 - of->len); n++) {
			struct prefix net = {.len = 24, .addr = addr_v4(get32(of->addr.b) + (n << 8))};

			if (!t->prefix[i].net[n])
				continue;
			prefix_text(&net, key);
			set_count(o, key, t->prefix[i].net[n]);
		}
	}
	return o;
}

static json_t *actor_counts(const struct truth *t, const bool *left_out)
{
	json_t *o = json_object();

	for (int i = 0; i < t->scenario->actors; i++) {
		const struct actor *a = &t->scenario->actor[i];
		json_t *e = json_object();

		json_object_set_new(e, "kind", json_string(a->kind->name));
		set_count(e, "packets", t->actor[i]);
		if (left_out[i])
			json_object_set_new(e, "left_out", json_string("no dark prefix of its family"));
		json_object_set_new(o, a->name, e);
	}
	return o;
}

static json_t *send_facts(const struct send_report *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "mode", json_string(r->mode));
	json_object_set_new(o, "generated", json_integer(r->generated));
	json_object_set_new(o, "sent", json_integer(r->sent));
	json_object_set_new(o, "dropped", json_integer(r->dropped));
	json_object_set_new(o, "not_sendable", json_integer(r->not_sendable));
	if (r->interface_packets >= 0) {
		json_object_set_new(o, "interface_packets", json_integer(r->interface_packets));
		json_object_set_new(o, "interface_dropped", json_integer(r->interface_dropped));
	}
	return o;
}

static json_t *describe(struct truth *t, const struct send_report *report, const bool *left_out)
{
	json_t *o = json_object(), *ports = json_object();

	json_object_set_new(o, "generator", json_string("ibr"));
	json_object_set_new(o, "scenario", json_string(t->scenario->name));
	json_object_set_new(o, "seed", json_integer((json_int_t)t->scenario->seed));
	json_object_set_new(o, "send", send_facts(report));
	set_count(o, "received", t->packets);
	set_count(o, "wire_bytes", t->wire_bytes);
	json_object_set_new(o, "outcomes", label_counts(t->outcome, outcome_label, OUT_DARK, OUT_MAX));
	json_object_set_new(o, "classes", label_counts(t->class, class_label, 0, CLASS_MAX));
	json_object_set_new(o, "protocols", number_counts(t->protocol, 256));
	json_object_set_new(ports, "tcp", number_counts(t->port[0], 65536));
	json_object_set_new(ports, "udp", number_counts(t->port[1], 65536));
	json_object_set_new(o, "ports", ports);
	json_object_set_new(o, "tcp_flags", flag_counts(t->flags));
	json_object_set_new(o, "icmp", icmp_counts(t->icmp[0]));
	json_object_set_new(o, "icmpv6", icmp_counts(t->icmp[1]));
	set_count(o, "dark", t->outcome[OUT_DARK]);
	set_count(o, "dark_ipv4", t->dark4);
	set_count(o, "dark_ipv6", t->dark6);
	set_count(o, "no_port", t->no_port);
	json_object_set_new(o, "tools", label_counts(t->tool, tool_label, TOOL_NONE + 1, TOOL_MAX));
	set_count(o, "sources", sources_count(t->sources));
	set_count(o, "hosts", sources_hosts(t->sources));
	json_object_set_new(o, "prefixes", prefix_counts(t));
	json_object_set_new(o, "nets", net_counts(t));
	json_object_set_new(o, "actors", actor_counts(t, left_out));
	return o;
}

/* The list of sources may be long: it is written entry by entry behind the other members. */
static int write_json(struct truth *t, FILE *out, json_t *o)
{
	char *text = json_dumps(o, JSON_INDENT(1));
	size_t len = text ? strlen(text) : 0;
	int err = -1;

	if (len > 2) {
		text[len - 2] = '\0'; /* the newline and the closing brace */
		fputs(text, out);
		fputs(sources_listed(t->sources) ? ",\n \"source_list\": [\n"
						 : ",\n \"source_list\": null\n}\n",
		      out);
		err = 0;
		if (sources_listed(t->sources)) {
			err = sources_write(t->sources, out);
			fputs(" ]\n}\n", out);
		}
	}
	free(text);
	return err;
}

/* A file appears whole or not at all; what is no file (a device, a pipe) is written as it is, and stays what it
 * is. */
static int open_truth(FILE **out, char **part, const char *file)
{
	struct stat now;

	*part = NULL;
	if (strcmp(file, "-") == 0) {
		*out = stdout;
		return 0;
	}
	if ((stat(file, &now) || S_ISREG(now.st_mode)) && asprintf(part, "%s.part", file) < 0) {
		*part = NULL;
		return complain("no memory for the truth");
	}
	*out = fopen(*part ? *part : file, "we");
	if (*out)
		return 0;
	return complain("cannot write truth %s: %s", file, strerror(errno));
}

int truth_write(struct truth *t, const char *file, const struct send_report *report, const bool *left_out)
{
	char *part = NULL;
	FILE *out = NULL;
	int err = open_truth(&out, &part, file);

	if (!err) {
		json_t *o = describe(t, report, left_out);

		err = write_json(t, out, o);
		json_decref(o);
		if (out == stdout ? fflush(out) : fclose(out))
			err = -1;
		if (!err && part && rename(part, file))
			err = -1;
		if (err) {
			complain("cannot write truth %s: %s", file, strerror(errno));
			if (part)
				unlink(part);
		}
	}
	free(part);
	return err;
}
