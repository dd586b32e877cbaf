// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the sensor keeps when it gives up its rights (sensor.h): the directories that it writes and reads again.
 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/sensor.h"
#include "engine/pins.h"

/* The pins go with us, so that they can be removed. */
static int give_pins(struct sensor *s)
{
	int err = s->pins && s->user.changes ? pins_chown(s->pins, s->user.uid, s->user.gid) : 0;

	if (err)
		snprintf(s->why, sizeof(s->why), "cannot give the pins in %s to the user %s: %s",
			 s->config->pins, s->user.name, strerror(-err));
	return err;
}

int give_up_rights(struct sensor *s)
{
	const char *file = options_text(s->options, OPTION_CONFIG, NULL);
	struct confine_directories directories = {};
	char done[256];
	int err = give_pins(s);

	if (err)
		return err;
	if (s->serve && serve_own(s->serve, s->user.uid, s->user.gid))
		log_warn("cannot give the unix sockets to the user %s", s->user.name);
	confine_add_writable(&directories, s->config->state);
	if (s->pins)
		confine_add_writable(&directories, pins_directory(s->pins));
	confine_add_readable(&directories, file);
	err = confine_enter(&s->user, &directories, done, sizeof(done), s->why, sizeof(s->why));
	if (err)
		return err;
	log_info("%s", done);
	if (file && access(file, R_OK))
		log_warn("the user %s cannot read %s: it will not be read again", s->user.name, file);
	return 0;
}
