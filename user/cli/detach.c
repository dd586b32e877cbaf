// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow detach`: what a sensor with --keep left is taken away. Its totals go to the state directory when one
 * is named; otherwise what is lost is said.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "collect/carry.h"
#include "engine/backend.h"
#include "engine/grace.h"

static void stop_counting(struct pins *pins)
{
	int err = pins_drop_links(pins);

	if (err)
		log_warnx("cannot remove the links in %s: %s", pins_directory(pins), strerror(-err));
	grace_wait();
}

static int save_totals(const struct carry *carry, const struct config *config, const struct layout *layout)
{
	CLEANUP(cleanup_fd) int lock = -1;
	char why[512];
	int err = 0;

	lock = lock_directory(config->state, "the files in the state directory", why, sizeof(why));
	if (lock < 0)
		err = lock;
	if (!err)
		err = carry_save(carry, config->state, layout, true, why, sizeof(why));
	if (err)
		log_warnx("%s", why);
	return err;
}

/* What was counted; it must be safe before the books go. */
static int settle_totals(const struct pins *pins, const struct config *config)
{
	struct layout *layout = NULL;
	CLEANUP(cleanup_free) struct carry *carry = carry_new();
	int err = carry ? kernel_layout(&layout) : -ENOMEM;

	if (!err)
		err = carry_of_all_pins(carry, pins, layout);
	if (!err)
		log_info("detached; %llu packets had been received, %llu of them dark%s",
			 carry->carried.counters.received, carry->carried.counters.dark,
			 config->state ? "" : " (no state directory: these totals end here)");
	if (!err && config->state)
		err = save_totals(carry, config, layout);
	if (err == -ENOENT)
		log_info("nothing is pinned in %s", config->pins);
	layout_free(&layout);
	return err == -ENOENT ? 0 : err;
}

static int detach(const struct config *config)
{
	struct pins *pins = NULL;
	char why[512];
	int err = pins_open(&pins, config->pins, false, why, sizeof(why));

	if (err) {
		log_warnx("%s", why);
		return err == -ENOENT ? CLI_OK : CLI_FAILED;
	}
	stop_counting(pins);
	err = settle_totals(pins, config);
	if (err && config->state) {
		log_warnx(
			"the books stay in %s, for their totals could not be saved; nothing is counted any more",
			config->pins);
		pins_close(&pins);
		return CLI_FAILED;
	}
	err = pins_clear(pins);
	if (err) {
		log_warnx("cannot remove all pins in %s: %s", config->pins, strerror(-err));
		pins_close(&pins);
		return CLI_FAILED;
	}
	pins_remove(&pins);
	return CLI_OK;
}

int detach_main(int argc, char **argv)
{
	struct options options;
	struct config *config = NULL;
	char why[512];
	int status;

	if (!cli_parse(&options, COMMAND_DETACH, argc, argv, &status))
		return status;
	log_set_level(LOG_INFO + options_count(&options, OPTION_VERBOSE) > LOG_TRACE
			      ? LOG_TRACE
			      : (enum log_level)(LOG_INFO + options_count(&options, OPTION_VERBOSE)));
	if (cli_config(&config, &options, why, sizeof(why))) {
		log_warnx("%s", why);
		status = CLI_USAGE;
	} else {
		status = detach(config);
	}
	config_free(&config);
	options_fini(&options);
	return status;
}
