// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration as YAML, in both directions, by one schema. tools/airglow.yaml documents the keys.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/config.h"
#include "base/config_rows.h"
#include "base/config_web.h"
#include "base/options.h"
#include "base/yaml.h"

/* The file as libcyaml gives it: texts, since libcyaml takes -1 for a large number. */
struct raw_interface {
	char *name;
	int feed, mode;
};

struct raw_dark {
	char *prefix;
	char **prefixes;
	uint32_t prefixes_count;
	char *scope;
};

struct raw_decap {
	int type;
	char *from, *to, *key;
};

struct raw_watch {
	char **tcp, **udp;
	uint32_t tcp_count, udp_count;
};

struct raw_alerts {
#define AG_THRESHOLD(name, default_, help) char *name;
#include "airglow/threshold.def"
#undef AG_THRESHOLD
};

struct raw {
	struct raw_interface *interfaces;
	struct raw_dark *dark;
	char **live;
	struct raw_decap *decap;
	char *netns, *state, *pins, *user, *memory, *interval, *samples, *addresses;
	int keep;
	struct raw_web web;
	struct raw_alerts *alerts;
	struct raw_watch *watch;
	struct config_promoted_text *promote;
	char **live_ports;
	struct config_signature_text *signatures;
	uint32_t interfaces_count, dark_count, live_count, decap_count, promote_count, live_ports_count,
		signatures_count;
};

#define THRESHOLD_MAX			    1000000u
#define OPTIONAL			    (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT_MAX			    256
#define TEXT(key, flags, structure, member) CYAML_FIELD_STRING_PTR(key, flags, structure, member, 1, TEXT_MAX)
#define LIST(key, structure, member, entry, max)                                                               \
	CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL, structure, member, member##_count, entry, 0, max)

static const cyaml_strval_t FEED_WORDS[] = {
#define AG_FEED(name, label, drops, help) {label, AG_FEED_##name},
#include "airglow/feed.def"
#undef AG_FEED
};

static const cyaml_strval_t DECAP_WORDS[] = {
#define AG_DECAP(name, label, ip_protocol, help) {label, AG_DECAP_##name},
#include "airglow/decap.def"
#undef AG_DECAP
};

static const cyaml_strval_t MODE_WORDS[] = {
	{"auto", CONFIG_MODE_AUTO}, {"native", CONFIG_MODE_NATIVE}, {"generic", CONFIG_MODE_GENERIC}};

static const cyaml_schema_value_t TEXT_VALUE = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX)};

