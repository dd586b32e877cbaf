// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listening sockets (listen.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "serve/listen.h"

#define BACKLOG	       1024
#define UNIX_PREFIX    "unix:"
#define NOT_UNIX_UMASK 0117 /* leaves 0660 */

/* getaddrinfo takes any number and keeps its low 16 bits. */
static bool is_port(const char *text)
{
	unsigned int number = 0;

	for (; *text >= '0' && *text <= '9' && number <= UINT16_MAX; text++)
		number = number * 10 + (unsigned int)(*text - '0');
	return !*text && number && number <= UINT16_MAX;
}

/* "host:port" or "[v6]:port" in two. */
static int split_address(const char *address, char *host, size_t host_size, const char **port)
{
	const char *colon = strrchr(address, ':'), *begin = address;
	size_t len;

	if (!colon || !is_port(colon + 1) || colon == address)
		return -EINVAL;
	len = (size_t)(colon - address);
	if (*begin == '[') {
		if (len < 3 || begin[len - 1] != ']')
			return -EINVAL;
		begin++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return -EINVAL;
	}
	if (len >= host_size)
		return -EINVAL;
	memcpy(host, begin, len);
	host[len] = 0;
	*port = colon + 1;
	return 0;
}

static struct addrinfo *resolve(const char *address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *info = NULL;
	const char *port;
	char host[128];

	if (split_address(address, host, sizeof(host), &port) || getaddrinfo(host, port, &hints, &info))
		return NULL;
	return info;
}

static bool is_loopback(const struct addrinfo *info)
{
	const struct sockaddr_in *v4 = (const void *)info->ai_addr;
	const struct sockaddr_in6 *v6 = (const void *)info->ai_addr;

	if (info->ai_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

const char *listen_unix_path(const char *address)
{
	size_t length = sizeof(UNIX_PREFIX) - 1;

	return strncmp(address, UNIX_PREFIX, length) ? NULL : address + length;
}

bool listen_is_loopback(const char *address)
{
	struct addrinfo *info = resolve(address);
	bool loopback = info && is_loopback(info);

	if (info)
		freeaddrinfo(info);
	return loopback;
}

static int open_tcp(struct listener *listener, char *why, size_t why_size)
{
	struct addrinfo *info = resolve(listener->address);
	int fd, on = 1, err = 0;

	if (!info) {
		snprintf(
			why, why_size,
			"listen address %.200s is not ADDRESS:PORT, such as 127.0.0.1:10023 or [::1]:10023, and not "
			"unix:PATH",
			listener->address);
		return -EINVAL;
	}
	listener->beyond = !is_loopback(info);
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err = -errno;
	if (!err)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!err && (bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, BACKLOG)))
		err = -errno;
	freeaddrinfo(info);
	if (err == -EADDRINUSE)
		snprintf(why, why_size,
			 "cannot listen on %.200s: another program does; stop it or give another port (listen)",
			 listener->address);
	else if (err)
		snprintf(why, why_size, "cannot listen on %.200s: %s", listener->address, strerror(-err));
	if (err && fd >= 0)
		close(fd);
	else
		listener->fd = fd;
	return err;
}

/* Makes room for a unix socket: what lies there and nobody answers on is removed. */
static int clear_path(const struct sockaddr_un *address, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int fd = -1;
	struct stat file;
	int err = 0;

	if (lstat(address->sun_path, &file))
		return 0; /* bind tells what else is wrong */
	if (!S_ISSOCK(file.st_mode)) {
		snprintf(why, why_size,
			 "cannot listen on unix:%s: a file that is no socket lies there; remove it",
			 address->sun_path);
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err = -errno;
	else if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN)
		err = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		err = -errno;
	else if (unlink(address->sun_path))
		err = -errno;
	if (err == -EADDRINUSE)
		snprintf(
			why, why_size,
			"cannot listen on unix:%s: another program does; stop it or give another path (listen)",
			address->sun_path);
	else if (err)
		snprintf(why, why_size, "cannot replace the socket unix:%s: %s", address->sun_path,
			 strerror(-err));
	return err;
}

static int bind_unix(struct listener *listener, int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(NOT_UNIX_UMASK);
	int err = bind(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
	struct stat file;

	umask(before);
	if (err)
		return err;
	if (!lstat(address->sun_path, &file)) {
		listener->device = file.st_dev;
		listener->inode = file.st_ino;
	}
	return listen(fd, BACKLOG) ? -errno : 0;
}

static int open_unix(struct listener *listener, const char *path, char *why, size_t why_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int err, fd;

	listener->local = true;
	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, why_size, "listen address %.200s: the path of a unix socket has 1 to %zu bytes",
			 listener->address, sizeof(address.sun_path) - 1);
		return -EINVAL;
	}
	memcpy(address.sun_path, path, strlen(path));
	err = clear_path(&address, why, why_size);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = fd < 0 ? -errno : bind_unix(listener, fd, &address);
	if (!err) {
		listener->fd = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	snprintf(why, why_size, "cannot listen on %.200s: %s%s", listener->address, strerror(-err),
		 err == -ENOENT ? "; make its directory" : "");
	return err;
}

static int open_one(void *arg, const char *address, char *why, size_t why_size)
{
	struct listeners *listeners = arg;
	struct listener *listener = &listeners->listener[listeners->count];
	const char *path = listen_unix_path(address);

	if (listeners->count == LISTEN_MAX) {
		snprintf(why, why_size, "listen address %.200s is one too many; at most %d are possible",
			 address, LISTEN_MAX);
		return -ENOSPC;
	}
	*listener = (struct listener){.fd = -1, .address = strdup(address)};
	if (!listener->address) {
		snprintf(why, why_size, "not enough memory to listen on %.200s", address);
		return -ENOMEM;
	}
	listeners->count++;
	return path ? open_unix(listener, path, why, why_size) : open_tcp(listener, why, why_size);
}

int listeners_open(struct listeners *listeners, const char *addresses, char *why, size_t why_size)
{
	int err;

	*listeners = (struct listeners){};
	err = list_each(addresses, open_one, listeners, why, why_size);
	if (err)
		listeners_close(listeners);
	return err;
}

/* Is there still the file that this listener made? */
static bool is_ours(const struct listener *listener)
{
	const char *path = listen_unix_path(listener->address);
	struct stat file;

	return path && listener->inode && !lstat(path, &file) && file.st_dev == listener->device &&
	       file.st_ino == listener->inode;
}

void listeners_close(struct listeners *listeners)
{
	for (unsigned int i = 0; i < listeners->count; i++) {
		struct listener *listener = &listeners->listener[i];

		if (is_ours(listener))
			unlink(listen_unix_path(listener->address));
		if (listener->fd >= 0)
			close(listener->fd);
		free(listener->address);
	}
	*listeners = (struct listeners){};
}

int listeners_own(const struct listeners *listeners, uid_t user, gid_t group)
{
	for (unsigned int i = 0; i < listeners->count; i++)
		if (is_ours(&listeners->listener[i]) &&
		    lchown(listen_unix_path(listeners->listener[i].address), user, group))
			return -errno;
	return 0;
}
