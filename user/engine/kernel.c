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
	struct bpf_map *maps[MAPS] = {
		[MAP_CONTROL] = k->skel->maps.control,
		[MAP_SETTINGS] = k->skel->maps.settings,
		[MAP_SCOPE16] = k->skel->maps.scope16,
		[MAP_BLOCKS] = k->skel->maps.blocks,
		[MAP_SPLITS] = k->skel->maps.splits,
		[MAP_COUNTERS] = k->skel->maps.counters,
		[MAP_PORTS] = k->skel->maps.ports,
		[MAP_ICMP] = k->skel->maps.icmp,
		[MAP_VISITS] = k->skel->maps.visits,
		[MAP_SEEN] = k->skel->maps.seen,
		[MAP_INTERVALS] = k->skel->maps.intervals,
		[MAP_FLOWS] = k->skel->maps.flows,
		[MAP_SUMMARIES] = k->skel->maps.summaries,
		[MAP_SWEEPERS] = k->skel->maps.sweepers,
		[MAP_ONCE] = k->skel->maps.once,
		[MAP_REACHED] = k->skel->maps.reached,
		[MAP_LOGS] = k->skel->maps.logs,
		[MAP_LOG_RECORDS] = k->skel->maps.log_records,
		[MAP_LOG_TOUCHES] = k->skel->maps.log_touches,
	};
	struct tables *t = &k->tables;
	int i, err;

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
	return 0;
}

/* CPUs online now get a slice each, in their order; all others the shared one. In replay every CPU is slice 0.
 */
static void assign_slices(struct ag_rodata *ro, bool replay)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	unsigned int next = 0;

	for (cpu = 0; cpu < AG_CPUS_MAX; cpu++) {
		char path[64], state = '1';
		FILE *file;

		ro->slice_of[cpu] = replay ? 0 : (__u16)ro->slices;
		if (replay || cpu >= cpus || next >= ro->slices)
			continue;
		/* CPU 0 often has no `online` file: it cannot go offline. */
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		file = fopen(path, "re");
		if (file) {
			if (fread(&state, 1, 1, file) != 1)
				state = '0';
			fclose(file);
		} else {
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
			if (access(path, F_OK))
				state = '0';
		}
		if (state == '1')
			ro->slice_of[cpu] = (__u16)next++;
	}
}

/* A map has at least one entry, also of a sensor without slices. */
static void set_entries(struct bpf_map *map, unsigned int entries)
{
	bpf_map__set_max_entries(map, entries ? entries : 1);
}

static void set_sizes(struct airglow_bpf *skel, const struct table_sizes *s, bool replay)
{
	struct ag_rodata *ro = &skel->rodata->rodata;

	tables_rodata(ro, s, replay);
	assign_slices(ro, replay);
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

int kernel_new(struct kernel **out, const struct table_sizes *sizes, bool replay, char *why, size_t why_size)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k) {
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	k->stats_fd = -1;
	k->tables.sizes = *sizes;
	k->skel = airglow_bpf__open();
	if (!k->skel) {
		err = -errno;
		goto exit_free;
	}
	set_sizes(k->skel, sizes, replay);
	err = airglow_bpf__load(k->skel);
	if (err)
		goto exit_free;
	err = map_all(k);
	if (err)
		goto exit_free;
	k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.ring), on_ring, k, NULL);
	if (!k->ring) {
		err = -errno;
		goto exit_free;
	}
	*out = k;
	return 0;

exit_free:
	explain_load(err, why, why_size);
	kernel_free(&k);
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
