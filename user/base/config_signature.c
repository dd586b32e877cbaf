// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signatures of the configuration: rows like those of service.def, from text and back (config.h).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_rows.h"

#define WORD_BYTES 8   /* of the payload that a row looks at */
#define OFFSET_MAX 200 /* with the headers in front of it that is the end of what is read of a frame */

static const char *const SERVICE_LABELS[AG_SERVICE_MAX] = {
	"none",
#define AG_SERVICE(name, label, specification) label,
#include "airglow/service.def"
};

static const cyaml_strval_t DIRECTION_WORDS[] = {{"request", AG_REQUEST}, {"response", AG_RESPONSE}};

#define TEXT_MAX	 256
#define TEXT(key, flags) CYAML_FIELD_STRING_PTR(#key, flags, struct config_signature_text, key, 1, TEXT_MAX)
#define OPTIONAL	 (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t FIELDS[] = {
	TEXT(service, CYAML_FLAG_POINTER),
	TEXT(port, CYAML_FLAG_POINTER),
	CYAML_FIELD_ENUM("direction", CYAML_FLAG_STRICT, struct config_signature_text, direction,
			 DIRECTION_WORDS, CYAML_ARRAY_LEN(DIRECTION_WORDS)),
	TEXT(bytes, CYAML_FLAG_POINTER),
	TEXT(mask, OPTIONAL),
	TEXT(offset, OPTIONAL),
	TEXT(min_payload, OPTIONAL),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_signature_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_signature_text, FIELDS)};

/* Decimal up to max; a missing text is the fallback. */
static int take_number(__u16 *out, const char *text, unsigned int max, unsigned int fallback)
{
	unsigned long value = fallback;
	char *end;

	if (text) {
		if (!isdigit((unsigned char)*text) || strlen(text) > 5)
			return -EINVAL;
		value = strtoul(text, &end, 10);
		if (*end || value > max)
			return -EINVAL;
	}
	*out = (__u16)value;
	return 0;
}

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Up to eight bytes in hex, with or without 0x, left-aligned in a word. */
static int take_bytes(__u64 *out, unsigned int *count, const char *text)
{
	size_t digits;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	digits = strlen(text);
	if (!digits || digits % 2 || digits > 2 * WORD_BYTES)
		return -EINVAL;
	*out = 0;
	for (size_t i = 0; i < digits; i++) {
		int digit = digit_of(text[i]);

		if (digit < 0)
			return -EINVAL;
		*out |= (__u64)digit << (60 - 4 * i);
	}
	*count = (unsigned int)digits / 2;
	return 0;
}

static int refuse(const char **key, const char *name, const char *text, const char *wanted, char *why,
		  size_t why_size)
{
	*key = name;
	snprintf(why, why_size, "the %s of a signature cannot be \"%.60s\"; give %s", name, text, wanted);
	return -EINVAL;
}

static int take_pattern(struct ag_signature *out, const struct config_signature_text *text, unsigned int *count,
			const char **key, char *why, size_t why_size)
{
	unsigned int masked;

	if (take_bytes(&out->value, count, text->bytes))
		return refuse(key, "bytes", text->bytes, "1 to 8 bytes in hex", why, why_size);
	out->mask = ~0ULL << (64 - 8 * *count);
	if (!text->mask)
		return 0;
	if (take_bytes(&out->mask, &masked, text->mask) || masked != *count)
		return refuse(key, "mask", text->mask, "as many bytes in hex as bytes has", why, why_size);
	if (out->value & ~out->mask)
		return refuse(key, "bytes", text->bytes, "0 where the mask has 0, or it never matches", why,
			      why_size);
	return 0;
}

static int find_service(__u8 *out, const char *label)
{
	unsigned int service = AG_SERVICE_NONE + 1;

	while (service < AG_SERVICE_MAX && strcmp(SERVICE_LABELS[service], label))
		service++;
	*out = (__u8)service;
	return service < AG_SERVICE_MAX ? 0 : -EINVAL;
}

int config_add_signature(struct config *config, const struct config_signature_text *text, const char **key,
			 char *why, size_t why_size)
{
	struct ag_signature row = {.direction = (__u8)text->direction};
	unsigned int count;
	int err;

	*key = NULL;
	if (config->signatures_count == AG_SIGNATURES_MAX) {
		snprintf(why, why_size, "the signature is one too many; at most %d are possible",
			 AG_SIGNATURES_MAX);
		return -ENOSPC;
	}
	if (find_service(&row.service, text->service))
		return refuse(key, "service", text->service,
			      "a label of include/airglow/service.def, such as dns or memcached", why,
			      why_size);
	if (take_number(&row.port, text->port, UINT16_MAX, 0))
		return refuse(key, "port", text->port, "a number from 0 to 65535", why, why_size);
	err = take_pattern(&row, text, &count, key, why, why_size);
	if (err)
		return err;
	if (take_number(&row.offset, text->offset, OFFSET_MAX, 0))
		return refuse(key, "offset", text->offset, "a number from 0 to 200", why, why_size);
	/* Bytes behind a payload read as 0, which a row with 0 in it must not take for its own. */
	if (take_number(&row.min_payload, text->min_payload, UINT16_MAX, row.offset + count))
		return refuse(key, "min_payload", text->min_payload, "a number from 0 to 65535", why, why_size);
	config->signatures[config->signatures_count++] = row;
	return 0;
}

/* Without the trailing bytes that the mask does not look at; a row that takes everything keeps one. */
static void put_bytes(char out[2 * WORD_BYTES + 1], __u64 word, __u64 mask)
{
	unsigned int count = WORD_BYTES;

	while (count > 1 && !(mask << 8 * (count - 1)))
		count--;
	snprintf(out, 2 * WORD_BYTES + 1, "%016llx", (unsigned long long)word);
	out[2 * count] = '\0';
}

static char *put_number(unsigned int number)
{
	char *text;

	return asprintf(&text, "%u", number) < 0 ? NULL : text;
}

static bool put_signature(struct config_signature_text *out, const struct ag_signature *row)
{
	char bytes[2 * WORD_BYTES + 1], mask[2 * WORD_BYTES + 1];

	put_bytes(bytes, row->value, row->mask);
	put_bytes(mask, row->mask, row->mask);
	out->direction = row->direction;
	out->service = strdup(SERVICE_LABELS[row->service]);
	out->bytes = strdup(bytes);
	out->mask = strdup(mask);
	out->port = put_number(row->port);
	out->offset = put_number(row->offset);
	out->min_payload = put_number(row->min_payload);
	return out->service && out->bytes && out->mask && out->port && out->offset && out->min_payload;
}

bool config_put_signatures(struct config_signature_text **out, uint32_t *count, const struct config *config)
{
	*out = calloc(config->signatures_count + 1, sizeof(**out));
	if (!*out)
		return false;
	for (size_t i = 0; i < config->signatures_count; i++)
		if (!put_signature(&(*out)[(*count)++], &config->signatures[i]))
			return false;
	return true;
}
