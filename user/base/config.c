// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration as data: defaults, additions, and what each addition must be (config.h). Knows no YAML.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/config.h"
#include "bpf/hash.h"

static const struct config_watch DEFAULT_WATCH[] = {
#define AG_WATCH(protocol, port, why) {protocol, port},
#include "airglow/watch.def"
};

static const struct {
	const char *label;
	bool drops;
} FEEDS[] = {
#define AG_FEED(name, label, drops, help) {label, drops},
#include "airglow/feed.def"
#undef AG_FEED
};

static const char *const DECAP_LABELS[] = {
#define AG_DECAP(name, label, ip_protocol, help) label,
#include "airglow/decap.def"
#undef AG_DECAP
};

_Static_assert(sizeof(DEFAULT_WATCH) / sizeof(DEFAULT_WATCH[0]) <= CONFIG_WATCH_MAX,
	       "the default must be allowed");

enum ag_feed config_feed(const char *label)
{
	unsigned int feed = 0;

	while (feed < AG_FEED_MAX && strcmp(FEEDS[feed].label, label))
		feed++;
	return (enum ag_feed)feed;
}

const char *config_feed_label(enum ag_feed feed)
{
	return FEEDS[feed].label;
}

bool config_feed_drops(enum ag_feed feed)
{
	return FEEDS[feed].drops;
}

enum ag_decap_type config_decap_type(const char *label)
{
	unsigned int type = 0;

	while (type < AG_DECAP_TYPE_MAX && strcmp(DECAP_LABELS[type], label))
		type++;
	return (enum ag_decap_type)type;
}

const char *config_decap_label(enum ag_decap_type type)
{
	return DECAP_LABELS[type];
}

static int refuse_memory(char *why, size_t why_size)
{
	snprintf(why, why_size, "not enough memory for the configuration");
	return -ENOMEM;
}

/* Room for one more entry of an array of count entries of size bytes. */
static int grow(void *array, size_t count, size_t size)
{
	void *old, *new;

	memcpy(&old, array, sizeof(old));
	new = reallocarray(old, count + 1, size);
	if (!new)
		return -ENOMEM;
	memset((char *)new + count *size, 0, size);
	memcpy(array, &new, sizeof(new));
	/* cppcheck-suppress memleak ; it went into *array */
	return 0;
}

int config_new(struct config **out)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return -ENOMEM;
	config->listen = strdup(CONFIG_LISTEN);
	config->pins = strdup(CONFIG_PINS);
	config->watch = malloc(sizeof(DEFAULT_WATCH));
	config->memory_bytes = UINT64_C(128) << 20;
	config->interval_ms = CONFIG_INTERVAL;
	config->samples = CONFIG_SAMPLES;
	config->client_requests = CONFIG_CLIENT_REQUESTS;
	config->client_connections = CONFIG_CLIENT_CONNECTIONS;
#define AG_THRESHOLD(name, default_, help) config->thresholds.name = default_;
#include "airglow/threshold.def"
#undef AG_THRESHOLD
	if (!config->listen || !config->pins || !config->watch) {
		config_free(&config);
		return -ENOMEM;
	}
	memcpy(config->watch, DEFAULT_WATCH, sizeof(DEFAULT_WATCH));
	config->watch_count = sizeof(DEFAULT_WATCH) / sizeof(DEFAULT_WATCH[0]);
	*out = config;
	return 0;
}

/* False: its set is full. */
static bool promoted_place(struct ag_promoted *promoted, uint32_t address, uint32_t slot)
{
	uint64_t hash = promoted_hash(address);
	uint32_t bit = promoted_bit(hash);

	for (unsigned int way = 0; way < AG_PROMOTED_WAYS; way++) {
		struct ag_promoted_source *source = &promoted->source[promoted_set(hash)][way];

		if (source->slot)
			continue;
		source->address = address;
		source->slot = slot;
		promoted->filter[bit / 64] |= 1ULL << (bit % 64);
		return true;
	}
	return false;
}

