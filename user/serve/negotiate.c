// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preferences of clients (negotiate.h).
 */
#include <string.h>
#include <strings.h>

#include "serve/negotiate.h"

#define SPACE	   " \t"
#define WEIGHT_ONE 1000

/* Up to the separator, or to the end; a quoted string hides what is in it. */
static const char *end_of(const char *text, char separator)
{
	bool quoted = false;

	for (; *text && (quoted || (*text != separator && *text != ',')); text++) {
		if (*text == '\\' && quoted && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
	}
	return text;
}

static const char *skip_space(const char *text)
{
	return text + strspn(text, SPACE);
}

/* "0", "1", "0.125": at most three decimals. What is not a weight counts as refused. */
static int read_weight(const char *text, const char *end)
{
	int weight, unit = WEIGHT_ONE / 10;

	if (text == end || (*text != '0' && *text != '1'))
		return 0;
	weight = (*text++ - '0') * WEIGHT_ONE;
	if (text < end && *text == '.')
		for (text++; text < end && unit && *text >= '0' && *text <= '9'; text++, unit /= 10)
			weight += (*text - '0') * unit;
	text += strspn(text, SPACE);
	return text < end || weight > WEIGHT_ONE ? 0 : weight;
}

/* The weight among the parameters that follow an item. */
static int weight_of(const char *parameters, const char *end)
{
	while (parameters < end) {
		const char *next = end_of(parameters + 1, ';'), *name = skip_space(parameters + 1);

		if ((name[0] == 'q' || name[0] == 'Q') && name[1] == '=')
			return read_weight(name + 2, next);
		parameters = next;
	}
	return WEIGHT_ONE;
}

int negotiate_weight(const char *header, const char *item)
{
	size_t length = strlen(item);

	while (header && *header) {
		const char *begin = skip_space(header), *name_end = end_of(begin, ';'), *end = name_end;
		size_t have = (size_t)(name_end - begin);

		while (*end == ';')
			end = end_of(end + 1, ';');
		while (have && strchr(SPACE, begin[have - 1]))
			have--;
		if (have == length && !strncasecmp(begin, item, length))
			return weight_of(name_end, end);
		header = *end ? end + 1 : end;
	}
	return -1;
}

/* The first of the names that the header names. */
static int weight_of_first(const char *header, const char *const *items, size_t count)
{
	int weight = -1;

	for (size_t i = 0; i < count && weight < 0; i++)
		weight = negotiate_weight(header, items[i]);
	return weight;
}

bool negotiate_openmetrics(const char *accept)
{
	static const char *const text[] = {"text/plain", "text/*", "*/*"};
	int openmetrics = negotiate_weight(accept, "application/openmetrics-text");

	return openmetrics > 0 && openmetrics >= weight_of_first(accept, text, sizeof(text) / sizeof(text[0]));
}

bool negotiate_html(const char *accept)
{
	return negotiate_weight(accept, "text/html") > 0;
}

bool negotiate_gzip(const char *accept_encoding)
{
	static const char *const names[] = {"gzip", "x-gzip", "*"};

	return weight_of_first(accept_encoding, names, sizeof(names) / sizeof(names[0])) > 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c | 0x20) - 'a' + 10;
	return -1;
}

size_t negotiate_unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high = *from == '%' ? hex_digit(from[1]) : -1;
		int low = high >= 0 ? hex_digit(from[2]) : -1;

		if (low >= 0 && (high || low)) {
			*to++ = (char)(high << 4 | low);
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
	return (size_t)(to - text);
}
