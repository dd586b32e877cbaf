/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The view by source of `airglow top`.
 */
#ifndef AIRGLOW_CLI_TOP_SOURCES_H
#define AIRGLOW_CLI_TOP_SOURCES_H

#include <stdio.h>

#include <jansson.h>

/* The busiest sources between two summaries, `seconds` apart, at most `size`. */
void top_sources_print(FILE *out, const json_t *before, const json_t *now, double seconds, unsigned int size);

#endif
