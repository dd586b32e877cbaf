// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nanoseconds a packet, stage by stage, inside the kernel: loads stages.bpf.o with a plan, plays each capture
 * by BPF_PROG_RUN through every program in turn, round after round, and prints medians as JSON. Meanwhile
 * another thread does what the collector does (user/collect/drain.c, collect.c): it reads every record and adds
 * it to the table of sources. Owns the method; what is played, and what the figures are compared with, is
 * tools/bench/run's business.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/config.h"
#include "collect/interval.h"
#include "collect/sources.h"
#include "engine/capture.h"
#include "engine/tables.h"
#include "stages.skel.h"
#include "tools/bench/trace.h"

#define ROUNDS_MAX    99
#define ROUNDS_MIN    7
#define PASS_RUNS     (1u << 19) /* runs a measurement: a trace is played as often as fits, at least once */
#define WIRELEN_MAX   3000u	 /* what BPF_PROG_RUN's one page holds of a frame */
#define FRAME_MIN     14u
#define LOOPBACK      1u	  /* where BPF_PROG_RUN pretends that frames come from */
#define CACHE_BYTES   (64u << 20) /* as much memory as a slice of two has by default */
#define SOURCES_BYTES (32u << 20) /* and the table of sources */
#define LOOK_EACH_MS  20	  /* at the logs, as drain.c; the program wakes us when one is half full */
#define TICK_NS	      10000000000ULL
#define DAY_PACKETS   1.9e9 /* expected of a /16 at 22 kpps: the k of a tool */

struct options {
	const char *dark, *only; /* only: of the stages, for a profiler; NULL: all of them */
	unsigned int rounds, packets_max;
	double budget_s; /* for a capture: then there are fewer rounds, but ROUNDS_MIN; 0: no bound */
	int cpu;
	struct config *config;
};

/*
 * In the order of the way. `books` marks those that count what they receive, `cut` those that are also measured
 * without the sweepers' short cut.
 */
static const struct {
	const char *name, *program;
	bool books, cut;
} stages[] = {
	{"empty", "bench_empty", false, true},	      {"head", "bench_head", false, false},
	{"parse", "bench_parse", false, false},	      {"scope", "bench_scope", false, false},
	{"classify", "bench_classify", false, false}, {"account", "bench_account", true, false},
	{"track", "bench_track", true, true},	      {"airglow", "airglow", true, true},
	{"textbook", "bench_textbook", false, false},
};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

struct bench {
	struct stages_bpf *skel;
	struct tables tables;
	struct trace_frame *trace;
	unsigned int frames;
	uint64_t booked; /* frames that the programs with account were given */
	struct books books;
	struct reader *reader;
	struct hosts *hosts;
	struct sources *sources;
	struct ring_buffer *ring;
	uint64_t first_began_ns;
	pthread_attr_t elsewhere; /* of the collector's thread */
	atomic_bool stop;
	double collect_ns; /* CPU time of that thread */
	uint64_t records, lost, unsent, imbalance;
	unsigned int rounds; /* measured, without the first, which warms up */
	bool chosen[STAGES];
	double ns[STAGES][ROUNDS_MAX]; /* by round */
};

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
	va_list args;

	fputs("stages: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* --- the plan ------------------------------------------------------------------------------------------------
 */

/* Thresholds and sampler as a sensor has them that was not told otherwise. */
static int make_plan(struct plan **plan, struct config **config, const char *dark)
{
	char why[512] = "no memory for the configuration";

	if (config_new(config) || config_add_dark(*config, dark, NULL, why, sizeof(why)) ||
	    plan_new(plan, (*config)->prefixes, (*config)->prefixes_count, false, why, sizeof(why)))
		return complain("--dark: %s", why);
	config_write(*config, &(*plan)->settings);
	/* A real sensor compares the source MAC of every frame with its own. */
	(*plan)->settings.interfaces[0].ifindex = LOOPBACK;
	(*plan)->settings.interfaces[0].mac_known = 1;
	memcpy((*plan)->settings.interfaces[0].mac, "\x02\x61\x67\x00\x00\x01", 6);
	return 0;
}

/* --- the trace -----------------------------------------------------------------------------------------------
 */

static void take_frame(struct trace_frame *to, const struct capture_frame *f)
{
	uint32_t have = f->caplen < TRACE_BYTES ? f->caplen : TRACE_BYTES;
	uint32_t wirelen = f->wirelen < WIRELEN_MAX ? f->wirelen : WIRELEN_MAX;

	memset(to, 0, sizeof(*to));
	memcpy(to->bytes, f->bytes, have);
	to->caplen = have < FRAME_MIN ? FRAME_MIN : have;
	to->wirelen = wirelen < to->caplen ? to->caplen : wirelen;
}

/* Frames of the file, at most `max`; -1, said. */
static int read_trace(struct trace_frame **trace, const char *file, unsigned int max)
{
	struct capture *capture = NULL;
	struct trace_frame *t;
	struct capture_frame f;
	char why[512] = "";
	unsigned int n = 0;

	if (capture_open(&capture, file, why, sizeof(why)))
		return complain("%s", why);
	t = calloc(max, sizeof(*t));
	while (t && n < max && capture_next(capture, &f) == 1)
		take_frame(&t[n++], &f);
	capture_free(&capture);
	if (!n) {
		free(t);
		return complain("%s: no frame could be read", file);
	}
	*trace = t;
	return (int)n;
}

/* --- the programs --------------------------------------------------------------------------------------------
 */

static void *map_memory(const struct bpf_map *map, int *failed)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (size_t)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7u);
	void *memory;

	bytes = (bytes + page - 1) / page * page;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (memory != MAP_FAILED)
		return memory;
	*failed = 1;
	return NULL;
}

