// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys about HTTP (config_web.h).
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_web.h"
#include "base/options.h"

#define CLIENT_LIMIT_MAX 1000000u

const cyaml_strval_t CONFIG_BOOL_WORDS[2] = {{"false", false}, {"true", true}};

const cyaml_schema_field_t CONFIG_CLIENT_LIMIT_FIELDS[] = {
	CYAML_FIELD_STRING_PTR("requests", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_client_limit,
			       requests, 1, 16),
	CYAML_FIELD_STRING_PTR("connections", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_client_limit,
			       connections, 1, 16),
	CYAML_FIELD_END,
};

static int take_number(uint64_t *into, const char *from, const char *key, char *reason, size_t size)
{
	uint64_t number;

	if (!from)
		return 0;
	if (!options_bytes(&number, from) && number >= 1 && number <= CLIENT_LIMIT_MAX) {
		*into = number;
		return 0;
	}
	snprintf(reason, size, "%s cannot be \"%.60s\"; give a number from 1 to %u", key, from,
		 CLIENT_LIMIT_MAX);
	return -EINVAL;
}

/* A path that is not absolute is one beside the file. */
static int take_path(char **into, const char *from, const char *name, char *reason, size_t size)
{
	const char *slash = strrchr(name, '/');
	int beside = *from != '/' && slash ? (int)(slash - name) + 1 : 0;
	char *path;

	if (asprintf(&path, "%.*s%s", beside, name, from) < 0) {
		snprintf(reason, size, "not enough memory");
		return -ENOMEM;
	}
	free(*into);
	*into = path;
	return 0;
}

int config_web_take(struct config *config, const struct raw_web *raw, const char *name, const char **section,
		    const char **key, char *reason, size_t reason_size)
{
	const struct raw_client_limit *limit = raw->client_limit;
	int err = 0;

	*key = NULL;
	config->listen_open = raw->listen_open;
	*section = "listen";
	if (raw->listen)
		err = take_path(&config->listen, raw->listen, "", reason, reason_size);
	if (err)
		return err;
	*section = "web_config";
	if (raw->web_config)
		err = take_path(&config->web_config, raw->web_config, name, reason, reason_size);
	if (err || !limit)
		return err;
	*section = "client_limit";
	*key = "requests";
	err = take_number(&config->client_requests, limit->requests, *key, reason, reason_size);
	if (err)
		return err;
	*key = "connections";
	return take_number(&config->client_connections, limit->connections, *key, reason, reason_size);
}

static bool put_number(char **into, uint64_t number)
{
	return asprintf(into, "%llu", (unsigned long long)number) > 0;
}

bool config_web_put(struct raw_web *raw, const struct config *config)
{
	raw->listen_open = config->listen_open;
	raw->listen = strdup(config->listen);
	raw->web_config = config->web_config ? strdup(config->web_config) : NULL;
	raw->client_limit = calloc(1, sizeof(*raw->client_limit));
	return raw->listen && !raw->web_config == !config->web_config && raw->client_limit &&
	       put_number(&raw->client_limit->requests, config->client_requests) &&
	       put_number(&raw->client_limit->connections, config->client_connections);
}
