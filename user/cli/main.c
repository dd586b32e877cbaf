// SPDX-License-Identifier: GPL-2.0-only
/*
 * airglow: finds the command and hands over. Knows no command's meaning.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "cli/cli.h"
#include "version.h"

typedef int (*command_main)(int argc, char **argv);

static const command_main MAINS[] = {
	[COMMAND_RUN] = run_main,	[COMMAND_REPLAY] = replay_main, [COMMAND_DOCTOR] = doctor_main,
	[COMMAND_STATUS] = status_main, [COMMAND_TOP] = top_main,	[COMMAND_LOOKUP] = lookup_main,
	[COMMAND_DETACH] = detach_main,
};
_Static_assert(sizeof(MAINS) / sizeof(MAINS[0]) == COMMAND_MAX, "a function a command");

int main(int argc, char **argv)
{
	enum command command;

	if (argc < 2) {
		log_warnx("no command given; \"airglow --help\" lists them");
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("airglow %s (%s)\n", AIRGLOW_VERSION, AIRGLOW_COMMIT);
		return fflush(stdout) ? CLI_FAILED : CLI_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		options_print_commands(stdout);
		return fflush(stdout) ? CLI_FAILED : CLI_OK;
	}
	command = options_command(argv[1]);
	if (command == COMMAND_MAX) {
		log_warnx("unknown command \"%.60s\"; \"airglow --help\" lists those there are", argv[1]);
		return CLI_USAGE;
	}
	return MAINS[command](argc - 1, argv + 1);
}
