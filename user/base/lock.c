// SPDX-License-Identifier: GPL-2.0-only
/*
 * flock on a directory (lock.h). Who holds it stands in /proc/locks, by device and inode.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/lock.h"

/* 0: it cannot be told, for example of a process in another PID namespace. */
static int find_holder(int fd)
{
	CLEANUP(cleanup_file) FILE *file = fopen("/proc/locks", "re");
	char line[256];
	struct stat st;

	if (!file || fstat(fd, &st))
		return 0; /* cppcheck-suppress resourceLeak ; it has a cleanup */
	while (fgets(line, sizeof(line), file)) {
		unsigned int device_major, device_minor;
		uint64_t inode;
		int pid;

		if (sscanf(line, "%*u: FLOCK %*s WRITE %d %x:%x:%" SCNu64, &pid, &device_major, &device_minor,
			   &inode) == 4 &&
		    device_major == major(st.st_dev) && device_minor == minor(st.st_dev) && inode == st.st_ino)
			return pid; /* cppcheck-suppress resourceLeak ; it has a cleanup */
	}
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return 0;
}

int lock_directory(const char *path, const char *what, char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err, pid;

	if (fd < 0) {
		err = -errno;
		snprintf(why, why_size, "cannot open %s %s: %s", what, path, strerror(-err));
		return err;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	pid = find_holder(fd);
	if (err == -EBUSY && pid > 0)
		snprintf(why, why_size, "%s %s belong to a sensor that runs, process %d; stop it first", what,
			 path, pid);
	else if (err == -EBUSY)
		snprintf(why, why_size, "%s %s belong to a sensor that runs; stop it first", what, path);
	else
		snprintf(why, why_size, "cannot lock %s %s: %s", what, path, strerror(-err));
	close(fd);
	return err;
}
