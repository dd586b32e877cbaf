// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the first part of bash's completion: the tables of option.def and feed.def as text, for
 *completion.bash to read. Run when airglow is built, never installed.
 *
 *	COMMAND operands		_airglow_operands
 *	COMMAND --name -x ARGUMENT	_airglow_options; "-" where there is no letter or no argument
 */
#include <stdio.h>
#include <stdlib.h>

enum command {
#define AG_COMMAND(name, label, operands, help) COMMAND_##name,
#include "airglow/option.def"
	COMMAND_MAX
};

static const struct {
	const char *label, *operands;
} COMMANDS[] = {
#define AG_COMMAND(name, label, operands, help) {label, operands},
#include "airglow/option.def"
};

#define IN(command) (1u << COMMAND_##command)
static const struct {
	const char *name;
	char letter;
	const char *argument;
	unsigned int commands;
} OPTIONS[] = {
#define AG_OPTION(name, text, letter, kind, argument, commands, help) {text, letter, argument, commands},
#include "airglow/option.def"
};

static void print_options(enum command command)
{
	for (size_t i = 0; i < sizeof(OPTIONS) / sizeof(OPTIONS[0]); i++) {
		if (!(OPTIONS[i].commands & (1u << command)))
			continue;
		printf("%s --%s ", COMMANDS[command].label, OPTIONS[i].name);
		if (OPTIONS[i].letter)
			printf("-%c", OPTIONS[i].letter);
		else
			putchar('-');
		printf(" %s\n", *OPTIONS[i].argument ? OPTIONS[i].argument : "-");
	}
}

int main(void)
{
	puts("# SPDX-License-Identifier: GPL-2.0-only\n"
	     "# bash completion of airglow(8), made from include/airglow/option.def");
	puts("_airglow_operands='");
	for (unsigned int i = 0; i < COMMAND_MAX; i++)
		printf("%s %s\n", COMMANDS[i].label, *COMMANDS[i].operands ? COMMANDS[i].operands : "-");
	puts("'\n_airglow_options='");
	for (unsigned int i = 0; i < COMMAND_MAX; i++)
		print_options((enum command)i);
	puts("'\n_airglow_feeds='");
#define AG_FEED(name, label, ...) puts(label);
#include "airglow/feed.def"
	puts("'");
	return ferror(stdout) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
