// SPDX-License-Identifier: GPL-2.0-only
/*
 * Landlock: which files this process may still reach, by path, whoever owns them. Best effort: each kernel
 * knows its own version (ABI) of it, and none is asked for what it does not know. The names are those of
 * linux/landlock.h; Debian 12's knows them up to ABI 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "base/cleanup.h"
#include "confine/internal.h"

#define ACCESS_FS_TRUNCATE  (1ull << 14) /* ABI 3 */
#define ACCESS_FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define ACCESS_NET_TCP	    3ull	 /* ABI 4: bind, connect */
#define SCOPE_ALL	    3ull	 /* ABI 6: abstract unix sockets, signals */

#define READ		    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* A file of ours is made beside its place, written, and renamed; pins are removed, with their directory. */
#define WRITE                                                                                                  \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | ACCESS_FS_TRUNCATE)

/* struct landlock_ruleset_attr as it has grown; a kernel takes what it knows if the rest is 0. */
struct ruleset {
	uint64_t files, network, scopes;
};

/* Facts of this host that the doctor and the libraries read: mode bits decide there. */
static const char *const SYSTEM[] = {"/etc", "/proc", "/sys",	"/dev",
				     "/usr", "/lib",  "/lib64", "/run/systemd/timesync"};

static struct ruleset rules_of(int abi)
{
	struct ruleset rules = {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};

	if (abi >= 2)
		rules.files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rules.files |= ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		rules.network = ACCESS_NET_TCP;
	if (abi >= 5)
		rules.files |= ACCESS_FS_IOCTL_DEV;
	if (abi >= 6)
		rules.scopes = SCOPE_ALL;
	return rules;
}

static int allow_beneath(int set, const char *path, uint64_t access)
{
	CLEANUP(cleanup_fd) int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};

	if (fd < 0)
		return -errno;
	return syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
}

/*
 * A directory, or that of a file: who changes a file often puts a new one in its place. Where the last name is
 * a link, also where it leads to. What is not there now stays closed.
 */
static int allow(int set, const char *path, uint64_t access)
{
	CLEANUP(cleanup_free) char *beside = strdup(path);
	CLEANUP(cleanup_free) char *real = realpath(path, NULL);
	int err = allow_beneath(set, path, access);

	if (err == -ENOTDIR && beside && real) {
		err = allow_beneath(set, dirname(beside), access);
		if (!err)
			err = allow_beneath(set, dirname(real), access);
	}
	return err == -ENOENT || err == -EACCES ? 0 : err;
}

int landlock_prepare(int *fd, int *abi, const struct confine_directories *directories)
{
	struct ruleset rules;
	int set, err = 0;

	*fd = -1;
	*abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (*abi <= 0) { /* not built in, or not among the security modules that were switched on */
		*abi = 0;
		return 0;
	}
	rules = rules_of(*abi);
	set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (set < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(SYSTEM) / sizeof(SYSTEM[0]) && !err; i++)
		err = allow(set, SYSTEM[i], READ);
	for (size_t i = 0; i < directories->readable_count && !err; i++)
		err = allow(set, directories->readable[i], READ);
	for (size_t i = 0; i < directories->writable_count && !err; i++)
		err = allow(set, directories->writable[i], WRITE & rules.files);
	for (size_t i = 0; i < directories->removable_count && !err; i++)
		err = allow(set, directories->removable[i], READ | LANDLOCK_ACCESS_FS_REMOVE_FILE);
	if (err) {
		close(set);
		return err;
	}
	*fd = set;
	return 0;
}

int landlock_enter(int fd)
{
	return syscall(SYS_landlock_restrict_self, fd, 0) ? -errno : 0;
}