static const cyaml_schema_field_t INTERFACE_FIELDS[] = {
	TEXT("name", CYAML_FLAG_POINTER, struct raw_interface, name),
	CYAML_FIELD_ENUM("feed", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct raw_interface, feed,
			 FEED_WORDS, CYAML_ARRAY_LEN(FEED_WORDS)),
	CYAML_FIELD_ENUM("mode", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct raw_interface, mode,
			 MODE_WORDS, CYAML_ARRAY_LEN(MODE_WORDS)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t DARK_FIELDS[] = {
	TEXT("prefix", OPTIONAL, struct raw_dark, prefix),
	LIST("prefixes", struct raw_dark, prefixes, &TEXT_VALUE, AG_PREFIXES_MAX),
	TEXT("scope", OPTIONAL, struct raw_dark, scope),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t DECAP_FIELDS[] = {
	CYAML_FIELD_ENUM("type", CYAML_FLAG_STRICT, struct raw_decap, type, DECAP_WORDS,
			 CYAML_ARRAY_LEN(DECAP_WORDS)),
	TEXT("from", CYAML_FLAG_POINTER, struct raw_decap, from),
	TEXT("to", OPTIONAL, struct raw_decap, to),
	TEXT("key", OPTIONAL, struct raw_decap, key),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t WATCH_FIELDS[] = {
	LIST("tcp", struct raw_watch, tcp, &TEXT_VALUE, CONFIG_WATCH_MAX),
	LIST("udp", struct raw_watch, udp, &TEXT_VALUE, CONFIG_WATCH_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ALERT_FIELDS[] = {
#define AG_THRESHOLD(name, default_, help) TEXT(#name, OPTIONAL, struct raw_alerts, name),
#include "airglow/threshold.def"
#undef AG_THRESHOLD
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t INTERFACE_VALUE = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_interface, INTERFACE_FIELDS)};
static const cyaml_schema_value_t DARK_VALUE = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_dark, DARK_FIELDS)};
static const cyaml_schema_value_t DECAP_VALUE = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_decap, DECAP_FIELDS)};

static const cyaml_schema_field_t FILE_FIELDS[] = {
	LIST("interfaces", struct raw, interfaces, &INTERFACE_VALUE, AG_INTERFACES_MAX),
	LIST("dark", struct raw, dark, &DARK_VALUE, AG_PREFIXES_MAX),
	LIST("live", struct raw, live, &TEXT_VALUE, AG_PREFIXES_MAX),
	LIST("live_ports", struct raw, live_ports, &TEXT_VALUE, CONFIG_LIVE_PORTS_MAX),
	LIST("signatures", struct raw, signatures, &config_signature_value, AG_SIGNATURES_MAX),
	LIST("decap", struct raw, decap, &DECAP_VALUE, AG_DECAP_MAX),
	CONFIG_WEB_FIELDS(struct raw),
	TEXT("netns", OPTIONAL, struct raw, netns),
	TEXT("state", OPTIONAL, struct raw, state),
	TEXT("pins", OPTIONAL, struct raw, pins),
	CYAML_FIELD_ENUM("keep", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct raw, keep, CONFIG_BOOL_WORDS,
			 2),
	TEXT("user", OPTIONAL, struct raw, user),
	TEXT("memory", OPTIONAL, struct raw, memory),
	TEXT("interval", OPTIONAL, struct raw, interval),
	TEXT("samples", OPTIONAL, struct raw, samples),
	CYAML_FIELD_MAPPING_PTR("alerts", OPTIONAL, struct raw, alerts, ALERT_FIELDS),
	CYAML_FIELD_MAPPING_PTR("watch", OPTIONAL, struct raw, watch, WATCH_FIELDS),
	LIST("promote", struct raw, promote, &config_promoted_value, AG_PROMOTED_SLOTS_MAX),
	TEXT("addresses", OPTIONAL, struct raw, addresses),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t FILE_VALUE = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw, FILE_FIELDS)};

const char *config_key(size_t index)
{
	return index < CYAML_ARRAY_LEN(FILE_FIELDS) ? FILE_FIELDS[index].key : NULL;
}

/* A file on its way into a configuration; the place of the value that is being taken, for its line. */
struct reading {
	struct config *config;
	const struct raw *raw;
	const char *name;
	const char *section, *key;
	long entry, item;
	char reason[400];
};

static void look_at(struct reading *r, const char *section, long entry, const char *key, long item)
{
	r->section = section;
	r->entry = entry;
	r->key = key;
	r->item = item;
}

static int take_interfaces(struct reading *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->raw->interfaces_count && !err; i++) {
		const struct raw_interface *from = &r->raw->interfaces[i];
		struct config_interface *into;

		look_at(r, "interfaces", i, "name", -1);
		err = config_add_interface(r->config, from->name, r->reason, sizeof(r->reason));
		if (err)
			break;
		into = &r->config->interfaces[r->config->interfaces_count - 1];
		into->feed = (enum ag_feed)from->feed;
		into->mode = (enum config_mode)from->mode;
	}
	return err;
}

static int take_dark_entry(struct reading *r, uint32_t entry)
{
	const struct raw_dark *from = &r->raw->dark[entry];
	int err = 0;

	look_at(r, "dark", entry, "scope", -1);
	if (!from->prefix == !from->prefixes_count) {
		look_at(r, "dark", entry, NULL, -1);
		snprintf(r->reason, sizeof(r->reason), "an entry of dark needs either prefix or prefixes");
		return -EINVAL;
	}
	if (from->prefix) {
		look_at(r, "dark", entry, "prefix", -1);
		return config_add_dark(r->config, from->prefix, from->scope, r->reason, sizeof(r->reason));
	}
	for (uint32_t i = 0; i < from->prefixes_count && !err; i++) {
		look_at(r, "dark", entry, "prefixes", i);
		err = config_add_dark(r->config, from->prefixes[i], from->scope, r->reason, sizeof(r->reason));
	}
	return err;
}

static int take_prefixes(struct reading *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->raw->dark_count && !err; i++)
		err = take_dark_entry(r, i);
	for (uint32_t i = 0; i < r->raw->live_count && !err; i++) {
		look_at(r, "live", i, NULL, -1);
		err = config_add_live(r->config, r->raw->live[i], r->reason, sizeof(r->reason));
	}
	return err;
}

