// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at pinned books before a program is loaded for them (resume.h). The map `abi` and the beginning of
 * `control` have been the same in every version; the rest is read only when the version is this one's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "engine/resume.h"

/* The first element of a pinned array, cut or filled up to size bytes; value_size: what an element has. */
static int read_value(const struct pins *pins, unsigned int set, const char *name, void *to, size_t size,
		      uint32_t *value_size)
{
	CLEANUP(cleanup_fd) int fd = pins_get_map(pins, set, name);
	struct bpf_map_info info = {};
	uint32_t info_size = sizeof(info), zero = 0;
	void *value;
	int err;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return -errno;
	value = calloc(1, (info.value_size + 7) & ~7u);
	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(fd, &zero, value) ? -errno : 0;
	if (!err)
		memcpy(to, value, info.value_size < size ? info.value_size : size);
	*value_size = info.value_size;
	free(value);
	return err;
}

static int read_settings(struct resume *r, const struct pins *pins, uint32_t side)
{
	CLEANUP(cleanup_fd) int fd = pins_get_map(pins, r->set, "settings");

	if (fd < 0)
		return fd;
	return bpf_map_lookup_elem(fd, &side, &r->settings) ? -errno : 0;
}

int resume_look(struct resume *r, struct pins *pins, unsigned int below, char *why, size_t why_size)
{
	unsigned int sets[PINS_SETS_MAX], n = pins_sets(pins, sets);
	struct ag_control control = {};
	uint32_t size = 0;
	int err = 0;

	memset(r, 0, sizeof(*r));
	while (n && sets[n - 1] >= below)
		n--;
	while (n) {
		r->set = sets[n - 1];
		memset(&r->abi, 0, sizeof(r->abi));
		err = read_value(pins, r->set, "abi", &r->abi, sizeof(r->abi), &size);
		if (err != -ENOENT)
			break;
		err = pins_drop_set(pins, r->set); /* its making was not finished: nothing counted in it */
		if (err)
			break;
		n--;
	}
	if (!n && !err)
		return 0;
	if (!err && r->abi.magic != AG_BOOKS_MAGIC)
		err = -EINVAL;
	r->usable = r->abi.version == AG_ABI_VERSION && size == sizeof(r->abi);
	if (!err)
		err = read_value(pins, r->set, "control", &control, sizeof(control), &size);
	if (!err && r->usable)
		err = read_settings(r, pins, control.side & 1);
	r->found = true;
	r->epoch = control.epoch;
	r->began_ns = control.began_ns[control.epoch & 1];
	if (err == -EACCES || err == -EPERM)
		snprintf(why, why_size,
			 "the books in %s are another user's; run as that user or as root, or remove them with "
			 "airglow detach",
			 pins_directory(pins));
	else if (err)
		snprintf(why, why_size,
			 "what is pinned in %s are not airglow's books (%s); use another directory",
			 pins_directory(pins), strerror(-err));
	return err;
}

struct table_sizes resume_sizes(const struct ag_abi *abi)
{
	return (struct table_sizes){
		.slices = abi->slices,
		.blocks = abi->blocks,
		.splits = abi->splits,
		.pages = abi->pages,
		.flow_sets = abi->flow_sets,
		.summary_sets = abi->summary_sets,
		.log_records = abi->log_records,
		.log_touches = abi->log_touches,
		.promoted = abi->promoted,
		.visits = abi->visits,
	};
}

/* All elements of a pinned array, read-only; NULL: cannot be had. */
static const void *map_array(const struct pins *pins, unsigned int set, const char *name, size_t bytes)
{
	CLEANUP(cleanup_fd) int fd = pins_get_map(pins, set, name);
	void *address = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

	return address == MAP_FAILED ? NULL : address;
}

struct seen_walk {
	const struct ag_page *from;
	struct ag_page *to;
	const struct plan *plan_to;
	uint32_t from_pages, to_pages;
};

static void take_seen(void *arg, uint32_t slash24, uint32_t page)
{
	const struct seen_walk *w = arg;
	uint32_t index, i;

	for (i = 0; i < AG_PAGE_ADDRESSES && page < w->from_pages; i++) {
		uint32_t seen = w->from[page].epoch[i], *to;

		if (!seen || !plan_lookup4(w->plan_to, slash24 << 8 | i, &index) ||
		    index / AG_PAGE_ADDRESSES >= w->to_pages)
			continue;
		to = &w->to[index / AG_PAGE_ADDRESSES].epoch[index % AG_PAGE_ADDRESSES];
		if (!__atomic_load_n(to, __ATOMIC_RELAXED)) /* the new books have later ones */
			__atomic_store_n(to, seen, __ATOMIC_RELAXED);
	}
}

void resume_seen(const struct resume *r, const struct pins *pins, const struct tables *to,
		 const struct plan *plan)
{
	const struct ag_abi *abi = &r->abi;
	size_t scope_bytes = 2 * sizeof(struct ag_scope16);
	size_t block_bytes = (size_t)2 * abi->blocks * sizeof(struct ag_block);
	size_t split_bytes = (size_t)2 * abi->splits * sizeof(struct ag_split);
	size_t seen_bytes = (size_t)abi->pages * sizeof(struct ag_page);
	const struct ag_scope16 *scope16 = map_array(pins, r->set, "scope16", scope_bytes);
	const struct ag_block *blocks = map_array(pins, r->set, "blocks", block_bytes);
	const struct ag_split *splits = map_array(pins, r->set, "splits", split_bytes);
	const struct ag_page *seen = map_array(pins, r->set, "seen", seen_bytes);
	struct seen_walk walk = {seen, to->seen, plan, abi->pages, to->sizes.pages};
	struct ag_control control = {};
	struct plan *before = NULL;
	uint32_t size, side;

	if (scope16 && blocks && splits && seen &&
	    !read_value(pins, r->set, "control", &control, sizeof(control), &size)) {
		side = control.side & 1;
		before = plan_of_tables(&r->settings, &scope16[side], &blocks[(size_t)side * abi->blocks],
					abi->blocks, &splits[(size_t)side * abi->splits], abi->splits);
	}
	if (before)
		plan_each_slash24(before, take_seen, &walk);
	plan_free(&before);
	if (scope16)
		munmap((void *)(uintptr_t)scope16, scope_bytes);
	if (blocks)
		munmap((void *)(uintptr_t)blocks, block_bytes);
	if (splits)
		munmap((void *)(uintptr_t)splits, split_bytes);
	if (seen)
		munmap((void *)(uintptr_t)seen, seen_bytes);
}