void config_write(const struct config *config, struct ag_settings *settings)
{
	if (config->decaps_count)
		memcpy(settings->decap, config->decaps, config->decaps_count * sizeof(*config->decaps));
	settings->decaps = (__u32)config->decaps_count;
	settings->thresholds = config_thresholds(config);
	settings->sample_ns = config->samples ? (__u32)(1000000000 / config->samples) : 0;
	settings->promoted_slots = (__u32)config->promoted_count;
	settings->signatures = (__u32)config->signatures_count;
	memcpy(settings->signature, config->signatures, sizeof(settings->signature));
	config_write_live_ports(config, &settings->live_ports);
	memset(&settings->promoted, 0, sizeof(settings->promoted));
	for (size_t i = 0; i < config->promoted_count; i++)
		for (size_t j = 0; j < config->promoted[i].addresses_count; j++)
			promoted_place(&settings->promoted, config->promoted[i].addresses[j], (__u32)i + 1);
}

struct config *config_ref(struct config *config)
{
	__atomic_add_fetch(&config->references, 1, __ATOMIC_RELAXED);
	return config;
}

void config_free(struct config **config)
{
	struct config *c = *config;

	*config = NULL;
	if (!c || __atomic_fetch_sub(&c->references, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < c->interfaces_count; i++)
		free(c->interfaces[i].name);
	for (size_t i = 0; i < c->scopes_count; i++)
		free(c->scopes[i].name);
	for (size_t i = 0; i < c->promoted_count; i++) {
		free(c->promoted[i].name);
		free(c->promoted[i].addresses);
	}
	free(c->promoted);
	free(c->interfaces);
	free(c->scopes);
	free(c->prefixes);
	free(c->decaps);
	free(c->watch);
	free(c->listen);
	free(c->web_config);
	free(c->state);
	free(c->pins);
	free(c->netns);
	free(c->user);
	free(c);
}

bool config_is_name(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

/* The scope of a name, made if new: its id in *id. */
static int find_scope(struct config *config, const char *name, unsigned int *id, char *why, size_t why_size)
{
	struct config_scope *scope;

	if (!config_is_name(name)) {
		snprintf(why, why_size, "\"%.60s\" cannot name a scope; use 1 to 32 of a-z, 0-9, _ and -",
			 name);
		return -EINVAL;
	}
	for (size_t i = 0; i < config->scopes_count; i++) {
		if (strcmp(config->scopes[i].name, name))
			continue;
		*id = (unsigned int)i + 1;
		return 0;
	}
	if (config->scopes_count == AG_SCOPES_MAX) {
		snprintf(why, why_size, "the scope %s is one too many; at most %d are possible", name,
			 AG_SCOPES_MAX);
		return -ENOSPC;
	}
	if (grow(&config->scopes, config->scopes_count, sizeof(*config->scopes)))
		return refuse_memory(why, why_size);
	scope = &config->scopes[config->scopes_count];
	scope->name = strdup(name);
	if (!scope->name)
		return refuse_memory(why, why_size);
	*id = (unsigned int)++config->scopes_count;
	return 0;
}

static const char *scope_name(const struct config *config, unsigned int scope)
{
	return scope ? config->scopes[scope - 1].name : "live";
}

static int add_prefix(struct config *config, const char *text, unsigned int scope, char *why, size_t why_size)
{
	struct prefix prefix;
	size_t family6 = 0;
	int err = prefix_parse(&prefix, text, why, why_size);

	if (err)
		return err;
	for (size_t i = 0; i < config->prefixes_count; i++) {
		const struct plan_prefix *other = &config->prefixes[i];

		family6 += other->prefix.family == 6;
		if (prefix_compare(&other->prefix, &prefix))
			continue;
		if (other->scope == scope)
			snprintf(why, why_size, "%.60s is given twice as %s; keep one of them", text,
				 scope_name(config, scope));
		else
			snprintf(why, why_size, "%.60s is given both as %s and as %s; keep one of them", text,
				 scope_name(config, other->scope), scope_name(config, scope));
		return -EEXIST;
	}
	if (config->prefixes_count == AG_PREFIXES_MAX || (prefix.family == 6 && family6 == AG_PREFIXES6_MAX)) {
		snprintf(why, why_size,
			 "%.60s is one prefix too many; at most %d are possible, %d of them IPv6", text,
			 AG_PREFIXES_MAX, AG_PREFIXES6_MAX);
		return -ENOSPC;
	}
	if (grow(&config->prefixes, config->prefixes_count, sizeof(*config->prefixes)))
		return refuse_memory(why, why_size);
	config->prefixes[config->prefixes_count++] = (struct plan_prefix){prefix, scope};
	return 0;
}

struct adding {
	struct config *config;
	unsigned int scope;
};

static int add_part(void *arg, const char *part, char *why, size_t why_size)
{
	const struct adding *adding = arg;

	if (!strcmp(part, "self"))
		return config_add_self(adding->config, adding->scope, why, why_size);
	return add_prefix(adding->config, part, adding->scope, why, why_size);
}

int config_add_dark(struct config *config, const char *list, const char *scope, char *why, size_t why_size)
{
	struct adding adding = {config, 0};
	int err = find_scope(config, scope ? scope : "dark", &adding.scope, why, why_size);

	return err ? err : list_each(list, add_part, &adding, why, why_size);
}

int config_add_live(struct config *config, const char *list, char *why, size_t why_size)
{
	struct adding adding = {config, 0};

	return list_each(list, add_part, &adding, why, why_size);
}

int config_add_interface(struct config *config, const char *name, char *why, size_t why_size)
{
	struct config_interface *interface;

	if (!*name || strlen(name) >= IF_NAMESIZE || strpbrk(name, "/ \t\n")) {
		snprintf(why, why_size, "\"%.60s\" cannot name an interface; \"ip link\" lists those there are",
			 name);
		return -EINVAL;
	}
	for (size_t i = 0; i < config->interfaces_count; i++) {
		if (strcmp(config->interfaces[i].name, name))
			continue;
		snprintf(why, why_size, "the interface %s is given twice; keep one of them", name);
		return -EEXIST;
	}
	if (config->interfaces_count == AG_INTERFACES_MAX) {
		snprintf(why, why_size, "the interface %s is one too many; at most %d are possible", name,
			 AG_INTERFACES_MAX);
		return -ENOSPC;
	}
	if (grow(&config->interfaces, config->interfaces_count, sizeof(*config->interfaces)))
		return refuse_memory(why, why_size);
	interface = &config->interfaces[config->interfaces_count];
	interface->name = strdup(name);
	if (!interface->name)
		return refuse_memory(why, why_size);
	config->interfaces_count++;
	return 0;
}

/* Decimal or 0x...; the whole text. */
static int parse_u32(uint32_t *out, const char *text)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, text[1] == 'x' ? 16 : 10);
	if (errno || *end || value > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)value;
	return 0;
}

