// SPDX-License-Identifier: GPL-2.0-only
/*
 * scenario.c - reads a scenario file (YAML through libyaml).  Owns the names of the keys and where a
 * bad one stands.  Must not know what a kind does with its entry.
 */
#include "actors.h"
#include "service.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

const char *const outcome_label[OUT_MAX] = {
	[OUT_BY_ADDRESS] = "by_address",
	[OUT_DARK] = "dark",
	[OUT_NOT_DARK] = "not_dark",
	[OUT_ARP_DARK] = "arp_dark",
	[OUT_LOOPED] = "looped",
	[OUT_DECAP_REFUSED] = "decap_refused",
	[OUT_NON_IP] = "non_ip",
	[OUT_TRUNCATED_LINK] = "truncated_link",
	[OUT_TRUNCATED_IP] = "truncated_ip",
	[OUT_MALFORMED_IP] = "malformed_ip",
	[OUT_UNSUPPORTED_ENCAP] = "unsupported_encap",
};

const char *const class_label[CLASS_MAX] = {
	[CLASS_SCAN] = "scan",
	[CLASS_AMP_REQUEST] = "amp_request",
	[CLASS_BACKSCATTER] = "backscatter",
	[CLASS_UDP_RESPONSE] = "udp_response",
	[CLASS_OTHER] = "other",
};

const char *const tool_label[TOOL_MAX] = {
	[TOOL_NONE] = "none",
	[TOOL_MIRAI] = "mirai",
	[TOOL_MASSCAN] = "masscan",
	[TOOL_ZMAP] = "zmap",
	[TOOL_ZMAP4] = "zmap4",
	[TOOL_NMAP] = "nmap",
	[TOOL_UNICORNSCAN] = "unicornscan",
	[TOOL_HPING] = "hping",
};

static const char *const layer_label[LAYER_MAX] = {
	[LAYER_VLAN] = "vlan",	     [LAYER_AD] = "802.1ad",	  [LAYER_QINQ] = "9100",
	[LAYER_MPLS] = "mpls",	     [LAYER_PPPOE] = "pppoe",	  [LAYER_GRE] = "gre",
	[LAYER_ERSPAN2] = "erspan2", [LAYER_ERSPAN3] = "erspan3", [LAYER_VXLAN] = "vxlan",
	[LAYER_IPIP] = "ipip",
};

static const char *const decap_label[] = {"yes", "no", "refused"};

/* Where we are in the file, for complaints. */
struct place {
	const char *file;
	yaml_document_t *doc;
};

static int refuse(const struct place *at, const yaml_node_t *node, const char *key, const char *why)
{
	return complain("%s:%zu: %s%s%s", at->file, node ? node->start_mark.line + 1 : 1, key ? key : "",
			key ? ": " : "", why);
}

static const char *scalar(const yaml_node_t *node)
{
	const char *text = node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;

	return text && strlen(text) == node->data.scalar.length ? text : NULL;
}

typedef int set_fn(const struct place *at, void *target, const char *key, const yaml_node_t *value);

/* Calls `set` for every key of a mapping. */
static int read_mapping(const struct place *at, const yaml_node_t *node, const char *what, set_fn *set,
			void *target)
{
	if (!node || node->type != YAML_MAPPING_NODE)
		return refuse(at, node, what, "must be a mapping of keys to values");
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(at->doc, p->key);
		yaml_node_t *v = yaml_document_get_node(at->doc, p->value);
		const char *key = scalar(k);

		if (!key)
			return refuse(at, k, what, "a key must be a word");
		for (yaml_node_pair_t *q = node->data.mapping.pairs.start; q < p; q++) {
			const char *before = scalar(yaml_document_get_node(at->doc, q->key));

			if (before && strcmp(before, key) == 0)
				return refuse(at, k, key, "the key is given twice");
		}
		if (set(at, target, key, v))
			return -1;
	}
	return 0;
}

typedef int item_fn(const char *text, void *target, const char **why);

