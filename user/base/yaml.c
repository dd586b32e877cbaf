// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a YAML text against a schema (yaml.h).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/cleanup.h"
#include "base/yaml.h"

#define NESTING_MAX 8

struct yaml_text {
	const char *text, *name;
	size_t length;
	const cyaml_schema_value_t *schema;
	yaml_document_t document;
	char *why; /* of the call that runs */
	size_t why_size;
};

static void log_nothing(cyaml_log_t level, void *context, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
static void log_first(cyaml_log_t level, void *context, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void log_nothing(cyaml_log_t level, void *context, const char *format, va_list args)
{
	(void)level, (void)context, (void)format, (void)args;
}

/* Keeps the first message of libcyaml: the reason. */
static void log_first(cyaml_log_t level, void *context, const char *format, va_list args)
{
	char *first = context;

	(void)level;
	if (!*first) {
		vsnprintf(first, 128, format, args);
		first[strcspn(first, "\n")] = '\0';
	}
}

static int __attribute__((format(printf, 3, 4)))
refuse(struct yaml_text *text, const yaml_mark_t *mark, const char *format, ...)
{
	char reason[400];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	snprintf(text->why, text->why_size, "%s:%zu: %s", text->name, mark->line + 1, reason);
	return -EINVAL;
}

static const char *node_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* A scalar without a NUL in it. */
static bool is_word(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && strlen(node_text(node)) == node->data.scalar.length;
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *schema, const char *key)
{
	for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++)
		if (!strcmp(field->key, key))
			return field;
	return NULL;
}

/* "a, b, c": the keys of a mapping or the words of an enum. */
static const char *list_words(const cyaml_schema_value_t *schema, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (unsigned int i = 0; used < size; i++) {
		bool mapping = schema->type == CYAML_MAPPING;
		const char *word = mapping			   ? schema->mapping.fields[i].key
				   : i < schema->enumeration.count ? schema->enumeration.strings[i].str
								   : NULL;

		if (!word)
			break;
		if (mapping && schema->mapping.fields[i].value.type == CYAML_IGNORE)
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", i ? ", " : "", word);
	}
	return buffer;
}

static int check_node(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
		      const char *name, unsigned int depth);

static int check_mapping(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
			 const char *name, unsigned int depth)
{
	yaml_node_pair_t *first = node->data.mapping.pairs.start, *end = node->data.mapping.pairs.top;
	char words[256];

	for (yaml_node_pair_t *pair = first; pair < end; pair++) {
		yaml_node_t *key = yaml_document_get_node(&text->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(&text->document, pair->value);
		const cyaml_schema_field_t *field;
		int err;

		if (!is_word(key))
			return refuse(text, &key->start_mark, "a key must be a plain word");
		field = find_field(schema, node_text(key));
		if (!field)
			return refuse(text, &key->start_mark, "unknown key \"%.60s\"%s%s; known are %s",
				      node_text(key), *name ? " in " : "", name,
				      list_words(schema, words, sizeof(words)));
		for (yaml_node_pair_t *before = first; before < pair; before++)
			if (!strcmp(node_text(yaml_document_get_node(&text->document, before->key)),
				    node_text(key)))
				return refuse(text, &key->start_mark, "the key \"%s\" stands here twice",
					      field->key);
		err = check_node(text, value, &field->value, field->key, depth + 1);
		if (err)
			return err;
	}
	for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++) {
		bool found = field->value.flags & CYAML_FLAG_OPTIONAL;

		for (yaml_node_pair_t *pair = first; pair < end && !found; pair++)
			found = !strcmp(node_text(yaml_document_get_node(&text->document, pair->key)),
					field->key);
		if (!found)
			return refuse(text, &node->start_mark, "an entry of %s needs the key \"%s\"", name,
				      field->key);
	}
	return 0;
}

static int check_sequence(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
			  const char *name, unsigned int depth)
{
	yaml_node_item_t *first = node->data.sequence.items.start, *end = node->data.sequence.items.top;

	if ((size_t)(end - first) > schema->sequence.max)
		return refuse(text, &node->start_mark, "%s has %zu entries, at most %u are possible", name,
			      (size_t)(end - first), schema->sequence.max);
	for (yaml_node_item_t *item = first; item < end; item++) {
		int err = check_node(text, yaml_document_get_node(&text->document, *item),
				     schema->sequence.entry, name, depth + 1);

		if (err)
			return err;
	}
	return 0;
}

static bool has_flag(const cyaml_schema_value_t *schema, enum cyaml_flag flag)
{
	return schema->flags & flag;
}

static int check_scalar(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
			const char *name)
{
	char words[256];

	if (!is_word(node))
		return refuse(text, &node->start_mark, "%s holds a byte 0", name);
	if (!node->data.scalar.length)
		return refuse(text, &node->start_mark, "%s has no value; give one or leave the key out", name);
	if (schema->type == CYAML_STRING && node->data.scalar.length > schema->string.max)
		return refuse(text, &node->start_mark, "the value of %s is longer than %u bytes", name,
			      schema->string.max);
	if (schema->type == CYAML_ENUM) {
		for (unsigned int i = 0; i < schema->enumeration.count; i++)
			if (!strcmp(schema->enumeration.strings[i].str, node_text(node)))
				return 0;
		return refuse(text, &node->start_mark, "%s cannot be \"%.60s\"; it is one of %s", name,
			      node_text(node), list_words(schema, words, sizeof(words)));
	}
	return 0;
}

/* YAML_WORDS: one plain word, or several in a list. */
static int check_words(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
		       const char *name)
{
	yaml_node_item_t *first = node->data.sequence.items.start, *end = node->data.sequence.items.top;
	size_t length = 0;

	if (node->type == YAML_SCALAR_NODE)
		return check_scalar(text, node, schema, name);
	if (node->type != YAML_SEQUENCE_NODE || first == end)
		return refuse(text, &node->start_mark, "%s must be one plain value or a list of them", name);
	for (yaml_node_item_t *item = first; item < end; item++) {
		yaml_node_t *word = yaml_document_get_node(&text->document, *item);
		int err;

		if (word->type != YAML_SCALAR_NODE)
			return refuse(text, &word->start_mark, "%s must be one plain value or a list of them",
				      name);
		err = check_scalar(text, word, schema, name);
		if (err)
			return err;
		length += word->data.scalar.length + 1;
	}
	if (length - 1 > schema->string.max)
		return refuse(text, &node->start_mark, "the values of %s are longer than %u bytes", name,
			      schema->string.max);
	return 0;
}

/* YAML_FREE_KEYS. */
static int check_free_keys(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
			   const char *name)
{
	const cyaml_schema_field_t *fields = schema->sequence.entry->mapping.fields;
	yaml_node_pair_t *first = node->data.mapping.pairs.start, *end = node->data.mapping.pairs.top;

	if (node->type != YAML_MAPPING_NODE)
		return refuse(text, &node->start_mark, "%s must hold \"key: value\"", name);
	if ((size_t)(end - first) > schema->sequence.max)
		return refuse(text, &node->start_mark, "%s has %zu entries, at most %u are possible", name,
			      (size_t)(end - first), schema->sequence.max);
	for (yaml_node_pair_t *pair = first; pair < end; pair++) {
		yaml_node_t *key = yaml_document_get_node(&text->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(&text->document, pair->value);
		int err;

		if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE)
			return refuse(text, &key->start_mark, "%s holds a key or value that is no plain word",
				      name);
		err = check_scalar(text, key, &fields[0].value, name);
		if (!err)
			err = check_scalar(text, value, &fields[1].value, name);
		if (err)
			return err;
		for (yaml_node_pair_t *before = first; before < pair; before++)
			if (!strcmp(node_text(yaml_document_get_node(&text->document, before->key)),
				    node_text(key)))
				return refuse(text, &key->start_mark, "the key \"%.60s\" stands here twice",
					      node_text(key));
	}
	return 0;
}

/* May a plain word stand for the first key? Only where no other key is needed. */
static bool takes_word(const cyaml_schema_value_t *schema)
{
	const cyaml_schema_field_t *field = schema->mapping.fields;
	bool word = field->value.type == CYAML_STRING;

	while (word && (++field)->key)
		word = field->value.flags & CYAML_FLAG_OPTIONAL;
	return word;
}

static int check_node(struct yaml_text *text, yaml_node_t *node, const cyaml_schema_value_t *schema,
		      const char *name, unsigned int depth)
{
	if (depth > NESTING_MAX)
		return refuse(text, &node->start_mark, "nested too deep");
	if (schema->type == CYAML_IGNORE)
		return refuse(text, &node->start_mark,
			      "%s is known to the format, but this version does not take it; leave it out",
			      name);
	if (schema->type == CYAML_SEQUENCE && has_flag(schema, YAML_FREE_KEYS))
		return check_free_keys(text, node, schema, name);
	if (schema->type == CYAML_SEQUENCE) {
		if (node->type != YAML_SEQUENCE_NODE)
			return refuse(text, &node->start_mark,
				      "%s must be a list: [one, other] or lines that begin with \"- \"", name);
		return check_sequence(text, node, schema, name, depth);
	}
	if (schema->type == CYAML_MAPPING) {
		/* A plain word may be an entry of a list, not the whole file or a section. */
		if (node->type == YAML_SCALAR_NODE && depth == 2 && takes_word(schema))
			return check_scalar(text, node, &schema->mapping.fields[0].value, name);
		if (node->type != YAML_MAPPING_NODE)
			return refuse(text, &node->start_mark, "%s must hold \"key: value\"",
				      *name ? name : "the file");
		return check_mapping(text, node, schema, name, depth);
	}
	if (has_flag(schema, YAML_WORDS))
		return check_words(text, node, schema, name);
	if (node->type != YAML_SCALAR_NODE)
		return refuse(text, &node->start_mark, "%s must be one plain value", name);
	return check_scalar(text, node, schema, name);
}

/* Anchors are a way to write a small file that unfolds into a huge one; nobody needs them here. */
static int refuse_aliases(struct yaml_text *text)
{
	size_t nodes = (size_t)(text->document.nodes.top - text->document.nodes.start);
	CLEANUP(cleanup_free) bool *seen = calloc(nodes + 1, sizeof(bool));

	if (!seen)
		return -ENOMEM;
	for (yaml_node_t *node = text->document.nodes.start; node < text->document.nodes.top; node++) {
		bool mapping = node->type == YAML_MAPPING_NODE;
		size_t count =
			mapping ? (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start) * 2
			: node->type == YAML_SEQUENCE_NODE
				? (size_t)(node->data.sequence.items.top - node->data.sequence.items.start)
				: 0;

		for (size_t i = 0; i < count; i++) {
			const yaml_node_pair_t *pair = mapping ? &node->data.mapping.pairs.start[i / 2] : NULL;
			int child = !mapping ? node->data.sequence.items.start[i]
				    : i % 2  ? pair->value
					     : pair->key;

			if (seen[child])
				return refuse(text, &node->start_mark,
					      "aliases (*name) are not taken; write the value again");
			seen[child] = true;
		}
	}
	return 0;
}

/* Loads the first document; an empty text gives a document without nodes. */
static int load_document(struct yaml_text *text, yaml_document_t *document)
{
	yaml_document_t second;
	yaml_parser_t parser;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text->text, text->length);
	if (!yaml_parser_load(&parser, document)) {
		const yaml_mark_t *mark = parser.problem_mark.line ? &parser.problem_mark : &parser.mark;

		err = parser.error == YAML_MEMORY_ERROR
			      ? -ENOMEM
			      : refuse(text, mark, "not YAML: %s",
				       parser.problem ? parser.problem : "unreadable");
	} else if (yaml_document_get_root_node(document)) {
		if (!yaml_parser_load(&parser, &second)) {
			err = refuse(text, &parser.problem_mark, "not YAML: %s",
				     parser.problem ? parser.problem : "unreadable");
		} else {
			yaml_node_t *root = yaml_document_get_root_node(&second);

			if (root)
				err = refuse(text, &root->start_mark, "a second document (---) in one file");
			yaml_document_delete(&second);
		}
		if (err)
			yaml_document_delete(document);
	}
	yaml_parser_delete(&parser);
	return err;
}

