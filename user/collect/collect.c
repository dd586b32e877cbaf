// SPDX-License-Identifier: GPL-2.0-only
/*
 * The collector (collect.h): gives the records of intervals to those who keep them (sources, hosts), counts
 * days, and publishes a snapshot a second from what the others know: ledger, reader, sources, hosts, top, nic.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect/collect.h"
#include "collect/drain.h"
#include "collect/hll.h"
#include "collect/hosts.h"
#include "collect/interval.h"
#include "collect/ledger.h"
#include "collect/nic.h"
#include "collect/promoted.h"
#include "collect/reach.h"
#include "collect/top.h"

#define NS	      1000000000LL
#define PROTO_TCP     6
#define PROTO_UDP     17
#define EPOCH_S	      10
#define DAY_S	      86400
#define RATE_WINDOW_S 60
#define SOURCES_SHARE 4 /* sources and flows take a quarter as much as all maps together may */
/* Up to a /14 the active addresses are counted every second, beyond every interval: 1 KiB is read a page. */
#define ACTIVE_PAGES_EVERY_TICK 1024

struct watched {
	struct snapshot_interface shown;
	uint64_t base_packets;
	uint64_t base_drops[SNAPSHOT_NIC_COUNTERS_MAX];
};

struct collector {
	struct collector_options options;
	struct books *books;
	struct top_ports *top_tcp, *top_udp;
	struct snapshot_reach reach;
	uint64_t scope_active[AG_SCOPES_MAX + 1];
	struct hosts *hosts;
	struct sources *sources;
	uint64_t first_began_ns;
	struct reader *reader;
	struct drain *drain;
	atomic_uint day_epoch; /* first epoch of the current UTC day */
	int64_t day;
	uint64_t dark_at[RATE_WINDOW_S + 1]; /* ring, one a second */
	unsigned int rate_next, rate_used;
	uint64_t sequence;
	int64_t start_ns;

	pthread_mutex_t lock; /* interfaces, checks, the plan and the reach that follows from it */
	struct watched interfaces[AG_INTERFACES_MAX];
	unsigned int interfaces_count;
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	unsigned int checks_count;
	int64_t checks_ns;

	pthread_t thread;
	bool running;
	atomic_bool stop;
};

static const char *const needs_addresses[] = {"survey_by_behaviour", "scan_timeout", "aggressive_scan",
					      "dos_rate_estimate",   "reachability", "silent_prefix"};

/* Of an address that answers: what comes back may be an answer, and who asks much may be its user. */
static const char *const needs_strangers[] = {"reflection", "dos_victim", "dos_rate_estimate"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
_Static_assert(COUNT(needs_addresses) + COUNT(needs_strangers) <= COUNT(((struct snapshot *)0)->disabled_rules),
	       "disabled rules fit a snapshot");

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

/* Ticks of 10 s since the first interval, by the clock of the packets: never back. */
static uint32_t tick_of(struct collector *c, const struct interval *interval)
{
	if (!c->first_began_ns)
		c->first_began_ns = interval->began_ns;
	return (uint32_t)((interval->began_ns - c->first_began_ns) / (EPOCH_S * NS)) + 1;
}

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	struct collector *c = arg;

	sources_add(c->sources, interval->begin_ns, tick_of(c, interval), records, count);
}

/* True when it is a later UTC day than before. */
static bool begin_day(struct collector *c, int64_t now_ns)
{
	int64_t day = now_ns / NS / DAY_S, days = day - c->day;

	c->day = day;
	if (days <= 0) /* a clock that was set back does not begin a day */
		return false;
	promoted_begin_day(c->books, days);
	return true;
}

/* A new UTC day begins with the interval after the one in which the old day ended. */
static void take_interval(void *arg, const struct interval *interval)
{
	struct collector *c = arg;

	hosts_add(c->hosts, tick_of(c, interval), interval->hosts);
	sources_close(c->sources, interval->end_ns);
	if (c->options.live && begin_day(c, interval->end_ns))
		atomic_store(&c->day_epoch, interval->epoch + 1);
}

/* The reach is known. */
static struct sources *make_sources(const struct collector *c)
{
	struct sources_options options = {
		.sources_max = sources_fit(c->options.config->memory_bytes / SOURCES_SHARE),
		.hosts = c->hosts,
		.expected_day_packets = c->reach.expected_pps * DAY_S,
		.thresholds = config_thresholds(c->options.config),
	};

	return sources_new(&options);
}

struct sources *collector_sources(struct collector *c)
{
	return c->sources;
}