/* A list of words, or one word standing for a list of one. */
static int read_words(const struct place *at, const yaml_node_t *node, const char *key, item_fn *item,
		      void *target)
{
	const char *why = "must be a word or a list of words", *text;

	if (node->type == YAML_SCALAR_NODE) {
		text = scalar(node);
		return text && item(text, target, &why) == 0 ? 0 : refuse(at, node, key, why);
	}
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse(at, node, key, why);
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		yaml_node_t *entry = yaml_document_get_node(at->doc, *i);

		text = scalar(entry);
		if (!text || item(text, target, &why))
			return refuse(at, entry, key, why);
	}
	return 0;
}

static int take_prefix(const char *text, void *target, const char **why)
{
	struct prefix_list *list = target;
	struct prefix p;

	if (prefix_parse(text, &p, why))
		return -1;
	*why = "no memory";
	return prefix_add(list, &p);
}

static int take_ports(const char *text, void *target, const char **why)
{
	return text_ports(text, target, why);
}

static int take_variant(const char *text, void *target, const char **why)
{
	struct actor *a = target;
	const char *const *names = a->kind->variants;
	int n = 0;

	*why = "this kind has no such variant (see ibr --kinds)";
	while (names && names[n])
		n++;
	n = names ? text_label(text, names, n) : -1;
	if (n < 0 || a->variants == VARIANTS_MAX)
		return -1;
	a->variant[a->variants++] = (uint8_t)n;
	return 0;
}

static int take_service(const char *text, void *target, const char **why)
{
	struct actor *a = target;
	int n = service_find(text);

	*why = "there is no such service (see ibr --services)";
	if (n < 0 || a->services == SERVICES_MAX)
		return -1;
	a->service[a->services++] = (uint8_t)n;
	return 0;
}

static int set_layer(const struct place *at, void *target, const char *key, const yaml_node_t *value)
{
	struct layer *l = target;
	const char *why = "it must be one word", *text = scalar(value);
	struct prefix p;
	uint64_t n;
	int which;

	if (!text)
		return refuse(at, value, key, why);
	if (!strcmp(key, "type")) {
		which = text_label(text, layer_label, LAYER_MAX);
		if (which < 0)
			return refuse(
				at, value, key,
				"no such layer; known: vlan 802.1ad 9100 mpls pppoe gre erspan2 erspan3 vxlan ipip");
		l->type = (uint8_t)which;
	} else if (!strcmp(key, "id")) {
		if (text_u64(text, UINT32_MAX, &n, &why))
			return refuse(at, value, key, why);
		l->id = (uint32_t)n;
		l->has_id = true;
	} else if (!strcmp(key, "from") || !strcmp(key, "to")) {
		if (prefix_parse(text, &p, &why))
			return refuse(at, value, key, why);
		*(key[0] == 'f' ? &l->from : &l->to) = p.addr;
	} else if (!strcmp(key, "decap")) {
		which = text_label(text, decap_label, 3);
		if (which < 0)
			return refuse(at, value, key, "must be yes, no or refused");
		l->decap = (uint8_t)which;
	} else {
		return refuse(at, value, key, "unknown key of a layer; known: type id from to decap");
	}
	return 0;
}

static int read_path(const struct place *at, struct actor *a, const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse(at, node, "encap", "must be a list of layers, outermost first");
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		yaml_node_t *entry = yaml_document_get_node(at->doc, *i);
		struct layer *l = &a->path.layer[a->path.n];

		if (a->path.n == LAYERS_MAX)
			return refuse(at, entry, "encap", "more than 8 layers");
		l->type = LAYER_MAX;
		if (read_mapping(at, entry, "encap", set_layer, l))
			return -1;
		if (l->type == LAYER_MAX)
			return refuse(at, entry, "encap", "a layer needs a type");
		if (l->type >= LAYER_GRE && (l->from.is6 != l->to.is6 || (!get32(l->from.b) && !l->from.is6)))
			return refuse(at, entry, "encap", "a tunnel needs from and to, of one family");
		a->path.n++;
	}
	return 0;
}

enum field_type {
	F_U64,
	F_I32,
	F_I64,
	F_DOUBLE,
	F_BOOL,
	F_FLAGS,
	F_OPTIONS,
	F_PAYLOAD,
	F_PREFIXES,
	F_PORTS,
	F_MAC
};