int yaml_text_new(struct yaml_text **out, const char *text, size_t length, const char *name,
		  const cyaml_schema_value_t *schema, char *why, size_t why_size)
{
	struct yaml_text *new = calloc(1, sizeof(*new));
	yaml_node_t *root;
	int err;

	snprintf(why, why_size, "%s: not enough memory", name);
	if (!new)
		return -ENOMEM;
	*new = (struct yaml_text){text, name, length, schema, {}, why, why_size};
	if (length > YAML_TEXT_BYTES_MAX) {
		snprintf(why, why_size, "%s: larger than 1 MiB", name);
		free(new);
		return -EFBIG;
	}
	err = load_document(new, &new->document);
	if (err) {
		free(new);
		return err;
	}
	root = yaml_document_get_root_node(&new->document);
	err = refuse_aliases(new);
	if (!err && root)
		err = check_node(new, root, schema, "", 0);
	if (err)
		yaml_text_free(&new);
	else
		*out = new;
	return err;
}

void yaml_text_free(struct yaml_text **text)
{
	if (!*text)
		return;
	yaml_document_delete(&(*text)->document);
	free(*text);
	*text = NULL;
}

/* Wraps the plain words of a sequence of mappings: word -> {first key: word}. */
static bool wrap_words(yaml_document_t *document, int sequence, const char *first_key)
{
	yaml_node_t *node = yaml_document_get_node(document, sequence);
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);

	for (size_t i = 0; i < count; i++) {
		int item = yaml_document_get_node(document, sequence)->data.sequence.items.start[i];
		int mapping, key;

		if (yaml_document_get_node(document, item)->type != YAML_SCALAR_NODE)
			continue;
		mapping = yaml_document_add_mapping(document, NULL, YAML_FLOW_MAPPING_STYLE);
		key = yaml_document_add_scalar(document, NULL, (const unsigned char *)first_key, -1,
					       YAML_PLAIN_SCALAR_STYLE);
		if (!mapping || !key || !yaml_document_append_mapping_pair(document, mapping, key, item))
			return false;
		yaml_document_get_node(document, sequence)->data.sequence.items.start[i] = mapping;
	}
	return true;
}

