// SPDX-License-Identifier: GPL-2.0-only
/*
 * reload: each key of the configuration is put in force by a reload, or a change of it is refused by its name.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/config.h"
#include "cli/sensor.h"

/* Two values of each key, and of each part of it that is compared by itself. */
static const struct {
	const char *key, *before, *after;
	bool applied;
} KEYS[] = {
	{"interfaces", "[eth0]", "[eth1]", false},
	{"interfaces", "[eth0]", "[eth0, eth1]", false},
	{"interfaces", "[{name: eth0}]", "[{name: eth0, feed: mirror}]", false},
	{"interfaces", "[{name: eth0}]", "[{name: eth0, mode: generic}]", false},
	{"dark", "[192.0.2.0/24]", "[198.51.100.0/24]", true},
	{"live", "[192.0.2.1]", "[192.0.2.2]", true},
	{"live_ports", "[tcp/80]", "[tcp/81]", true},
	{"signatures", "[]", "[{service: dns, port: 53, bytes: \"00\", direction: request}]", true},
	{"decap", "[]", "[{type: gre, from: 192.0.2.1}]", true},
	{"listen", "127.0.0.1:1", "127.0.0.1:2", false},
	{"listen_open", "false", "true", false},
	{"web_config", "/a", "/b", false},
	{"client_limit", "{requests: 1}", "{requests: 2}", false},
	{"client_limit", "{connections: 1}", "{connections: 2}", false},
	{"netns", "a", "b", false},
	{"state", "/a", "/b", false},
	{"pins", "/a", "/b", false},
	{"keep", "false", "true", false},
	{"user", "a", "b", false},
	{"memory", "64MB", "128MB", false},
	{"interval", "1000", "2000", false},
	{"samples", "1", "2", true},
	{"alerts", "{scan_ports: 10}", "{scan_ports: 11}", true},
	{"watch", "{tcp: [23]}", "{tcp: [24]}", true},
	{"promote", "[{name: a, sources: [192.0.2.1]}]", "[{name: b, sources: [192.0.2.1]}]", false},
	{"promote", "[{name: a, sources: [192.0.2.1]}]", "[{name: a, sources: [192.0.2.2]}]", false},
	{"addresses", "1", "2", true}, /* a replay's */
};

static struct config *read_key(const char *key, const char *value)
{
	struct config *config = NULL;
	char text[256], why[512];

	cr_assert_eq(config_new(&config), 0);
	snprintf(text, sizeof(text), "%s: %s\n", key, value);
	cr_assert_eq(config_read_text(config, text, strlen(text), "t.yaml", why, sizeof(why)), 0, "%s", why);
	return config;
}

static unsigned int check_key(const char *key)
{
	unsigned int found = 0;

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
		struct config *before, *after;
		char keys[RELOAD_KEYS_BYTES];

		if (strcmp(KEYS[i].key, key))
			continue;
		before = read_key(key, KEYS[i].before);
		after = read_key(key, KEYS[i].after);
		reload_fixed(keys, before, after);
		cr_expect_str_eq(keys, KEYS[i].applied ? "" : key, "%s: %s", key, KEYS[i].after);
		reload_fixed(keys, after, after);
		cr_expect_str_eq(keys, "", "%s", key);
		config_free(&before);
		config_free(&after);
		found++;
	}
	return found;
}

Test(reload, each_key_is_applied_or_refused_by_name)
{
	const char *key;
	unsigned int found = 0;

	for (size_t i = 0; (key = config_key(i)); i++) {
		unsigned int rows = check_key(key);

		cr_expect(rows, "%s: does a reload put it in force, or refuse it?", key);
		found += rows;
	}
	cr_expect_eq(found, sizeof(KEYS) / sizeof(KEYS[0]));
}

/* All at once have room in the sentence. */
Test(reload, many_keys)
{
	struct config *before = read_key("state", "/a"), *after = read_key("pins", "/b");
	char keys[RELOAD_KEYS_BYTES];

	after->listen_open = after->keep = true;
	after->interval_ms = after->memory_bytes = after->client_requests = 1;
	reload_fixed(keys, before, after);
	cr_expect_str_eq(keys, "state, pins, keep, memory, interval, listen_open, client_limit");
	config_free(&before);
	config_free(&after);
}