static uint32_t largest_key(enum ag_decap_type type)
{
	switch (type) {
	case AG_DECAP_GRE:
		return UINT32_MAX;
	case AG_DECAP_ERSPAN:
		return 0x3ff; /* session id: 10 bits */
	case AG_DECAP_VXLAN:
		return 0xffffff; /* VNI: 24 bits */
	default:
		return 0;
	}
}

static int parse_key(struct ag_decap *decap, const char *key, char *why, size_t why_size)
{
	uint32_t most = largest_key((enum ag_decap_type)decap->type);

	decap->key_any = !key;
	if (!key)
		return 0;
	if (!most) {
		snprintf(why, why_size, "a tunnel of type %s has no key; leave it out",
			 DECAP_LABELS[decap->type]);
		return -EINVAL;
	}
	if (parse_u32(&decap->key, key) || decap->key > most) {
		snprintf(why, why_size, "\"%.60s\" is not a key of a %s tunnel; give a number from 0 to %u",
			 key, DECAP_LABELS[decap->type], most);
		return -EINVAL;
	}
	return 0;
}

int config_add_tunnel(struct config *config, enum ag_decap_type type, const char *from, const char *to,
		      const char *key, char *why, size_t why_size)
{
	struct ag_decap decap = {.type = (__u8)type, .to_any = !to};
	struct prefix source, target = {};
	int err = prefix_parse(&source, from, why, why_size);

	if (!err && to)
		err = prefix_parse_address(&target, to, why, why_size);
	if (!err)
		err = parse_key(&decap, key, why, why_size);
	if (err)
		return err;
	if (to && source.family != target.family) {
		snprintf(why, why_size, "a tunnel from %.60s cannot go to %.60s: one is IPv4, the other IPv6",
			 from, to);
		return -EINVAL;
	}
	decap.family = source.family;
	decap.from_len = source.length;
	memcpy(decap.from, source.addr, sizeof(decap.from));
	memcpy(decap.to, target.addr, sizeof(decap.to));
	if (config->decaps_count == AG_DECAP_MAX) {
		snprintf(why, why_size, "the tunnel from %.60s is one too many; at most %d are possible", from,
			 AG_DECAP_MAX);
		return -ENOSPC;
	}
	if (grow(&config->decaps, config->decaps_count, sizeof(*config->decaps)))
		return refuse_memory(why, why_size);
	config->decaps[config->decaps_count++] = decap;
	return 0;
}