static int take_decaps(struct reading *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->raw->decap_count && !err; i++) {
		const struct raw_decap *from = &r->raw->decap[i];

		look_at(r, "decap", i, NULL, -1);
		err = config_add_tunnel(r->config, (enum ag_decap_type)from->type, from->from, from->to,
					from->key, r->reason, sizeof(r->reason));
	}
	return err;
}

static int take_rows(struct reading *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->raw->live_ports_count && !err; i++) {
		look_at(r, "live_ports", i, NULL, -1);
		err = config_add_live_ports(r->config, r->raw->live_ports[i], r->reason, sizeof(r->reason));
	}
	for (uint32_t i = 0; i < r->raw->signatures_count && !err; i++) {
		look_at(r, "signatures", i, NULL, -1);
		err = config_add_signature(r->config, &r->raw->signatures[i], &r->key, r->reason,
					   sizeof(r->reason));
	}
	return err;
}

static int take_watch(struct reading *r)
{
	const struct raw_watch *from = r->raw->watch;
	int err = 0;

	if (!from)
		return 0;
	r->config->watch_count = 0; /* the file's list replaces the built-in one */
	for (uint32_t i = 0; i < from->tcp_count && !err; i++) {
		look_at(r, "watch", -1, "tcp", i);
		err = config_add_watch(r->config, 6, from->tcp[i], r->reason, sizeof(r->reason));
	}
	for (uint32_t i = 0; i < from->udp_count && !err; i++) {
		look_at(r, "watch", -1, "udp", i);
		err = config_add_watch(r->config, 17, from->udp[i], r->reason, sizeof(r->reason));
	}
	return err;
}

static int take_promoted(struct reading *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->raw->promote_count && !err; i++) {
		const struct config_promoted_text *from = &r->raw->promote[i];

		for (uint32_t j = 0; j < from->sources_count && !err; j++) {
			look_at(r, "promote", i, "sources", j);
			err = config_add_promoted(r->config, from->name, from->sources[j], r->reason,
						  sizeof(r->reason));
		}
	}
	return err;
}

static int take_text(struct reading *r, char **into, const char *from, const char *key)
{
	char *copy;

	if (!from)
		return 0;
	look_at(r, key, -1, NULL, -1);
	copy = strdup(from);
	if (!copy) {
		snprintf(r->reason, sizeof(r->reason), "not enough memory");
		return -ENOMEM;
	}
	free(*into);
	*into = copy;
	return 0;
}

static int take_number(struct reading *r, uint64_t *into, const char *from, const char *key, const char *wanted)
{
	if (!from)
		return 0;
	look_at(r, key, -1, NULL, -1);
	if (!options_bytes(into, from))
		return 0;
	snprintf(r->reason, sizeof(r->reason), "%s cannot be \"%.60s\"; give %s", key, from, wanted);
	return -EINVAL;
}

static int take_threshold(struct reading *r, __u32 *into, const char *from, const char *key)
{
	uint64_t number;

	if (!from)
		return 0;
	look_at(r, "alerts", -1, key, -1);
	if (!options_bytes(&number, from) && number >= 1 && number <= THRESHOLD_MAX) {
		*into = (__u32)number;
		return 0;
	}
	snprintf(r->reason, sizeof(r->reason), "%s cannot be \"%.60s\"; give a number from 1 to %u", key, from,
		 THRESHOLD_MAX);
	return -EINVAL;
}

