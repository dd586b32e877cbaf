// SPDX-License-Identifier: GPL-2.0-only
/*
 * text.c - parses single values of scenarios and command lines.  Must not know where they came from.
 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int text_u64(const char *text, uint64_t max, uint64_t *out, const char **why)
{
	unsigned long long v;
	char *end;

	*why = "it is no whole number";
	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (*end != '\0')
		return -1;
	*why = "the number is too large";
	if (errno || v > max)
		return -1;
	*out = v;
	return 0;
}

int text_double(const char *text, double *out, const char **why)
{
	double v;
	char *end;

	*why = "it is no number of 0 or more";
	errno = 0;
	v = strtod(text, &end);
	if (end == text || *end != '\0' || errno || !(v >= 0 && v < 1e15))
		return -1;
	*out = v;
	return 0;
}

int text_bool(const char *text, bool *out, const char **why)
{
	*why = "it is neither yes nor no";
	if (!strcmp(text, "yes") || !strcmp(text, "true"))
		*out = true;
	else if (!strcmp(text, "no") || !strcmp(text, "false"))
		*out = false;
	else
		return -1;
	return 0;
}

int text_mac(const char *text, uint8_t mac[6], const char **why)
{
	unsigned int b[6];
	int end = 0;

	*why = "it is no MAC address like 02:00:00:00:00:01";
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 ||
	    text[end] != '\0')
		return -1;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return 0;
}

int text_ports(const char *text, struct port_set *set, const char **why)
{
	unsigned int low, high, weight = 1;
	int end = 0;

	*why = "it is no port like 23, 1-1024 or 23:9 (with a weight)";
	if (sscanf(text, "%5u-%5u%n", &low, &high, &end) != 2 || !end) {
		end = 0;
		if (sscanf(text, "%5u%n", &low, &end) != 1)
			return -1;
		high = low;
	}
	if (text[end] == ':') {
		int more = 0;

		if (sscanf(text + end + 1, "%6u%n", &weight, &more) != 1 || weight == 0)
			return -1;
		end += 1 + more;
	}
	if (text[end] != '\0' || low > high || high > 65535)
		return -1;
	*why = "there are too many ranges of ports";
	if (set->n == PORT_RANGES_MAX)
		return -1;
	set->range[set->n].low = (uint16_t)low;
	set->range[set->n].high = (uint16_t)high;
	set->range[set->n].upto = weight + (set->n ? set->range[set->n - 1].upto : 0);
	set->n++;
	return 0;
}

int text_flags(const char *text, int32_t *flags, const char **why)
{
	static const char letters[] = "FSRPAUEC";
	int32_t v = 0;

	*why = "TCP flags are letters of FSRPAUEC, or - for none";
	if (text[0] == '\0')
		return -1;
	if (strcmp(text, "-") == 0)
		text++;
	for (; *text; text++) {
		const char *at = strchr(letters, *text);

		if (!at)
			return -1;
		v |= 1 << (at - letters);
	}
	*flags = v;
	return 0;
}

static int put_option(const char *word, uint8_t *p, size_t room)
{
	uint8_t o[10] = {0};
	unsigned int v = 0;
	int len, end = 0;

	if (!strcmp(word, "nop")) {
		o[0] = 1;
		len = 1;
	} else if (!strcmp(word, "eol")) {
		len = 1;
	} else if (!strcmp(word, "sack")) {
		o[0] = 4;
		o[1] = 2;
		len = 2;
	} else if (!strcmp(word, "ts")) {
		o[0] = 8;
		o[1] = 10;
		put32(o + 2, 0x5eed1234);
		len = 10;
	} else if (sscanf(word, "mss=%5u%n", &v, &end) == 1 && !word[end] && v <= 65535) {
		o[0] = 2;
		o[1] = 4;
		put16(o + 2, v);
		len = 4;
	} else if (sscanf(word, "ws=%2u%n", &v, &end) == 1 && !word[end] && v <= 14) {
		o[0] = 3;
		o[1] = 3;
		o[2] = (uint8_t)v;
		len = 3;
	} else {
		return -1;
	}
	if ((size_t)len > room)
		return -1;
	memcpy(p, o, (size_t)len);
	return len;
}

int text_options(const char *text, uint8_t out[40], uint16_t *len, const char **why)
{
	char copy[160], *save = NULL;
	size_t n = 0;

	*why = "TCP options are a list of mss=N, ws=N, sack, ts, nop, eol of at most 40 bytes";
	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	for (char *w = strtok_r(copy, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		int got = put_option(w, out + n, 40 - n);

		if (got < 0)
			return -1;
		n += (size_t)got;
	}
	for (; n % 4; n++)
		out[n] = 0;
	*len = (uint16_t)n;
	return 0;
}

int text_payload(const char *text, uint8_t *out, uint16_t *len, const char **why)
{
	size_t n = 0;

	*why = "a payload is hexadecimal bytes, or text: and the text, of at most 1400 bytes";
	if (strncmp(text, "text:", 5) == 0) {
		n = strlen(text + 5);
		if (n > PAYLOAD_MAX)
			return -1;
		memcpy(out, text + 5, n);
		*len = (uint16_t)n;
		return 0;
	}
	while (*text) {
		char two[3] = {0};

		if (*text == ' ') {
			text++;
			continue;
		}
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) || n == PAYLOAD_MAX)
			return -1;
		memcpy(two, text, 2);
		out[n++] = (uint8_t)strtoul(two, NULL, 16);
		text += 2;
	}
	*len = (uint16_t)n;
	return 0;
}

int text_label(const char *text, const char *const *labels, int n)
{
	for (int i = 0; i < n; i++)
		if (labels[i] && strcmp(text, labels[i]) == 0)
			return i;
	return -1;
}
