/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the sensor gives up what it no longer needs, once its program counts: user, groups, capabilities, system
 * calls, files. Knows nothing of packets; what must stay possible is syscall.def and the directories that the
 * caller names.
 */
#ifndef AIRGLOW_CONFINE_CONFINE_H
#define AIRGLOW_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONFINE_DIRECTORIES_MAX 16

struct confine_user {
	uid_t uid;
	gid_t gid;
	char name[64];
	bool changes; /* it is another than the one we run as */
};

/* Directories that stay open, besides those of the system that are readable for whoever looks. */
struct confine_directories {
	const char *writable[CONFINE_DIRECTORIES_MAX]; /* files are made, renamed and removed there */
	size_t writable_count;
	const char *readable[CONFINE_DIRECTORIES_MAX]; /* files are read again there */
	size_t readable_count;
	const char *removable[CONFINE_DIRECTORIES_MAX]; /* files are removed there */
	size_t removable_count;
};

/*
 * Who the sensor will be. name NULL: the user airglow or, where that is missing, nobody if we are root, else
 * who we are. Refused here, before anything is attached: a name that is not there, or one that we may not take.
 */
int confine_user(struct confine_user *out, const char *name, char *why, size_t why_size);

/* The user can write there: an empty directory of root's is given to it; any other that is not its own is
 * refused. */
int confine_own_directory(const char *path, const struct confine_user *user, char *why, size_t why_size);

/*
 * A directory among those that stay open, of a file or itself; NULL, or more than there is room for, is passed
 * over: what is missing here is refused later, not made possible.
 */
void confine_add_writable(struct confine_directories *directories, const char *path);
void confine_add_readable(struct confine_directories *directories, const char *path);
void confine_add_removable(struct confine_directories *directories, const char *path);

/*
 * For good, and only while this process has one thread: user, capabilities and filters are a thread's. done =
 * what is in force, in words. After an error the process is to end: it may be half-way.
 */
int confine_enter(const struct confine_user *user, const struct confine_directories *directories, char *done,
		  size_t done_size, char *why, size_t why_size);

#endif
