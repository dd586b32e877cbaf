/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON objects, member by member, with one question at the end: did all of it work?
 */
#ifndef AIRGLOW_SERVE_BUILDER_H
#define AIRGLOW_SERVE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <linux/types.h>

#define BUILDER_FLAGS_BYTES 9 /* all eight letters, and NUL */

/* Sticky: a member that could not be set makes the whole object fail. */
struct builder {
	bool failed;
};

/* Both take the reference to value, also NULL, which fails. */
void builder_put(struct builder *b, json_t *object, const char *key, json_t *value);
void builder_append(struct builder *b, json_t *array, json_t *value);
void builder_count(struct builder *b, json_t *object, const char *key, uint64_t count);

/* {label: count}: all of them, or those whose count is not zero. */
json_t *builder_labels(struct builder *b, const char *const *labels, const __u64 *counts, size_t n);
json_t *builder_labels_seen(struct builder *b, const char *const *labels, const __u64 *counts, size_t n);

/* TCP flags by their letters in the order of the bits, "SA"; "-": none. Returns text. */
char *builder_flags(char text[BUILDER_FLAGS_BYTES], unsigned int flags);

/* The object if all worked, else NULL, and its reference is dropped. */
json_t *builder_finish(const struct builder *b, json_t *object);

#endif
