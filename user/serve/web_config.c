// SPDX-License-Identifier: GPL-2.0-only
/*
 * The web configuration (web_config.h) by a schema, and what of the exporters' format is not taken, by name.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/yaml.h"
#include "serve/web_config.h"

#define PATH_BYTES_MAX	 1024
#define VALUE_BYTES_MAX	 1024
#define BCRYPT_COST_MIN	 4
#define BCRYPT_COST_MAX	 16 /* seconds of a CPU for each check */
#define BCRYPT_HEAD	 7  /* $2b$10$ */
#define BCRYPT_ALPHABET	 "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define OPTIONAL_POINTER (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define OPTIONAL_ENUM	 (CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL)

struct raw_tls {
	char *cert_file, *key_file, *client_ca_file;
	int client_auth, min_version, max_version, server_preference;
};

struct raw_headers {
	char *value[WEB_HEADER_MAX];
};

struct raw_http {
	int http2;
	struct raw_headers *headers;
};

struct raw_user {
	char *name, *hash;
};

struct raw_web_config {
	struct raw_tls *tls;
	struct raw_http *http;
	struct raw_user *users;
	uint32_t users_count;
};

static const cyaml_strval_t BOOL_WORDS[] = {{"true", 0}, {"false", 1}};
/* What does not check the client's certificate would look like a guard and be none. */
static const cyaml_strval_t CLIENT_AUTH_WORDS[] = {{"NoClientCert", WEB_CLIENT_NONE},
						   {"RequireAndVerifyClientCert", WEB_CLIENT_VERIFY}};
/* 0: not said. */
static const cyaml_strval_t VERSION_WORDS[] = {{"TLS12", WEB_TLS12 + 1}, {"TLS13", WEB_TLS13 + 1}};

#define TEXT(key, structure, member, max)                                                                      \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL_POINTER, structure, member, 1, max)
#define WORDS(key, structure, member, words)                                                                   \
	CYAML_FIELD_ENUM(key, OPTIONAL_ENUM, structure, member, words, CYAML_ARRAY_LEN(words))