struct field {
	const char *name;
	enum field_type type;
	size_t off;
	uint64_t max;
};

#define A(member) offsetof(struct actor, member)
static const struct field actor_field[] = {
	{"share", F_DOUBLE, A(share), 0},
	{"packets", F_U64, A(packets), UINT32_MAX},
	{"hosts", F_U64, A(hosts), UINT32_MAX},
	{"skew", F_I32, A(skew), 8},
	{"from", F_PREFIXES, A(from), 0},
	{"ports", F_PORTS, A(ports), 0},
	{"src_mac", F_MAC, A(path.src_mac), 0},
	{"dst_mac", F_MAC, A(path.dst_mac), 0},
	{"in_order", F_BOOL, A(in_order), 0},
	{"walk", F_BOOL, A(walk), 0},
	{"df", F_BOOL, A(df), 0},
	{"ttl", F_I32, A(ttl), 255},
	{"window", F_I32, A(window), 65535},
	{"sport", F_I32, A(sport), 65535},
	{"ipid", F_I64, A(ipid), 65535},
	{"doff", F_I32, A(doff), 15},
	{"protocol", F_I32, A(protocol), 255},
	{"type", F_I32, A(type), 255},
	{"code", F_I32, A(code), 255},
	{"retries", F_I32, A(retries), 3},
	{"flags", F_FLAGS, A(flags), 0},
	{"options", F_OPTIONS, A(options), 0},
	{"payload", F_PAYLOAD, A(payload), 0},
};
#undef A

static int set_field(const struct place *at, struct actor *a, const struct field *f, const yaml_node_t *node)
{
	void *to = (char *)a + f->off;
	const char *why = "it must be one word", *text = scalar(node);
	uint64_t n = 0;
	int err = -1;

	if (f->type == F_PREFIXES)
		return read_words(at, node, f->name, take_prefix, to);
	if (f->type == F_PORTS)
		return read_words(at, node, f->name, take_ports, to);
	if (!text)
		return refuse(at, node, f->name, why);
	switch (f->type) {
	case F_U64:
	case F_I32:
	case F_I64:
		err = text_u64(text, f->max, &n, &why);
		if (!err && f->type == F_I32)
			*(int32_t *)to = (int32_t)n;
		else if (!err)
			*(uint64_t *)to = n;
		break;
	case F_DOUBLE:
		err = text_double(text, to, &why);
		break;
	case F_BOOL:
		err = text_bool(text, to, &why);
		break;
	case F_FLAGS:
		err = text_flags(text, to, &why);
		break;
	case F_OPTIONS:
		err = text_options(text, a->options, &a->options_len, &why);
		break;
	case F_PAYLOAD:
		err = text_payload(text, a->payload, &a->payload_len, &why);
		break;
	case F_MAC:
		err = text_mac(text, to, &why);
		break;
	default:
		break;
	}
	return err ? refuse(at, node, f->name, why) : 0;
}

static int set_target(const struct place *at, struct actor *a, const yaml_node_t *node)
{
	const char *text = scalar(node);

	if (text && !strcmp(text, "dark")) {
		a->to = TO_DARK;
		return 0;
	}
	if (text && !strcmp(text, "other")) {
		a->to = TO_OTHER;
		return 0;
	}
	a->to = TO_LIST;
	return read_words(at, node, "to", take_prefix, &a->to_list);
}

