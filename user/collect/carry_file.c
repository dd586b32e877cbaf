// SPDX-License-Identifier: GPL-2.0-only
/*
 * DIRECTORY/books.json (carry.h): written beside itself and renamed, so that there is always a whole one. What
 * is zero is not in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "collect/carry.h"
#include "collect/kept.h"

#define FILE_NAME  "books.json"
#define FILE_NEW   "books.json.new"
#define FORMAT	   1
#define FILE_BYTES (64 * 1024 * 1024) /* no file of ours is longer */

/* Changes with every boot. */
static void read_boot(char *boot, size_t size)
{
	CLEANUP(cleanup_file) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(boot, (int)size, file))
		boot[0] = 0;
	boot[strcspn(boot, "\n")] = 0;
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
}

static json_t *compose(const struct carry *carry, const struct layout *own, bool clean)
{
	char boot[64] = "";
	json_t *carried = layout_json(own, "ag_carried", &carry->carried);
	json_t *told = layout_json(own, "ag_told", &carry->told),
	       *kept = layout_json(own, "ag_kept", &carry->kept);
	json_t *object = NULL;

	read_boot(boot, sizeof(boot));
	if (carried && told && kept)
		object = json_pack("{s:i, s:i, s:I, s:b, s:s, s:O, s:O, s:O}", "airglow_books", FORMAT, "abi",
				   AG_ABI_VERSION, "saved_ns", (json_int_t)clock_ns(CLOCK_REALTIME), "clean",
				   clean, "boot", boot, "kept", kept, "told", told, "carried", carried);
	json_decref(carried);
	json_decref(told);
	json_decref(kept);
	return object;
}

/*
 * Root (detach) writes for the user of the directory, who has to read it. A sensor that is root has a directory
 * of its own, and no right to give anything away.
 */
static int give_file(int directory, int fd)
{
	struct stat owner, own;

	if (fstat(directory, &owner) || fstat(fd, &own))
		return -errno;
	if (geteuid() || owner.st_uid == own.st_uid)
		return 0;
	return fchown(fd, owner.st_uid, owner.st_gid) ? -errno : 0;
}

/* A file of our own: what lies there, a part or a symlink to somebody else's file, is not written to. */
static int make_file(int directory)
{
	int fd;

	if (unlinkat(directory, FILE_NEW, 0) && errno != ENOENT)
		return -errno;
	fd = openat(directory, FILE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Complete on the disk before the name is its. */
static int write_whole(int directory, const char *text)
{
	CLEANUP(cleanup_fd) int fd = make_file(directory);
	size_t left = strlen(text);
	int err = fd < 0 ? fd : give_file(directory, fd);

	if (err)
		return err;
	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		left -= (size_t)n;
	}
	if (fsync(fd) || renameat(directory, FILE_NEW, directory, FILE_NAME) || fsync(directory))
		return -errno;
	return 0;
}

int carry_save(const struct carry *carry, const char *directory, const struct layout *own, bool clean,
	       char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	json_t *object = err ? NULL : compose(carry, own, clean);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!err && !text)
		err = -ENOMEM;
	if (!err)
		err = write_whole(fd, text);
	if (err) {
		snprintf(why, why_size,
			 "cannot write %s/%s: %s; totals that are not written are gone after a reboot",
			 directory, FILE_NAME, strerror(-err));
		if (fd >= 0)
			unlinkat(fd, FILE_NEW, 0);
	}
	free(text);
	return err;
}

/* The interfaces' own statistics began anew with the system, and their indices mean others. */
static void forget_statistics(struct ag_kept *kept)
{
	unsigned int i;

	for (i = 0; i < AG_INTERFACES_MAX; i++)
		kept->interfaces[i].ifindex = 0;
}

static int take_json(struct carry *out, const struct layout *own, const json_t *object)
{
	char boot[64] = "";
	const char *its = json_string_value(json_object_get(object, "boot"));
	json_int_t saved = json_integer_value(json_object_get(object, "saved_ns"));
	const char *reason = json_is_true(json_object_get(object, "clean")) ? "stopped" : "killed";

	if (json_integer_value(json_object_get(object, "airglow_books")) != FORMAT || saved <= 0 ||
	    !kept_is_time(saved))
		return -EINVAL;
	if (layout_from_json(&out->carried, own, "ag_carried", json_object_get(object, "carried")) ||
	    layout_from_json(&out->told, own, "ag_told", json_object_get(object, "told")) ||
	    layout_from_json(&out->kept, own, "ag_kept", json_object_get(object, "kept")) ||
	    !kept_is_sound(&out->kept))
		return -EINVAL;
	read_boot(boot, sizeof(boot));
	if (its && strcmp(its, boot)) {
		reason = "reboot";
		forget_statistics(&out->kept);
	}
	carry_add_gap(&out->kept, "", reason, saved, clock_ns(CLOCK_REALTIME));
	return 0;
}

int carry_parse(struct carry *out, const struct layout *own, const char *text, size_t length)
{
	json_t *object = json_loadb(text, length, 0, NULL);
	int err = object ? take_json(out, own, object) : -EINVAL;

	json_decref(object);
	return err;
}

/* -ELOOP: a symlink, which may lead root to any file. A pipe is not waited for. */
static int read_all(const char *path, char **text, size_t *length)
{
	CLEANUP(cleanup_fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES)
		return -EINVAL;
	*text = malloc((size_t)st.st_size + 1);
	if (!*text)
		return -ENOMEM;
	for (*length = 0; *length < (size_t)st.st_size; *length += (size_t)n) {
		n = read(fd, *text + *length, (size_t)st.st_size - *length);
		if (n < 0)
			return -errno;
		if (!n)
			break;
	}
	return 0;
}

int carry_load(struct carry *out, const char *directory, const struct layout *own, char *why, size_t why_size)
{
	CLEANUP(cleanup_free) char *text = NULL;
	char path[4096];
	size_t length = 0;
	int err;

	snprintf(path, sizeof(path), "%s/%s", directory, FILE_NAME);
	err = read_all(path, &text, &length);
	if (!err)
		err = carry_parse(out, own, text, length);
	if (err == -EINVAL)
		snprintf(why, why_size,
			 "%s is damaged or was written by a later version; move it away to begin new totals",
			 path);
	else if (err == -ELOOP)
		snprintf(why, why_size,
			 "%s is a symbolic link, which is not followed; move it away to begin new totals",
			 path);
	else if (err && err != -ENOENT)
		snprintf(why, why_size, "cannot read %s: %s", path, strerror(-err));
	return err;
}
