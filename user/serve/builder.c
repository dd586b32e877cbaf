// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members of JSON objects (builder.h).
 */
#include "serve/builder.h"

void builder_put(struct builder *b, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		b->failed = true;
}

void builder_append(struct builder *b, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		b->failed = true;
}

void builder_count(struct builder *b, json_t *object, const char *key, uint64_t count)
{
	builder_put(b, object, key, json_integer((json_int_t)count));
}

json_t *builder_labels(struct builder *b, const char *const *labels, const __u64 *counts, size_t n)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < n; i++)
		builder_count(b, object, labels[i], counts[i]);
	return object;
}

json_t *builder_labels_seen(struct builder *b, const char *const *labels, const __u64 *counts, size_t n)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < n; i++)
		if (counts[i])
			builder_count(b, object, labels[i], counts[i]);
	return object;
}

char *builder_flags(char text[BUILDER_FLAGS_BYTES], unsigned int flags)
{
	static const char letters[] = "FSRPAUEC";
	char *end = text;
	unsigned int bit;

	for (bit = 0; bit < 8; bit++)
		if (flags & 1u << bit)
			*end++ = letters[bit];
	if (end == text)
		*end++ = '-';
	*end = 0;
	return text;
}

json_t *builder_finish(const struct builder *b, json_t *object)
{
	if (!b->failed)
		return object;
	json_decref(object);
	return NULL;
}
