// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP client of a running sensor, by libcurl (client.h).
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/config.h"
#include "cli/client.h"
#include "cli/cli.h"
#include "serve/listen.h"
#include "serve/web_config.h"

#define ANSWER_BYTES_MAX   (16u << 20) /* every port with a count, as JSON, is about 3 MB */
#define CONNECT_TIMEOUT_MS 2000L
#define ANSWER_TIMEOUT_MS  10000L
#define PASSWORD_BYTES_MAX 256
#define CERTIFICATE_BYTES  65536
#define PIN_BYTES	   64

struct client {
	char *address; /* HOST:PORT, https://HOST:PORT or unix:PATH */
	const char *ca, *cert, *user;
	char password[PASSWORD_BYTES_MAX + 2]; /* room for a line's end */
	char pin[PIN_BYTES]; /* of the sensor's own certificate; "": by its authority and name */
	CURL *curl;
};

struct answer {
	char *text;
	size_t length;
};

/* A sensor that listens on every address is asked on the loopback one. */
static char *reachable_address(const char *listen, bool tls)
{
	const char *scheme = tls ? "https://" : "";
	char *address = NULL;
	int length;

	if (!strncmp(listen, "0.0.0.0:", 8))
		length = asprintf(&address, "%s127.0.0.1:%s", scheme, listen + 8);
	else if (!strncmp(listen, "[::]:", 5))
		length = asprintf(&address, "%s[::1]:%s", scheme, listen + 5);
	else
		length = asprintf(&address, "%s%s", scheme, listen);
	return length < 0 ? NULL : address;
}

/* What --sensor names, in the form of `address`. */
static char *named_address(const char *sensor)
{
	char *address = strdup(!strncmp(sensor, "http://", 7) ? sensor + 7 : sensor);
	size_t length = address ? strlen(address) : 0;

	if (length && strncmp(address, "unix:", 5) && address[length - 1] == '/')
		address[length - 1] = '\0';
	return address;
}

/* The best of several listen addresses: a unix socket that we may use, since it asks nothing; else the first of
 * TCP.
 */
struct choice {
	char local[128], tcp[128];
};

static int choose(void *arg, const char *part, char *why, size_t why_size)
{
	struct choice *choice = arg;
	const char *path = listen_unix_path(part);
	char *into = path ? choice->local : choice->tcp;

	(void)why, (void)why_size;
	if (!*into && (!path || !access(path, R_OK | W_OK)))
		snprintf(into, sizeof(choice->tcp), "%s", part);
	return 0;
}

/* SHA-256 of the public key in a certificate, as curl wants it: "sha256//BASE64". False: no certificate. */
static bool make_pin(char pin[PIN_BYTES], const char *cert_file)
{
	CLEANUP(cleanup_file) FILE *file = fopen(cert_file, "re");
	CLEANUP(cleanup_free) unsigned char *bytes = malloc(CERTIFICATE_BYTES);
	gnutls_datum_t pem = {.data = bytes}, der = {}, text = {};
	unsigned char digest[32];
	gnutls_datum_t hash = {.data = digest, .size = sizeof(digest)};
	gnutls_x509_crt_t certificate = NULL;
	gnutls_pubkey_t key = NULL;
	bool made;

	if (file && bytes)
		pem.size = (unsigned int)fread(bytes, 1, CERTIFICATE_BYTES, file);
	made = pem.size && gnutls_x509_crt_init(&certificate) >= 0 && gnutls_pubkey_init(&key) >= 0 &&
	       gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM) >= 0 &&
	       gnutls_pubkey_import_x509(key, certificate, 0) >= 0 &&
	       gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) >= 0 &&
	       gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest) >= 0 &&
	       gnutls_base64_encode2(&hash, &text) >= 0;
	if (made)
		snprintf(pin, PIN_BYTES, "sha256//%.*s", (int)text.size, (const char *)text.data);
	gnutls_free(text.data);
	gnutls_free(der.data);
	if (key)
		gnutls_pubkey_deinit(key);
	if (certificate)
		gnutls_x509_crt_deinit(certificate);
	/* cppcheck-suppress [memleak, resourceLeak] ; both have a cleanup */
	return made;
}

/* Where the configuration says that its sensor listens, and how. */
static int take_config(struct client *client, const struct options *options, char *why, size_t why_size)
{
	struct web_config *web = NULL;
	struct config *config = NULL;
	struct choice choice = {};
	int err = cli_config(&config, options, why, why_size);

	if (!err)
		err = list_each(config->listen, choose, &choice, why, why_size);
	if (!err && !*choice.local && !*choice.tcp) {
		snprintf(why, why_size, "this user may not use the sensor's socket %.200s; join its group",
			 config->listen);
		err = -EACCES;
	}
	if (!err && !*choice.local && config->web_config)
		err = web_config_read(&web, config->web_config, why, why_size);
	if (!err) {
		client->address =
			*choice.local ? strdup(choice.local) : reachable_address(choice.tcp, web && web->tls);
		if (web && web->tls && !client->ca)
			make_pin(client->pin, web->cert_file);
	}
	web_config_free(&web);
	config_free(&config);
	return err;
}