static int map_tables(struct bench *b)
{
	struct tables *t = &b->tables;
	int failed = 0;

	t->control = map_memory(b->skel->maps.control, &failed);
	t->settings = map_memory(b->skel->maps.settings, &failed);
	t->scope16 = map_memory(b->skel->maps.scope16, &failed);
	t->blocks = map_memory(b->skel->maps.blocks, &failed);
	t->splits = map_memory(b->skel->maps.splits, &failed);
	t->counters = map_memory(b->skel->maps.counters, &failed);
	t->ports = map_memory(b->skel->maps.ports, &failed);
	t->icmp = map_memory(b->skel->maps.icmp, &failed);
	t->seen = map_memory(b->skel->maps.seen, &failed);
	t->intervals = map_memory(b->skel->maps.intervals, &failed);
	t->flows = map_memory(b->skel->maps.flows, &failed);
	t->summaries = map_memory(b->skel->maps.summaries, &failed);
	t->sweepers = map_memory(b->skel->maps.sweepers, &failed);
	t->once = map_memory(b->skel->maps.once, &failed);
	t->logs = map_memory(b->skel->maps.logs, &failed);
	t->log_records = map_memory(b->skel->maps.log_records, &failed);
	t->log_touches = map_memory(b->skel->maps.log_touches, &failed);
	b->trace = map_memory(b->skel->maps.trace, &failed);
	return failed ? complain("cannot map the tables: %s", strerror(errno)) : 0;
}

static void set_sizes(struct stages_bpf *skel, const struct table_sizes *s, unsigned int frames, int cpu,
		      unsigned int sweeper_records)
{
	struct ag_rodata *ro = &skel->rodata->rodata;

	tables_rodata(ro, s, false);
	ro->sweeper_records = sweeper_records;
	memset(ro->slice_of, 0xff, sizeof(ro->slice_of)); /* the shared slice, but for the CPU of the bench */
	ro->slice_of[cpu] = 0;
	skel->rodata->frames = frames;
	bpf_map__set_max_entries(skel->maps.trace, frames);
	bpf_map__set_max_entries(skel->maps.blocks, 2 * s->blocks);
	bpf_map__set_max_entries(skel->maps.splits, 2 * s->splits);
	bpf_map__set_max_entries(skel->maps.counters, s->slices + 1);
	bpf_map__set_max_entries(skel->maps.ports, s->slices + 1);
	bpf_map__set_max_entries(skel->maps.seen, s->pages);
	bpf_map__set_max_entries(skel->maps.intervals, (s->slices + 1) * 2);
	bpf_map__set_max_entries(skel->maps.flows, s->slices * 2 * s->flow_sets);
	bpf_map__set_max_entries(skel->maps.summaries, s->slices * 2 * s->summary_sets);
	bpf_map__set_max_entries(skel->maps.sweepers, s->slices * 2);
	bpf_map__set_max_entries(skel->maps.once, s->slices);
	bpf_map__set_max_entries(skel->maps.logs, s->slices);
	bpf_map__set_max_entries(skel->maps.log_records, s->slices * s->log_records);
	bpf_map__set_max_entries(skel->maps.log_touches, s->slices * s->log_touches);
}

