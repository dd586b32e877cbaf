// SPDX-License-Identifier: GPL-2.0-only
/*
 * One look a second at what the sensor stands on (watch.h). An interface is known by its number; its name is
 * only asked for when it is gone, and that is when the service manager has to start the sensor anew.
 */
#include "cli/watch.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/links.h"

#define NEWS_APART_S                                                                                           \
	3 /* the doctor takes some milliseconds, and some interfaces tell of changes all the time */

/* Where the program is. */
enum place {
	PLACE_HERE,
	PLACE_OFF, /* taken off an interface that is there */
	PLACE_GONE /* the interface is not in this network namespace any more */
};

struct watched {
	char name[32]; /* as configured */
	struct attachment *attachment;
	enum place place;
	bool deleted;	 /* the kernel said so, for an interface of this number */
	char called[32]; /* at the last look */
	bool renamed, name_taken;
};

struct watch {
	struct watch_options options;
	int epoll_fd, links_fd, drivers_fd;
	struct watched interfaces[AG_INTERFACES_MAX];
	size_t count;
	bool news;
	uint64_t news_after_s;
};

static int add_fd(struct watch *w, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (fd < 0)
		return fd;
	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int watch_open(struct watch **out, char *why, size_t why_size)
{
	struct watch *w = calloc(1, sizeof(*w));
	int err;

	if (!w) {
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	w->links_fd = links_watch();
	w->drivers_fd = links_watch_drivers();
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = w->epoll_fd < 0 ? -errno : add_fd(w, w->links_fd);
	/* Without word from the drivers the doctor looks regularly all the same. */
	if (!err && w->drivers_fd >= 0)
		err = add_fd(w, w->drivers_fd);
	if (err) {
		snprintf(why, why_size, "cannot watch interfaces: %s", strerror(-err));
		watch_free(&w);
		return err;
	}
	*out = w;
	return 0;
}

void watch_free(struct watch **watch)
{
	struct watch *w = *watch;

	if (!w)
		return;
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->links_fd >= 0)
		close(w->links_fd);
	if (w->drivers_fd >= 0)
		close(w->drivers_fd);
	free(w);
	*watch = NULL;
}

int watch_fd(const struct watch *w)
{
	return w->epoll_fd;
}

void watch_begin(struct watch *w, const struct watch_options *options)
{
	w->options = *options;
	w->count = options->config->interfaces_count;
	for (size_t i = 0; i < w->count; i++) {
		struct watched *it = &w->interfaces[i];

		it->attachment = options->attachments[i];
		snprintf(it->name, sizeof(it->name), "%s", options->config->interfaces[i].name);
	}
	w->options.config = NULL; /* a reload frees it */
}

static void note_deleted(void *arg, uint32_t ifindex)
{
	struct watch *w = arg;

	for (size_t i = 0; i < w->count; i++)
		if (attach_ifindex(w->interfaces[i].attachment) == ifindex)
			w->interfaces[i].deleted = true;
}

static void leave(struct watch *w, struct watched *it, bool severed)
{
	/* One that was moved took the program along; of one that is deleted there is nothing to release. */
	attach_release(it->attachment);
	log_warnx("%s %s: nothing is counted there until it is back", it->name,
		  severed ? "is gone" : "has left this network namespace");
	it->place = PLACE_GONE;
	collector_set_present(w->options.collector, it->name, false);
	collector_open_gap(w->options.collector, it->name, severed ? "gone" : "moved");
	w->news = true;
}

/*
 * The program sits on an interface, not on its name: what is renamed is counted on under the name configured,
 * which may be one of its alternative names.
 */
static void follow_name(struct watch *w, struct watched *it, const char *name)
{
	uint32_t ifindex = attach_ifindex(it->attachment);
	uint32_t named = strcmp(name, it->name) ? if_nametoindex(it->name) : ifindex;
	bool renamed = named != ifindex, taken = renamed && named;

	if (renamed && (!it->renamed || strcmp(name, it->called))) {
		log_warnx("%s is called %s now: it is counted on, as %s; a start would not find it", it->name,
			  name, it->name);
		w->news = true;
	} else if (it->renamed && !renamed) {
		log_info("%s has its name again", it->name);
		w->news = true;
	}
	snprintf(it->called, sizeof(it->called), "%s", name);
	it->renamed = renamed;
	if (taken && !it->name_taken) {
		log_warnx("another interface is called %s now: it is not counted; a start would count there",
			  it->name);
		w->news = true;
	}
	it->name_taken = taken;
}

/* `looped` compares with the interface's own MAC. True when it is another. */
static bool follow_mac(struct watch *w, size_t i, const struct link_now *now)
{
	struct ag_interface *slot = &w->options.links[w->options.slots[i]];

	if (!now->ethernet || (slot->mac_known && !memcmp(slot->mac, now->mac, sizeof(slot->mac))))
		return false;
	memcpy(slot->mac, now->mac, sizeof(slot->mac));
	slot->mac_known = true;
	log_info("%s has another MAC address now", w->interfaces[i].name);
	return true;
}

/* Of an interface that is there: can packets come? */
static void follow_gap(struct watch *w, const struct watched *it, const struct link_now *now)
{
	if (it->place == PLACE_OFF)
		collector_open_gap(w->options.collector, it->name, "program taken off");
	else if (!now->up)
		collector_open_gap(w->options.collector, it->name, "down");
	else if (!now->carrier)
		collector_open_gap(w->options.collector, it->name, "no carrier");
	else
		collector_close_gap(w->options.collector, it->name);
}

/* True when the settings changed. *back: the sensor has to be started anew. */
static bool look_at(struct watch *w, size_t i, bool *back)
{
	struct watched *it = &w->interfaces[i];
	struct link_now now;
	bool severed;
	int err;

	if (it->place == PLACE_GONE) {
		*back = if_nametoindex(it->name) != 0;
		return false;
	}
	err = links_read(attach_ifindex(it->attachment), &now);
	severed = attach_is_severed(it->attachment);
	if (err == -ENODEV)
		leave(w, it, severed || it->deleted);
	if (err)
		return false;
	if (severed && it->deleted) { /* made again with its number, before we looked */
		leave(w, it, true);
		*back = if_nametoindex(it->name) != 0;
		return false;
	}
	if (severed && it->place == PLACE_HERE) {
		log_warnx("the program was taken off %s: nothing is counted there; start the sensor again",
			  it->name);
		it->place = PLACE_OFF;
		w->news = true;
	}
	follow_name(w, it, now.name);
	follow_gap(w, it, &now);
	return follow_mac(w, i, &now);
}

/*
 * An interface that goes takes its program along. When its name is there again, the service manager is to start
 * us anew; also when nothing is left to count on.
 */
int watch_look(struct watch *w, bool *changed)
{
	bool back = false;
	size_t left = 0;

	w->news = links_drain(w->links_fd, note_deleted, w) || w->news;
	w->news = links_drain(w->drivers_fd, NULL, NULL) || w->news;
	for (size_t i = 0; i < w->count; i++) {
		*changed = look_at(w, i, &back) || *changed;
		if (back) {
			log_warnx("%s is back; exit status %d asks to be started again", w->interfaces[i].name,
				  CLI_RESTART);
			return CLI_RESTART;
		}
		left += w->interfaces[i].place != PLACE_GONE;
	}
	if (left)
		return 0;
	log_warnx("no interface is left; exit status %d asks to be started again", CLI_RESTART);
	return CLI_RESTART;
}

void watch_renew(struct watch *w)
{
	w->news = true;
}

bool watch_has_news(struct watch *w, uint64_t seconds)
{
	if (!w->news || seconds < w->news_after_s)
		return false;
	w->news = false;
	w->news_after_s = seconds + NEWS_APART_S;
	return true;
}
