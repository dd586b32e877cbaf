/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes under a running sensor: interfaces that go, return, are renamed, go down or get another MAC,
 * drivers' settings. Gaps go to the collector; what it means for the figures is the doctor's to say, who is
 * told when to look.
 */
#ifndef AIRGLOW_CLI_WATCH_H
#define AIRGLOW_CLI_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "collect/collect.h"
#include "engine/attach.h"

struct watch;

/*
 * What is watched: attachments[i] is of config->interfaces[i], links[slots[i]] what the packet program knows of
 * it, where a new MAC is entered. All but the configuration borrowed for the watch's life.
 */
struct watch_options {
	const struct config *config;
	struct ag_interface *links;
	const unsigned int *slots;
	struct collector *collector;
	struct attachment *const *attachments;
};

/* Listens from now on: to be opened before anything is attached. 0 or -errno with a sentence in why. */
int watch_open(struct watch **out, char *why, size_t why_size);
void watch_free(struct watch **watch);
/* Readable when there is something to look at. */
int watch_fd(const struct watch *watch);

/* Everything is attached. */
void watch_begin(struct watch *watch, const struct watch_options *options);

/*
 * Looks at what there is now; each second, and when the descriptor says so. 0, or the exit status to end with.
 * *changed is set when links are others than before.
 */
int watch_look(struct watch *watch, bool *changed);
/* Another configuration is in force: the doctor is to look. */
void watch_renew(struct watch *watch);
/* Something changed since the doctor looked, and it is time to look again. seconds: since the start. */
bool watch_has_news(struct watch *watch, uint64_t seconds);

#endif