/* The parts of --decap. */
struct tunnel_text {
	char type[16], from[64], to[64], key[16];
};

static int note_tunnel_part(void *arg, const char *part, char *why, size_t why_size)
{
	struct tunnel_text *text = arg;
	const struct {
		const char *name;
		char *into;
		size_t size;
	} parts[] = {{"type", text->type, sizeof(text->type)},
		     {"from", text->from, sizeof(text->from)},
		     {"to", text->to, sizeof(text->to)},
		     {"key", text->key, sizeof(text->key)}};
	size_t length = strcspn(part, "=");

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strlen(parts[i].name) != length || memcmp(parts[i].name, part, length))
			continue;
		if (*parts[i].into || !part[length] || !part[length + 1] ||
		    strlen(part + length + 1) >= parts[i].size)
			break;
		memcpy(parts[i].into, part + length + 1, strlen(part + length + 1) + 1);
		return 0;
	}
	snprintf(why, why_size,
		 "\"%.60s\" is no part of a tunnel; write type=T,from=PREFIX[,to=ADDRESS][,key=N], each once",
		 part);
	return -EINVAL;
}

int config_add_decap(struct config *config, const char *text, char *why, size_t why_size)
{
	struct tunnel_text parts = {};
	enum ag_decap_type type;
	int err = list_each(text, note_tunnel_part, &parts, why, why_size);

	if (err)
		return err;
	type = config_decap_type(parts.type);
	if (type == AG_DECAP_TYPE_MAX || !*parts.from) {
		snprintf(
			why, why_size,
			"a tunnel needs type= (gre, erspan, vxlan or ipip) and from=, \"%.60s\" does not say both",
			text);
		return -EINVAL;
	}
	return config_add_tunnel(config, type, parts.from, *parts.to ? parts.to : NULL,
				 *parts.key ? parts.key : NULL, why, why_size);
}

static int compare_watch(const struct config_watch *a, const struct config_watch *b)
{
	return a->protocol != b->protocol ? (int)a->protocol - (int)b->protocol : (int)a->port - (int)b->port;
}

