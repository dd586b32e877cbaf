// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGHUP (sensor.h): file and command line are read again. All of it comes into force or nothing: a change that
 * needs a restart is refused by the name of its key.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/sensor.h"
#include "collect/kept.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_interfaces(const struct config *a, const struct config *b)
{
	if (a->interfaces_count != b->interfaces_count)
		return false;
	for (size_t i = 0; i < a->interfaces_count; i++)
		if (strcmp(a->interfaces[i].name, b->interfaces[i].name) ||
		    a->interfaces[i].feed != b->interfaces[i].feed ||
		    a->interfaces[i].mode != b->interfaces[i].mode)
			return false;
	return true;
}

static bool is_same_promotion(const struct config *a, const struct config *b)
{
	if (a->promoted_count != b->promoted_count)
		return false;
	for (size_t i = 0; i < a->promoted_count; i++) {
		const struct config_promoted *x = &a->promoted[i], *y = &b->promoted[i];

		if (strcmp(x->name, y->name) || x->addresses_count != y->addresses_count ||
		    memcmp(x->addresses, y->addresses, x->addresses_count * sizeof(*x->addresses)))
			return false;
	}
	return true;
}

void reload_fixed(char keys[RELOAD_KEYS_BYTES], const struct config *a, const struct config *b)
{
	const struct {
		const char *key;
		bool same;
	} fixed[] = {
		{"interfaces", is_same_interfaces(a, b)},
		{"listen", is_same_text(a->listen, b->listen)},
		{"netns", is_same_text(a->netns, b->netns)},
		{"state", is_same_text(a->state, b->state)},
		{"pins", is_same_text(a->pins, b->pins)},
		{"keep", a->keep == b->keep},
		{"memory", a->memory_bytes == b->memory_bytes},
		{"interval", a->interval_ms == b->interval_ms},
		{"promote", is_same_promotion(a, b)},
		{"user", is_same_text(a->user, b->user)},
		{"listen_open", a->listen_open == b->listen_open},
		{"web_config", is_same_text(a->web_config, b->web_config)},
		{"client_limit",
		 a->client_requests == b->client_requests && a->client_connections == b->client_connections},
	};

	keys[0] = 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].same)
			snprintf(keys + strlen(keys), RELOAD_KEYS_BYTES - strlen(keys), "%s%s",
				 keys[0] ? ", " : "", fixed[i].key);
}

static int read_again(struct config **out, const struct sensor *s, char *why, size_t why_size)
{
	char keys[RELOAD_KEYS_BYTES];
	int err = cli_config(out, s->options, why, why_size);

	if (err)
		return err;
	err = config_check(*out, true, why, why_size);
	if (err)
		return err;
	reload_fixed(keys, s->config, *out);
	if (!keys[0])
		return 0;
	snprintf(why, why_size, "a change of %s needs a restart", keys);
	return -EOPNOTSUPP;
}

void reload(struct sensor *s)
{
	struct config *config = NULL;
	struct own_prefixes own = {};
	struct plan *plan = NULL;
	char why[sizeof(s->why)];
	int err = read_again(&config, s, why, sizeof(why));

	if (!err)
		err = kept_number_scopes(&engine_books(s->engine)->collected->kept, config, why, sizeof(why));
	if (!err)
		err = sensor_own(&own, s, config, why, sizeof(why));
	if (!err)
		err = sensor_plan(&plan, s, config, &own, why, sizeof(why));
	if (!err)
		err = engine_apply(s->engine, plan, why, sizeof(why));
	if (err) {
		log_warnx("not reloaded, the sensor goes on as it was: %s", why);
		config_free(&config);
		plan_free(&plan);
		own_free(&own);
		return;
	}
	collector_reload(s->collector, config, plan);
	plan_free(&s->plan);
	config_free(&s->config);
	own_free(&s->own);
	s->plan = plan;
	s->config = config;
	s->own = own;
	watch_renew(s->watch); /* the doctor is to look */
	log_info("reloaded: prefixes %zu, scopes %zu, tunnels %zu, watched ports %zu", config->prefixes_count,
		 config->scopes_count, config->decaps_count, config->watch_count);
}
