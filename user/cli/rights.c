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

/* Where files are written, read again and removed. */
static void keep_directories(struct confine_directories *keep, const struct sensor *s, const char *config_file)
{
	const char *path;

	confine_add_writable(keep, s->config->state);
	if (s->pins)
		confine_add_writable(keep, pins_directory(s->pins));
	confine_add_readable(keep, config_file);
	for (unsigned int i = 0; s->serve && (path = serve_file(s->serve, i)); i++)
		confine_add_readable(keep, path);
	for (unsigned int i = 0; s->serve && (path = serve_socket(s->serve, i)); i++)
		confine_add_removable(keep, path);
}

/* What only root can read was read once, and a change of it would be in vain. */
static void tell_closed(const struct sensor *s, const char *file)
{
	if (file && access(file, R_OK))
		log_warn("the user %s cannot read %s: it will not be read again", s->user.name, file);
}

int give_up_rights(struct sensor *s)
{
	const char *config_file = options_text(s->options, OPTION_CONFIG, NULL), *path;
	struct confine_directories keep = {};
	char done[256];
	int err = give_pins(s);

	if (err)
		return err;
	/* Who stays who he is owns them already; the group may be that of their directory. */
	if (s->serve && s->user.changes && serve_own(s->serve, s->user.uid, s->user.gid))
		log_warn("cannot give the unix sockets to the user %s", s->user.name);
	keep_directories(&keep, s, config_file);
	err = confine_enter(&s->user, &keep, done, sizeof(done), s->why, sizeof(s->why));
	if (err)
		return err;
	log_info("%s", done);
	tell_closed(s, config_file);
	for (unsigned int i = 0; s->serve && (path = serve_file(s->serve, i)); i++)
		tell_closed(s, path);
	return 0;
}
