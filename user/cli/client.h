/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks a running sensor over HTTP, HTTPS or a unix socket. Knows addresses and JSON, not what an answer means.
 */
#ifndef AIRGLOW_CLI_CLIENT_H
#define AIRGLOW_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/options.h"

struct client;

/*
 * For the sensor of --sensor, else `listen` and `web_config` of the configuration in -c (a unix socket first,
 * and its own certificate as it lies there), else the default address. options stay borrowed. 0, or -errno and
 * a sentence. Nothing is connected yet.
 */
int client_new(struct client **out, const struct options *options, char *why, size_t why_size);
void client_free(struct client **client);

/*
 * GET path -> a new reference to its object in *out. 0; -ECONNREFUSED when no sensor answers there, -ENOENT
 * when it knows no such thing, -EAGAIN when it says why not, -EPROTO when something else than a sensor does; a
 * sentence in why.
 */
int client_get(struct client *client, const char *path, json_t **out, char *why, size_t why_size);

/* HOST:PORT, https://HOST:PORT or unix:PATH; and "http://" before the first kind, else "". */
const char *client_address(const struct client *client);
const char *client_scheme(const struct client *client);

#endif
