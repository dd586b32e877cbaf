// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks BTF types beside the bytes they describe (layout.h). Knows structs, arrays and integers: the books have
 * nothing else.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "engine/layout.h"

#define DEPTH_MAX 16

struct layout {
	struct btf *btf;
};

/* A type of a layout, and bytes of it. */
struct place {
	const struct btf *btf;
	uint32_t type;
};

int layout_new(struct layout **out, const void *btf, size_t bytes)
{
	struct layout *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->btf = bytes <= UINT32_MAX ? btf__new(btf, (uint32_t)bytes) : NULL;
	if (!l->btf) {
		free(l);
		return -EINVAL;
	}
	*out = l;
	return 0;
}

void layout_free(struct layout **layout)
{
	if (!*layout)
		return;
	btf__free((*layout)->btf);
	free(*layout);
	*layout = NULL;
}

const void *layout_raw(const struct layout *layout, size_t *bytes)
{
	uint32_t size = 0;
	const void *raw = btf__raw_data(layout->btf, &size);

	*bytes = size;
	return raw;
}

/* The type behind typedefs and qualifiers; NULL of one that is none. */
static const struct btf_type *resolve(struct place *at)
{
	int type = btf__resolve_type(at->btf, at->type);
	const struct btf_type *t;

	if (type < 0)
		return NULL;
	at->type = (uint32_t)type;
	t = btf__type_by_id(at->btf, at->type);
	/* btf__resolve_type stops at qualifiers of some versions. */
	while (t && (btf_is_mod(t) || btf_is_typedef(t))) {
		at->type = t->type;
		t = btf__type_by_id(at->btf, at->type);
	}
	return t;
}

static size_t size_of_type(const struct place *at)
{
	long long size = btf__resolve_size(at->btf, at->type);

	return size > 0 ? (size_t)size : 0;
}

static bool find_struct(const struct layout *layout, const char *name, struct place *out)
{
	int type = btf__find_by_name_kind(layout->btf, name, BTF_KIND_STRUCT);

	if (type < 0)
		return false;
	*out = (struct place){layout->btf, (uint32_t)type};
	return true;
}

size_t layout_size(const struct layout *layout, const char *type)
{
	struct place at;

	return find_struct(layout, type, &at) ? size_of_type(&at) : 0;
}

/* 64-bit hosts of either byte order, but what is read here was written on this one. */
static uint64_t read_bytes(const void *from, size_t size)
{
	uint64_t v8 = 0;
	uint32_t v4;
	uint16_t v2;

	switch (size) {
	case 1:
		return *(const uint8_t *)from;
	case 2:
		memcpy(&v2, from, sizeof(v2));
		return v2;
	case 4:
		memcpy(&v4, from, sizeof(v4));
		return v4;
	case 8:
		memcpy(&v8, from, sizeof(v8));
		return v8;
	default:
		return 0;
	}
}

/* An integer of any width; one below zero stays that in a wider one. */
static uint64_t read_integer(const void *from, const struct btf_type *t)
{
	uint64_t value = read_bytes(from, t->size);
	unsigned int unused = t->size < sizeof(value) ? 64 - 8 * t->size : 0;

	if (btf_is_int(t) && btf_int_encoding(t) & BTF_INT_SIGNED)
		return (uint64_t)((int64_t)(value << unused) >> unused);
	return value;
}

static void write_integer(void *to, size_t size, uint64_t value)
{
	uint32_t v4 = (uint32_t)value;
	uint16_t v2 = (uint16_t)value;
	uint8_t v1 = (uint8_t)value;

	switch (size) {
	case 1:
		memcpy(to, &v1, size);
		break;
	case 2:
		memcpy(to, &v2, size);
		break;
	case 4:
		memcpy(to, &v4, size);
		break;
	case 8:
		memcpy(to, &value, size);
		break;
	default:
		break;
	}
}

/* The offset of a member that begins at a byte; SIZE_MAX of a bit-field. */
static size_t offset_of(const struct btf_type *t, unsigned int member)
{
	uint32_t bits = btf_member_bit_offset(t, member);

	return btf_member_bitfield_size(t, member) || bits % 8 ? SIZE_MAX : bits / 8;
}

static const struct btf_member *find_member(const struct place *at, const struct btf_type *t, const char *name,
					    size_t *offset)
{
	const struct btf_member *m = btf_members(t);
	unsigned int i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *its = btf__name_by_offset(at->btf, m->name_off);

		*offset = offset_of(t, i);
		if (its && !strcmp(its, name) && *offset != SIZE_MAX)
			return m;
	}
	return NULL;
}

