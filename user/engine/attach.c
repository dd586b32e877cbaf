// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches the program to interfaces by BPF links (attach.h): the kernel detaches when the file descriptor
 * goes, however this process ends. Does not know what the program does.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "engine/attach.h"

struct attachment {
	int link_fd;
	uint32_t ifindex;
	bool native;
	bool counted;	    /* a program that was pinned for it was there until now, and one of ours is */
	bool was_native;    /* its mode */
	char fallback[160]; /* empty: native, or generic was asked for */
};

/* Does a process hold the program or a link to it? /proc/PID/fdinfo names it. *hidden: rights to ask lack. */
static bool holds(const char *pid, uint32_t program_id, bool *hidden)
{
	char path[300];
	struct dirent *fd;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	fds = opendir(path);
	if (!fds && (errno == EACCES || errno == EPERM))
		*hidden = true;
	while (fds && !found && (fd = readdir(fds))) {
		char line[128], name[600];
		uint32_t id;
		FILE *file;

		snprintf(name, sizeof(name), "%s/%s", path, fd->d_name);
		file = fopen(name, "re");
		if (!file && (errno == EACCES || errno == EPERM))
			*hidden = true;
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "prog_id: %u", &id) == 1 && id == program_id)
				found = true;
		if (file)
			fclose(file);
	}
	if (fds)
		closedir(fds);
	return found;
}

static void find_holder(uint32_t program_id, char *holder, size_t size)
{
	/* Where processes of others are not even listed, the first one is missing. */
	bool hidden = access("/proc/1", F_OK) != 0, found = false;
	DIR *proc = opendir("/proc");
	struct dirent *pid;

	while (proc && !found && (pid = readdir(proc))) {
		if (pid->d_name[0] < '0' || pid->d_name[0] > '9' || strtol(pid->d_name, NULL, 10) == getpid())
			continue;
		found = holds(pid->d_name, program_id, &hidden);
		if (found)
			snprintf(holder, size, "process %.20s", pid->d_name);
	}
	if (proc)
		closedir(proc);
	if (!found)
		snprintf(holder, size, "%s",
			 hidden ? "a process that cannot be looked at, or pinned, or attached without a link"
				: "no process: it is pinned or was attached without a link");
}

/*
 * The XDP link that holds this program on this interface, 0: none. What a link holds cannot be switched off by
 * `ip`. The number of an interface alone may be another's in another network namespace.
 */
static uint32_t find_link(uint32_t ifindex, uint32_t program_id)
{
	uint32_t id = 0, found = 0;

	while (!found && !bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_LINK_TYPE_XDP &&
		    info.xdp.ifindex == ifindex && info.prog_id == program_id)
			found = id;
		close(fd);
	}
	return found;
}

/* Refuses an interface that another program owns, and names the owner. */
static int refuse_owned(uint32_t ifindex, const char *name, char *why, size_t why_size)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info), id;
	char holder[96];
	char detach[96];
	uint32_t link;
	int fd;

	if (bpf_xdp_query((int)ifindex, 0, &query))
		return 0; /* a driver that cannot say: the attempt will */
	id = query.prog_id ? query.prog_id : query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &size);
		close(fd);
	}
	find_holder(id, holder, sizeof(holder));
	link = find_link(ifindex, id);
	if (link)
		snprintf(detach, sizeof(detach), "bpftool link detach id %u", link);
	else
		snprintf(detach, sizeof(detach), "ip link set dev %.40s xdp off", name);
	snprintf(why, why_size,
		 "%s already has the XDP program %s (id %u), held by %s; stop it, or detach it with: %s", name,
		 info.name[0] ? info.name : "(unnamed)", id, holder, detach);
	return -EBUSY;
}

static int hardware_of(const char *name, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	memset(request, 0, sizeof(*request));
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, request) < 0)
		err = -errno;
	close(fd);
	return err;
}