static int take_alerts(struct reading *r)
{
	const struct raw_alerts *from = r->raw->alerts;
	struct ag_thresholds *into = &r->config->thresholds;
	int err = 0;

	if (!from)
		return 0;
#define AG_THRESHOLD(name, default_, help)                                                                     \
	if (!err)                                                                                              \
		err = take_threshold(r, &into->name, from->name, #name);
#include "airglow/threshold.def"
#undef AG_THRESHOLD
	return err;
}

static int take_web(struct reading *r)
{
	look_at(r, NULL, -1, NULL, -1);
	return config_web_take(r->config, &r->raw->web, r->name, &r->section, &r->key, r->reason,
			       sizeof(r->reason));
}

static int take_all(struct reading *r)
{
	const struct raw *raw = r->raw;
	struct config *config = r->config;
	int err = take_interfaces(r);

	if (!err)
		err = take_prefixes(r);
	if (!err)
		err = take_decaps(r);
	if (!err)
		err = take_watch(r);
	if (!err)
		err = take_rows(r);
	if (!err)
		err = take_web(r);
	if (!err)
		err = take_text(r, &config->netns, raw->netns, "netns");
	if (!err)
		err = take_text(r, &config->state, raw->state, "state");
	if (!err)
		err = take_text(r, &config->pins, raw->pins, "pins");
	config->keep = raw->keep;
	if (!err)
		err = take_text(r, &config->user, raw->user, "user");
	if (!err)
		err = take_number(r, &config->memory_bytes, raw->memory, "memory", "a size like 128MB");
	if (!err)
		err = take_number(r, &config->interval_ms, raw->interval, "interval", "milliseconds");
	if (!err)
		err = take_number(r, &config->samples, raw->samples, "samples", "a number");
	if (!err)
		err = take_alerts(r);
	if (!err)
		err = take_promoted(r);
	if (!err)
		err = take_number(r, &config->addresses, raw->addresses, "addresses", "a number");
	return err;
}

static int read_yaml(struct config *config, const char *text, size_t length, const char *name, char *why,
		     size_t why_size)
{
	struct reading reading = {.config = config, .name = name};
	struct yaml_text *yaml;
	void *raw;
	int err = yaml_text_new(&yaml, text, length, name, &FILE_VALUE, why, why_size);

	if (err)
		return err;
	err = yaml_text_load(yaml, &raw, why, why_size);
	if (!err && raw) {
		reading.raw = raw;
		err = take_all(&reading);
		if (err)
			snprintf(
				why, why_size, "%s:%u: %s", name,
				yaml_text_line(yaml, reading.section, reading.entry, reading.key, reading.item),
				reading.reason);
		yaml_text_unload(&FILE_VALUE, raw);
	}
	yaml_text_free(&yaml);
	return err;
}

int config_read_text(struct config *config, const char *text, size_t length, const char *name, char *why,
		     size_t why_size)
{
	int err = read_yaml(config, text, length, name, why, why_size);

	/* A sentence quotes the file, which may hold anything: it stays one line. */
	for (char *at = why; err && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	return err;
}

int config_read(struct config *config, const char *path, char *why, size_t why_size)
{
	CLEANUP(cleanup_file) FILE *file = fopen(path, "re");
	CLEANUP(cleanup_free) char *text = malloc(YAML_TEXT_BYTES_MAX + 1);
	size_t length;

	if (!file || !text) {
		int err = file ? -ENOMEM : -errno;

		snprintf(why, why_size, "cannot read the configuration %s: %s", path, strerror(-err));
		return err;
	}
	errno = 0;
	length = fread(text, 1, YAML_TEXT_BYTES_MAX + 1, file);
	if (ferror(file)) {
		int err = errno ? -errno : -EIO;

		snprintf(why, why_size, "cannot read the configuration %s: %s", path, strerror(-err));
		/* cppcheck-suppress [memleak, resourceLeak] ; both have a cleanup */
		return err;
	}
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return config_read_text(config, text, length, path, why, why_size);
}

/* Copies for the way back; false without memory. raw starts zeroed and is freed by yaml_text_unload whatever
 * happens. */
static bool put_text(char **into, const char *text)
{
	*into = text ? strdup(text) : NULL;
	return !text || *into;
}

static bool put_prefix(char **into, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_BYTES];

	return put_text(into, prefix_format(text, sizeof(text), prefix));
}

static bool put_number(char **into, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return put_text(into, text);
}

static bool put_interfaces(struct raw *raw, const struct config *config)
{
	raw->interfaces = calloc(config->interfaces_count + 1, sizeof(*raw->interfaces));
	if (!raw->interfaces)
		return false;
	for (size_t i = 0; i < config->interfaces_count; i++) {
		struct raw_interface *into = &raw->interfaces[raw->interfaces_count++];

		into->feed = (int)config->interfaces[i].feed;
		into->mode = (int)config->interfaces[i].mode;
		if (!put_text(&into->name, config->interfaces[i].name))
			return false;
	}
	return true;
}

/* The prefixes of one scope (0: live) as a list. */
static bool put_scope(char ***into, uint32_t *count, const struct config *config, unsigned int scope)
{
	*into = calloc(config->prefixes_count + 1, sizeof(**into));
	if (!*into || (scope && scope == config->self_scope && !put_text(&(*into)[(*count)++], "self")))
		return false;
	for (size_t i = 0; i < config->prefixes_count; i++)
		if (config->prefixes[i].scope == scope &&
		    !put_prefix(&(*into)[(*count)++], &config->prefixes[i].prefix))
			return false;
	return true;
}

static bool put_scopes(struct raw *raw, const struct config *config)
{
	raw->dark = calloc(config->scopes_count + 1, sizeof(*raw->dark));
	if (!raw->dark)
		return false;
	for (size_t i = 0; i < config->scopes_count; i++) {
		struct raw_dark *into = &raw->dark[raw->dark_count++];

		if (!put_text(&into->scope, config->scopes[i].name) ||
		    !put_scope(&into->prefixes, &into->prefixes_count, config, (unsigned int)i + 1))
			return false;
	}
	return put_scope(&raw->live, &raw->live_count, config, 0);
}

static bool put_decaps(struct raw *raw, const struct config *config)
{
	raw->decap = calloc(config->decaps_count + 1, sizeof(*raw->decap));
	if (!raw->decap)
		return false;
	for (size_t i = 0; i < config->decaps_count; i++) {
		const struct ag_decap *from = &config->decaps[i];
		struct raw_decap *into = &raw->decap[raw->decap_count++];
		struct prefix source = {.family = from->family, .length = from->from_len};
		struct prefix target = {.family = from->family};
		char to[PREFIX_TEXT_BYTES];

		memcpy(source.addr, from->from, sizeof(source.addr));
		memcpy(target.addr, from->to, sizeof(target.addr));
		prefix_format(to, sizeof(to), &target);
		*strchr(to, '/') = '\0';
		into->type = from->type;
		if (!put_prefix(&into->from, &source) || !put_text(&into->to, from->to_any ? NULL : to) ||
		    (!from->key_any && !put_number(&into->key, from->key)))
			return false;
	}
	return true;
}

static bool put_watch(struct raw *raw, const struct config *config)
{
	struct raw_watch *into = calloc(1, sizeof(*into));

	raw->watch = into;
	if (!into)
		return false;
	into->tcp = calloc(config->watch_count + 1, sizeof(*into->tcp));
	into->udp = calloc(config->watch_count + 1, sizeof(*into->udp));
	if (!into->tcp || !into->udp)
		return false;
	for (size_t i = 0; i < config->watch_count; i++) {
		bool tcp = config->watch[i].protocol == 6;
		char **slot = tcp ? &into->tcp[into->tcp_count++] : &into->udp[into->udp_count++];

		if (!put_number(slot, config->watch[i].port))
			return false;
	}
	return true;
}

static bool put_alerts(struct raw *raw, const struct config *config)
{
	raw->alerts = calloc(1, sizeof(*raw->alerts));
	if (!raw->alerts)
		return false;
#define AG_THRESHOLD(name, default_, help)                                                                     \
	if (!put_number(&raw->alerts->name, config->thresholds.name))                                          \
		return false;
#include "airglow/threshold.def"
#undef AG_THRESHOLD
	return true;
}

char *config_print(const struct config *config)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	char *text = NULL;

	if (raw)
		raw->keep = config->keep;
	if (raw && put_interfaces(raw, config) && put_scopes(raw, config) && put_decaps(raw, config) &&
	    put_watch(raw, config) && config_put_live_ports(&raw->live_ports, &raw->live_ports_count, config) &&
	    config_put_signatures(&raw->signatures, &raw->signatures_count, config) &&
	    config_web_put(&raw->web, config) && put_text(&raw->netns, config->netns) &&
	    put_text(&raw->state, config->state) && put_text(&raw->pins, config->pins) &&
	    put_text(&raw->user, config->user) && put_number(&raw->memory, config->memory_bytes) &&
	    put_number(&raw->interval, config->interval_ms) && put_number(&raw->samples, config->samples) &&
	    put_alerts(raw, config) && config_put_promoted(&raw->promote, &raw->promote_count, config) &&
	    put_number(&raw->addresses, config->addresses))
		text = yaml_text_print(&FILE_VALUE, raw);
	yaml_text_unload(&FILE_VALUE, raw);
	return text;
}