/* A list of words -> one word with commas; 0 without memory. */
static int join_words(yaml_document_t *document, int sequence)
{
	const yaml_node_t *node = yaml_document_get_node(document, sequence);
	size_t used = 0, size = 1;
	CLEANUP(cleanup_free) char *joined = NULL;

	for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
	     item++)
		size += yaml_document_get_node(document, *item)->data.scalar.length + 1;
	joined = malloc(size);
	if (!joined)
		return 0;
	for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
	     item++)
		used += (size_t)snprintf(joined + used, size - used, "%s%s", used ? "," : "",
					 node_text(yaml_document_get_node(document, *item)));
	return yaml_document_add_scalar(document, NULL, (const unsigned char *)joined, (int)used,
					YAML_PLAIN_SCALAR_STYLE);
}

/* {key: value} -> [{first: key, second: value}]; 0 without memory. */
static int list_keys(yaml_document_t *document, int mapping, const cyaml_schema_field_t *fields)
{
	const yaml_node_t *node = yaml_document_get_node(document, mapping);
	size_t count = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	int sequence = yaml_document_add_sequence(document, NULL, YAML_BLOCK_SEQUENCE_STYLE);

	for (size_t i = 0; i < count && sequence; i++) {
		/* Adding nodes moves them: look the mapping up again. */
		yaml_node_pair_t pair = yaml_document_get_node(document, mapping)->data.mapping.pairs.start[i];
		int entry = yaml_document_add_mapping(document, NULL, YAML_BLOCK_MAPPING_STYLE);
		int names[2];

		for (int n = 0; n < 2; n++)
			names[n] =
				yaml_document_add_scalar(document, NULL, (const unsigned char *)fields[n].key,
							 -1, YAML_PLAIN_SCALAR_STYLE);
		if (!entry || !names[0] || !names[1] ||
		    !yaml_document_append_mapping_pair(document, entry, names[0], pair.key) ||
		    !yaml_document_append_mapping_pair(document, entry, names[1], pair.value) ||
		    !yaml_document_append_sequence_item(document, sequence, entry))
			sequence = 0;
	}
	return sequence;
}