static uint64_t coarse_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* As in collect.c: ticks of 10 s since the first interval. */
static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	struct bench *b = arg;
	uint64_t tick;

	if (!b->first_began_ns)
		b->first_began_ns = interval->began_ns;
	tick = (interval->began_ns - b->first_began_ns) / TICK_NS + 1;
	sources_add(b->sources, interval->begin_ns, (uint32_t)tick, records, count);
	b->records += count;
}

static void take_interval(void *arg, const struct interval *interval)
{
	struct bench *b = arg;
	unsigned int i;

	hosts_add(b->hosts, interval->epoch, interval->hosts);
	sources_close(b->sources, interval->end_ns);
	b->imbalance += interval->imbalance;
	b->unsent += interval->unsent;
	for (i = 0; i < AG_LOST_MAX; i++)
		b->lost += interval->lost[i];
}

/* Alerts and samples have no reader here; that they are taken keeps the ring from being full. */
static int take_message(void *arg, void *message, size_t bytes)
{
	(void)arg;
	(void)message;
	(void)bytes;
	return 0;
}

/* The dark prefixes once more, into the trie. */
static int write_textbook(struct bench *b, const struct config *config)
{
	size_t i;

	for (i = 0; i < config->prefixes_count; i++) {
		const struct plan_prefix *dark = &config->prefixes[i];
		struct {
			__u32 length;
			uint8_t address[4];
		} key = {.length = dark->prefix.length};

		if (dark->prefix.family != 4)
			continue;
		memcpy(key.address, dark->prefix.addr, 4);
		if (bpf_map_update_elem(bpf_map__fd(b->skel->maps.book_scopes), &key, &dark->scope, BPF_ANY))
			return complain("cannot fill the textbook's trie: %s", strerror(errno));
	}
	return 0;
}

/* CPU of the bench is `cpu`: the reader may run on any other. */
static void choose_cpus(pthread_attr_t *attr, int cpu)
{
	cpu_set_t set;
	long i;

	CPU_ZERO(&set);
	for (i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++)
		if (i != cpu)
			CPU_SET((size_t)i, &set);
	pthread_attr_init(attr);
	if (CPU_COUNT(&set))
		pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

/* As the sensor's collector does it, with its default memory. */
static int open_collector(struct bench *b, const struct plan *plan)
{
	static const uint16_t ports[] = {22, 23, 80, 443, 445, 2323, 3389, 5555, 8080, 8443};
	struct sources_options options = {
		.sources_max = sources_fit(SOURCES_BYTES),
		.expected_day_packets = DAY_PACKETS,
		.thresholds = plan->settings.thresholds,
	};

	options.hosts = b->hosts = hosts_new();
	if (!b->hosts)
		return complain("no memory for the collector");
	hosts_follow(b->hosts, 6, ports, sizeof(ports) / sizeof(ports[0]));
	b->reader = reader_new(&b->books, &(struct sink){b, take_records, take_interval});
	b->sources = sources_new(&options);
	b->ring = ring_buffer__new(bpf_map__fd(b->skel->maps.ring), take_message, NULL, NULL);
	if (!b->reader || !b->sources || !b->ring)
		return complain("no memory for the collector");
	reader_begin(b->reader, coarse_ns(), (int64_t)coarse_ns());
	return 0;
}

static int open_bench(struct bench *b, const struct options *o, const struct plan *plan,
		      const struct trace_frame *trace, unsigned int sweeper_records)
{
	int err;

	b->skel = stages_bpf__open();
	if (!b->skel)
		return complain("cannot open the programs: %s", strerror(errno));
	b->tables.sizes = tables_size(plan, 1, CACHE_BYTES, false);
	set_sizes(b->skel, &b->tables.sizes, b->frames, o->cpu, sweeper_records);
	err = stages_bpf__load(b->skel);
	if (err)
		return complain("cannot load the programs: %s%s", strerror(-err),
				err == -EPERM ? "; run as root" : "");
	if (map_tables(b))
		return -1;
	memcpy(b->trace, trace, b->frames * sizeof(*trace));
	if (tables_write(&b->tables, 0, plan))
		return complain("the tables are too small for the plan");
	b->tables.control->epoch = 1;
	b->books = tables_books(&b->tables);
	if (open_collector(b, plan))
		return -1;
	choose_cpus(&b->elsewhere, o->cpu);
	return write_textbook(b, o->config);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The collector's part, on the other CPU, for as long as a program runs; then the interval is closed. */
static void *collect(void *arg)
{
	struct bench *b = arg;
	double begin = cpu_ns();

	while (!atomic_load(&b->stop)) {
		reader_drain(b->reader);
		ring_buffer__poll(b->ring, LOOK_EACH_MS);
	}
	reader_begin(b->reader, coarse_ns(), (int64_t)coarse_ns());
	reader_close(b->reader);
	b->collect_ns += cpu_ns() - begin;
	return NULL;
}

static int choose_program(struct bench *b, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(b->skel->obj, name);
	int fd = program ? bpf_program__fd(program) : -1;
	__u32 key = 0;

	if (fd < 0 || bpf_map_update_elem(bpf_map__fd(b->skel->maps.under_test), &key, &fd, BPF_ANY))
		return complain("cannot put program %s under test", name);
	return 0;
}

/*
 * CPU time of this thread a run: what others do on the machine takes caches, but no time from the figure. Every
 * measurement is an interval of its own for `seen`, and begins with the first frame.
 */
static int measure(struct bench *b, double *ns)
{
	unsigned int passes = b->frames < PASS_RUNS ? PASS_RUNS / b->frames : 1, runs = passes * b->frames;
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)runs);
	pthread_t collecting;
	double begin;
	int err;

	b->skel->bss->at = 0;
	atomic_store(&b->stop, false);
	if (pthread_create(&collecting, &b->elsewhere, collect, b))
		return complain("cannot start the collector");
	begin = cpu_ns();
	err = bpf_prog_test_run_opts(bpf_program__fd(b->skel->progs.bench_driver), &opts);
	*ns = (cpu_ns() - begin) / runs;
	atomic_store(&b->stop, true);
	pthread_join(collecting, NULL);
	if (err)
		return complain("BPF_PROG_RUN: %s", strerror(-err));
	if (b->skel->bss->refused)
		return complain("%llu frames could not be written", b->skel->bss->refused);
	return (int)runs;
}

