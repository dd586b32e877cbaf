// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel engine: loads the BPF object, maps its arrays into this process, and in replay hands frames to the
 * program by BPF_PROG_RUN. Attaching to an interface is attach.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "engine/backend.h"
#include "airglow.skel.h"

#define FRAME_MIN  14 /* BPF_PROG_RUN takes no shorter frame (ETH_HLEN) */
#define META_BYTES sizeof(struct ag_replay)

struct mapping {
	void *address;
	size_t bytes;
};

enum {
	MAP_CONTROL,
	MAP_SETTINGS,
	MAP_SCOPE16,
	MAP_BLOCKS,
	MAP_SPLITS,
	MAP_COUNTERS,
	MAP_PORTS,
	MAP_ICMP,
	MAP_VISITS,
	MAP_SEEN,
	MAP_INTERVALS,
	MAP_FLOWS,
	MAP_SUMMARIES,
	MAP_SWEEPERS,
	MAP_ONCE,
	MAP_REACHED,
	MAP_LOGS,
	MAP_LOG_RECORDS,
	MAP_LOG_TOUCHES,
	MAP_COLLECTED,
	MAP_CARRIED,
	MAP_ABI, /* pinned last: books that have it are whole */
	MAPS
};

struct kernel {
	struct airglow_bpf *skel;
	struct tables tables;
	struct mapping mappings[MAPS];
	int stats_fd;
	struct ring_buffer *ring;
	engine_message_fn *handler; /* of the kernel_wait that runs */
	void *handler_arg;
};

/* The maps that hold the books, in the order of the enum. */
static void list_maps(const struct kernel *k, struct bpf_map *maps[MAPS])
{
	struct airglow_bpf *skel = k->skel;

	maps[MAP_CONTROL] = skel->maps.control;
	maps[MAP_SETTINGS] = skel->maps.settings;
	maps[MAP_SCOPE16] = skel->maps.scope16;
	maps[MAP_BLOCKS] = skel->maps.blocks;
	maps[MAP_SPLITS] = skel->maps.splits;
	maps[MAP_COUNTERS] = skel->maps.counters;
	maps[MAP_PORTS] = skel->maps.ports;
	maps[MAP_ICMP] = skel->maps.icmp;
	maps[MAP_VISITS] = skel->maps.visits;
	maps[MAP_SEEN] = skel->maps.seen;
	maps[MAP_INTERVALS] = skel->maps.intervals;
	maps[MAP_FLOWS] = skel->maps.flows;
	maps[MAP_SUMMARIES] = skel->maps.summaries;
	maps[MAP_SWEEPERS] = skel->maps.sweepers;
	maps[MAP_ONCE] = skel->maps.once;
	maps[MAP_REACHED] = skel->maps.reached;
	maps[MAP_LOGS] = skel->maps.logs;
	maps[MAP_LOG_RECORDS] = skel->maps.log_records;
	maps[MAP_LOG_TOUCHES] = skel->maps.log_touches;
	maps[MAP_ABI] = skel->maps.abi;
	maps[MAP_COLLECTED] = skel->maps.collected;
	maps[MAP_CARRIED] = skel->maps.carried;
}

static int map_array(struct kernel *k, int which, struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (size_t)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7u);
	struct mapping *m = &k->mappings[which];
	void *address;

	bytes = (bytes + page - 1) / page * page;
	address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (address == MAP_FAILED)
		return -errno;
	m->address = address;
	m->bytes = bytes;
	return 0;
}