/* What stands for a value of the top level that may be written in two ways; 0 without memory. */
static int unfold_value(yaml_document_t *document, int value, const cyaml_schema_value_t *schema)
{
	bool sequence = yaml_document_get_node(document, value)->type == YAML_SEQUENCE_NODE;

	if (schema->type == CYAML_STRING && has_flag(schema, YAML_WORDS) && sequence)
		return join_words(document, value);
	if (schema->type != CYAML_SEQUENCE || schema->sequence.entry->type != CYAML_MAPPING)
		return value;
	if (has_flag(schema, YAML_FREE_KEYS))
		return list_keys(document, value, schema->sequence.entry->mapping.fields);
	return wrap_words(document, value, schema->sequence.entry->mapping.fields[0].key) ? value : 0;
}

static bool unfold(struct yaml_text *text, yaml_document_t *document)
{
	yaml_node_t *root = yaml_document_get_root_node(document);
	size_t pairs = (size_t)(root->data.mapping.pairs.top - root->data.mapping.pairs.start);

	for (size_t i = 0; i < pairs; i++) {
		/* Adding nodes moves them: look the root up again. */
		yaml_node_pair_t pair = yaml_document_get_root_node(document)->data.mapping.pairs.start[i];
		const char *key = node_text(yaml_document_get_node(document, pair.key));
		int value = unfold_value(document, pair.value, &find_field(text->schema, key)->value);

		if (!value)
			return false;
		yaml_document_get_root_node(document)->data.mapping.pairs.start[i].value = value;
	}
	return true;
}

