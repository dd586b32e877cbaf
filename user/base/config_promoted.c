// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promoted sources in the YAML file (config_rows.h).
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_rows.h"

static const cyaml_schema_value_t SOURCE_VALUE = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 256)};

static const cyaml_schema_field_t PROMOTED_FIELDS[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct config_promoted_text, name, 1, 256),
	CYAML_FIELD_SEQUENCE_COUNT("sources", CYAML_FLAG_POINTER, struct config_promoted_text, sources,
				   sources_count, &SOURCE_VALUE, 1, AG_PROMOTED_SOURCES_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_promoted_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_promoted_text, PROMOTED_FIELDS)};

static bool put_entry(struct config_promoted_text *into, const struct config_promoted *from)
{
	into->name = strdup(from->name);
	into->sources = calloc(from->addresses_count + 1, sizeof(*into->sources));
	if (!into->name || !into->sources)
		return false;
	for (size_t i = 0; i < from->addresses_count; i++) {
		struct in_addr address = {htonl(from->addresses[i])};

		into->sources[into->sources_count] = strdup(inet_ntoa(address));
		if (!into->sources[into->sources_count])
			return false;
		into->sources_count++;
	}
	return true;
}

bool config_put_promoted(struct config_promoted_text **out, uint32_t *count, const struct config *config)
{
	*out = calloc(config->promoted_count + 1, sizeof(**out));
	for (size_t i = 0; *out && i < config->promoted_count; i++) {
		(*count)++;
		if (!put_entry(&(*out)[i], &config->promoted[i]))
			return false;
	}
	return *out;
}
