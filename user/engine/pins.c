// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in a bpffs (pins.h). A dot is not allowed in them, which is why a link has the number of its interface.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/lock.h"
#include "engine/pins.h"

#define PATH_BYTES   512
#define MOUNT_SOURCE "airglow" /* in /proc/mounts: a mount of ours */

struct pins {
	char *directory;
	int lock; /* the directory */
};

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* mkdir -p. */
static int make_directories(const char *path)
{
	CLEANUP(cleanup_free) char *text = strdup(path);
	char *at;

	if (!text)
		return -ENOMEM;
	for (at = text + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		if (mkdir(text, 0755) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(text, 0755) && errno != EEXIST ? -errno : 0;
}

static int make_bpffs(const char *path, char *why, size_t why_size)
{
	int err = make_directories(path);

	if (err) {
		snprintf(why, why_size, "cannot make the directory of the pins %s: %s", path, strerror(-err));
		return err;
	}
	if (is_bpffs(path) || !mount(MOUNT_SOURCE, path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return 0;
	err = -errno;
	snprintf(why, why_size, "cannot mount a bpffs on %s: %s; as root: mount -t bpf bpf %s", path,
		 strerror(-err), path);
	return err;
}

int pins_open(struct pins **out, const char *directory, bool make, char *why, size_t why_size)
{
	struct pins *p;
	int err = 0;

	if (make)
		err = make_bpffs(directory, why, why_size);
	else if (!is_bpffs(directory))
		err = -ENOENT;
	if (err == -ENOENT && !make)
		snprintf(why, why_size, "%s is no bpffs: nothing is pinned there", directory);
	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p || !(p->directory = strdup(directory))) {
		free(p);
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	p->lock = lock_directory(directory, "the pins in", why, why_size);
	if (p->lock < 0) {
		err = p->lock;
		pins_close(&p);
		return err;
	}
	*out = p;
	return 0;
}

void pins_close(struct pins **pins)
{
	if (!*pins)
		return;
	if ((*pins)->lock >= 0)
		close((*pins)->lock);
	free((*pins)->directory);
	free(*pins);
	*pins = NULL;
}

const char *pins_directory(const struct pins *pins)
{
	return pins->directory;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers of the entries PREFIX_N, ascending. */
static unsigned int list_numbers(const struct pins *p, const char *prefix, uint32_t *numbers, unsigned int most)
{
	CLEANUP(cleanup_dir) DIR *dir = opendir(p->directory);
	size_t length = strlen(prefix);
	struct dirent *entry;
	unsigned int n = 0;

	while (dir && n < most && (entry = readdir(dir))) {
		char *end;
		unsigned long number;

		if (strncmp(entry->d_name, prefix, length) || !entry->d_name[length])
			continue;
		number = strtoul(entry->d_name + length, &end, 10);
		if (!*end && number <= UINT32_MAX)
			numbers[n++] = (uint32_t)number;
	}
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return n;
}

unsigned int pins_sets(const struct pins *pins, unsigned int sets[PINS_SETS_MAX])
{
	return list_numbers(pins, "set_", sets, PINS_SETS_MAX);
}

static void set_path(const struct pins *p, unsigned int set, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/set_%u", p->directory, set);
}

static void map_path(const struct pins *p, unsigned int set, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/set_%u/%s", p->directory, set, name);
}

static void link_path(const struct pins *p, uint32_t ifindex, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/link_%" PRIu32, p->directory, ifindex);
}

int pins_make_set(struct pins *pins, unsigned int set)
{
	unsigned int sets[PINS_SETS_MAX];
	char path[PATH_BYTES];

	if (pins_sets(pins, sets) == PINS_SETS_MAX)
		return -ENOSPC; /* else some would not be listed any more, and what they counted be lost */
	set_path(pins, set, path);
	return mkdir(path, 0700) ? -errno : 0;
}

int pins_put_map(struct pins *pins, unsigned int set, const char *name, int fd)
{
	char path[PATH_BYTES];

	map_path(pins, set, name, path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

int pins_get_map(const struct pins *pins, unsigned int set, const char *name)
{
	char path[PATH_BYTES];
	int fd;

	map_path(pins, set, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pins_drop_set(struct pins *pins, unsigned int set)
{
	char path[PATH_BYTES], name[PATH_BYTES + NAME_MAX + 2];
	CLEANUP(cleanup_dir) DIR *dir = NULL;
	struct dirent *entry;

	set_path(pins, set, path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		unlink(name);
	}
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return rmdir(path) ? -errno : 0;
}

unsigned int pins_links(const struct pins *pins, uint32_t ifindex[PINS_LINKS_MAX])
{
	return list_numbers(pins, "link_", ifindex, PINS_LINKS_MAX);
}

int pins_put_link(struct pins *pins, uint32_t ifindex, int fd)
{
	char path[PATH_BYTES];

	link_path(pins, ifindex, path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

int pins_get_link(const struct pins *pins, uint32_t ifindex)
{
	char path[PATH_BYTES];
	int fd;

	link_path(pins, ifindex, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pins_drop_link(struct pins *pins, uint32_t ifindex)
{
	char path[PATH_BYTES];
	CLEANUP(cleanup_fd) int fd = -1;

	link_path(pins, ifindex, path);
	fd = bpf_obj_get(path);
	if (unlink(path))
		return -errno;
	/* The kernel frees a link that nobody holds some time later, and until then it counts. */
	if (fd >= 0)
		bpf_link_detach(fd);
	return 0;
}

static int chown_all(const char *path, uid_t user, gid_t group)
{
	CLEANUP(cleanup_dir) DIR *dir = opendir(path);
	struct dirent *entry;
	int err = chown(path, user, group) ? -errno : 0;

	while (dir && !err && (entry = readdir(dir))) {
		char name[PATH_BYTES + NAME_MAX + 2];
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &st))
			err = -errno;
		else if (S_ISDIR(st.st_mode))
			err = chown_all(name, user, group);
		else if (lchown(name, user, group))
			err = -errno;
	}
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return err;
}

int pins_chown(struct pins *pins, uid_t user, gid_t group)
{
	return chown_all(pins->directory, user, group);
}

int pins_drop_links(struct pins *pins)
{
	uint32_t links[PINS_LINKS_MAX];
	unsigned int n, i;
	int err = 0;

	while (!err && (n = pins_links(pins, links)))
		for (i = 0; i < n && !err; i++)
			err = pins_drop_link(pins, links[i]);
	return err;
}

int pins_clear(struct pins *pins)
{
	unsigned int sets[PINS_SETS_MAX], n, i;
	int err = pins_drop_links(pins);

	while (!err && (n = pins_sets(pins, sets)))
		for (i = 0; i < n && !err; i++)
			err = pins_drop_set(pins, sets[i]);
	return err;
}

/* Did one of our processes mount it? */
static bool is_own_mount(const char *directory)
{
	CLEANUP(cleanup_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], *type;
	struct statx st;
	uint64_t id;

	if (!file || statx(AT_FDCWD, directory, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) ||
	    !(st.stx_mask & STATX_MNT_ID) || !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false; /* cppcheck-suppress resourceLeak ; it has a cleanup */
	while (fgets(line, sizeof(line), file)) {
		type = strstr(line, " - ");
		if (type && sscanf(line, "%" SCNu64, &id) == 1 && id == st.stx_mnt_id)
			return !strncmp(type, " - bpf " MOUNT_SOURCE " ", strlen(" - bpf " MOUNT_SOURCE " "));
	}
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return false;
}

/* Nothing in it but what the kernel itself puts in every bpffs. */
static bool is_empty(const char *directory)
{
	CLEANUP(cleanup_dir) DIR *dir = opendir(directory);
	struct dirent *entry;
	bool empty = dir;

	while (dir && (entry = readdir(dir)))
		empty = empty && (entry->d_name[0] == '.' || strstr(entry->d_name, ".debug"));
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return empty;
}

void pins_remove(struct pins **pins)
{
	char *directory = strdup((*pins)->directory);
	/* Neither another's mount, nor what others pinned in ours: it would go with it. */
	bool ours = directory && is_own_mount(directory) && is_empty(directory);

	pins_close(pins);
	if (ours && !umount2(directory, UMOUNT_NOFOLLOW))
		rmdir(directory);
	free(directory);
}