/* The words that are no plain values: 1 = taken, 0 = not one of these, -1 = refused. */
static int set_word(const struct place *at, struct actor *a, const char *key, const yaml_node_t *node)
{
	static const char *const families[] = {"both", "", "", "", "4", "", "6"};
	const char *text = scalar(node), *why;
	uint64_t n;

	if (!text)
		return 0;
	if (!strcmp(key, "name")) {
		snprintf(a->name, sizeof(a->name), "%s", text);
	} else if (!strcmp(key, "sources")) {
		if (!strcmp(text, "random"))
			a->sources = 0;
		else if (text_u64(text, UINT32_MAX, &a->sources, &why) || a->sources == 0)
			return refuse(at, node, key, "must be a number of 1 or more, or random");
	} else if (!strcmp(key, "seq")) {
		if (!strcmp(text, "dst"))
			a->seq_is_dst = true;
		else if (text_u64(text, UINT32_MAX, &n, &why))
			return refuse(at, node, key, why);
		else
			a->seq = (int64_t)n;
	} else if (!strcmp(key, "family")) {
		a->family = text_label(text, families, 7);
		if (a->family < 0)
			return refuse(at, node, key, "must be 4, 6 or both");
	} else if (!strcmp(key, "class")) {
		a->class = text_label(text, class_label, CLASS_MAX);
		if (a->class < 0)
			return refuse(at, node, key,
				      "no such class; known: scan amp_request backscatter udp_response other");
	} else if (!strcmp(key, "tool")) {
		a->tool = text_label(text, tool_label, TOOL_MAX);
		if (a->tool < 0)
			return refuse(at, node, key, "no such tool");
	} else if (!strcmp(key, "outcome")) {
		a->outcome = text_label(text, outcome_label, OUT_MAX);
		if (a->outcome < 0)
			return refuse(at, node, key, "no such outcome");
	} else {
		return 0;
	}
	return 1;
}

static int set_actor(const struct place *at, void *target, const char *key, const yaml_node_t *node)
{
	struct actor *a = target;
	int taken;

	if (!strcmp(key, "kind"))
		return 0; /* read before the others */
	if (!strcmp(key, "to"))
		return set_target(at, a, node);
	if (!strcmp(key, "variant"))
		return read_words(at, node, key, take_variant, a);
	if (!strcmp(key, "service"))
		return read_words(at, node, key, take_service, a);
	if (!strcmp(key, "encap"))
		return read_path(at, a, node);
	taken = set_word(at, a, key, node);
	if (taken)
		return taken < 0 ? -1 : 0;
	for (size_t i = 0; i < ARRAY_LEN(actor_field); i++)
		if (!strcmp(key, actor_field[i].name))
			return set_field(at, a, &actor_field[i], node);
	return refuse(at, node, key, "unknown key of an actor");
}

static const struct kind *find_kind(const struct place *at, const yaml_node_t *node)
{
	if (node->type != YAML_MAPPING_NODE) {
		refuse(at, node, "actors", "each must be a mapping of keys to values");
		return NULL;
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const char *key = scalar(yaml_document_get_node(at->doc, p->key));
		yaml_node_t *value = yaml_document_get_node(at->doc, p->value);
		const struct kind *k;

		if (!key || strcmp(key, "kind") != 0)
			continue;
		k = scalar(value) ? kind_find(scalar(value)) : NULL;
		if (!k)
			refuse(at, value, "kind", "there is no such kind of actor (see ibr --kinds)");
		return k;
	}
	refuse(at, node, "actors", "an actor needs a kind");
	return NULL;
}

static int read_actor(const struct place *at, struct scenario *s, const yaml_node_t *node)
{
	struct actor *a, *more;
	const char *why;

	if (s->actors == ACTORS_MAX)
		return refuse(at, node, "actors", "more than 250 actors");
	more = realloc(s->actor, ((size_t)s->actors + 1) * sizeof(*more));
	if (!more)
		return complain("no memory for the scenario");
	s->actor = more;
	a = &more[s->actors++];
	memset(a, 0, sizeof(*a));
	a->seq = a->ipid = -1;
	a->sport = a->window = a->ttl = a->doff = a->flags = a->protocol = a->type = a->code = -1;
	a->class = a->tool = a->outcome = a->retries = -1;
	a->sources = 1;
	a->skew = 1;
	a->family = 4;
	memcpy(a->path.src_mac, s->src_mac, 6);
	memcpy(a->path.dst_mac, s->dst_mac, 6);
	a->kind = find_kind(at, node);
	if (!a->kind || read_mapping(at, node, "actors", set_actor, a))
		return -1;
	if (!a->name[0])
		snprintf(a->name, sizeof(a->name), "%s", a->kind->name);
	if (!a->ports.n && a->kind->ports) {
		char copy[512], *save = NULL;

		snprintf(copy, sizeof(copy), "%s", a->kind->ports);
		for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
			text_ports(w, &a->ports, &why);
	}
	if (a->share <= 0 && !a->packets)
		return refuse(at, node, a->name, "an actor needs a share above 0 or a number of packets");
	if (a->share > 0 && a->packets)
		return refuse(at, node, a->name,
			      "an actor has either a share or a number of packets, not both");
	if (a->kind->only_v4 && a->family != 4)
		return refuse(at, node, a->name, "this kind exists in IPv4 only");
	return 0;
}

