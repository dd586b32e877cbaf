// SPDX-License-Identifier: GPL-2.0-only
/*
 * The collector (collect.h): gives the records of intervals to those who keep them (sources, hosts), and
 * publishes a snapshot a second from what the others know: ledger, reader, sources, hosts, today, top, nic.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/collect.h"
#include "collect/drain.h"
#include "collect/hll.h"
#include "collect/hosts.h"
#include "collect/interval.h"
#include "collect/kept.h"
#include "collect/ledger.h"
#include "collect/nic.h"
#include "collect/promoted.h"
#include "collect/reach.h"
#include "collect/today.h"
#include "collect/top.h"
#include "collect/interface.h"

#define PROTO_TCP     6
#define PROTO_UDP     17
#define EPOCH_S	      10
#define RATE_WINDOW_S 60
#define SOURCES_SHARE 4 /* sources and flows take a quarter as much as all maps together may */
/* Up to a /14 the active addresses are counted every second, beyond every interval: 1 KiB is read a page. */
#define ACTIVE_PAGES_EVERY_TICK 1024

struct collector {
	struct collector_options options;
	struct books *books;
	struct ag_kept *kept;
	struct top_ports *top_tcp, *top_udp;
	struct snapshot_reach reach;
	uint64_t scope_active[AG_SCOPES_MAX + 1];
	struct hosts *hosts;
	struct sources *sources;
	uint64_t first_began_ns;
	struct reader *reader;
	struct drain *drain;
	struct today today;
	uint64_t dark_at[RATE_WINDOW_S + 1]; /* ring, one a second */
	unsigned int rate_next, rate_used;
	uint64_t sequence;
	int64_t process_start_ns;
	__u64 watch_before[AG_WATCH_MAX];
	__u64 alerts_before[AG_ALERT_MAX], forgotten_before; /* what earlier processes told */

	pthread_mutex_t setup; /* plan and configuration, while a snapshot is made of them */
	pthread_mutex_t lock;  /* interfaces, gaps, checks */
	struct interface interfaces[AG_INTERFACES_MAX];
	unsigned int interfaces_count;
	struct gaps gaps;
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

/* A new UTC day begins with the interval after the one in which the old day ended. */
static void take_interval(void *arg, const struct interval *interval)
{
	struct collector *c = arg;

	hosts_add(c->hosts, tick_of(c, interval), interval->hosts);
	sources_close(c->sources, interval->end_ns);
	if (c->options.live)
		today_move(&c->today, interval->end_ns, interval->epoch + 1);
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

/* All packets by port and by scope, now. */
static void read_now(const struct collector *c, struct ag_ports *ports, struct ag_counters *counters)
{
	unsigned int slice;

	*ports = c->books->carried->ports;
	*counters = c->books->carried->counters;
	for (slice = 0; slice <= c->books->slices; slice++) {
		ledger_add(ports, &c->books->ports[slice], sizeof(*ports));
		ledger_add(counters, &c->books->counters[slice], sizeof(*counters));
	}
}

/* Series of ports and scopes that are new from now on begin with what they get from now on. */
static int begin_series(struct collector *c)
{
	struct ag_ports *ports = malloc(sizeof(*ports));
	struct ag_counters *counters = malloc(sizeof(*counters));
	int err = ports && counters ? 0 : -ENOMEM;

	if (!err) {
		read_now(c, ports, counters);
		kept_watch(c->kept, c->options.config, ports, c->watch_before);
		kept_show_scopes(c->kept, c->options.config, counters);
	}
	free(ports);
	free(counters);
	return err;
}

static void begin_live(struct collector *c)
{
	int64_t now_ns = clock_ns(CLOCK_REALTIME);

	c->process_start_ns = now_ns;
	kept_begin(c->kept, now_ns);
	kept_load_gaps(c->kept, &c->gaps);
	kept_end_gaps(&c->gaps, c->options.config, now_ns);
	memcpy(c->alerts_before, c->kept->alerts, sizeof(c->alerts_before));
	c->forgotten_before = c->kept->forgotten_sources;
	reader_begin(c->reader, (uint64_t)clock_ns(CLOCK_MONOTONIC_COARSE), now_ns);
	today_go_on(&c->today, now_ns);
}

int collector_new(struct collector **out, const struct collector_options *options, char *why, size_t why_size)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		goto exit_memory;
	c->options = *options;
	config_ref(c->options.config);
	c->books = engine_books(options->engine);
	c->kept = &c->books->collected->kept;
	reach_from_addresses(&c->reach, options->plan->settings.every_destination ? options->config->addresses
										  : options->plan->addresses);
	c->reader = reader_new(c->books, &(struct sink){c, take_records, take_interval});
	c->hosts = hosts_new();
	c->sources = make_sources(c);
	if (options->live)
		kept_commit_scopes(c->kept, options->config); /* before they are shown */
	if (!c->reader || !c->hosts || !c->sources || top_new(&c->top_tcp) || top_new(&c->top_udp) ||
	    begin_series(c))
		goto exit_memory;
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->setup, NULL);
	today_begin(&c->today, c->books);
	if (options->live)
		begin_live(c);
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
	config_free(&c->options.config);
	free(c);
	*collector = NULL;
}

int collector_add_interface(struct collector *c, const char *name, unsigned int slot, enum ag_feed feed,
			    const char *xdp_mode)
{
	struct interface *w;

	if (c->interfaces_count == AG_INTERFACES_MAX || slot >= AG_INTERFACES_MAX)
		return -ENOSPC;
	w = &c->interfaces[c->interfaces_count];
	snprintf(w->shown.name, sizeof(w->shown.name), "%s", name);
	snprintf(w->shown.xdp_mode, sizeof(w->shown.xdp_mode), "%s", xdp_mode);
	w->slot = slot;
	w->shown.ifindex = c->options.plan->settings.interfaces[slot].ifindex;
	w->shown.feed = feed;
	w->shown.present = true;
	interface_begin(w, &c->kept->interfaces[slot]);
	c->interfaces_count++;
	return 0;
}

