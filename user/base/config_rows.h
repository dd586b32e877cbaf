/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signatures, live ports and promoted sources on their way into the YAML file and out of it. For config_file.c.
 */
#ifndef AIRGLOW_BASE_CONFIG_ROWS_H
#define AIRGLOW_BASE_CONFIG_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <cyaml/cyaml.h>

#include "base/config.h"

extern const cyaml_schema_value_t config_signature_value; /* struct config_signature_text */

/* An entry of `promote`. */
struct config_promoted_text {
	char *name;
	char **sources;
	uint32_t sources_count;
};
extern const cyaml_schema_value_t config_promoted_value;

/* As the file has them, malloc'ed; false without memory, and then what there is is as *count says. */
bool config_put_signatures(struct config_signature_text **out, uint32_t *count, const struct config *config);
bool config_put_live_ports(char ***out, uint32_t *count, const struct config *config);
bool config_put_promoted(struct config_promoted_text **out, uint32_t *count, const struct config *config);

#endif