/* What an emitter wrote. */
struct writing {
	char *text;
	size_t length;
};

static int write_more(void *arg, unsigned char *bytes, size_t size)
{
	struct writing *writing = arg;
	char *text = realloc(writing->text, writing->length + size + 1);

	if (!text)
		return 0;
	memcpy(text + writing->length, bytes, size);
	writing->text = text;
	writing->length += size;
	return 1;
}

/* The document with every entry in its long form, as text. */
static int write_unfolded(struct yaml_text *text, struct writing *writing)
{
	yaml_document_t document;
	yaml_emitter_t emitter;
	int err = load_document(text, &document);

	if (err)
		return err;
	if (!unfold(text, &document) || !yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(&document);
		return -ENOMEM;
	}
	yaml_emitter_set_output(&emitter, write_more, writing);
	yaml_emitter_set_unicode(&emitter, 1);
	/* Opening, dumping (which takes the document) and closing fail for want of memory only. */
	if (!yaml_emitter_open(&emitter))
		yaml_document_delete(&document);
	else if (!yaml_emitter_dump(&emitter, &document) || !yaml_emitter_close(&emitter))
		err = -ENOMEM;
	yaml_emitter_delete(&emitter);
	return err || writing->text ? err : -ENOMEM;
}

int yaml_text_load(struct yaml_text *text, void **out, char *why, size_t why_size)
{
	struct writing writing = {};
	char first[128] = "";
	cyaml_config_t config = {
		.log_fn = log_first, .log_ctx = first, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
	cyaml_err_t result;
	int err;

	text->why = why;
	text->why_size = why_size;
	*out = NULL;
	if (!yaml_document_get_root_node(&text->document))
		return 0;
	err = write_unfolded(text, &writing);
	if (err) {
		free(writing.text);
		return err;
	}
	result = cyaml_load_data((const uint8_t *)writing.text, writing.length, &config, text->schema, out,
				 NULL);
	free(writing.text);
	if (result == CYAML_OK)
		return 0;
	*out = NULL;
	snprintf(why, why_size, "%s: %s", text->name, *first ? first : cyaml_strerror(result));
	return result == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
}

void yaml_text_unload(const cyaml_schema_value_t *schema, void *data)
{
	cyaml_config_t config = {.log_fn = log_nothing, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};

	if (data)
		cyaml_free(&config, schema, data, 0);
}

char *yaml_text_print(const cyaml_schema_value_t *schema, const void *data)
{
	cyaml_config_t config = {.log_fn = log_nothing, .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
	char *bytes = NULL, *text = NULL;
	size_t length = 0;

	if (cyaml_save_data(&bytes, &length, &config, schema, data, 0) == CYAML_OK)
		text = strndup(bytes, length);
	free(bytes);
	return text;
}

static const yaml_node_t *find_value(const struct yaml_text *text, const yaml_node_t *node, const char *key)
{
	yaml_document_t *document = (yaml_document_t *)(uintptr_t)&text->document;

	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++)
		if (!strcmp(node_text(yaml_document_get_node(document, pair->key)), key))
			return yaml_document_get_node(document, pair->value);
	return NULL;
}

static const yaml_node_t *find_item(const struct yaml_text *text, const yaml_node_t *node, long index)
{
	yaml_document_t *document = (yaml_document_t *)(uintptr_t)&text->document;

	if (!node || node->type != YAML_SEQUENCE_NODE || index < 0 ||
	    index >= node->data.sequence.items.top - node->data.sequence.items.start)
		return NULL;
	return yaml_document_get_node(document, node->data.sequence.items.start[index]);
}

unsigned int yaml_text_line(const struct yaml_text *text, const char *section, long entry, const char *key,
			    long item)
{
	const yaml_node_t *node, *nearest;

	node = nearest = yaml_document_get_root_node((yaml_document_t *)(uintptr_t)&text->document);
	for (int step = 0; step < 4 && node; step++) {
		if (step == 0)
			node = find_value(text, node, section);
		else if (step == 1 && entry >= 0)
			node = find_item(text, node, entry);
		else if (step == 2 && key)
			node = find_value(text, node, key);
		else if (step == 3 && item >= 0)
			node = find_item(text, node, item);
		if (node)
			nearest = node;
	}
	return nearest ? (unsigned int)nearest->start_mark.line + 1 : 1;
}