void collector_reload(struct collector *c, struct config *config, const struct plan *plan)
{
	struct ag_thresholds thresholds;
	double seen_pps;

	pthread_mutex_lock(&c->setup);
	config_ref(config); /* it may be the same one */
	config_free(&c->options.config);
	c->options.config = config;
	c->options.plan = plan;
	kept_commit_scopes(c->kept, config);
	if (begin_series(c))
		memset(c->watch_before, 0, sizeof(c->watch_before));
	seen_pps = c->reach.seen_pps;
	reach_from_addresses(&c->reach, plan->addresses);
	c->reach.seen_pps = seen_pps;
	thresholds = config_thresholds(config);
	sources_use(c->sources, &thresholds);
	if (c->options.feed)
		feed_use(c->options.feed, &plan->settings);
	pthread_mutex_unlock(&c->setup);
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

void collector_set_present(struct collector *c, const char *name, bool present)
{
	unsigned int i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->interfaces_count; i++)
		if (!strcmp(c->interfaces[i].shown.name, name))
			c->interfaces[i].shown.present = present;
	pthread_mutex_unlock(&c->lock);
}

void collector_open_gap(struct collector *c, const char *subject, const char *reason)
{
	pthread_mutex_lock(&c->lock);
	gaps_open(&c->gaps, subject, clock_ns(CLOCK_REALTIME), reason);
	pthread_mutex_unlock(&c->lock);
}

void collector_close_gap(struct collector *c, const char *subject)
{
	pthread_mutex_lock(&c->lock);
	gaps_close(&c->gaps, subject, clock_ns(CLOCK_REALTIME));
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

static void fill_scopes(struct collector *c, struct snapshot *s)
{
	const struct config *config = c->options.config;
	unsigned int i, class;

	s->every_destination = c->options.plan->settings.every_destination;
	s->scopes_count = (unsigned int)config->scopes_count;
	memcpy(s->shown, c->kept->shown, sizeof(s->shown));
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
	s->start_ns = c->kept->start_ns;
	s->process_start_ns = c->process_start_ns;
	s->rss_anon_bytes = read_rss_anon();
	s->process_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->interfaces_count; i++)
		interface_read(&c->interfaces[i], s->totals.interface[c->interfaces[i].slot],
			       &c->kept->interfaces[c->interfaces[i].slot], &s->interfaces[i]);
	s->interfaces_count = c->interfaces_count;
	s->gaps = c->gaps;
	kept_store_gaps(c->kept, &c->gaps);
	memcpy(s->checks, c->checks, c->checks_count * sizeof(c->checks[0]));
	s->checks_count = c->checks_count;
	s->checks_ns = c->checks_ns;
	pthread_mutex_unlock(&c->lock);
}

static void fill_promoted(const struct collector *c, struct snapshot *s)
{
	unsigned int i;

	s->promoted = s->config->promoted;
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

/*
 * Totals that userspace makes go on from what earlier processes told. They are kept before the snapshot is
 * shown, so that the next process begins with no less.
 */
static void fill_told(struct collector *c, struct snapshot *s)
{
	unsigned int i;

	sources_totals(c->sources, &s->kept);
	sources_alert_counts(c->sources, s->alerts);
	s->kept.forgotten_sources += c->forgotten_before;
	for (i = 0; i < AG_ALERT_MAX; i++)
		s->alerts[i] += c->alerts_before[i];
	c->kept->forgotten_sources = s->kept.forgotten_sources;
	memcpy(c->kept->alerts, s->alerts, sizeof(s->alerts));
}

static void fill_snapshot(struct collector *c, struct snapshot *s)
{
	reader_totals(c->reader, &s->flow);
	fill_told(c, s);
	s->imbalance[AG_LAW_L3] = s->flow.imbalance;
	if (!c->options.live || c->books->pages <= ACTIVE_PAGES_EVERY_TICK)
		today_active(&c->today, c->options.plan, c->scope_active);
	s->sequence = ++c->sequence;
	s->engine = engine_name(c->options.engine);
	s->slices = c->books->slices;
	engine_booked_cpus(c->options.engine, s->booked_cpus);
	s->epoch = c->books->control->epoch;
	s->config = config_ref(c->options.config);
	fill_scopes(c, s);
	fill_disabled(c, s);
	if (c->options.live)
		fill_live(c, s);
	fill_promoted(c, s);
	s->reach = c->reach;
	s->watch = s->config->watch;
	s->watch_count = s->config->watch_count;
	memcpy(s->watch_before, c->watch_before, sizeof(s->watch_before));
	s->map_bytes = c->books->bytes;
}

struct snapshot *collector_snapshot(struct collector *c)
{
	struct snapshot *s = snapshot_new();

	if (!s)
		return NULL;
	pthread_mutex_lock(&c->setup);
	if (ledger_read(c->books, c->options.live, s) || read_hosts(c, s))
		snapshot_unref(&s);
	else
		fill_snapshot(c, s);
	pthread_mutex_unlock(&c->setup);
	return s;
}

void collector_begin_interval(struct collector *c, uint64_t begin_ns)
{
	today_move(&c->today, (int64_t)begin_ns, 1);
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

	if (ticks && ticks % EPOCH_S == 0) {
		pthread_mutex_lock(&c->setup);
		today_active(&c->today, c->options.plan, c->scope_active);
		pthread_mutex_unlock(&c->setup);
	}
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

	pthread_setname_np(pthread_self(), "ag-collect");
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