int collector_new(struct collector **out, const struct collector_options *options, char *why, size_t why_size)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		goto exit_memory;
	c->options = *options;
	c->books = engine_books(options->engine);
	reach_from_addresses(&c->reach, options->plan->settings.every_destination ? options->config->addresses
										  : options->plan->addresses);
	c->reader = reader_new(c->books, &(struct sink){c, take_records, take_interval});
	c->hosts = hosts_new();
	c->sources = make_sources(c);
	if (!c->reader || !c->hosts || !c->sources || top_new(&c->top_tcp) || top_new(&c->top_udp))
		goto exit_memory;
	pthread_mutex_init(&c->lock, NULL);
	c->day_epoch = 1;
	if (options->live) {
		c->start_ns = clock_ns(CLOCK_REALTIME);
		reader_begin(c->reader, (uint64_t)clock_ns(CLOCK_MONOTONIC_COARSE), c->start_ns);
		c->day = c->start_ns / NS / DAY_S;
	}
	*out = c;
	return 0;

exit_memory:
	snprintf(why, why_size, "not enough memory for the collector");
	collector_free(&c);
	return -ENOMEM;
}

void collector_free(struct collector **collector)
{
	struct collector *c = *collector;

	if (!c)
		return;
	if (c->top_tcp)
		top_free(&c->top_tcp);
	if (c->top_udp)
		top_free(&c->top_udp);
	reader_free(&c->reader);
	sources_free(&c->sources);
	hosts_free(&c->hosts);
	free(c);
	*collector = NULL;
}

int collector_add_interface(struct collector *c, const char *name, enum ag_feed feed, const char *xdp_mode)
{
	struct watched *w;
	unsigned int i;

	if (c->interfaces_count == AG_INTERFACES_MAX)
		return -ENOSPC;
	w = &c->interfaces[c->interfaces_count];
	snprintf(w->shown.name, sizeof(w->shown.name), "%s", name);
	snprintf(w->shown.xdp_mode, sizeof(w->shown.xdp_mode), "%s", xdp_mode);
	w->shown.ifindex = c->options.plan->settings.interfaces[c->interfaces_count].ifindex;
	w->shown.feed = feed;
	w->shown.present = true;
	if (!nic_read(w->shown.ifindex, name, &w->base_packets, w->shown.nic, &w->shown.nic_count))
		for (i = 0; i < w->shown.nic_count; i++)
			w->base_drops[i] = w->shown.nic[i].packets;
	c->interfaces_count++;
	return 0;
}

void collector_set_checks(struct collector *c, const struct snapshot_check *checks, unsigned int count)
{
	if (count > SNAPSHOT_CHECKS_MAX)
		count = SNAPSHOT_CHECKS_MAX;
	pthread_mutex_lock(&c->lock);
	memcpy(c->checks, checks, count * sizeof(*checks));
	c->checks_count = count;
	c->checks_ns = clock_ns(CLOCK_REALTIME);
	pthread_mutex_unlock(&c->lock);
}

void collector_swap_plan(struct collector *c, struct plan *plan, struct plan *with)
{
	double seen_pps;
	struct plan before;

	pthread_mutex_lock(&c->lock);
	before = *plan;
	*plan = *with;
	*with = before;
	seen_pps = c->reach.seen_pps;
	reach_from_addresses(&c->reach, plan->addresses);
	c->reach.seen_pps = seen_pps;
	pthread_mutex_unlock(&c->lock);
}

void collector_set_present(struct collector *c, const char *name, bool present)
{
	unsigned int i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->interfaces_count; i++)
		if (!strcmp(c->interfaces[i].shown.name, name))
			c->interfaces[i].shown.present = present;
	pthread_mutex_unlock(&c->lock);
}

static int read_hosts(struct collector *c, struct snapshot *s)
{
	struct ag_hll *hosts = calloc(2 * AG_CLASS_MAX, sizeof(*hosts)), *open;
	unsigned int class;

	if (!hosts)
		return -ENOMEM;
	open = hosts + AG_CLASS_MAX;
	reader_hosts(c->reader, hosts, open);
	hosts_figures(c->hosts, open, &s->hosts);
	for (class = 1; class < AG_CLASS_MAX; class ++)
		hll_merge(&hosts[0], &hosts[class]);
	s->sources = hll_estimate(&hosts[0]);
	free(hosts);
	return 0;
}

struct active_walk {
	struct collector *collector;
	uint64_t active[AG_SCOPES_MAX + 1];
};

static void count_page(void *arg, uint32_t page, const struct ag_split *split, unsigned int scope)
{
	struct active_walk *walk = arg;
	const struct books *books = walk->collector->books;
	const struct ag_page *seen = &books->seen[page];
	unsigned int day_epoch = atomic_load(&walk->collector->day_epoch);
	unsigned int i;

	for (i = 0; i < AG_PAGE_ADDRESSES; i++) {
		uint32_t epoch = __atomic_load_n(&seen->epoch[i], __ATOMIC_RELAXED);

		if (epoch && epoch >= day_epoch)
			walk->active[split ? split->scope[i] : scope]++;
	}
}

