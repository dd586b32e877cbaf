/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening sockets, of TCP and unix. Knows addresses and files, nothing of what is served there.
 */
#ifndef AIRGLOW_SERVE_LISTEN_H
#define AIRGLOW_SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LISTEN_MAX 8

struct listener {
	char *address; /* as it was given */
	int fd;	       /* -1: taken over by who serves */
	bool local;    /* a unix socket: who may connect is said by its mode, 0660 */
	bool beyond;   /* not the loopback address: others than this host can connect */
	dev_t device;  /* of a unix socket: is the file still ours? */
	ino_t inode;
};

struct listeners {
	struct listener listener[LISTEN_MAX];
	unsigned int count;
};

/*
 * Opens "ADDRESS:PORT", "[v6]:PORT" and "unix:PATH", one or several with commas between them; in the caller's
 * network namespace, so that a sensor that then enters another one is still reached. A unix socket that nobody
 * answers on is replaced. Changes the umask for a moment: call it before there are threads. 0, or -errno and a
 * sentence, and then nothing is open.
 */
int listeners_open(struct listeners *listeners, const char *addresses, char *why, size_t why_size);

/* Closes those that were not taken over, and removes the files of unix sockets that are still ours. */
void listeners_close(struct listeners *listeners);

/* Gives the files of unix sockets to another user and group, before privileges are dropped. 0 or -errno. */
int listeners_own(const struct listeners *listeners, uid_t user, gid_t group);

/* The path in "unix:PATH", else NULL. */
const char *listen_unix_path(const char *address);

/* Is it an address of TCP that only this host can connect to? */
bool listen_is_loopback(const char *address);

#endif
