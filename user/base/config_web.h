/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys of the configuration about HTTP: listen, listen_open, web_config, client_limit. config_file.c reads
 * the file and knows the other keys.
 */
#ifndef AIRGLOW_BASE_CONFIG_WEB_H
#define AIRGLOW_BASE_CONFIG_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/yaml.h"

struct raw_client_limit {
	char *requests, *connections;
};

/* As libcyaml gives it, inside the file's whole. */
struct raw_web {
	char *listen, *web_config;
	int listen_open;
	struct raw_client_limit *client_limit;
};

#define CONFIG_LISTEN_BYTES_MAX 1024

extern const cyaml_strval_t CONFIG_BOOL_WORDS[2];
extern const cyaml_schema_field_t CONFIG_CLIENT_LIMIT_FIELDS[];

/* Fields of `structure`, whose member `web` is a struct raw_web. */
#define CONFIG_WEB_FIELDS(structure)                                                                           \
	CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL | YAML_WORDS, structure,     \
			       web.listen, 1, CONFIG_LISTEN_BYTES_MAX),                                        \
		CYAML_FIELD_ENUM("listen_open", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, structure,            \
				 web.listen_open, CONFIG_BOOL_WORDS, 2),                                       \
		CYAML_FIELD_STRING_PTR("web_config", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure,      \
				       web.web_config, 1, 256),                                                \
		CYAML_FIELD_MAPPING_PTR("client_limit", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure,   \
					web.client_limit, CONFIG_CLIENT_LIMIT_FIELDS)

/*
 * Takes what the file `name` says. 0, or -errno with the key that is wrong in *section and *key (NULL: none)
 * and the reason.
 */
int config_web_take(struct config *config, const struct raw_web *raw, const char *name, const char **section,
		    const char **key, char *reason, size_t reason_size);

/* The way back, into raw, which is zero; false without memory. */
bool config_web_put(struct raw_web *raw, const struct config *config);

#endif
