// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving up rights (confine.h): the order of the steps, and the user. The order matters: what a step needs is
 * still there, and what is left is looked at, not believed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "confine/confine.h"
#include "confine/internal.h"

#define USER_OWN   "airglow"
#define USER_OTHER "nobody"

static bool may(cap_value_t capability)
{
	cap_t now = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (now)
		cap_get_flag(now, capability, CAP_EFFECTIVE, &value);
	cap_free(now);
	return value == CAP_SET;
}

static int keep_user(struct confine_user *out)
{
	const struct passwd *entry = getpwuid(geteuid());

	if (entry)
		snprintf(out->name, sizeof(out->name), "%s", entry->pw_name);
	else
		snprintf(out->name, sizeof(out->name), "%u", geteuid());
	out->uid = geteuid();
	out->gid = getegid();
	return 0;
}

int confine_user(struct confine_user *out, const char *name, char *why, size_t why_size)
{
	const struct passwd *entry;

	memset(out, 0, sizeof(*out));
	if (!name && geteuid())
		return keep_user(out);
	entry = getpwnam(name ? name : USER_OWN);
	if (!entry && !name)
		entry = getpwnam(USER_OTHER);
	if (!entry) {
		snprintf(why, why_size,
			 "there is no user %.60s to run as; make it, or name another with --run-as",
			 name ? name : USER_OTHER);
		return -ENOENT;
	}
	snprintf(out->name, sizeof(out->name), "%s", entry->pw_name);
	out->uid = entry->pw_uid;
	out->gid = entry->pw_gid;
	out->changes = out->uid != geteuid() || out->uid != getuid() || out->gid != getegid();
	if (out->changes && (!may(CAP_SETUID) || !may(CAP_SETGID))) {
		snprintf(why, why_size, "cannot become the user %s: no permission; start as root or as %s",
			 out->name, out->name);
		return -EPERM;
	}
	return 0;
}

static bool is_empty(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool empty = list;

	while (list && empty && (entry = readdir(list)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (list)
		closedir(list);
	return empty;
}

static bool can_write(const struct stat *s, const struct confine_user *user)
{
	mode_t needed = 03;

	if (s->st_uid == user->uid)
		needed <<= 6;
	else if (s->st_gid == user->gid)
		needed <<= 3;
	return (s->st_mode & needed) == needed;
}

int confine_own_directory(const char *path, const struct confine_user *user, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat s;
	int err;

	if (fd < 0 || fstat(fd, &s) || (!user->changes && access(path, W_OK | X_OK))) {
		err = -errno;
		snprintf(why, why_size,
			 "cannot use the state directory %s: %s; make it, writable for this user", path,
			 strerror(-err));
		return err;
	}
	/* Root without capabilities, too, writes by the modes alone. */
	if ((!user->changes && user->uid) || can_write(&s, user))
		return 0;
	/* What others put there is not ours to give away. */
	if (user->changes && s.st_uid == geteuid() && is_empty(fd) && !fchown(fd, user->uid, user->gid))
		return 0;
	snprintf(why, why_size,
		 "the user %s cannot write in the state directory %s; give it away: chown -R %s %s", user->name,
		 path, user->name, path);
	return -EACCES;
}

static void add(const char **list, size_t *count, const char *path)
{
	if (path && *count < CONFINE_DIRECTORIES_MAX)
		list[(*count)++] = path;
}

void confine_add_writable(struct confine_directories *directories, const char *path)
{
	add(directories->writable, &directories->writable_count, path);
}

void confine_add_readable(struct confine_directories *directories, const char *path)
{
	add(directories->readable, &directories->readable_count, path);
}

void confine_add_removable(struct confine_directories *directories, const char *path)
{
	add(directories->removable, &directories->removable_count, path);
}

/* Bounds need CAP_SETPCAP: without it (a service that was given a few capabilities) no_new_privs has to do. */
static int drop_bounds(void)
{
	int err = 0;

	if (!may(CAP_SETPCAP))
		return 0;
	for (cap_value_t c = 0; c < cap_max_bits() && !err; c++)
		if (cap_get_bound(c) > 0 && cap_drop_bound(c))
			err = -errno;
	return err;
}

/* Groups first, while we may. Who is not root keeps the groups that it was started with. */
static int become(const struct confine_user *user)
{
	if (may(CAP_SETGID) && setgroups(0, NULL))
		return -errno;
	if (!user->changes)
		return 0;
	if (setresgid(user->gid, user->gid, user->gid) || setresuid(user->uid, user->uid, user->uid))
		return -errno;
	return 0;
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int err = 0;

	if (!none || cap_reset_ambient() || cap_set_proc(none))
		err = -errno;
	cap_free(none);
	return err;
}

/* Is it so? Nothing left in any set, and no way back. */
static bool is_dropped(const struct confine_user *user)
{
	cap_t none = cap_init(), now = cap_get_proc();
	uid_t real, effective, saved;
	bool dropped = none && now && !cap_compare(none, now);

	cap_free(none);
	cap_free(now);
	return dropped && !getresuid(&real, &effective, &saved) && real == user->uid &&
	       effective == user->uid && saved == user->uid && (!user->uid || setuid(0)) &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static int count_threads(void)
{
	DIR *list = opendir("/proc/self/task");
	const struct dirent *entry;
	int count = 0;

	while (list && (entry = readdir(list)))
		count += entry->d_name[0] != '.';
	if (list)
		closedir(list);
	return count;
}

static int drop_rights(const struct confine_user *user, int rules_fd, char *why, size_t why_size)
{
	int err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;

	if (!err)
		err = drop_bounds();
	if (!err)
		err = become(user);
	if (!err)
		err = drop_capabilities();
	/* Neither core files nor a debugger of the same user: the memory holds what the figures do not tell. */
	if (!err && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		err = -errno;
	if (!err && !is_dropped(user))
		err = -EPERM;
	if (err)
		snprintf(why, why_size, "cannot give up privileges for the user %s: %s", user->name,
			 strerror(-err));
	if (!err && rules_fd >= 0) {
		err = landlock_enter(rules_fd);
		if (err)
			snprintf(why, why_size, "cannot close the files of other programs (Landlock): %s",
				 strerror(-err));
	}
	return err;
}

int confine_enter(const struct confine_user *user, const struct confine_directories *directories, char *done,
		  size_t done_size, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int rules_fd = -1;
	int abi, err;

	if (count_threads() > 1) {
		snprintf(why, why_size, "cannot give up privileges: threads run already that would keep them");
		return -EBUSY;
	}
	err = landlock_prepare(&rules_fd, &abi, directories);
	if (err) {
		snprintf(why, why_size, "cannot make the rules for files (Landlock): %s", strerror(-err));
		return err;
	}
	err = drop_rights(user, rules_fd, why, why_size);
	if (err)
		return err;
	err = filter_enter();
	if (err && err != -ENOSYS) {
		snprintf(why, why_size, "cannot filter system calls (seccomp): %s", strerror(-err));
		return err;
	}
	snprintf(done, done_size, "runs as %s without capabilities; system calls %s; files %s", user->name,
		 err ? "not filtered: this kernel cannot" : "filtered",
		 abi ? "closed by Landlock" : "by their modes only: this kernel has no Landlock");
	return 0;
}
