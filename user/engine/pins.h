/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory of a sensor's pins: what keeps its program counting when no process is there. A bpffs with
 *
 *	set_N/NAME	the maps of one set of books; a higher N is newer
 *	link_N		the program on the interface with index N
 *
 * Who has it open holds an exclusive lock on it: two processes never read one log.
 */
#ifndef AIRGLOW_ENGINE_PINS_H
#define AIRGLOW_ENGINE_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PINS_SETS_MAX  64 /* one, but for starts that were killed half-way: no more are made */
#define PINS_LINKS_MAX 64

struct pins;

/*
 * Opens and locks the directory. make: it is made where it is missing, and a bpffs mounted on it where none is.
 * 0; -ENOENT without make when there is none; -EBUSY when another process holds it (named in why); -errno. why:
 * one sentence.
 */
int pins_open(struct pins **out, const char *directory, bool make, char *why, size_t why_size);
/* Releases the lock; what is pinned stays. Accepts NULL. */
void pins_close(struct pins **pins);
const char *pins_directory(const struct pins *pins);

/* The sets that are there, oldest first; returns how many. */
unsigned int pins_sets(const struct pins *pins, unsigned int sets[PINS_SETS_MAX]);
/* -ENOSPC: there are PINS_SETS_MAX. */
int pins_make_set(struct pins *pins, unsigned int set);
/* Pins a map in a set, or opens it: a file descriptor (the caller's) or -errno. */
int pins_put_map(struct pins *pins, unsigned int set, const char *name, int fd);
int pins_get_map(const struct pins *pins, unsigned int set, const char *name);
/* Also of a set that is half there. */
int pins_drop_set(struct pins *pins, unsigned int set);

/* Links by the index of their interface. */
unsigned int pins_links(const struct pins *pins, uint32_t ifindex[PINS_LINKS_MAX]);
int pins_put_link(struct pins *pins, uint32_t ifindex, int fd);
int pins_get_link(const struct pins *pins, uint32_t ifindex);
/*
 * Removes it. The program is off its interface when this returns, though others may hold the link, where the
 * process has the right (without, the kernel takes it off when nobody holds it, a moment later).
 */
int pins_drop_link(struct pins *pins, uint32_t ifindex);

/* Everything that is there now becomes another user's, who may then remove it. 0 or -errno. */
int pins_chown(struct pins *pins, uid_t user, gid_t group);

/* All links; and everything, links first: nothing counts in books that are being taken away. 0 or -errno. */
int pins_drop_links(struct pins *pins);
int pins_clear(struct pins *pins);
/* Takes the mount and the directory away too, if they are ours to take. After pins_clear. */
void pins_remove(struct pins **pins);

#endif