static void copy_type(uint8_t *to, struct place t, const uint8_t *from, struct place f, unsigned int depth);

static void copy_members(uint8_t *to, const struct place *t, const struct btf_type *t_type, const uint8_t *from,
			 const struct place *f, const struct btf_type *f_type, unsigned int depth)
{
	const struct btf_member *m = btf_members(t_type), *its;
	unsigned int i;

	for (i = 0; i < btf_vlen(t_type); i++, m++) {
		const char *name = btf__name_by_offset(t->btf, m->name_off);
		size_t to_at = offset_of(t_type, i), from_at;

		if (!name || !*name || to_at == SIZE_MAX)
			continue;
		its = find_member(f, f_type, name, &from_at);
		if (its)
			copy_type(to + to_at, (struct place){t->btf, m->type}, from + from_at,
				  (struct place){f->btf, its->type}, depth + 1);
	}
}

static void copy_type(uint8_t *to, struct place t, const uint8_t *from, struct place f, unsigned int depth)
{
	const struct btf_type *t_type = resolve(&t), *f_type = resolve(&f);
	uint32_t i, n;

	if (!t_type || !f_type || depth > DEPTH_MAX || btf_kind(t_type) != btf_kind(f_type))
		return;
	if (btf_is_int(t_type) || btf_is_any_enum(t_type)) {
		write_integer(to, t_type->size, read_integer(from, f_type));
	} else if (btf_is_array(t_type)) {
		struct place t_of = {t.btf, btf_array(t_type)->type}, f_of = {f.btf, btf_array(f_type)->type};
		size_t t_size = size_of_type(&t_of), f_size = size_of_type(&f_of);

		n = btf_array(t_type)->nelems;
		if (n > btf_array(f_type)->nelems)
			n = btf_array(f_type)->nelems;
		for (i = 0; i < n; i++)
			copy_type(to + i * t_size, t_of, from + i * f_size, f_of, depth + 1);
	} else if (btf_is_struct(t_type)) {
		copy_members(to, &t, t_type, from, &f, f_type, depth);
	}
}

int layout_copy(void *to, const struct layout *to_layout, const void *from, const struct layout *from_layout,
		const char *type)
{
	struct place t, f;

	if (!find_struct(to_layout, type, &t) || !find_struct(from_layout, type, &f))
		return -ENOENT;
	copy_type(to, t, from, f, 0);
	return 0;
}

/* --- JSON ------------------------------------------------------------------------------------------------ */

static bool is_zero(const uint8_t *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n && !bytes[i]; i++)
		;
	return i == n;
}

enum bytes_kind { BYTES_NOT, BYTES_TEXT, BYTES_RAW };

/* Arrays of char are text, of other single bytes raw. */
static enum bytes_kind kind_of_bytes(struct place element)
{
	const struct btf_type *t = resolve(&element);
	const char *name;

	if (!t || !btf_is_int(t) || t->size != 1)
		return BYTES_NOT;
	name = btf__name_by_offset(element.btf, t->name_off);
	return name && !strcmp(name, "char") ? BYTES_TEXT : BYTES_RAW;
}

static json_t *bytes_json(const uint8_t *from, size_t n, enum bytes_kind kind)
{
	static const char digits[] = "0123456789abcdef";
	char *hex;
	json_t *text;
	size_t i;

	if (kind == BYTES_TEXT)
		return json_stringn((const char *)from, strnlen((const char *)from, n));
	hex = malloc(2 * n + 1);
	if (!hex)
		return NULL;
	for (i = 0; i < n; i++) {
		hex[2 * i] = digits[from[i] >> 4];
		hex[2 * i + 1] = digits[from[i] & 15];
	}
	text = json_stringn(hex, 2 * n);
	free(hex);
	return text;
}

static json_t *type_json(struct place at, const uint8_t *from, unsigned int depth);

/* Takes value; false without memory. */
static bool put(json_t *object, const char *name, json_t *value)
{
	return value && !json_object_set_new(object, name, value);
}