static void count_active(struct collector *c)
{
	struct active_walk walk = {.collector = c};

	pthread_mutex_lock(&c->lock);
	plan_each_page(c->options.plan, count_page, &walk);
	pthread_mutex_unlock(&c->lock);
	memcpy(c->scope_active, walk.active, sizeof(c->scope_active));
}

static void fill_scopes(struct collector *c, struct snapshot *s)
{
	const struct config *config = c->options.config;
	unsigned int i, class;

	s->every_destination = c->options.plan->settings.every_destination;
	s->scopes_count = (unsigned int)config->scopes_count;
	for (i = 0; i <= s->scopes_count && i <= AG_SCOPES_MAX; i++) {
		struct snapshot_scope *scope = &s->scopes[i];

		snprintf(scope->name, sizeof(scope->name), "%s", i ? config->scopes[i - 1].name : "all");
		scope->dark_addresses = i ? c->options.plan->scope_addresses[i] : 0;
		scope->active_addresses = c->scope_active[i];
		for (class = 0; class < AG_CLASS_MAX; class ++) {
			scope->packets[class] = s->totals.class_packets[i][class];
			scope->bytes[class] = s->totals.class_bytes[i][class];
		}
	}
}

/* Counters of the driver since the sensor started. */
static void read_interface(struct watched *w, uint64_t received, struct snapshot_interface *out)
{
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int count = 0, i;
	uint64_t packets;

	w->shown.received = received;
	if (w->shown.present && !nic_read(w->shown.ifindex, w->shown.name, &packets, counters, &count)) {
		w->shown.nic_packets = packets - w->base_packets;
		for (i = 0; i < count && i < w->shown.nic_count; i++) {
			w->shown.nic[i].known = counters[i].known;
			w->shown.nic[i].packets = counters[i].packets - w->base_drops[i];
		}
	}
	*out = w->shown;
}

static uint64_t read_rss_anon(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %lu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return (uint64_t)kib * 1024;
}

static void fill_live(struct collector *c, struct snapshot *s)
{
	unsigned int i;

	s->time_ns = clock_ns(CLOCK_REALTIME);
	s->start_ns = c->start_ns;
	s->rss_anon_bytes = read_rss_anon();
	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->interfaces_count; i++)
		read_interface(&c->interfaces[i], s->totals.interface[i], &s->interfaces[i]);
	s->interfaces_count = c->interfaces_count;
	memcpy(s->checks, c->checks, c->checks_count * sizeof(c->checks[0]));
	s->checks_count = c->checks_count;
	s->checks_ns = c->checks_ns;
	pthread_mutex_unlock(&c->lock);
}

static void fill_promoted(const struct collector *c, struct snapshot *s)
{
	unsigned int i;

	s->promoted = c->options.config->promoted;
	s->promoted_count = c->books->promoted;
	for (i = 0; i < s->promoted_count; i++)
		promoted_count(c->books, i, &s->promoted_reached[i]);
}

static void disable(struct snapshot *s, const char *rule)
{
	unsigned int i;

	for (i = 0; i < s->disabled_rules_count; i++)
		if (!strcmp(s->disabled_rules[i], rule))
			return;
	s->disabled_rules[s->disabled_rules_count++] = rule;
}

static void fill_disabled(const struct collector *c, struct snapshot *s)
{
	unsigned int i;

	for (i = 0; i < COUNT(needs_addresses) && !c->reach.addresses; i++)
		disable(s, needs_addresses[i]);
	for (i = 0; i < COUNT(needs_strangers) && config_uses_self(c->options.config); i++)
		disable(s, needs_strangers[i]);
}

struct snapshot *collector_snapshot(struct collector *c)
{
	struct snapshot *s = snapshot_new();

	if (!s)
		return NULL;
	if (ledger_read(c->books, c->options.live, s) || read_hosts(c, s)) {
		snapshot_unref(&s);
		return NULL;
	}
	reader_totals(c->reader, &s->flow);
	sources_totals(c->sources, &s->kept);
	sources_alert_counts(c->sources, s->alerts);
	s->imbalance[AG_LAW_L3] = s->flow.imbalance;
	if (!c->options.live || c->books->pages <= ACTIVE_PAGES_EVERY_TICK)
		count_active(c);
	s->sequence = ++c->sequence;
	s->engine = engine_name(c->options.engine);
	s->epoch = c->books->control->epoch;
	pthread_mutex_lock(&c->lock);
	fill_scopes(c, s);
	fill_disabled(c, s);
	s->reach = c->reach;
	pthread_mutex_unlock(&c->lock);
	if (c->options.live)
		fill_live(c, s);
	fill_promoted(c, s);
	s->watch = c->options.config->watch;
	s->watch_count = c->options.config->watch_count;
	s->map_bytes = c->books->bytes;
	return s;
}

