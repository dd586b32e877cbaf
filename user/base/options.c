// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a command line by the table (options.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

enum kind { KIND_FLAG, KIND_COUNT, KIND_TEXT, KIND_LIST, KIND_CHOICE, KIND_NUMBER, KIND_BYTES };

struct command_row {
	const char *label, *operands, *help;
};

struct option_row {
	const char *name;
	char letter;
	enum kind kind;
	const char *argument;
	unsigned int commands;
	const char *help;
};

static const struct command_row COMMANDS[] = {
#define AG_COMMAND(name, label, operands, help) {label, operands, help},
#include "airglow/option.def"
};

#define IN(command) (1u << COMMAND_##command)
static const struct option_row ROWS[] = {
#define AG_OPTION(name, text, letter, kind, argument, commands, help)                                          \
	{text, letter, KIND_##kind, argument, commands, help},
#include "airglow/option.def"
};
#undef IN

_Static_assert(sizeof(COMMANDS) / sizeof(COMMANDS[0]) == COMMAND_MAX, "a row a command");
_Static_assert(sizeof(ROWS) / sizeof(ROWS[0]) == OPTION_MAX, "a row an option");

/* What is being read: one command line. */
struct reader {
	struct options *options;
	int argc, next; /* argv[next] is read next */
	char **argv;
	char *why;
	size_t why_size;
};

static bool takes_argument(const struct option_row *row)
{
	return row->kind != KIND_FLAG && row->kind != KIND_COUNT;
}

static enum option_id find_row(enum command command, const char *name, size_t length, char letter)
{
	for (unsigned int i = 0; i < OPTION_MAX; i++) {
		const struct option_row *row = &ROWS[i];
		bool matches = letter ? row->letter == letter
				      : name && strlen(row->name) == length && !memcmp(row->name, name, length);

		if (matches && (row->commands & (1u << command)))
			return (enum option_id)i;
	}
	return OPTION_MAX;
}

/* Index of text among the words of "a|b|c", or -1. */
static int find_word(const char *words, const char *text)
{
	int index = 0;

	for (;; index++) {
		size_t length = strcspn(words, "|");

		if (strlen(text) == length && !memcmp(words, text, length))
			return index;
		if (!words[length])
			return -1;
		words += length + 1;
	}
}

static int parse_number(uint64_t *out, const char *text, const char **end)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return -ERANGE;
	*end = at;
	*out = value;
	return at == text ? -EINVAL : 0;
}

int options_bytes(uint64_t *out, const char *text)
{
	static const char units[] = "KMG";
	const char *end, *unit;
	uint64_t value;
	int err = parse_number(&value, text, &end);

	if (err)
		return err;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (unit - units + 1)), &value))
			return -ERANGE;
		end++;
	}
	if (*end == 'B')
		end++;
	if (*end)
		return -EINVAL;
	*out = value;
	return 0;
}

/* The value of an argument by the option's kind. */
static int parse_value(struct reader *reader, const struct option_row *row, struct option_given *given)
{
	const char *end = "";
	int err = 0, word;

	switch (row->kind) {
	case KIND_CHOICE:
		word = find_word(row->argument, given->text);
		if (word < 0)
			err = -EINVAL;
		else
			given->number = (uint64_t)word;
		break;
	case KIND_NUMBER:
		err = parse_number(&given->number, given->text, &end);
		break;
	case KIND_BYTES:
		err = options_bytes(&given->number, given->text);
		break;
	default:
		if (!*given->text)
			err = -EINVAL;
	}
	if (!err && !*end)
		return 0;
	snprintf(reader->why, reader->why_size, "--%s does not take \"%.60s\"; it wants %s%s", row->name,
		 given->text, row->argument, row->kind == KIND_BYTES ? ", a number with K, M or G" : "");
	return -EINVAL;
}

/* Books an option; attached: its argument if it stood in the same word, else NULL. */
static int add_option(struct reader *reader, enum option_id id, const char *attached)
{
	const struct option_row *row = &ROWS[id];
	struct option_given *given = &reader->options->given[reader->options->given_count];

	*given = (struct option_given){.id = id, .text = attached};
	if (takes_argument(row)) {
		if (!given->text && reader->next < reader->argc)
			given->text = reader->argv[reader->next++];
		if (!given->text) {
			snprintf(reader->why, reader->why_size, "--%s wants an argument: %s", row->name,
				 row->argument);
			return -EINVAL;
		}
		if (parse_value(reader, row, given))
			return -EINVAL;
	} else if (attached) {
		snprintf(reader->why, reader->why_size, "--%s takes no argument", row->name);
		return -EINVAL;
	}
	reader->options->given_count++;
	return 0;
}

static int refuse_option(struct reader *reader, const char *word)
{
	const char *label = COMMANDS[reader->options->command].label;

	snprintf(reader->why, reader->why_size,
		 "unknown option %.60s; \"airglow %s --help\" lists those there are", word, label);
	return -EINVAL;
}

static int read_long(struct reader *reader, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	enum option_id id = find_row(reader->options->command, name, length, 0);

	if (id == OPTION_MAX)
		return refuse_option(reader, word);
	return add_option(reader, id, equals ? equals + 1 : NULL);
}

