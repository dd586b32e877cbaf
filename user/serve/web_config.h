/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of --web-config, in the format of Prometheus' exporters: certificate, users, headers. Plain data;
 * knows no socket, opens no file that it names.
 */
#ifndef AIRGLOW_SERVE_WEB_CONFIG_H
#define AIRGLOW_SERVE_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#define WEB_USERS_MAX	   64
#define WEB_NAME_BYTES_MAX 128
#define WEB_HASH_BYTES	   60 /* of bcrypt: $2b$10$ and 53 more */

enum web_client_auth { WEB_CLIENT_NONE, WEB_CLIENT_VERIFY };
enum web_tls_version { WEB_TLS12, WEB_TLS13 };

/* Headers that may be added to every answer, as the exporters allow them. */
enum web_header {
#define WEB_HEADER(name, text) WEB_HEADER_##name,
#include "serve/web_header.def"
	WEB_HEADER_MAX
};

struct web_user {
	char name[WEB_NAME_BYTES_MAX + 1]; /* zero behind its end */
	char hash[WEB_HASH_BYTES + 1];
};

struct web_config {
	bool tls;
	char *cert_file, *key_file; /* set with tls */
	char *client_ca_file;	    /* may be NULL */
	enum web_client_auth client_auth;
	enum web_tls_version min_version, max_version;
	bool server_preference;
	char *headers[WEB_HEADER_MAX]; /* values; NULL: not sent */
	struct web_user *users;
	size_t users_count;
};

/*
 * Reads a file; relative paths in it are relative to it. 0, or -errno with one sentence: file, line, reason.
 * web_config_read_text does the same with a text; name stands for the file.
 */
int web_config_read(struct web_config **out, const char *path, char *why, size_t why_size);
int web_config_read_text(struct web_config **out, const char *text, size_t length, const char *name, char *why,
			 size_t why_size);
void web_config_free(struct web_config **config);

/* The name of a header as it is sent. */
const char *web_header_name(enum web_header header);

#endif