static json_t *array_json(const struct place *at, const struct btf_type *t, const uint8_t *from,
			  unsigned int depth)
{
	struct place of = {at->btf, btf_array(t)->type};
	enum bytes_kind kind = kind_of_bytes(of);
	size_t size = size_of_type(&of);
	uint32_t n = btf_array(t)->nelems, i;
	json_t *object;
	char index[16];

	if (kind != BYTES_NOT)
		return bytes_json(from, n, kind);
	object = json_object();
	for (i = 0; object && i < n; i++) {
		if (is_zero(from + i * size, size))
			continue;
		snprintf(index, sizeof(index), "%u", i);
		if (!put(object, index, type_json(of, from + i * size, depth + 1))) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

static json_t *struct_json(const struct place *at, const struct btf_type *t, const uint8_t *from,
			   unsigned int depth)
{
	const struct btf_member *m = btf_members(t);
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; object && i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(at->btf, m->name_off);
		struct place of = {at->btf, m->type};
		size_t offset = offset_of(t, i);

		if (!name || !*name || offset == SIZE_MAX || is_zero(from + offset, size_of_type(&of)))
			continue;
		if (!put(object, name, type_json(of, from + offset, depth + 1))) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

static json_t *type_json(struct place at, const uint8_t *from, unsigned int depth)
{
	const struct btf_type *t = resolve(&at);

	if (!t || depth > DEPTH_MAX)
		return NULL;
	if (btf_is_int(t) || btf_is_any_enum(t))
		return json_integer((json_int_t)read_integer(from, t));
	if (btf_is_array(t))
		return array_json(&at, t, from, depth);
	return btf_is_struct(t) ? struct_json(&at, t, from, depth) : NULL;
}

json_t *layout_json(const struct layout *layout, const char *type, const void *from)
{
	struct place at;

	return find_struct(layout, type, &at) ? type_json(at, from, 0) : NULL;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int bytes_from_json(uint8_t *to, size_t n, enum bytes_kind kind, const json_t *json)
{
	const char *text = json_string_value(json);
	size_t length = json_string_length(json), i;

	if (!text)
		return -EINVAL;
	if (kind == BYTES_TEXT) {
		if (length >= n)
			return -EINVAL;
		memset(to, 0, n);
		memcpy(to, text, length);
		return 0;
	}
	if (length % 2)
		return -EINVAL;
	for (i = 0; i < length / 2 && i < n; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int type_from_json(uint8_t *to, struct place at, const json_t *json, unsigned int depth);

/* Indices that this version does not have are passed over. */
static int array_from_json(uint8_t *to, const struct place *at, const struct btf_type *t, const json_t *json,
			   unsigned int depth)
{
	struct place of = {at->btf, btf_array(t)->type};
	enum bytes_kind kind = kind_of_bytes(of);
	size_t size = size_of_type(&of);
	uint32_t n = btf_array(t)->nelems;
	const char *key;
	json_t *value;

	if (kind != BYTES_NOT)
		return bytes_from_json(to, n, kind, json);
	if (!json_is_object(json))
		return -EINVAL;
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		char *end;
		unsigned long index = strtoul(key, &end, 10);

		if (*end || key[0] < '0' || key[0] > '9')
			return -EINVAL;
		if (index < n && type_from_json(to + index * size, of, value, depth + 1))
			return -EINVAL;
	}
	return 0;
}

static int struct_from_json(uint8_t *to, const struct place *at, const struct btf_type *t, const json_t *json,
			    unsigned int depth)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return -EINVAL;
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		size_t offset;
		const struct btf_member *m = find_member(at, t, key, &offset);

		if (m && type_from_json(to + offset, (struct place){at->btf, m->type}, value, depth + 1))
			return -EINVAL;
	}
	return 0;
}

static int type_from_json(uint8_t *to, struct place at, const json_t *json, unsigned int depth)
{
	const struct btf_type *t = resolve(&at);

	if (!t || depth > DEPTH_MAX)
		return -EINVAL;
	if (btf_is_int(t) || btf_is_any_enum(t)) {
		if (!json_is_integer(json))
			return -EINVAL;
		write_integer(to, t->size, (uint64_t)json_integer_value(json));
		return 0;
	}
	if (btf_is_array(t))
		return array_from_json(to, &at, t, json, depth);
	return btf_is_struct(t) ? struct_from_json(to, &at, t, json, depth) : -EINVAL;
}

int layout_from_json(void *to, const struct layout *layout, const char *type, const json_t *json)
{
	struct place at;

	return find_struct(layout, type, &at) ? type_from_json(to, at, json, 0) : -ENOENT;
}
