/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program on an interface: native XDP, else generic, and which of them it became. Detaches when freed or
 * when the process dies (the kernel's link goes with its file descriptor), unless the link is pinned.
 */
#ifndef AIRGLOW_ENGINE_ATTACH_H
#define AIRGLOW_ENGINE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "engine/pins.h"

struct attachment;

/*
 * Attaches the program to an interface. With pins, a link that is pinned for it goes over to the program
 * without missing a packet, and a new link is pinned. mode AUTO tries native first. Another program on the
 * interface, an interface without an Ethernet header, or one that is missing is refused with a sentence that
 * names it (and the holder). 0 or -errno; with *out also where only the mode was refused, and the program went
 * on in the mode of the pinned link.
 */
int attach_interface(struct attachment **out, int program_fd, const char *name, enum config_mode mode,
		     struct pins *pins, char *why, size_t why_size);
/*
 * Refuses, before anything is made, an interface that another program holds: a program that is pinned here is
 * no other. 0 (also of a name that is not there: attach_interface tells) or -EBUSY with a sentence.
 */
int attach_check(const char *name, struct pins *pins, char *why, size_t why_size);
/* Would attach_interface take over a pinned link? That cannot be undone: whatever else may fail comes before.
 */
bool attach_will_take_over(const char *name, enum config_mode mode, struct pins *pins);
/* It was taken over, or replaced by one of another mode: the program was on the interface all the time. */
bool attach_was_counting(const struct attachment *attachment);
/* Detaches, unless the link is pinned. Accepts NULL. */
void attach_free(struct attachment **attachment);
/* Detaches links that are pinned for other interfaces than these (NULL-terminated); returns how many. */
unsigned int attach_drop_others(struct pins *pins, struct attachment *const *attachments, size_t count);

/* "native" or "generic". */
const char *attach_mode(const struct attachment *attachment);
/* Why native was not possible (one sentence), or NULL. */
const char *attach_fallback_reason(const struct attachment *attachment);
/*
 * Whether the program is on the interface no more: the kernel severs the link of one that vanishes, whatever
 * has its name or number now. attach_release takes it off before attach_free.
 */
bool attach_is_severed(const struct attachment *attachment);
void attach_release(const struct attachment *attachment);
uint32_t attach_ifindex(const struct attachment *attachment);

/* Fills a slot of the settings for an interface: index, MAC, feed. 0 or -errno with a sentence. */
int attach_describe(struct ag_interface *slot, const char *name, enum ag_feed feed, char *why, size_t why_size);

#endif