int attach_describe(struct ag_interface *slot, const char *name, enum ag_feed feed, char *why, size_t why_size)
{
	unsigned int ifindex = strlen(name) < IF_NAMESIZE ? if_nametoindex(name) : 0;
	struct ifreq request = {};
	unsigned short type;

	if (!ifindex || hardware_of(name, &request)) {
		snprintf(why, why_size, "no interface named %s; `ip link` lists those there are", name);
		return -ENODEV;
	}
	type = request.ifr_hwaddr.sa_family;
	if (type != ARPHRD_ETHER && type != ARPHRD_LOOPBACK) {
		snprintf(
			why, why_size,
			"%s has no Ethernet header (device type %u); capture on the Ethernet interface below it and use decap",
			name, type);
		return -EOPNOTSUPP;
	}
	memset(slot, 0, sizeof(*slot));
	slot->ifindex = ifindex;
	slot->feed = (__u8)feed;
	slot->mac_known = type == ARPHRD_ETHER;
	memcpy(slot->mac, request.ifr_hwaddr.sa_data, sizeof(slot->mac));
	return 0;
}

static int try_attach(struct attachment *a, int program_fd, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

	a->link_fd = bpf_link_create(program_fd, (int)a->ifindex, BPF_XDP, &opts);
	return a->link_fd < 0 ? -errno : 0;
}

static void explain_attach(int err, const char *name, const char *mode, char *why, size_t why_size)
{
	if (err == -EPERM)
		snprintf(why, why_size,
			 "cannot attach to %s: no permission; run as root or with CAP_NET_ADMIN and CAP_BPF",
			 name);
	else if (err == -EBUSY || err == -EEXIST)
		snprintf(why, why_size,
			 "cannot attach to %s: another program holds it; `ip -d link show %s` names it", name,
			 name);
	else
		snprintf(why, why_size, "cannot attach to %s in %s mode: %s", name, mode, strerror(-err));
}

/* What is attached to the interface now: the mode (XDP_ATTACHED_*) and the program. */
static uint8_t query_attached(uint32_t ifindex, uint32_t *program_id)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	*program_id = 0;
	if (bpf_xdp_query((int)ifindex, 0, &query))
		return XDP_ATTACHED_NONE;
	*program_id = query.prog_id ? query.prog_id : query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
	return query.attach_mode;
}

/* Is the pinned link the one that sits on this interface? */
static bool link_is_here(int link_fd, uint32_t ifindex, bool *native)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info), program_id;
	uint8_t attached = query_attached(ifindex, &program_id);

	*native = attached == XDP_ATTACHED_DRV;
	return !bpf_obj_get_info_by_fd(link_fd, &info, &size) && info.type == BPF_LINK_TYPE_XDP &&
	       info.xdp.ifindex == ifindex && program_id && info.prog_id == program_id;
}

/* ... and in a mode that is wanted? */
static bool link_fits(int link_fd, uint32_t ifindex, enum config_mode mode, bool *native)
{
	return link_is_here(link_fd, ifindex, native) &&
	       (mode == CONFIG_MODE_AUTO || (mode == CONFIG_MODE_NATIVE) == *native);
}

/* 0: the pinned link runs the program now; -ENOENT: there is none that fits, and none is left. */
static int take_over_link(struct attachment *a, int program_fd, enum config_mode mode, struct pins *pins)
{
	int fd = pins_get_link(pins, a->ifindex), err;

	if (fd < 0)
		return fd == -ENOENT ? -ENOENT : fd;
	if (link_fits(fd, a->ifindex, mode, &a->native)) {
		err = bpf_link_update(fd, program_fd, NULL) ? -errno : 0;
		if (!err) {
			a->link_fd = fd;
			a->counted = true;
			return 0;
		}
	}
	a->counted = link_is_here(fd, a->ifindex, &a->was_native);
	close(fd);
	err = pins_drop_link(pins, a->ifindex);
	return err ? err : -ENOENT;
}

static int make_link(struct attachment *a, int program_fd, const char *name, enum config_mode mode)
{
	int err = mode == CONFIG_MODE_GENERIC ? -EOPNOTSUPP : try_attach(a, program_fd, XDP_FLAGS_DRV_MODE);

	a->native = !err;
	if (err &&
	    (mode == CONFIG_MODE_GENERIC || (mode == CONFIG_MODE_AUTO && err != -EPERM && err != -EBUSY))) {
		if (mode == CONFIG_MODE_AUTO)
			snprintf(a->fallback, sizeof(a->fallback),
				 "%s does not take the program in native mode: %s", name, strerror(-err));
		err = try_attach(a, program_fd, XDP_FLAGS_SKB_MODE);
	}
	return err;
}

/* A new link, in the mode that is wanted. */
static int attach_new(struct attachment *a, int program_fd, const char *name, enum config_mode mode,
		      struct pins *pins, char *why, size_t why_size)
{
	int err = refuse_owned(a->ifindex, name, why, why_size);

