/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands share: reading their options, and the configuration that options and file make together.
 */
#ifndef AIRGLOW_CLI_CLI_H
#define AIRGLOW_CLI_CLI_H

#include "base/config.h"
#include "base/options.h"

/* Exit statuses (README and the man page name them). */
enum cli_status {
	CLI_OK = 0,
	CLI_WARNING = 1, /* doctor, status: a warning; otherwise: it could not be done */
	CLI_FAILED = 1,
	CLI_USAGE = 2,	   /* the command line or the configuration is wrong */
	CLI_FAULT = 2,	   /* doctor, status: a fault */
	CLI_NO_SENSOR = 3, /* status, top, lookup: no sensor answers */
	CLI_RESTART = 75,  /* run: the last interface is gone; start again when it is back */
};

int run_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int status_main(int argc, char **argv);
int top_main(int argc, char **argv);
int lookup_main(int argc, char **argv);
int detach_main(int argc, char **argv);

/*
 * Reads the options of a command (argv[0] = its name); sets the log level from -v. True: go on with *options
 * (options_fini is the caller's). False: leave with *status, --help was printed or the mistake was told.
 */
bool cli_parse(struct options *options, enum command command, int argc, char **argv, int *status);

/*
 * The configuration of -c and of the options after it, not yet checked as a whole (config_check). 0, or -errno
 * with one sentence in why.
 */
int cli_config(struct config **out, const struct options *options, char *why, size_t why_size);

/*
 * Moves the calling thread into a network namespace: a name of "ip netns" or a path. Threads made later follow.
 * 0 or -errno with one sentence.
 */
int cli_enter_netns(const char *name, char *why, size_t why_size);

#endif