static int map_all(struct kernel *k)
{
	struct bpf_map *maps[MAPS];
	struct tables *t = &k->tables;
	int i, err;

	list_maps(k, maps);
	for (i = 0; i < MAPS; i++) {
		err = map_array(k, i, maps[i]);
		if (err)
			return err;
	}
	t->control = k->mappings[MAP_CONTROL].address;
	t->settings = k->mappings[MAP_SETTINGS].address;
	t->scope16 = k->mappings[MAP_SCOPE16].address;
	t->blocks = k->mappings[MAP_BLOCKS].address;
	t->splits = k->mappings[MAP_SPLITS].address;
	t->counters = k->mappings[MAP_COUNTERS].address;
	t->ports = k->mappings[MAP_PORTS].address;
	t->icmp = k->mappings[MAP_ICMP].address;
	t->visits = k->mappings[MAP_VISITS].address;
	t->seen = k->mappings[MAP_SEEN].address;
	t->intervals = k->mappings[MAP_INTERVALS].address;
	t->flows = k->mappings[MAP_FLOWS].address;
	t->summaries = k->mappings[MAP_SUMMARIES].address;
	t->sweepers = k->mappings[MAP_SWEEPERS].address;
	t->once = k->mappings[MAP_ONCE].address;
	t->reached = k->mappings[MAP_REACHED].address;
	t->logs = k->mappings[MAP_LOGS].address;
	t->log_records = k->mappings[MAP_LOG_RECORDS].address;
	t->log_touches = k->mappings[MAP_LOG_TOUCHES].address;
	t->abi = k->mappings[MAP_ABI].address;
	t->collected = k->mappings[MAP_COLLECTED].address;
	t->carried = k->mappings[MAP_CARRIED].address;
	return 0;
}

static bool is_online(int cpu)
{
	char path[64], state = '1';
	FILE *file;

	/* CPU 0 often has no `online` file: it cannot go offline. */
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	file = fopen(path, "re");
	if (!file) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
		return !access(path, F_OK);
	}
	if (fread(&state, 1, 1, file) != 1)
		state = '0';
	fclose(file);
	return state == '1';
}

/*
 * CPUs online now get a slice each, in their order; all others the shared one. A CPU that had a slice in books
 * that go on keeps it: while one program takes the place of another, both run. In replay every CPU is slice 0.
 */
static void assign_slices(struct ag_rodata *ro, bool replay, const struct ag_abi *before)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	unsigned int next = 0;

	for (cpu = 0; cpu < AG_CPUS_MAX; cpu++) {
		ro->slice_of[cpu] = replay ? 0 : (__u16)ro->slices;
		if (!before || before->slice_of[cpu] >= ro->slices)
			continue;
		ro->slice_of[cpu] = before->slice_of[cpu];
		next = before->slice_of[cpu] >= next ? before->slice_of[cpu] + 1u : next;
	}
	for (cpu = 0; !replay && cpu < cpus && cpu < AG_CPUS_MAX && next < ro->slices; cpu++)
		if (ro->slice_of[cpu] >= ro->slices && is_online(cpu))
			ro->slice_of[cpu] = (__u16)next++;
}

unsigned int kernel_slices_missing(const struct ag_abi *abi)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	unsigned int next = 0, missing = 0;

	for (cpu = 0; cpu < AG_CPUS_MAX; cpu++)
		if (abi->slice_of[cpu] < abi->slices && abi->slice_of[cpu] >= next)
			next = abi->slice_of[cpu] + 1u;
	for (cpu = 0; cpu < cpus && cpu < AG_CPUS_MAX; cpu++)
		missing += abi->slice_of[cpu] >= abi->slices && is_online(cpu);
	return missing > abi->slices - next ? missing - (abi->slices - next) : 0;
}

/* A map has at least one entry, also of a sensor without slices. */
static void set_entries(struct bpf_map *map, unsigned int entries)
{
	bpf_map__set_max_entries(map, entries ? entries : 1);
}

static void set_sizes(struct airglow_bpf *skel, const struct table_sizes *s, bool replay,
		      const struct ag_abi *before)
{
	struct ag_rodata *ro = &skel->rodata->rodata;

	tables_rodata(ro, s, replay);
	if (before)
		memcpy(ro->seed, before->seed, sizeof(ro->seed));
	assign_slices(ro, replay, before);
	set_entries(skel->maps.blocks, 2 * s->blocks);
	set_entries(skel->maps.splits, 2 * s->splits);
	set_entries(skel->maps.counters, s->slices + 1);
	set_entries(skel->maps.ports, s->slices + 1);
	set_entries(skel->maps.visits, s->visits);
	set_entries(skel->maps.seen, s->pages);
	set_entries(skel->maps.intervals, (s->slices + 1) * 2);
	set_entries(skel->maps.flows, s->slices * 2 * s->flow_sets);
	set_entries(skel->maps.summaries, s->slices * 2 * s->summary_sets);
	set_entries(skel->maps.sweepers, s->slices * 2);
	set_entries(skel->maps.once, s->slices);
	set_entries(skel->maps.reached, 2 * s->promoted * s->pages);
	set_entries(skel->maps.logs, s->slices);
	set_entries(skel->maps.log_records, s->slices * s->log_records);
	set_entries(skel->maps.log_touches, s->slices * s->log_touches);
}

