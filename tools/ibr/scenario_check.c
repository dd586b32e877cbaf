// SPDX-License-Identifier: GPL-2.0-only
/*
 * scenario_check.c - what a scenario must satisfy as a whole, once the command line had its say; and
 * the loading and freeing around it.  Must not parse YAML.
 */
#include "actors.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX_BYTES (4 << 20)

int scenario_load(struct scenario *s, const char *file)
{
	FILE *in = fopen(file, "re");
	char *text;
	size_t len;
	int err;

	if (!in)
		return complain("cannot read scenario %s: %s", file, strerror(errno));
	text = malloc(FILE_MAX_BYTES);
	if (!text) {
		fclose(in);
		return complain("no memory for scenario %s", file);
	}
	len = fread(text, 1, FILE_MAX_BYTES, in);
	if (ferror(in))
		err = complain("cannot read scenario %s: %s", file, strerror(errno));
	else if (len == FILE_MAX_BYTES)
		err = complain("scenario %s is larger than 4 MiB", file);
	else
		err = scenario_read(s, file, text, len);
	free(text);
	fclose(in);
	return err;
}

int scenario_read_prefixes(struct prefix_list *list, const char *text)
{
	char *copy = strdup(text), *save = NULL;
	const char *why;
	int err = 0;

	if (!copy)
		return complain("no memory for the prefixes");
	for (char *w = strtok_r(copy, ", ", &save); w && !err; w = strtok_r(NULL, ", ", &save)) {
		struct prefix p;

		if (prefix_parse(w, &p, &why))
			err = complain("--dark %s: %s", w, why);
		else
			err = prefix_add(list, &p);
	}
	free(copy);
	return err;
}

int scenario_read_mac(const char *text, uint8_t mac[6])
{
	const char *why;

	return text_mac(text, mac, &why) ? complain("--dst-mac %s: %s", text, why) : 0;
}

static int check_dark(const struct scenario *s)
{
	char one[PREFIX_TEXT], two[PREFIX_TEXT];

	for (size_t i = 0; i < s->dark.n; i++)
		for (size_t j = 0; j < i; j++)
			if (prefix_overlap(&s->dark.v[i], &s->dark.v[j])) {
				prefix_text(&s->dark.v[i], one);
				prefix_text(&s->dark.v[j], two);
				return complain("dark prefixes %s and %s overlap", one, two);
			}
	for (size_t i = 0; i < s->other.n; i++)
		for (size_t j = 0; j < s->dark.n; j++)
			if (prefix_overlap(&s->other.v[i], &s->dark.v[j])) {
				prefix_text(&s->other.v[i], one);
				prefix_text(&s->dark.v[j], two);
				return complain("prefix %s under other: overlaps the dark prefix %s", one, two);
			}
	return 0;
}

/* A family that an actor is told to use must have somewhere to go to and come from. */
static int check_families(const struct scenario *s, const struct actor *a)
{
	const struct prefix_list *to = a->to == TO_LIST	   ? &a->to_list
				       : a->to == TO_OTHER ? &s->other
							   : &s->dark;
	bool v4 = a->family != 6, v6 = a->family != 4;

	if (a->from.n && ((v4 && !a->from.v4_total) || (v6 && !a->from.v6_count)))
		return complain("actor %s: from: holds no prefix of the family it sends in", a->name);
	if (a->to != TO_DARK && ((v4 && !to->v4_total) || (v6 && !to->v6_count)))
		return complain("actor %s: its targets hold no prefix of the family it sends in", a->name);
	return 0;
}

int scenario_check(const struct scenario *s)
{
	if (check_dark(s))
		return -1;
	for (int i = 0; i < s->actors; i++) {
		if (check_families(s, &s->actor[i]))
			return -1;
		for (int j = 0; j < i; j++)
			if (!strcmp(s->actor[i].name, s->actor[j].name))
				return complain("two actors have the name %s", s->actor[i].name);
	}
	return 0;
}

void scenario_free(struct scenario *s)
{
	for (int i = 0; i < s->actors; i++) {
		prefix_list_free(&s->actor[i].from);
		prefix_list_free(&s->actor[i].to_list);
	}
	free(s->actor);
	prefix_list_free(&s->dark);
	prefix_list_free(&s->other);
	memset(s, 0, sizeof(*s));
}
