/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line, read by the table include/airglow/option.def. Knows names, kinds and which command takes
 * what; not what an option means.
 */
#ifndef AIRGLOW_BASE_OPTIONS_H
#define AIRGLOW_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum command {
#define AG_COMMAND(name, label, operands, help) COMMAND_##name,
#include "airglow/option.def"
	COMMAND_MAX
};

enum option_id {
#define AG_OPTION(name, text, letter, kind, argument, commands, help) OPTION_##name,
#include "airglow/option.def"
	OPTION_MAX
};

/* One option as given: text is its argument (borrowed from argv; NULL for FLAG and COUNT). */
struct option_given {
	enum option_id id;
	const char *text;
	uint64_t number; /* NUMBER, BYTES: the value; CHOICE: index of the word; else 0 */
};

/* What a command line said. Filled by options_parse, emptied by options_fini; argv must outlive it. */
struct options {
	enum command command;
	struct option_given *given; /* in the order of the command line */
	size_t given_count;
	char **operands; /* borrowed strings */
	size_t operands_count;
};

/*
 * Reads argv[1..] of a command (argv[0] is its name). --name VALUE, --name=VALUE, -n VALUE, -nVALUE, flags
 * joined; operands anywhere, all of them after "--". 0, or -EINVAL with one sentence in why (options is then
 * empty).
 * --help is an option like others: see cli_parse (user/cli/cli.h) for who wants it handled.
 */
int options_parse(struct options *options, enum command command, int argc, char **argv, char *why,
		  size_t why_size);
void options_fini(struct options *options);

bool options_has(const struct options *options, enum option_id id);
/* How often it was given. */
unsigned int options_count(const struct options *options, enum option_id id);
/* Argument and value of the last one given, or the fallback. */
const char *options_text(const struct options *options, enum option_id id, const char *fallback);
uint64_t options_number(const struct options *options, enum option_id id, uint64_t fallback);
/* Walks a LIST: *cursor starts at 0; the next argument, or NULL after the last. */
const char *options_next(const struct options *options, enum option_id id, size_t *cursor);

/* Names, for messages and generators: "run"; the command of a label or COMMAND_MAX. */
const char *options_command_label(enum command command);
enum command options_command(const char *label);

/* The help of one command, and the list of commands. */
void options_print_help(FILE *out, enum command command);
void options_print_commands(FILE *out);

/* "128MB" -> bytes. 0 or -EINVAL, -ERANGE. */
int options_bytes(uint64_t *out, const char *text);

#endif
