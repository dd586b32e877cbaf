// SPDX-License-Identifier: GPL-2.0-only
/*
 * prog_info: what a kernel makes of the packet program, for the tests under other kernels. It owns loading the
 * object file and asking the kernel about programs; it must not know what the program does, only the read-only
 * data that decides how much of it the verifier walks.
 *
 *	prog_info verifier OBJECT	a line per program and variant: name, variant, and in instructions what
 *the verifier walked, in bytes what it made of it (translated, compiled) prog_info attached INTERFACE "native
 *NAME", "generic NAME" or "none" prog_info clean INTERFACE	exit status 0 if the interface has no program
 *and none is loaded; else says which
 */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "airglow/abi.h"

#define PROGRAM "airglow"

static int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int complain(const char *format, ...)
{
	va_list args;

	fputs("prog_info: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* Where the variable stands in its section, or < 0. */
static int find_variable(const struct btf *btf, const char *section, const char *name, size_t bytes)
{
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC), i;
	const struct btf_var_secinfo *entry;
	const struct btf_type *type;

	if (id < 0)
		return id;
	type = btf__type_by_id(btf, (__u32)id);
	entry = btf_var_secinfos(type);
	for (i = 0; i < btf_vlen(type); i++, entry++) {
		const struct btf_type *variable = btf__type_by_id(btf, entry->type);

		if (!strcmp(btf__name_by_offset(btf, variable->name_off), name) && entry->size == bytes)
			return (int)entry->offset;
	}
	return -ENOENT;
}

/* The verifier takes read-only data for constants: those of a small live sensor on two CPUs, or of a replay. */
static int set_variant(struct bpf_object *object, bool replay)
{
	const struct ag_rodata rodata = {
		.replay = replay,
		.slices = replay ? 1 : 2,
		.blocks = 1,
		.splits = 1,
		.pages = 1,
	};
	int offset = find_variable(bpf_object__btf(object), ".rodata", "rodata", sizeof(rodata));
	struct bpf_map *map;
	char *data = NULL;
	size_t bytes = 0;
	int err = -ENOENT;

	bpf_object__for_each_map(map, object)
	{
		if (offset < 0 || !bpf_map__is_internal(map) || !strstr(bpf_map__name(map), ".rodata") ||
		    strstr(bpf_map__name(map), ".rodata."))
			continue;
		bpf_map__initial_value(map, &bytes);
		data = malloc(bytes);
		if (!data)
			return complain("no memory");
		memcpy(data, bpf_map__initial_value(map, &bytes), bytes);
		memcpy(data + offset, &rodata, sizeof(rodata));
		err = bpf_map__set_initial_value(map, data, bytes);
		break;
	}
	free(data);
	return err ? complain("the object has no variable rodata of struct ag_rodata: %s", strerror(-err)) : 0;
}

static int print_program(const struct bpf_program *program, const char *variant)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);

	if (err)
		return complain("%s: no information about the loaded program: %s", bpf_program__name(program),
				strerror(errno));
	if (!info.verified_insns)
		return complain("%s: this kernel does not tell verified_insns (Linux 5.16 does)",
				bpf_program__name(program));
	printf("%s\t%s\t%u\t%u\t%u\n", bpf_program__name(program), variant, info.verified_insns,
	       info.xlated_prog_len, info.jited_prog_len);
	return 0;
}

static int load_variant(const char *file, bool replay)
{
	struct bpf_object *object = bpf_object__open_file(file, NULL);
	struct bpf_program *program;
	int err;

	if (!object)
		return complain("%s: cannot open it as a BPF object: %s", file, strerror(errno));
	err = set_variant(object, replay);
	if (err)
		goto exit_close;
	err = bpf_object__load(object);
	if (err) {
		complain("%s: the kernel refuses it: %s", file, strerror(-err));
		goto exit_close;
	}
	bpf_object__for_each_program(program, object)
	{
		err = print_program(program, replay ? "replay" : "live");
		if (err)
			break;
	}
exit_close:
	bpf_object__close(object);
	return err;
}

/* 1 and the mode if the interface has a program, 0 if none, < 0 said. */
static int query_interface(const char *name, const char **mode, struct bpf_prog_info *info)
{
	unsigned int ifindex = if_nametoindex(name);
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	__u32 size = sizeof(*info);
	int fd, err;

	if (!ifindex)
		return complain("%s: no such interface", name);
	err = bpf_xdp_query((int)ifindex, 0, &query);
	if (err)
		return complain("%s: cannot ask for its program: %s", name, strerror(-err));
	if (query.attach_mode == XDP_ATTACHED_NONE)
		return 0;
	*mode = query.attach_mode == XDP_ATTACHED_DRV	? "native"
		: query.attach_mode == XDP_ATTACHED_SKB ? "generic"
							: "other";
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	if (fd < 0)
		return complain("%s: program %u went away", name, query.prog_id);
	err = bpf_obj_get_info_by_fd(fd, info, &size);
	close(fd);
	return err ? complain("program %u: no information: %s", query.prog_id, strerror(-err)) : 1;
}

static int print_attached(const char *interface)
{
	struct bpf_prog_info info = {};
	const char *mode = "none";
	int found = query_interface(interface, &mode, &info);

	if (found < 0)
		return found;
	printf("%s%s%s\n", mode, found ? " " : "", found ? info.name : "");
	return 0;
}

static int count_loaded(const char *name)
{
	__u32 id = 0;
	int n = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, name))
			n++;
		close(fd);
	}
	return n;
}

static int check_clean(const char *interface)
{
	struct bpf_prog_info info = {};
	const char *mode = "";
	int found = query_interface(interface, &mode, &info), loaded;

	if (found < 0)
		return found;
	if (found)
		return complain("%s: program %s is still attached (%s)", interface, info.name, mode);
	loaded = count_loaded(PROGRAM);
	if (loaded)
		return complain("%d programs named %s are still loaded", loaded, PROGRAM);
	return 0;
}

int main(int argc, char **argv)
{
	int err;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (argc != 3)
		err = complain("usage: prog_info verifier OBJECT | attached INTERFACE | clean INTERFACE");
	else if (!strcmp(argv[1], "verifier"))
		err = load_variant(argv[2], false) || load_variant(argv[2], true);
	else if (!strcmp(argv[1], "attached"))
		err = print_attached(argv[2]);
	else if (!strcmp(argv[1], "clean"))
		err = check_clean(argv[2]);
	else
		err = complain("%s: not a command; verifier, attached or clean", argv[1]);
	return err ? 1 : 0;
}
