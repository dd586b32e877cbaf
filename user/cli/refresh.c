// SPDX-License-Identifier: GPL-2.0-only
/*
 * What changed under a running sensor (sensor.h): its addresses and MACs as they are now come into force.
 */
#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/sensor.h"

/* -ENOSPC: a new start makes larger tables, which help. -E2BIG: no tables would. */
static int put_in_force(struct sensor *s, const struct own_prefixes *prefixes)
{
	struct plan *plan = NULL;
	int err = sensor_plan(&plan, s, s->config, prefixes, s->why, sizeof(s->why));

	if (err)
		return err == -ENOSPC ? -E2BIG : err;
	err = engine_apply(s->engine, plan, s->why, sizeof(s->why));
	if (err) {
		plan_free(&plan);
		return err;
	}
	collector_reload(s->collector, s->config, plan);
	plan_free(&s->plan);
	s->plan = plan;
	return 0;
}

/* It is tried again each second, and said once. */
static void tell_refused(struct sensor *s, int err)
{
	if (!s->refused && err == -E2BIG)
		log_warnx("this host has too many addresses; the sensor goes on with those that it had: %s",
			  s->why);
	else if (!s->refused)
		log_warnx("%s", s->why);
	s->refused = true;
}

int refresh(struct sensor *s, bool changed)
{
	struct own_prefixes now;
	int err = sensor_own(&now, s, s->config, s->why, sizeof(s->why));

	if (!err && !changed && own_same(&s->own, &now)) {
		s->refused = false;
		own_free(&now);
		return 0;
	}
	if (!err)
		err = put_in_force(s, &now);
	if (!err) {
		s->refused = false;
		own_tell(&s->own, &now, s->config);
		own_free(&s->own);
		s->own = now;
		return 0;
	}
	own_free(&now);
	tell_refused(s, err);
	if (err == -E2BIG && changed)
		err = put_in_force(s, &s->own);
	return err == -ENOSPC ? CLI_RESTART : 0;
}
