/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML text held against a libcyaml schema before libcyaml loads it: libcyaml refuses what does not fit, but
 * cannot say in which line an unknown key stands, takes -1 for a large number and knows one form of an entry
 * only. The schema stays the only description; this walk reads it. Knows no key by name.
 */
#ifndef AIRGLOW_BASE_YAML_H
#define AIRGLOW_BASE_YAML_H

#include <stddef.h>

#include <cyaml/cyaml.h>

#define YAML_TEXT_BYTES_MAX 1048576 /* 1 MiB */

/*
 * Flags of ours beside libcyaml's, for values of the top level.
 *	YAML_WORDS	of a string: a list of plain words is taken too; it stands for the words with commas
 *between YAML_FREE_KEYS	of a sequence whose entries have two strings: a mapping of any keys is taken in
 *its place; each key is the first string of an entry, its value the second
 */
#define YAML_WORDS     ((enum cyaml_flag)(1u << 29))
#define YAML_FREE_KEYS ((enum cyaml_flag)(1u << 30))

struct yaml_text;

/*
 * Reads the first document of a text (borrowed until yaml_text_free) and checks it: keys known and given once,
 * kinds of nodes, words of enums, no aliases, no second document. 0, or -errno with "name:line: reason" in why.
 */
int yaml_text_new(struct yaml_text **out, const char *text, size_t length, const char *name,
		  const cyaml_schema_value_t *schema, char *why, size_t why_size);
void yaml_text_free(struct yaml_text **text);

/*
 * Loads into what the schema describes; NULL in *out for an empty text. A plain word where the schema has a
 * mapping stands for the mapping's first key. The caller frees by yaml_text_unload.
 */
int yaml_text_load(struct yaml_text *text, void **out, char *why, size_t why_size);
void yaml_text_unload(const cyaml_schema_value_t *schema, void *data);

/* What the schema describes, as YAML, malloc'ed; NULL without memory. */
char *yaml_text_print(const cyaml_schema_value_t *schema, const void *data);

/*
 * The line of a value: of top-level key `section`, its entry number `entry` (-1: no sequence), `key` in there
 * (NULL: none) and item number `item` of that (-1: none). As near as there is.
 */
unsigned int yaml_text_line(const struct yaml_text *text, const char *section, long entry, const char *key,
			    long item);

#endif
