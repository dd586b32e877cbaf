// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock: one holder at a time, named to the next one; nothing is left of it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.h"

static char directory[64], why[512];

static void begin(void)
{
	snprintf(directory, sizeof(directory), "/tmp/airglow-lock-XXXXXX");
	cr_assert(mkdtemp(directory));
}

static void end(void)
{
	cr_assert_eq(rmdir(directory), 0, "the lock left something behind");
}

TestSuite(lock, .init = begin, .fini = end);

static int take(void)
{
	why[0] = 0;
	return lock_directory(directory, "the state directory", why, sizeof(why));
}

Test(lock, one_at_a_time)
{
	char own[32];
	int fd = take(), again;

	cr_assert_geq(fd, 0, "%s", why);
	cr_assert_eq(take(), -EBUSY);
	snprintf(own, sizeof(own), "process %d;", getpid());
	cr_assert(strstr(why, own), "%s", why);
	cr_assert(strstr(why, directory) && strstr(why, "the state directory"), "%s", why);
	cr_assert_not(strchr(why, '\n'));
	close(fd);
	again = take();
	cr_assert_geq(again, 0, "closing releases it: %s", why);
	close(again);
}

/* A process that is killed releases it, and so is not named any more. */
Test(lock, another_process)
{
	char its[32], byte;
	int pipes[2], fd, status;
	pid_t pid;

	cr_assert_eq(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		byte = (char)(take() >= 0);
		if (write(pipes[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(read(pipes[0], &byte, 1), 1);
	cr_assert_eq(byte, 1);
	cr_assert_eq(take(), -EBUSY);
	snprintf(its, sizeof(its), "process %d;", pid);
	cr_assert(strstr(why, its), "%s", why);
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	fd = take();
	cr_assert_geq(fd, 0, "%s", why);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

Test(lock, what_cannot_be_locked)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/none", directory);
	cr_assert_eq(lock_directory(path, "the state directory", why, sizeof(why)), -ENOENT);
	cr_assert(strstr(why, path) && strstr(why, "the state directory"), "%s", why);
	file = fopen(path, "w");
	cr_assert(file);
	fclose(file);
	cr_assert_eq(lock_directory(path, "the state directory", why, sizeof(why)), -ENOTDIR);
	cr_assert_eq(unlink(path), 0);
}