	if (err)
		return err;
	err = make_link(a, program_fd, name, mode);
	if (err) {
		explain_attach(err, name, mode == CONFIG_MODE_NATIVE ? "native" : "generic", why, why_size);
		return err;
	}
	err = pins ? pins_put_link(pins, a->ifindex, a->link_fd) : 0;
	if (err)
		snprintf(why, why_size, "cannot pin the link of %s in %s: %s", name, pins_directory(pins),
			 strerror(-err));
	return err;
}

/* Where a new mode was refused the old one goes on, if it can: the kept program had counted. */
static bool attach_again(struct attachment *a, int program_fd, struct pins *pins)
{
	a->native = a->was_native;
	return a->link_fd < 0 &&
	       !try_attach(a, program_fd, a->native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE) &&
	       !pins_put_link(pins, a->ifindex, a->link_fd);
}

/* A link that is pinned here already, else a new one. */
static int attach(struct attachment *a, int program_fd, const char *name, enum config_mode mode,
		  struct pins *pins, char *why, size_t why_size)
{
	int err = pins ? take_over_link(a, program_fd, mode, pins) : -ENOENT;

	if (err && err != -ENOENT)
		snprintf(why, why_size, "cannot use the link that is pinned for %s in %s: %s", name,
			 pins_directory(pins), strerror(-err));
	if (err == -ENOENT)
		err = attach_new(a, program_fd, name, mode, pins, why, why_size);
	if (err && a->counted)
		a->counted = attach_again(a, program_fd, pins);
	return err;
}

int attach_check(const char *name, struct pins *pins, char *why, size_t why_size)
{
	uint32_t ifindex = if_nametoindex(name);
	int fd = pins ? pins_get_link(pins, ifindex) : -ENOENT;
	bool native, ours = fd >= 0 && link_is_here(fd, ifindex, &native);

	if (fd >= 0)
		close(fd);
	return ours || !ifindex ? 0 : refuse_owned(ifindex, name, why, why_size);
}

bool attach_will_take_over(const char *name, enum config_mode mode, struct pins *pins)
{
	uint32_t ifindex = if_nametoindex(name);
	int fd = pins && ifindex ? pins_get_link(pins, ifindex) : -ENOENT;
	bool native, fits = fd >= 0 && link_fits(fd, ifindex, mode, &native);

	if (fd >= 0)
		close(fd);
	return fits;
}

int attach_interface(struct attachment **out, int program_fd, const char *name, enum config_mode mode,
		     struct pins *pins, char *why, size_t why_size)
{
	struct ag_interface slot;
	struct attachment *a;
	int err = attach_describe(&slot, name, AG_FEED_OBSERVE, why, why_size);

	if (err)
		return err;
	a = calloc(1, sizeof(*a));
	if (!a) {
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	a->ifindex = slot.ifindex;
	a->link_fd = -1;
	err = attach(a, program_fd, name, mode, pins, why, why_size);
	if (err && !a->counted) {
		attach_free(&a);
		return err;
	}
	*out = a;
	return err;
}

unsigned int attach_drop_others(struct pins *pins, struct attachment *const *attachments, size_t count)
{
	uint32_t links[PINS_LINKS_MAX];
	unsigned int n = pins_links(pins, links), i, dropped = 0;
	size_t j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < count && attachments[j]->ifindex != links[i]; j++)
			;
		if (j == count)
			dropped += !pins_drop_link(pins, links[i]);
	}
	return dropped;
}

void attach_free(struct attachment **attachment)
{
	if (!*attachment)
		return;
	if ((*attachment)->link_fd >= 0)
		close((*attachment)->link_fd);
	free(*attachment);
	*attachment = NULL;
}

bool attach_was_counting(const struct attachment *attachment)
{
	return attachment->counted;
}

bool attach_is_severed(const struct attachment *attachment)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(attachment->link_fd, &info, &size) && !info.xdp.ifindex;
}

void attach_release(const struct attachment *attachment)
{
	bpf_link_detach(attachment->link_fd);
}

const char *attach_mode(const struct attachment *attachment)
{
	return attachment->native ? "native" : "generic";
}

const char *attach_fallback_reason(const struct attachment *attachment)
{
	return attachment->fallback[0] ? attachment->fallback : NULL;
}

uint32_t attach_ifindex(const struct attachment *attachment)
{
	return attachment->ifindex;
}