static const cyaml_schema_field_t TLS_FIELDS[] = {
	TEXT("cert_file", struct raw_tls, cert_file, PATH_BYTES_MAX),
	TEXT("key_file", struct raw_tls, key_file, PATH_BYTES_MAX),
	WORDS("client_auth_type", struct raw_tls, client_auth, CLIENT_AUTH_WORDS),
	TEXT("client_ca_file", struct raw_tls, client_ca_file, PATH_BYTES_MAX),
	WORDS("min_version", struct raw_tls, min_version, VERSION_WORDS),
	WORDS("max_version", struct raw_tls, max_version, VERSION_WORDS),
	WORDS("prefer_server_cipher_suites", struct raw_tls, server_preference, BOOL_WORDS),
	/* Refused by name. */
	CYAML_FIELD_IGNORE("cert", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("key", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("client_ca", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("client_allowed_sans", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("cipher_suites", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_IGNORE("curve_preferences", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t HEADER_FIELDS[] = {
#define WEB_HEADER(name, text) TEXT(text, struct raw_headers, value[WEB_HEADER_##name], VALUE_BYTES_MAX),
#include "serve/web_header.def"
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t HTTP_FIELDS[] = {
	WORDS("http2", struct raw_http, http2, BOOL_WORDS),
	CYAML_FIELD_MAPPING_PTR("headers", OPTIONAL_POINTER, struct raw_http, headers, HEADER_FIELDS),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t USER_FIELDS[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_user, name, 1, WEB_NAME_BYTES_MAX),
	CYAML_FIELD_STRING_PTR("hash", CYAML_FLAG_POINTER, struct raw_user, hash, 1, VALUE_BYTES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t USER_VALUE = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_user, USER_FIELDS)};

static const cyaml_schema_field_t FILE_FIELDS[] = {
	CYAML_FIELD_MAPPING_PTR("tls_server_config", OPTIONAL_POINTER, struct raw_web_config, tls, TLS_FIELDS),
	CYAML_FIELD_MAPPING_PTR("http_server_config", OPTIONAL_POINTER, struct raw_web_config, http,
				HTTP_FIELDS),
	CYAML_FIELD_IGNORE("rate_limit", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_SEQUENCE_COUNT("basic_auth_users", OPTIONAL_POINTER | YAML_FREE_KEYS, struct raw_web_config,
				   users, users_count, &USER_VALUE, 0, WEB_USERS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t FILE_VALUE = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_web_config, FILE_FIELDS)};

static const char *const HEADER_NAMES[] = {
#define WEB_HEADER(name, text) text,
#include "serve/web_header.def"
};

/* A file on its way; the place of the value that is being taken, for its line. */
struct reading {
	struct web_config *config;
	const struct raw_web_config *raw;
	const char *name, *section, *key;
	char reason[400];
};

static void look_at(struct reading *r, const char *section, const char *key)
{
	r->section = section;
	r->key = key;
}

static int __attribute__((format(printf, 2, 3))) refuse(struct reading *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->reason, sizeof(r->reason), format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* A path that is not absolute is one beside the file. */
static int take_path(struct reading *r, char **into, const char *from)
{
	const char *slash = strrchr(r->name, '/');
	int beside = *from != '/' && slash ? (int)(slash - r->name) + 1 : 0;

	if (!is_plain(from))
		return refuse(r, "%s holds a control character", r->key);
	if (asprintf(into, "%.*s%s", beside, r->name, from) >= 0)
		return 0;
	*into = NULL;
	snprintf(r->reason, sizeof(r->reason), "not enough memory");
	return -ENOMEM;
}

static int take_files(struct reading *r)
{
	const struct raw_tls *from = r->raw->tls;
	struct web_config *into = r->config;
	const struct {
		const char *key, *path;
		char **into;
		bool needed;
	} files[] = {
		{"cert_file", from->cert_file, &into->cert_file, true},
		{"key_file", from->key_file, &into->key_file, true},
		{"client_ca_file", from->client_ca_file, &into->client_ca_file, false},
	};
	int err = 0;

	for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++) {
		look_at(r, "tls_server_config", files[i].path ? files[i].key : NULL);
		if (files[i].path)
			err = take_path(r, files[i].into, files[i].path);
		else if (files[i].needed)
			err = refuse(r, "tls_server_config needs the key \"%s\"", files[i].key);
	}
	return err;
}

static int take_tls(struct reading *r)
{
	const struct raw_tls *from = r->raw->tls;
	struct web_config *into = r->config;
	int err;

	into->max_version = WEB_TLS13;
	if (!from)
		return 0;
	into->tls = true;
	into->client_auth = (enum web_client_auth)from->client_auth;
	into->server_preference = !from->server_preference;
	if (from->min_version)
		into->min_version = (enum web_tls_version)(from->min_version - 1);
	if (from->max_version)
		into->max_version = (enum web_tls_version)(from->max_version - 1);
	err = take_files(r);
	if (err)
		return err;
	if (into->min_version > into->max_version) {
		look_at(r, "tls_server_config", "max_version");
		return refuse(r, "min_version is above max_version: no client could speak");
	}
	if (into->client_auth == WEB_CLIENT_VERIFY && !into->client_ca_file) {
		look_at(r, "tls_server_config", "client_auth_type");
		return refuse(
			r, "RequireAndVerifyClientCert needs client_ca_file, whose authorities vouch for the "
			   "clients");
	}
	if (into->client_auth == WEB_CLIENT_NONE && into->client_ca_file) {
		look_at(r, "tls_server_config", "client_ca_file");
		return refuse(
			r, "client_ca_file is of no use without client_auth_type: RequireAndVerifyClientCert");
	}
	return 0;
}

static int take_headers(struct reading *r)
{
	const struct raw_headers *from = r->raw->http ? r->raw->http->headers : NULL;

	for (unsigned int i = 0; from && i < WEB_HEADER_MAX; i++) {
		if (!from->value[i])
			continue;
		look_at(r, "http_server_config", "headers");
		if (!is_plain(from->value[i]))
			return refuse(r, "%s holds a control character", HEADER_NAMES[i]);
		r->config->headers[i] = strdup(from->value[i]);
		if (r->config->headers[i])
			continue;
		snprintf(r->reason, sizeof(r->reason), "not enough memory");
		return -ENOMEM;
	}
	return 0;
}

/* $2a$, $2b$ or $2y$, two digits of cost, $, 53 characters. */
static int check_hash(struct reading *r, const char *name, const char *hash)
{
	unsigned int cost;

	if (strncmp(hash, "$2", 2) || !hash[2] || !strchr("aby", hash[2]) || hash[3] != '$' || hash[4] < '0' ||
	    hash[4] > '9' || hash[5] < '0' || hash[5] > '9' || hash[6] != '$' ||
	    strlen(hash) != WEB_HASH_BYTES ||
	    strspn(hash + BCRYPT_HEAD, BCRYPT_ALPHABET) != WEB_HASH_BYTES - BCRYPT_HEAD)
		return refuse(r,
			      "the password of %.60s is no bcrypt hash; make one with: htpasswd -nBC 10 %.60s",
			      name, name);
	cost = (unsigned int)(hash[4] - '0') * 10 + (unsigned int)(hash[5] - '0');
	if (cost < BCRYPT_COST_MIN || cost > BCRYPT_COST_MAX)
		return refuse(r, "the bcrypt hash of %.60s has cost %u; it must be %d to %d, 10 is usual", name,
			      cost, BCRYPT_COST_MIN, BCRYPT_COST_MAX);
	return 0;
}

static int take_users(struct reading *r)
{
	uint32_t count = r->raw->users_count;
	int err = 0;

	r->config->users = calloc(count + 1, sizeof(*r->config->users));
	if (!r->config->users) {
		snprintf(r->reason, sizeof(r->reason), "not enough memory");
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count && !err; i++) {
		const struct raw_user *from = &r->raw->users[i];
		struct web_user *into = &r->config->users[r->config->users_count++];

		look_at(r, "basic_auth_users", from->name);
		if (!is_plain(from->name) || strchr(from->name, ':'))
			err = refuse(r, "\"%.60s\" cannot name a user: it holds a colon or a control character",
				     from->name);
		else
			err = check_hash(r, from->name, from->hash);
		if (err)
			continue;
		memcpy(into->name, from->name, strlen(from->name));
		memcpy(into->hash, from->hash, WEB_HASH_BYTES);
	}
	return err;
}

static int read_yaml(struct web_config *config, const char *text, size_t length, const char *name, char *why,
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
		err = take_tls(&reading);
		if (!err)
			err = take_headers(&reading);
		if (!err)
			err = take_users(&reading);
		if (err)
			snprintf(why, why_size, "%s:%u: %s", name,
				 yaml_text_line(yaml, reading.section, -1, reading.key, -1), reading.reason);
		yaml_text_unload(&FILE_VALUE, raw);
	}
	yaml_text_free(&yaml);
	return err;
}

int web_config_read_text(struct web_config **out, const char *text, size_t length, const char *name, char *why,
			 size_t why_size)
{
	struct web_config *config = calloc(1, sizeof(*config));
	int err;

	if (!config) {
		snprintf(why, why_size, "%s: not enough memory", name);
		return -ENOMEM;
	}
	err = read_yaml(config, text, length, name, why, why_size);
	/* A sentence quotes the file, which may hold anything: it stays one line. */
	for (char *at = why; err && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	if (err)
		web_config_free(&config);
	else
		*out = config;
	return err;
}

int web_config_read(struct web_config **out, const char *path, char *why, size_t why_size)
{
	CLEANUP(cleanup_file) FILE *file = fopen(path, "re");
	CLEANUP(cleanup_free) char *text = malloc(YAML_TEXT_BYTES_MAX + 1);
	size_t length;
	int err;

	if (!file || !text) {
		err = file ? -ENOMEM : -errno;
		snprintf(why, why_size, "cannot read the web configuration %s: %s", path, strerror(-err));
		return err;
	}
	errno = 0;
	length = fread(text, 1, YAML_TEXT_BYTES_MAX + 1, file);
	if (ferror(file)) {
		err = errno ? -errno : -EIO;
		snprintf(why, why_size, "cannot read the web configuration %s: %s", path, strerror(-err));
		/* cppcheck-suppress [memleak, resourceLeak] ; both have a cleanup */
		return err;
	}
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return web_config_read_text(out, text, length, path, why, why_size);
}

void web_config_free(struct web_config **config)
{
	struct web_config *c = *config;

	if (!c)
		return;
	for (unsigned int i = 0; i < WEB_HEADER_MAX; i++)
		free(c->headers[i]);
	free(c->cert_file);
	free(c->key_file);
	free(c->client_ca_file);
	free(c->users);
	free(c);
	*config = NULL;
}

const char *web_header_name(enum web_header header)
{
	return HEADER_NAMES[header];
}