static int set_top(const struct place *at, void *target, const char *key, const yaml_node_t *node)
{
	struct scenario *s = target;
	const char *why = "it must be one word", *text = scalar(node);
	int err = -1;

	if (!strcmp(key, "dark"))
		return read_words(at, node, key, take_prefix, &s->dark);
	if (!strcmp(key, "other"))
		return read_words(at, node, key, take_prefix, &s->other);
	if (!strcmp(key, "actors"))
		return 0; /* read when the rest is known */
	if (!text)
		return refuse(at, node, key, why);
	if (!strcmp(key, "name"))
		err = snprintf(s->name, sizeof(s->name), "%s", text) < 0;
	else if (!strcmp(key, "seed"))
		err = text_u64(text, UINT64_MAX, &s->seed, &why);
	else if (!strcmp(key, "packets"))
		err = text_u64(text, 1ULL << 40, &s->packets, &why);
	else if (!strcmp(key, "rate"))
		err = text_u64(text, 1000000000, &s->rate_pps, &why);
	else if (!strcmp(key, "start"))
		err = text_u64(text, UINT32_MAX, &s->start_s, &why);
	else if (!strcmp(key, "seconds"))
		err = text_double(text, &s->seconds, &why);
	else if (!strcmp(key, "src_mac"))
		err = text_mac(text, s->src_mac, &why);
	else if (!strcmp(key, "dst_mac"))
		err = text_mac(text, s->dst_mac, &why);
	else
		why = "unknown key; known: name seed rate packets seconds start dark other src_mac dst_mac actors";
	return err ? refuse(at, node, key, why) : 0;
}

static int read_actors(const struct place *at, struct scenario *s, const yaml_node_t *root)
{
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++) {
		yaml_node_t *list = yaml_document_get_node(at->doc, p->value);

		if (strcmp(scalar(yaml_document_get_node(at->doc, p->key)), "actors") != 0)
			continue;
		if (list->type != YAML_SEQUENCE_NODE)
			return refuse(at, list, "actors", "must be a list");
		for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
		     i++)
			if (read_actor(at, s, yaml_document_get_node(at->doc, *i)))
				return -1;
	}
	return s->actors ? 0 : refuse(at, root, "actors", "a scenario needs at least one");
}

int scenario_read(struct scenario *s, const char *file, const char *text, size_t len)
{
	static const struct scenario fresh = {
		.name = "unnamed",
		.seed = 1,
		.rate_pps = 1000,
		.start_s = 1735689600,
		.src_mac = {2, 0, 0, 0, 0, 1},
		.dst_mac = {2, 0, 0, 0, 0, 2},
	};
	yaml_parser_t parser;
	yaml_document_t doc;
	struct place at = {file, &doc};
	yaml_node_t *root;
	int err;

	*s = fresh;
	if (!yaml_parser_initialize(&parser))
		return complain("no memory for the scenario");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &doc)) {
		err = complain("%s:%zu: %s", file, parser.problem_mark.line + 1,
			       parser.problem ? parser.problem : "no YAML");
		yaml_parser_delete(&parser);
		return err;
	}
	root = yaml_document_get_root_node(&doc);
	err = read_mapping(&at, root, "scenario", set_top, s);
	if (!err)
		err = read_actors(&at, s, root);
	if (!err && !s->dark.n)
		err = refuse(&at, root, "dark", "a scenario needs at least one dark prefix");
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return err;
}
