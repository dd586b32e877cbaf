// SPDX-License-Identifier: GPL-2.0-only
/*
 * What earlier processes left (sensor.h): pinned books go on as they are, or their totals are carried into new
 * ones once the program writes those; after a reboot the totals come from the state directory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "cli/sensor.h"
#include "collect/kept.h"
#include "engine/backend.h"
#include "engine/grace.h"

static int lock_state(struct sensor *s)
{
	const char *state = s->config->state;
	int err;

	if (!state)
		return 0;
	err = confine_own_directory(state, &s->user, s->why, sizeof(s->why));
	if (err)
		return err;
	s->state_lock = lock_directory(state, "the files in the state directory", s->why, sizeof(s->why));
	return s->state_lock < 0 ? s->state_lock : 0;
}

/* -ENOENT: there is nothing to go on from. */
static int find_totals(struct sensor *s)
{
	int err = s->pins ? carry_of_all_pins(s->carry, s->pins, s->layout) : -ENOENT;

	s->carry_is_pinned = !err;
	if (err == -ENOENT && s->config->state)
		return carry_load(s->carry, s->config->state, s->layout, s->why, sizeof(s->why));
	if (err == -EINVAL)
		snprintf(
			s->why, sizeof(s->why),
			"what is pinned in %s are not airglow's books, or they are damaged; use another directory",
			s->config->pins);
	else if (err && err != -ENOENT)
		snprintf(s->why, sizeof(s->why),
			 "cannot read the books that are pinned in %s: %s; airglow detach removes them",
			 s->config->pins, strerror(-err));
	return err;
}

int inherit_open(struct sensor *s)
{
	uint32_t links[PINS_LINKS_MAX];
	unsigned int sets[PINS_SETS_MAX];
	int err = lock_state(s);

	if (!err && s->config->keep)
		err = pins_open(&s->pins, s->config->pins, true, s->why, sizeof(s->why));
	if (err)
		return err;
	s->pins_were_empty = s->pins && !pins_sets(s->pins, sets) && !pins_links(s->pins, links);
	err = kernel_layout(&s->layout);
	s->carry = carry_new();
	if (err || !s->carry) {
		snprintf(s->why, sizeof(s->why), "not enough memory to begin");
		return -ENOMEM;
	}
	err = find_totals(s);
	if (err && err != -ENOENT)
		return err;
	err = kept_number_scopes(&s->carry->kept, s->config, s->why, sizeof(s->why));
	if (err)
		return err;
	kept_number_interfaces(&s->carry->kept, s->config, s->carry->carried.counters.interface, s->slots);
	return 0;
}

static void drop_older_sets(struct sensor *s)
{
	unsigned int sets[PINS_SETS_MAX], n = pins_sets(s->pins, sets), i;

	for (i = 0; i < n; i++)
		if (sets[i] != engine_set(s->engine) && pins_drop_set(s->pins, sets[i]))
			log_warnx("cannot remove the older books set_%u in %s", sets[i], s->config->pins);
}

/* Nobody writes the older books any more once everybody has left the program that did. */
static int take_older_books(struct sensor *s)
{
	int err;

	memset(s->carry, 0, sizeof(*s->carry));
	grace_wait();
	err = carry_of_pins(s->carry, s->pins, engine_set(s->engine), s->layout);
	if (err) {
		snprintf(s->why, sizeof(s->why), "cannot carry over what the books in %s counted: %s",
			 s->config->pins, strerror(-err));
		return err;
	}
	engine_inherit_seen(s->engine, s->plan, s->pins);
	log_info("new books: %llu packets are carried over from earlier ones, %llu of them lost to the records",
		 s->carry->carried.counters.received, s->carry->told.lost[AG_LOST_RESTART]);
	return 0;
}

void inherit_begin(void *sensor, struct books *books)
{
	const struct sensor *s = sensor;

	carry_into_books(s->carry, books);
}

int inherit_finish(struct sensor *s)
{
	struct books *books = engine_books(s->engine);
	unsigned int slots[AG_INTERFACES_MAX];
	int err = 0;

	/* First: on an interface that is not configured any more the older program would still write the older
	 * books. */
	if (s->pins)
		attach_drop_others(s->pins, s->attachments, s->config->interfaces_count);
	if (!engine_is_resumed(s->engine) && s->carry_is_pinned) {
		err = take_older_books(s);
		if (err)
			return err;
		carry_into_books(s->carry, books);
	}
	if (s->pins)
		drop_older_sets(s);
	/* New names get their slots in the books too: the same ones. */
	carry_of_books(s->carry, books);
	kept_number_interfaces(&books->collected->kept, s->config, s->carry->carried.counters.interface, slots);
	return 0;
}

void inherit_save(struct sensor *s, bool clean)
{
	if (!s->config->state || !s->engine)
		return;
	memset(s->carry, 0, sizeof(*s->carry));
	carry_of_books(s->carry, engine_books(s->engine));
	if (carry_save(s->carry, s->config->state, s->layout, clean, s->why, sizeof(s->why)))
		log_warnx("%s", s->why);
}

void inherit_clear(struct sensor *s)
{
	int err = s->pins ? pins_clear(s->pins) : 0;

	if (err)
		log_warnx("cannot remove all pins in %s: %s", s->config->pins, strerror(-err));
	if (s->pins && !err)
		pins_remove(&s->pins);
}

void inherit_give_up(struct sensor *s)
{
	if (s->pins && s->pins_were_empty)
		inherit_clear(s);
	/* Books that were begun beside others and that no program writes. */
	else if (s->pins && s->engine && !engine_is_resumed(s->engine) && !s->attachments[0])
		pins_drop_set(s->pins, engine_set(s->engine));
}

void inherit_close(struct sensor *s)
{
	pins_close(&s->pins);
	layout_free(&s->layout);
	free(s->carry);
	s->carry = NULL;
	if (s->state_lock >= 0)
		close(s->state_lock);
	s->state_lock = -1;
}