/* Rounds of all stages in turn, so that a slow minute of the machine falls on all of them alike. */
static int measure_all(struct bench *b, unsigned int rounds, double budget_s)
{
	double warm, end_ns = (double)coarse_ns() + budget_s * 1e9;
	unsigned int r;
	size_t i;
	int runs;

	for (r = 0; r <= rounds; r++) {
		if (budget_s > 0 && r > ROUNDS_MIN && (double)coarse_ns() > end_ns)
			break;
		for (i = 0; i < STAGES; i++) {
			if (!b->chosen[i])
				continue;
			if (choose_program(b, stages[i].program))
				return -1;
			runs = measure(b, r ? &b->ns[i][r - 1] : &warm);
			if (runs < 0)
				return -1;
			b->booked += stages[i].books ? (uint64_t)runs : 0;
		}
	}
	b->rounds = r - 1;
	if (b->tables.counters[0].received != b->booked)
		return complain("%llu frames were booked of %llu", b->tables.counters[0].received,
				(unsigned long long)b->booked);
	return 0;
}

/* --- figures -------------------------------------------------------------------------------------------------
 */

static int compare_doubles(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static double round_ns(double ns)
{
	return (double)(long long)(ns * 10 + 0.5) / 10;
}

static double median_of(double *ns, unsigned int count)
{
	qsort(ns, count, sizeof(*ns), compare_doubles);
	return ns[count / 2];
}

/* What it takes more than the empty program did in the same round: a slow minute falls on both. */
static double over_empty(const struct bench *b, size_t stage)
{
	double over[ROUNDS_MAX] = {};
	unsigned int r;

	for (r = 0; r < b->rounds; r++)
		over[r] = b->ns[stage][r] - b->ns[0][r];
	return median_of(over, b->rounds);
}

static json_t *describe_stages(struct bench *b)
{
	json_t *list = json_array();
	double over[STAGES];
	size_t i;

	for (i = 0; i < STAGES; i++)
		over[i] = over_empty(b, i);
	for (i = 0; i < STAGES; i++) {
		double median = median_of(b->ns[i], b->rounds);

		if (b->chosen[i])
			json_array_append_new(list,
					      json_pack("{s:s, s:f, s:f, s:f, s:f}", "name", stages[i].name,
							"ns", round_ns(median), "over_empty_ns",
							round_ns(over[i]), "min", round_ns(b->ns[i][0]), "max",
							round_ns(b->ns[i][b->rounds - 1])));
	}
	return list;
}

static json_t *describe(struct bench *b)
{
	double each = b->records ? b->collect_ns / (double)b->records : 0;

	return json_pack("{s:i, s:i, s:I, s:I, s:f, s:I, s:I, s:o}", "frames", b->frames, "rounds", b->rounds,
			 "dark", (json_int_t)b->tables.counters[0].dark, "records", (json_int_t)b->records,
			 "collect_ns_per_record", round_ns(each), "lost_packets", (json_int_t)b->lost,
			 "alerts_unsent", (json_int_t)b->unsent, "stages", describe_stages(b));
}

/* All of them, or, for a profiler, the one that was asked for. */
static void choose_stages(struct bench *b, const struct options *o, bool short_cut)
{
	size_t i;

	for (i = 0; i < STAGES; i++)
		b->chosen[i] = o->only ? strcmp(o->only, stages[i].name) == 0 : short_cut || stages[i].cut;
}

static int bench_once(json_t *into, const struct options *o, const struct plan *plan,
		      const struct trace_frame *trace, unsigned int frames, bool short_cut)
{
	struct bench b = {.frames = frames};
	int err = open_bench(&b, o, plan, trace, short_cut ? AG_SWEEPER_RECORDS : 0);

	choose_stages(&b, o, short_cut);
	if (!err)
		err = measure_all(&b, o->rounds, o->budget_s * (short_cut ? 0.75 : 0.25));
	if (!err && b.imbalance)
		err = complain("law L3 is out of balance by %llu packets", (unsigned long long)b.imbalance);
	if (!err)
		json_object_set_new(into, short_cut ? "with_short_cut" : "without_short_cut", describe(&b));
	ring_buffer__free(b.ring);
	reader_free(&b.reader);
	sources_free(&b.sources);
	hosts_free(&b.hosts);
	pthread_attr_destroy(&b.elsewhere);
	stages_bpf__destroy(b.skel);
	return err;
}

static int bench_file(json_t *result, const struct options *o, const struct plan *plan, const char *name,
		      const char *file)
{
	CLEANUP(cleanup_free) struct trace_frame *trace = NULL;
	json_t *into = json_object();
	int frames = read_trace(&trace, file, o->packets_max), err;

	json_object_set_new(result, name, into);
	if (frames < 0)
		return -1;
	err = bench_once(into, o, plan, trace, (unsigned int)frames, true);
	if (!err)
		err = bench_once(into, o, plan, trace, (unsigned int)frames, false);
	return err;
}

/* --- the command line ----------------------------------------------------------------------------------------
 */

static const char usage[] =
	"usage: stages --dark PREFIX[,...] [--rounds N] [--budget S] [--packets N] [--cpu N] [--only STAGE] NAME=FILE...\n";

static int read_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"dark", required_argument, NULL, 'd'},
		{"rounds", required_argument, NULL, 'r'},
		{"packets", required_argument, NULL, 'p'},
		{"cpu", required_argument, NULL, 'c'},
		{"only", required_argument, NULL, 'o'},
		{"budget", required_argument, NULL, 'b'},
		{},
	};
	int key;

	while ((key = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (key == 'd')
			o->dark = optarg;
		else if (key == 'r')
			o->rounds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (key == 'p')
			o->packets_max = (unsigned int)strtoul(optarg, NULL, 10);
		else if (key == 'c')
			o->cpu = atoi(optarg);
		else if (key == 'o')
			o->only = optarg;
		else if (key == 'b')
			o->budget_s = strtod(optarg, NULL);
		else
			return -1;
	}
	return o->dark && o->rounds >= ROUNDS_MIN && o->rounds <= ROUNDS_MAX && o->packets_max && o->cpu >= 0 &&
			       o->cpu < AG_CPUS_MAX && optind < argc
		       ? 0
		       : complain("%s", usage);
}

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set)
		       ? complain("cannot run on CPU %d: %s", cpu, strerror(errno))
		       : 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.rounds = 9, .packets_max = 1u << 20, .cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1};
	json_t *result = json_object();
	struct plan *plan = NULL;
	int err = read_options(&o, argc, argv), i;

	if (!err)
		err = pin(o.cpu);
	if (!err)
		err = make_plan(&plan, &o.config, o.dark);
	for (i = optind; !err && i < argc; i++) {
		char *file = strchr(argv[i], '=');

		if (!file) {
			err = complain("%s", usage);
			break;
		}
		*file++ = '\0';
		err = bench_file(result, &o, plan, argv[i], file);
	}
	if (!err) {
		json_dumpf(result, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(result);
	plan_free(&plan);
	config_free(&o.config);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