/* The first line of a file. */
static int read_password(struct client *client, const char *path, char *why, size_t why_size)
{
	CLEANUP(cleanup_file) FILE *file = fopen(path, "re");
	int err = file ? 0 : -errno;

	if (!err && !fgets(client->password, sizeof(client->password), file))
		err = ferror(file) ? -EIO : -ENODATA;
	if (err) {
		snprintf(why, why_size, "cannot read a password from %s: %s", path,
			 err == -ENODATA ? "it is empty" : strerror(-err));
		/* cppcheck-suppress resourceLeak ; it has a cleanup */
		return err;
	}
	client->password[strcspn(client->password, "\r\n")] = '\0';
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return 0;
}

static int take_options(struct client *client, const struct options *options, char *why, size_t why_size)
{
	const char *sensor = options_text(options, OPTION_SENSOR, NULL);
	const char *password_file = options_text(options, OPTION_PASSWORD_FILE, NULL);
	int err = 0;

	client->user = options_text(options, OPTION_USER, NULL);
	client->ca = options_text(options, OPTION_CA, NULL);
	client->cert = options_text(options, OPTION_CERT, NULL);
	if (!client->user != !password_file) {
		snprintf(why, why_size, "--user and --password-file go together; give both");
		return -EINVAL;
	}
	if (password_file)
		err = read_password(client, password_file, why, why_size);
	if (!err && sensor)
		client->address = named_address(sensor);
	else if (!err)
		err = take_config(client, options, why, why_size);
	if (!err && !client->address) {
		snprintf(why, why_size, "not enough memory to ask the sensor");
		err = -ENOMEM;
	}
	return err;
}

int client_new(struct client **out, const struct options *options, char *why, size_t why_size)
{
	struct client *client = calloc(1, sizeof(*client));
	int err = 0;

	if (client)
		client->curl = curl_easy_init();
	if (!client || !client->curl) {
		snprintf(why, why_size, "not enough memory to ask the sensor");
		err = -ENOMEM;
	}
	if (!err)
		err = take_options(client, options, why, why_size);
	if (err)
		client_free(&client);
	else
		*out = client;
	return err;
}

void client_free(struct client **client)
{
	if (!*client)
		return;
	if ((*client)->curl)
		curl_easy_cleanup((*client)->curl);
	explicit_bzero((*client)->password, sizeof((*client)->password));
	free((*client)->address);
	free(*client);
	*client = NULL;
}

const char *client_address(const struct client *client)
{
	return client->address;
}

const char *client_scheme(const struct client *client)
{
	return listen_unix_path(client->address) || strstr(client->address, "://") ? "" : "http://";
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

/* How the sensor is known, and we to it. */
static void set_trust(const struct client *client)
{
	CURL *curl = client->curl;

	if (*client->pin) {
		/* Its key is read from the file that the sensor serves: whatever name it has, it is that one.
		 */
		curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, client->pin);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (client->ca) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (client->cert) {
		curl_easy_setopt(curl, CURLOPT_SSLCERT, client->cert);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, client->cert);
	}
	if (client->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, client->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, client->password);
	}
}

static CURLcode ask(struct client *client, const char *url, struct answer *answer, long *status)
{
	CURL *curl = client->curl;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, listen_unix_path(client->address));
	set_trust(client);
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

static int tell_failure(const struct client *client, CURLcode code, char *why, size_t why_size)
{
	bool trust = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
		     code == CURLE_SSL_PINNEDPUBKEYNOTMATCH || code == CURLE_SSL_CERTPROBLEM ||
		     code == CURLE_SSL_ISSUER_ERROR;

	snprintf(
		why, why_size,
		trust ? "the sensor at %s is not trusted (%s); --ca names the authority that vouches for it"
		      : "no sensor answers at %s (%s); start one with \"airglow run\" or name it with --sensor",
		client->address, curl_easy_strerror(code));
	return -ECONNREFUSED;
}

/* An answer that is no figures. */
static int tell_refusal(const struct client *client, const char *path, long status, const char *reason,
			char *why, size_t why_size)
{
	if (status == 401)
		snprintf(why, why_size,
			 client->user
				 ? "the sensor at %s does not take this name and password; mind --user and "
				   "--password-file"
				 : "the sensor at %s asks for a name and a password; give --user and "
				   "--password-file",
			 client->address);
	else
		snprintf(why, why_size, "the sensor at %s does not answer %s: %s", client->address, path,
			 reason);
	return status == 404 ? -ENOENT : -EAGAIN;
}

int client_get(struct client *client, const char *path, json_t **out, char *why, size_t why_size)
{
	struct answer answer = {};
	const char *reason;
	json_t *object;
	CURLcode code;
	char url[512];
	long status = 0;
	int err;

	if (listen_unix_path(client->address))
		snprintf(url, sizeof(url), "http://localhost%s", path);
	else
		snprintf(url, sizeof(url), "%s%s%s", client_scheme(client), client->address, path);
	code = ask(client, url, &answer, &status);
	if (code != CURLE_OK) {
		free(answer.text);
		return tell_failure(client, code, why, why_size);
	}
	object = answer.length ? json_loadb(answer.text, answer.length, 0, NULL) : NULL;
	free(answer.text);
	reason = json_string_value(json_object_get(object, "reason"));
	if (status != 200 && reason) {
		err = tell_refusal(client, path, status, reason, why, why_size);
		json_decref(object);
		return err;
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