static void explain_load(int err, char *why, size_t why_size)
{
	if (err == -EPERM)
		snprintf(
			why, why_size,
			"cannot load the packet program: no permission; run as root, or with CAP_BPF, CAP_NET_ADMIN and "
			"CAP_PERFMON");
	else if (err == -EACCES)
		snprintf(why, why_size,
			 "cannot load the packet program: this kernel's verifier refuses it, or CAP_PERFMON is "
			 "missing; see -vv for its words");
	else if (err == -ENOSYS)
		snprintf(why, why_size,
			 "cannot load the packet program: this kernel has no BPF; use Linux 6.1 or later");
	else if (err == -ENOMEM)
		snprintf(why, why_size,
			 "cannot load the packet program: the kernel has no memory for the maps; lower memory "
			 "or use fewer dark addresses");
	else
		snprintf(why, why_size, "cannot load the packet program: %s; see -vv for the verifier's words",
			 strerror(-err));
}

static int on_ring(void *arg, void *message, size_t bytes)
{
	struct kernel *k = arg;

	if (k->handler)
		k->handler(k->handler_arg, message, bytes);
	return 0;
}

/* The program is to run on maps that are pinned already. */
static int reuse_maps(struct kernel *k, const struct kernel_books *books)
{
	struct bpf_map *maps[MAPS];
	int i, err;

	list_maps(k, maps);
	for (i = 0; i < MAPS; i++) {
		int fd = pins_get_map(books->pins, books->set, bpf_map__name(maps[i]));

		if (fd < 0)
			return fd;
		err = bpf_map__reuse_fd(maps[i], fd);
		close(fd);
		if (err)
			return err;
	}
	return 0;
}

/* What the books are like, for who takes them over. */
static void describe_books(struct kernel *k)
{
	const struct ag_rodata *ro = &k->skel->rodata->rodata;
	const struct table_sizes *s = &k->tables.sizes;
	struct ag_abi *abi = k->tables.abi;

	abi->magic = AG_BOOKS_MAGIC;
	abi->version = AG_ABI_VERSION;
	abi->slices = s->slices;
	abi->blocks = s->blocks;
	abi->splits = s->splits;
	abi->pages = s->pages;
	abi->flow_sets = s->flow_sets;
	abi->summary_sets = s->summary_sets;
	abi->log_records = s->log_records;
	abi->log_touches = s->log_touches;
	abi->promoted = s->promoted;
	abi->visits = s->visits;
	memcpy(abi->seed, ro->seed, sizeof(abi->seed));
	memcpy(abi->slice_of, ro->slice_of, sizeof(abi->slice_of));
}

static int load(struct kernel *k, bool replay, const struct kernel_books *books)
{
	int err = 0;

	k->skel = airglow_bpf__open();
	if (!k->skel)
		return -errno;
	set_sizes(k->skel, &k->tables.sizes, replay, books ? &books->abi : NULL);
	if (books)
		err = reuse_maps(k, books);
	if (!err)
		err = airglow_bpf__load(k->skel);
	if (!err)
		err = map_all(k);
	if (err)
		return err;
	describe_books(k);
	k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.ring), on_ring, k, NULL);
	return k->ring ? 0 : -errno;
}

int kernel_new(struct kernel **out, const struct table_sizes *sizes, bool replay,
	       const struct kernel_books *books, char *why, size_t why_size)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k) {
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	k->stats_fd = -1;
	k->tables.sizes = *sizes;
	err = load(k, replay, books);
	if (err) {
		explain_load(err, why, why_size);
		kernel_free(&k);
		return err;
	}
	*out = k;
	return 0;
}

/* Raw BTF into a map, for bytes alone cannot be pinned. */
static int pin_layout(const struct kernel *k, struct pins *pins, unsigned int set)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	uint32_t bytes, zero = 0;
	const void *raw = btf__raw_data(bpf_object__btf(k->skel->obj), &bytes);
	size_t size = (bytes + page - 1) / page * page;
	void *value = raw ? calloc(1, size) : NULL;
	int fd, err;

	if (!value)
		return -ENOMEM;
	memcpy(value, raw, bytes);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "layout", sizeof(zero), (uint32_t)size, 1, &opts);
	err = fd < 0 ? -errno : bpf_map_update_elem(fd, &zero, value, BPF_ANY);
	if (!err)
		err = pins_put_map(pins, set, "layout", fd);
	if (fd >= 0)
		close(fd);
	free(value);
	return err;
}

