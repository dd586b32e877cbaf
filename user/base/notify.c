// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service manager's protocol (notify.h): a dozen lines, written here instead of linked, as its
 * documentation proposes. The socket is connected once: later its path may be out of reach.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/notify.h"

static int socket_fd = -1;
static uint64_t watchdog_s;

/* Only if it is meant for us, not for who started us. */
static uint64_t read_watchdog(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!us || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(us, NULL, 10) / 1000000;
}

static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	int fd, err;

	if ((name[0] != '/' && name[0] != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, name, length);
	if (name[0] == '@') /* no file: an abstract name begins with a 0 */
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int notify_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int fd;

	if (!name)
		return 0;
	fd = connect_to(name);
	if (fd < 0)
		return fd;
	watchdog_s = read_watchdog();
	socket_fd = fd;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

void notify_close(void)
{
	if (socket_fd >= 0)
		close(socket_fd);
	socket_fd = -1;
	watchdog_s = 0;
}

/* A manager that takes no more does not hold us up: what we say next says more. */
static void tell(const char *text)
{
	if (socket_fd >= 0)
		(void)send(socket_fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	struct timespec now;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_status(const char *format, ...)
{
	char text[256] = "STATUS=";
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, sizeof(text) - length, format, args);
	va_end(args);
	tell(text);
}

uint64_t notify_watchdog_s(void)
{
	return watchdog_s;
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}