void collector_begin_interval(struct collector *c, uint64_t begin_ns)
{
	begin_day(c, (int64_t)begin_ns);
	reader_begin(c->reader, begin_ns, (int64_t)begin_ns);
	reader_close(c->reader);
}

void collector_drain(struct collector *c)
{
	reader_drain(c->reader);
}

void collector_finish(struct collector *c)
{
	struct ag_control *control = c->books->control;

	uint64_t end_ns = control->began_ns[control->epoch & 1] + c->options.config->interval_ms * (NS / 1000);

	/* No packet follows: the last packet's day stays what is called today. */
	reader_begin(c->reader, end_ns, (int64_t)end_ns);
	reader_close(c->reader);
}

static double seen_rate(struct collector *c, uint64_t dark)
{
	unsigned int size = RATE_WINDOW_S + 1, oldest;

	c->dark_at[c->rate_next] = dark;
	c->rate_next = (c->rate_next + 1) % size;
	if (c->rate_used < size)
		c->rate_used++;
	oldest = c->rate_used < size ? 0 : c->rate_next;
	return c->rate_used < 2 ? 0 : (double)(dark - c->dark_at[oldest]) / (c->rate_used - 1);
}

/* The first ports of the last hour; hosts are counted of some more, so that who enters the list is known. */
static void update_ports(struct collector *c, struct top_ports *top, unsigned int protocol,
			 const __u64 counts[AG_PORTS], uint64_t now_s)
{
	uint16_t ports[HOSTS_PORTS_MAX];
	unsigned int count;

	top_update(top, counts, now_s);
	count = top_candidates(top, ports, HOSTS_PORTS_MAX);
	hosts_follow(c->hosts, protocol, ports, count);
}

static unsigned int list_ports(struct collector *c, const struct top_ports *top, unsigned int protocol,
			       struct snapshot_port list[SNAPSHOT_TOP_PORTS])
{
	unsigned int count = top_list(top, list), i;

	for (i = 0; i < count; i++)
		list[i].hosts = hosts_of_port(c->hosts, protocol, list[i].port);
	return count;
}

static void tick(struct collector *c, uint64_t ticks)
{
	struct snapshot *s;

	if (ticks && ticks % EPOCH_S == 0)
		count_active(c);
	s = collector_snapshot(c);
	if (!s)
		return;
	s->reach.seen_pps = c->reach.seen_pps = seen_rate(c, s->totals.dark);
	if (ticks % EPOCH_S == 0 || ticks < EPOCH_S) {
		uint64_t now_s = (uint64_t)(clock_ns(CLOCK_MONOTONIC) / NS);

		update_ports(c, c->top_tcp, PROTO_TCP, s->ports.tcp, now_s);
		update_ports(c, c->top_udp, PROTO_UDP, s->ports.udp, now_s);
	}
	s->top_tcp_count = list_ports(c, c->top_tcp, PROTO_TCP, s->top_tcp);
	s->top_udp_count = list_ports(c, c->top_udp, PROTO_UDP, s->top_udp);
	if (c->options.box)
		snapshot_publish(c->options.box, s);
	else
		snapshot_unref(&s);
}

static void *run_collector(void *arg)
{
	struct collector *c = arg;
	int64_t next = clock_ns(CLOCK_MONOTONIC);
	uint64_t ticks = 0;

	while (!atomic_load(&c->stop)) {
		struct timespec until;

		tick(c, ticks++);
		next += NS;
		if (next < clock_ns(CLOCK_MONOTONIC)) /* the machine slept: do not make up for it in a burst */
			next = clock_ns(CLOCK_MONOTONIC) + NS;
		while (!atomic_load(&c->stop) && clock_ns(CLOCK_MONOTONIC) < next) {
			int64_t left = next - clock_ns(CLOCK_MONOTONIC), step = left < NS / 10 ? left : NS / 10;

			until.tv_sec = 0;
			until.tv_nsec = step > 0 ? step : 0;
			nanosleep(&until, NULL);
		}
	}
	tick(c, ticks);
	return NULL;
}

int collector_start(struct collector *c)
{
	struct drain_options options = {
		.engine = c->options.engine,
		.reader = c->reader,
		.interval_ns = (int64_t)c->options.config->interval_ms * (NS / 1000),
		.on_message = c->options.feed ? feed_take : NULL,
		.arg = c->options.feed,
	};
	int err = drain_start(&c->drain, &options);

	if (err)
		return err;
	err = pthread_create(&c->thread, NULL, run_collector, c);

	if (err)
		return -err;
	pthread_setname_np(c->thread, "ag-collect");
	c->running = true;
	return 0;
}

void collector_stop(struct collector *c)
{
	drain_stop(&c->drain);
	if (!c->running)
		return;
	atomic_store(&c->stop, true);
	pthread_join(c->thread, NULL);
	c->running = false;
}
