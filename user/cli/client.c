// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP client of a running sensor, by libcurl (client.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/config.h"
#include "cli/client.h"
#include "cli/cli.h"

#define ANSWER_BYTES_MAX   (16u << 20) /* every port with a count, as JSON, is about 3 MB */
#define CONNECT_TIMEOUT_MS 2000L
#define ANSWER_TIMEOUT_MS  10000L

struct client {
	char *address;
	CURL *curl;
};

struct answer {
	char *text;
	size_t length;
};

/* A sensor that listens on every address is asked on the loopback one. */
static char *reachable_address(const char *listen)
{
	char *address = NULL;

	if (!strncmp(listen, "0.0.0.0:", 8))
		return asprintf(&address, "127.0.0.1:%s", listen + 8) < 0 ? NULL : address;
	if (!strncmp(listen, "[::]:", 5))
		return asprintf(&address, "[::1]:%s", listen + 5) < 0 ? NULL : address;
	return strdup(listen);
}

int client_new(struct client **out, const struct options *options, char *why, size_t why_size)
{
	const char *sensor = options_text(options, OPTION_SENSOR, NULL);
	struct config *config = NULL;
	struct client *client;
	int err = 0;

	if (!sensor)
		err = cli_config(&config, options, why, why_size);
	if (err)
		return err;
	client = calloc(1, sizeof(*client));
	if (client) {
		client->address = reachable_address(sensor ? sensor : config->listen);
		client->curl = curl_easy_init();
	}
	config_free(&config);
	if (!client || !client->address || !client->curl) {
		client_free(&client);
		snprintf(why, why_size, "not enough memory to ask the sensor");
		return -ENOMEM;
	}
	*out = client;
	return 0;
}

void client_free(struct client **client)
{
	if (!*client)
		return;
	curl_easy_cleanup((*client)->curl);
	free((*client)->address);
	free(*client);
	*client = NULL;
}

const char *client_address(const struct client *client)
{
	return client->address;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct answer *answer = arg;
	size_t length = size * count;
	char *text;

	if (answer->length + length > ANSWER_BYTES_MAX)
		return 0;
	text = realloc(answer->text, answer->length + length + 1);
	if (!text)
		return 0;
	memcpy(text + answer->length, bytes, length);
	answer->text = text;
	answer->length += length;
	return length;
}

static CURLcode ask(struct client *client, const char *url, struct answer *answer, long *status)
{
	CURL *curl = client->curl;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY,
			 ""); /* the sensor is asked itself, whatever the environment says */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return code;
}

int client_get(struct client *client, const char *path, json_t **out, char *why, size_t why_size)
{
	struct answer answer = {};
	const char *reason;
	json_t *object;
	CURLcode code;
	char url[512];
	long status = 0;

	snprintf(url, sizeof(url), "http://%s%s", client->address, path);
	code = ask(client, url, &answer, &status);
	if (code != CURLE_OK) {
		free(answer.text);
		snprintf(
			why, why_size,
			"no sensor answers at %s (%s); start one with \"airglow run\" or name it with --sensor",
			client->address, curl_easy_strerror(code));
		return -ECONNREFUSED;
	}
	object = answer.length ? json_loadb(answer.text, answer.length, 0, NULL) : NULL;
	free(answer.text);
	reason = json_string_value(json_object_get(object, "reason"));
	if (status != 200 && reason) {
		snprintf(why, why_size, "the sensor at %s does not answer %s: %s", client->address, path,
			 reason);
		json_decref(object);
		return status == 404 ? -ENOENT : -EAGAIN;
	}
	if (status != 200 || !json_is_object(object)) {
		json_decref(object);
		snprintf(why, why_size,
			 "%s answers %s with status %ld and no JSON object; is that an airglow sensor?",
			 client->address, path, status);
		return -EPROTO;
	}
	*out = object;
	return 0;
}