int kernel_pin(struct kernel *k, struct pins *pins, unsigned int set)
{
	struct bpf_map *maps[MAPS];
	int i, err = pins_make_set(pins, set);

	list_maps(k, maps);
	if (!err)
		err = pin_layout(k, pins, set);
	for (i = 0; i < MAPS && !err; i++)
		err = pins_put_map(pins, set, bpf_map__name(maps[i]), bpf_map__fd(maps[i]));
	if (err)
		pins_drop_set(pins, set);
	return err;
}

int kernel_layout(struct layout **out)
{
	struct airglow_bpf *skel = airglow_bpf__open();
	const void *raw;
	uint32_t bytes;
	int err;

	if (!skel)
		return -errno;
	raw = btf__raw_data(bpf_object__btf(skel->obj), &bytes);
	err = raw ? layout_new(out, raw, bytes) : -ENOMEM;
	airglow_bpf__destroy(skel);
	return err;
}

void kernel_free(struct kernel **kernel)
{
	int i;

	if (!*kernel)
		return;
	for (i = 0; i < MAPS; i++)
		if ((*kernel)->mappings[i].address)
			munmap((*kernel)->mappings[i].address, (*kernel)->mappings[i].bytes);
	if ((*kernel)->stats_fd >= 0)
		close((*kernel)->stats_fd);
	ring_buffer__free((*kernel)->ring);
	airglow_bpf__destroy((*kernel)->skel);
	free(*kernel);
	*kernel = NULL;
}

struct tables *kernel_tables(struct kernel *kernel)
{
	return &kernel->tables;
}

void kernel_booked_cpus(const struct kernel *kernel, uint64_t bits[AG_CPUS_MAX / 64])
{
	const struct ag_rodata *ro = &kernel->skel->rodata->rodata;
	unsigned int cpu;

	for (cpu = 0; cpu < AG_CPUS_MAX && !ro->replay; cpu++)
		if (ro->slice_of[cpu] < ro->slices)
			bits[cpu / 64] |= 1ULL << (cpu % 64);
}

/* The replayer's word travels as XDP metadata in front of the frame; only the head is handed over. */
int kernel_run(struct kernel *kernel, const struct ag_replay *replay, const uint8_t *bytes)
{
	uint8_t buffer[META_BYTES + AG_HEAD_BYTES] = {};
	struct ag_replay word = *replay;
	struct xdp_md ctx = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint32_t len;
	int err;

	if (word.caplen > AG_HEAD_BYTES)
		word.caplen = AG_HEAD_BYTES;
	len = word.caplen < FRAME_MIN ? FRAME_MIN : word.caplen;
	memcpy(buffer, &word, META_BYTES);
	memcpy(buffer + META_BYTES, bytes, word.caplen);
	ctx.data = META_BYTES;
	ctx.data_end = (__u32)META_BYTES + len;
	opts.data_in = buffer;
	opts.data_size_in = (__u32)META_BYTES + len;
	opts.ctx_in = &ctx;
	opts.ctx_size_in = sizeof(ctx);
	err = bpf_prog_test_run_opts(kernel_program_fd(kernel), &opts);
	return err ? err : (int)opts.retval;
}

int kernel_wait(struct kernel *kernel, int timeout_ms, engine_message_fn *handler, void *arg)
{
	kernel->handler = handler;
	kernel->handler_arg = arg;
	return ring_buffer__poll(kernel->ring, timeout_ms);
}

int kernel_program_fd(const struct kernel *kernel)
{
	return bpf_program__fd(kernel->skel->progs.airglow);
}

int kernel_count_runs(struct kernel *kernel)
{
	if (kernel->stats_fd < 0)
		kernel->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return kernel->stats_fd < 0 ? -errno : 0;
}

int kernel_runs(const struct kernel *kernel, uint64_t *runs)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(kernel_program_fd(kernel), &info, &size);

	if (err)
		return err;
	*runs = info.run_cnt;
	return 0;
}