/* -v, -vv, -cFILE, -nc FILE. */
static int read_letters(struct reader *reader, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		enum option_id id = find_row(reader->options->command, NULL, 0, *letter);
		bool whole_rest;
		int err;

		if (id == OPTION_MAX)
			return refuse_option(reader, word);
		whole_rest = takes_argument(&ROWS[id]) && letter[1];
		err = add_option(reader, id, whole_rest ? letter + 1 : NULL);
		if (err || whole_rest)
			return err;
	}
	return 0;
}

static int read_operand(struct reader *reader, char *word)
{
	struct options *options = reader->options;

	if (!*COMMANDS[options->command].operands) {
		snprintf(reader->why, reader->why_size,
			 "airglow %s takes no \"%.60s\"; \"airglow %s --help\" tells what it takes",
			 COMMANDS[options->command].label, word, COMMANDS[options->command].label);
		return -EINVAL;
	}
	options->operands[options->operands_count++] = word;
	return 0;
}

int options_parse(struct options *options, enum command command, int argc, char **argv, char *why,
		  size_t why_size)
{
	struct reader reader = {
		.options = options, .argc = argc, .next = 1, .argv = argv, .why = why, .why_size = why_size};
	/* A word of letters can hold one flag a byte. */
	size_t most = 1;
	bool only_operands = false;
	int err = 0;

	for (int i = 1; i < argc; i++)
		most += strlen(argv[i]) + 1;
	*options = (struct options){.command = command};
	options->given = calloc(most, sizeof(*options->given));
	options->operands = calloc((size_t)argc + 1, sizeof(*options->operands));
	if (!options->given || !options->operands) {
		snprintf(why, why_size, "not enough memory for the command line");
		err = -ENOMEM;
	}
	while (!err && reader.next < argc) {
		char *word = argv[reader.next++];

		if (only_operands || word[0] != '-' || !word[1])
			err = read_operand(&reader, word);
		else if (!strcmp(word, "--"))
			only_operands = true;
		else if (word[1] == '-')
			err = read_long(&reader, word);
		else
			err = read_letters(&reader, word);
	}
	if (err)
		options_fini(options);
	return err;
}

void options_fini(struct options *options)
{
	free(options->given);
	free(options->operands);
	*options = (struct options){.command = options->command};
}

static const struct option_given *find_last(const struct options *options, enum option_id id)
{
	for (size_t i = options->given_count; i > 0; i--)
		if (options->given[i - 1].id == id)
			return &options->given[i - 1];
	return NULL;
}

bool options_has(const struct options *options, enum option_id id)
{
	return find_last(options, id);
}

unsigned int options_count(const struct options *options, enum option_id id)
{
	unsigned int count = 0;

	for (size_t i = 0; i < options->given_count; i++)
		count += options->given[i].id == id;
	return count;
}

const char *options_text(const struct options *options, enum option_id id, const char *fallback)
{
	const struct option_given *given = find_last(options, id);

	return given ? given->text : fallback;
}

uint64_t options_number(const struct options *options, enum option_id id, uint64_t fallback)
{
	const struct option_given *given = find_last(options, id);

	return given ? given->number : fallback;
}

const char *options_next(const struct options *options, enum option_id id, size_t *cursor)
{
	while (*cursor < options->given_count) {
		const struct option_given *given = &options->given[(*cursor)++];

		if (given->id == id)
			return given->text;
	}
	return NULL;
}

const char *options_command_label(enum command command)
{
	return COMMANDS[command].label;
}

enum command options_command(const char *label)
{
	unsigned int i = 0;

	while (i < COMMAND_MAX && strcmp(COMMANDS[i].label, label))
		i++;
	return (enum command)i;
}

/* Words of text, wrapped at 100 columns, behind an indent of 8. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column && column + 1 + length > 92) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, column ? " %.*s" : "        %.*s", (int)length, text);
		column += length + (column ? 1 : 0);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_print_help(FILE *out, enum command command)
{
	const struct command_row *row = &COMMANDS[command];

	fprintf(out, "usage: airglow %s [options]%s%s\n\n", row->label, *row->operands ? " " : "",
		row->operands);
	print_wrapped(out, row->help);
	fputs("\noptions:\n", out);
	for (unsigned int i = 0; i < OPTION_MAX; i++) {
		if (!(ROWS[i].commands & (1u << command)))
			continue;
		if (ROWS[i].letter)
			fprintf(out, "  -%c, ", ROWS[i].letter);
		else
			fputs("      ", out);
		fprintf(out, "--%s%s%s\n", ROWS[i].name, *ROWS[i].argument ? " " : "", ROWS[i].argument);
		print_wrapped(out, ROWS[i].help);
	}
}

void options_print_commands(FILE *out)
{
	fputs("usage: airglow COMMAND [options]\n       airglow --version | --help\n\ncommands:\n", out);
	for (unsigned int i = 0; i < COMMAND_MAX; i++)
		fprintf(out, "  %-8s %s\n", COMMANDS[i].label, COMMANDS[i].help);
	fputs("\n\"airglow COMMAND --help\" tells each command's options.\n", out);
}
