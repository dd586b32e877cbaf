// SPDX-License-Identifier: GPL-2.0-only
/*
 * What earlier processes left (sensor.h): pinned books go on as they are, or their totals are carried into new
 * ones once the program writes those; after a reboot the totals come from the state directory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
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
	uint32_t links[PINS_LINKS_MAX];

	s->carry_is_pinned = !err;
	s->pins_were_empty = s->pins && err == -ENOENT && !pins_links(s->pins, links);
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

/*
 * The interfaces of the configuration on which the pinned program should be: those that it had a link for, or
 * all that it knew, where a sensor that was stopped had to leave the books. Why it is not, if it is not.
 */
static void find_gap_reasons(struct sensor *s)
{
	uint32_t links[PINS_LINKS_MAX];
	unsigned int n = s->carry_is_pinned ? pins_links(s->pins, links) : 0, j;

	for (size_t i = 0; i < s->config->interfaces_count && s->carry_is_pinned; i++) {
		uint32_t ifindex = s->carry->kept.interfaces[s->slots[i]].ifindex; /* 0: it is new */

		for (j = 0; j < n && links[j] != ifindex; j++)
			;
		if (ifindex && (j < n || !n))
			s->gap_reasons[i] = n ? "replaced" : "stopped";
	}
}

int inherit_open(struct sensor *s)
{
	int err = lock_state(s);

	if (!err && s->config->keep)
		err = pins_open(&s->pins, s->config->pins, true, s->why, sizeof(s->why));
	if (err)
		return err;
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
	memcpy(s->known, s->carry->kept.interfaces, sizeof(s->known));
	find_gap_reasons(s);
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

/*
 * Where the program should have been and was not. Since when, nobody knows who is there to be asked: at worst
 * since somebody last began an interval.
 */
static void note_gaps(const struct sensor *s, struct ag_kept *kept)
{
	int64_t now_ns = clock_ns(CLOCK_REALTIME), read_ns = (int64_t)engine_read_ns(s->engine);
	int64_t from_ns = now_ns - (clock_ns(CLOCK_MONOTONIC) - read_ns);
	struct gaps gaps = {};

	kept_load_gaps(kept, &gaps);
	for (size_t i = 0; i < s->config->interfaces_count && read_ns; i++) {
		const char *name = s->config->interfaces[i].name;

		/* One that is open goes on until the interface is seen. */
		if (s->gap_reasons[i] && !attach_was_counting(s->attachments[i]) &&
		    !gaps_find_open(&gaps, name))
			gaps_add(&gaps, name, from_ns, now_ns, s->gap_reasons[i]);
	}
	kept_store_gaps(kept, &gaps);
}

/* Interfaces that the books do not know yet get the slots that were found for them when nothing of theirs had
 * been counted. */
static void name_interfaces(const struct sensor *s, struct ag_kept *kept)
{
	for (size_t i = 0; i < s->config->interfaces_count; i++) {
		unsigned int slot = s->slots[i];

		if (strcmp(kept->interfaces[slot].name, s->known[slot].name))
			kept->interfaces[slot] = s->known[slot];
	}
}

int inherit_finish(struct sensor *s)
{
	struct books *books = engine_books(s->engine);
	int err = 0;

	/* First: on an interface that is not configured any more the older program would still write the older
	 * books. */
	if (s->pins)
		attach_drop_others(s->pins, s->attachments, s->config->interfaces_count);
	if (!books->abi->complete) {
		err = take_older_books(s);
		if (err)
			return err;
		carry_into_books(s->carry, books);
	}
	if (s->pins)
		drop_older_sets(s);
	note_gaps(s, &books->collected->kept);
	name_interfaces(s, &books->collected->kept);
	return 0;
}

bool inherit_save(struct sensor *s, bool clean)
{
	if (!s->config->state || !s->engine)
		return true;
	memset(s->carry, 0, sizeof(*s->carry));
	carry_of_books(s->carry, engine_books(s->engine));
	if (!carry_save(s->carry, s->config->state, s->layout, clean, s->why, sizeof(s->why)))
		return true;
	log_warnx("%s", s->why);
	return false;
}

void inherit_detach(struct sensor *s)
{
	int err = s->pins ? pins_drop_links(s->pins) : 0;

	if (err)
		log_warnx("cannot remove the links in %s: %s", s->config->pins, strerror(-err));
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
	bool taken_over = false;

	if (!s->pins)
		return;
	for (size_t i = 0; i < s->config->interfaces_count; i++) {
		if (!s->attachments[i])
			continue;
		/* Where a kept program counted the new one does, and there is no way back. */
		if (attach_was_counting(s->attachments[i]))
			taken_over = true;
		else
			pins_drop_link(s->pins, attach_ifindex(s->attachments[i]));
	}
	if (s->engine && !taken_over)
		engine_put_back(s->engine);
	if (s->pins_were_empty)
		inherit_clear(s);
	/* Books that this start began beside others, which have what was counted, and that no program writes.
	 */
	else if (s->engine && !engine_is_resumed(s->engine) && !engine_books(s->engine)->abi->complete &&
		 !taken_over)
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