int config_add_watch(struct config *config, uint8_t protocol, const char *port, char *why, size_t why_size)
{
	struct config_watch watch = {.protocol = protocol};
	size_t at = config->watch_count;
	uint32_t number;

	if (parse_u32(&number, port) || number > UINT16_MAX) {
		snprintf(why, why_size, "\"%.60s\" is not a port; give a number from 0 to 65535", port);
		return -EINVAL;
	}
	watch.port = (uint16_t)number;
	while (at && compare_watch(&watch, &config->watch[at - 1]) < 0)
		at--;
	if (at && !compare_watch(&watch, &config->watch[at - 1])) {
		snprintf(why, why_size, "the port %u is watched twice; keep one of them", number);
		return -EEXIST;
	}
	if (config->watch_count == CONFIG_WATCH_MAX) {
		snprintf(why, why_size, "the port %u is one too many; at most %d can be watched", number,
			 CONFIG_WATCH_MAX);
		return -ENOSPC;
	}
	if (grow(&config->watch, config->watch_count, sizeof(watch)))
		return refuse_memory(why, why_size);
	memmove(config->watch + at + 1, config->watch + at, (config->watch_count - at) * sizeof(watch));
	config->watch[at] = watch;
	config->watch_count++;
	return 0;
}

/* The slot of a name, made if new: its index in *at. */
static int find_promoted(struct config *config, const char *name, size_t *at, char *why, size_t why_size)
{
	if (!config_is_name(name)) {
		snprintf(why, why_size,
			 "\"%.60s\" cannot name promoted sources; use 1 to 32 of a-z, 0-9, _ and -", name);
		return -EINVAL;
	}
	for (*at = 0; *at < config->promoted_count; (*at)++)
		if (!strcmp(config->promoted[*at].name, name))
			return 0;
	if (config->promoted_count == AG_PROMOTED_SLOTS_MAX) {
		snprintf(why, why_size, "%s is one name too many to promote; at most %d are possible", name,
			 AG_PROMOTED_SLOTS_MAX);
		return -ENOSPC;
	}
	if (grow(&config->promoted, config->promoted_count, sizeof(*config->promoted)))
		return refuse_memory(why, why_size);
	config->promoted[*at].name = strdup(name);
	if (!config->promoted[*at].name)
		return refuse_memory(why, why_size);
	config->promoted_count++;
	return 0;
}

/* Is there a place for one more beside those there are? */
static int check_promoted(const struct config *config, uint32_t address, const char *text, char *why,
			  size_t why_size)
{
	size_t total = 0, set = 0;

	for (size_t i = 0; i < config->promoted_count; i++) {
		for (size_t j = 0; j < config->promoted[i].addresses_count; j++, total++) {
			uint32_t other = config->promoted[i].addresses[j];

			set += promoted_set(promoted_hash(other)) == promoted_set(promoted_hash(address));
			if (other != address)
				continue;
			snprintf(why, why_size, "%.60s is promoted twice; keep one of them", text);
			return -EEXIST;
		}
	}
	if (total < AG_PROMOTED_SOURCES_MAX && set < AG_PROMOTED_WAYS)
		return 0;
	snprintf(why, why_size, "there is no room to promote %.60s beside %zu others; at most %d are possible",
		 text, total, AG_PROMOTED_SOURCES_MAX);
	return -ENOSPC;
}

int config_add_promoted(struct config *config, const char *name, const char *address, char *why,
			size_t why_size)
{
	struct prefix prefix;
	struct config_promoted *into;
	uint32_t number;
	size_t at;
	int err = prefix_parse_address(&prefix, address, why, why_size);

	if (!err && prefix.family != 4) {
		snprintf(why, why_size,
			 "%.60s cannot be promoted: only IPv4 destinations are counted one by one", address);
		err = -EINVAL;
	}
	if (err)
		return err;
	number = (uint32_t)prefix.addr[0] << 24 | (uint32_t)prefix.addr[1] << 16 |
		 (uint32_t)prefix.addr[2] << 8 | prefix.addr[3];
	err = check_promoted(config, number, address, why, why_size);
	if (!err)
		err = find_promoted(config, name, &at, why, why_size);
	if (err)
		return err;
	into = &config->promoted[at];
	if (grow(&into->addresses, into->addresses_count, sizeof(*into->addresses)))
		return refuse_memory(why, why_size);
	into->addresses[into->addresses_count++] = number;
	return 0;
}
