// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in a bpffs (pins.h). A dot is not allowed in them, which is why a link has the number of its interface.
 *
 * The directory may belong to the user whom the pins were given to, and who comes as root must not be led
 * elsewhere by what that user put there: everything is reached from the open directory, and no symlink is
 * followed.
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
#define NAME_BYTES   32
#define OPEN_FD	     "/proc/self/fd/%d" /* what is open there, for calls that take paths alone */
#define MOUNT_SOURCE "airglow"		/* in /proc/mounts: a mount of ours */

struct pins {
	char *directory;
	int lock; /* the directory */
};

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool is_bpffs(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* -ENOTDIR: it is none, or a symlink. */
static int open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* NULL with errno. */
static DIR *list_directory(int at, const char *name)
{
	int fd = open_directory(at, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	if (fd < 0)
		errno = -fd;
	return dir;
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

static int refuse_link(const char *path, char *why, size_t why_size)
{
	snprintf(why, why_size,
		 "the directory of the pins %s is a symbolic link or no directory; name the directory itself",
		 path);
	return -ENOTDIR;
}

static int make_bpffs(const char *path, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int fd = -1;
	char target[NAME_BYTES];
	int err = make_directories(path);

	if (!err) {
		fd = open_directory(AT_FDCWD, path);
		err = fd < 0 ? fd : 0;
	}
	if (err == -ENOTDIR)
		return refuse_link(path, why, why_size);
	if (err) {
		snprintf(why, why_size, "cannot make the directory of the pins %s: %s", path, strerror(-err));
		return err;
	}
	snprintf(target, sizeof(target), OPEN_FD, fd);
	if (is_bpffs(fd) || !mount(MOUNT_SOURCE, target, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return 0;
	err = -errno;
	snprintf(why, why_size, "cannot mount a bpffs on %s: %s; as root: mount -t bpf bpf %s", path,
		 strerror(-err), path);
	return err;
}

static int check_bpffs(const char *path, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int fd = open_directory(AT_FDCWD, path);

	if (fd == -ENOTDIR)
		return refuse_link(path, why, why_size);
	if (fd >= 0 && is_bpffs(fd))
		return 0;
	snprintf(why, why_size, "%s is no bpffs: nothing is pinned there", path);
	return -ENOENT;
}

/* Was it looked up without a symlink that was put in its place meanwhile? */
static bool is_itself(int fd, const char *path)
{
	struct stat there, here;

	return !fstat(fd, &here) && !lstat(path, &there) && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

int pins_open(struct pins **out, const char *directory, bool make, char *why, size_t why_size)
{
	struct pins *p;
	int err = make ? make_bpffs(directory, why, why_size) : check_bpffs(directory, why, why_size);

	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p || !(p->directory = strdup(directory))) {
		free(p);
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	p->lock = lock_directory(directory, "the pins in", why, why_size);
	err = p->lock < 0 ? p->lock : 0;
	if (!err && !is_itself(p->lock, directory))
		err = refuse_link(directory, why, why_size);
	if (err) {
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

/* The numbers of the entries PREFIX_N, ascending. A symlink is none of ours. */
static unsigned int list_numbers(const struct pins *p, const char *prefix, uint32_t *numbers, unsigned int most)
{
	CLEANUP(cleanup_dir) DIR *dir = list_directory(p->lock, ".");
	size_t length = strlen(prefix);
	struct dirent *entry;
	unsigned int n = 0;

	while (dir && n < most && (entry = readdir(dir))) {
		char *end;
		unsigned long number;

		if (strncmp(entry->d_name, prefix, length) || !entry->d_name[length] || entry->d_type == DT_LNK)
			continue;
		number = strtoul(entry->d_name + length, &end, 10);
		if (!*end && number <= UINT32_MAX)
			numbers[n++] = (uint32_t)number;
	}
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	return n;
}

unsigned int pins_sets(const struct pins *pins, unsigned int sets[PINS_SETS_MAX])
{
	return list_numbers(pins, "set_", sets, PINS_SETS_MAX);
}

static int open_set(const struct pins *p, unsigned int set)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), "set_%u", set);
	return open_directory(p->lock, name);
}

static void link_name(uint32_t ifindex, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "link_%" PRIu32, ifindex);
}

static int put(int directory, const char *name, int fd)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), OPEN_FD "/%s", directory, name);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

static int get(int directory, const char *name)
{
	CLEANUP(cleanup_fd) int entry = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[NAME_BYTES];
	struct stat st;
	int fd;

	if (entry < 0 || fstat(entry, &st))
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	snprintf(path, sizeof(path), OPEN_FD, entry);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return -EIO; /* it is there, and /proc is not: never as if nothing were pinned */
	return fd < 0 ? -errno : fd;
}

int pins_make_set(struct pins *pins, unsigned int set)
{
	unsigned int sets[PINS_SETS_MAX];
	char name[NAME_BYTES];

	if (pins_sets(pins, sets) == PINS_SETS_MAX)
		return -ENOSPC; /* else some would not be listed any more, and what they counted be lost */
	snprintf(name, sizeof(name), "set_%u", set);
	return mkdirat(pins->lock, name, 0700) ? -errno : 0;
}

int pins_put_map(struct pins *pins, unsigned int set, const char *name, int fd)
{
	CLEANUP(cleanup_fd) int directory = open_set(pins, set);

	return directory < 0 ? directory : put(directory, name, fd);
}

int pins_get_map(const struct pins *pins, unsigned int set, const char *name)
{
	CLEANUP(cleanup_fd) int directory = open_set(pins, set);

	return directory < 0 ? directory : get(directory, name);
}

int pins_drop_set(struct pins *pins, unsigned int set)
{
	CLEANUP(cleanup_dir) DIR *dir = NULL;
	char name[NAME_BYTES];
	struct dirent *entry;

	snprintf(name, sizeof(name), "set_%u", set);
	dir = list_directory(pins->lock, name);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	return unlinkat(pins->lock, name, AT_REMOVEDIR) ? -errno : 0;
}

unsigned int pins_links(const struct pins *pins, uint32_t ifindex[PINS_LINKS_MAX])
{
	return list_numbers(pins, "link_", ifindex, PINS_LINKS_MAX);
}

int pins_put_link(struct pins *pins, uint32_t ifindex, int fd)
{
	char name[NAME_BYTES];

	link_name(ifindex, name);
	return put(pins->lock, name, fd);
}

int pins_get_link(const struct pins *pins, uint32_t ifindex)
{
	char name[NAME_BYTES];

	link_name(ifindex, name);
	return get(pins->lock, name);
}

int pins_drop_link(struct pins *pins, uint32_t ifindex)
{
	char name[NAME_BYTES];
	CLEANUP(cleanup_fd) int fd = pins_get_link(pins, ifindex);

	link_name(ifindex, name);
	if (unlinkat(pins->lock, name, 0))
		return -errno;
	/* The kernel frees a link that nobody holds some time later, and until then it counts. */
	if (fd >= 0)
		bpf_link_detach(fd);
	return 0;
}

static int chown_all(int at, const char *directory, uid_t user, gid_t group)
{
	CLEANUP(cleanup_dir) DIR *dir = list_directory(at, directory);
	struct dirent *entry;
	int err = !dir || fchown(dirfd(dir), user, group) ? -errno : 0;

	while (dir && !err && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_type == DT_DIR)
			err = chown_all(dirfd(dir), entry->d_name, user, group);
		else if (fchownat(dirfd(dir), entry->d_name, user, group, AT_SYMLINK_NOFOLLOW))
			err = -errno;
	}
	return err;
}

int pins_chown(struct pins *pins, uid_t user, gid_t group)
{
	return chown_all(pins->lock, ".", user, group);
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

	/* Newest first: one whose carry is not done is nothing without those before. */
	while (!err && (n = pins_sets(pins, sets)))
		for (i = n; i > 0 && !err; i--)
			err = pins_drop_set(pins, sets[i - 1]);
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
static bool is_empty(const struct pins *pins)
{
	CLEANUP(cleanup_dir) DIR *dir = list_directory(pins->lock, ".");
	struct dirent *entry;
	bool empty = dir;

	while (dir && (entry = readdir(dir)))
		empty = empty && (entry->d_name[0] == '.' || strstr(entry->d_name, ".debug"));
	return empty;
}

void pins_remove(struct pins **pins)
{
	char *directory = strdup((*pins)->directory);
	/* Neither another's mount, nor what others pinned in ours: it would go with it. */
	bool ours = directory && is_own_mount(directory) && is_empty(*pins);

	pins_close(pins);
	if (ours && !umount2(directory, UMOUNT_NOFOLLOW))
		rmdir(directory);
	free(directory);
}
