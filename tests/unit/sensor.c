// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test's own books (sensor.h). Everything here is written from definitions and RFCs, and shares no function
 * with the pipeline.
 */
#include <sched.h>
#include <stdlib.h>

#include "sensor.h"

#define XDP_DROPS  1
#define XDP_PASSES 2

static struct plan_prefix prefix4(uint32_t address, unsigned int length, unsigned int scope)
{
	struct plan_prefix p = {.prefix = {.family = 4, .length = (uint8_t)length}, .scope = scope};

	for (unsigned int i = 0; i < 4; i++)
		p.prefix.addr[i] = (uint8_t)(address >> (24 - 8 * i));
	return p;
}

static struct plan_prefix prefix6(const uint8_t address[16], unsigned int length, unsigned int scope)
{
	struct plan_prefix p = {.prefix = {.family = 6, .length = (uint8_t)length}, .scope = scope};

	memcpy(p.prefix.addr, address, 16);
	return p;
}

bool runs_in_kernel(void)
{
	const char *engine = getenv("AIRGLOW_UNIT_ENGINE");

	if (!engine || !strcmp(engine, "native"))
		return false;
	cr_assert_str_eq(engine, "kernel", "AIRGLOW_UNIT_ENGINE is native or kernel");
	return true;
}

void under_test_new(struct pipeline_under_test *u, const struct table_sizes *sizes)
{
	char why[256] = "";

	if (runs_in_kernel())
		cr_assert_eq(kernel_new(&u->kernel, sizes, true, NULL, why, sizeof(why)), 0, "%s", why);
	else
		cr_assert_eq(native_new(&u->native, sizes), 0);
}

void sensor_go_live(struct sensor *s)
{
	struct pipeline_under_test *u = &s->under_test;
	struct ag_control control = *s->tables->control;
	cpu_set_t first;
	char why[256] = "";

	if (!u->kernel) {
		native_rodata(u->native)->replay = 0;
		return;
	}
	CPU_ZERO(&first);
	CPU_SET(0, &first); /* the only slice is its */
	cr_assert_eq(sched_setaffinity(0, sizeof(first), &first), 0);
	kernel_free(&u->kernel);
	cr_assert_eq(kernel_new(&u->kernel, &s->second.sizes, false, NULL, why, sizeof(why)), 0, "%s", why);
	s->tables = under_test_tables(u);
	cr_assert_eq(tables_write(s->tables, 0, s->plan), 0);
	*s->tables->control = control;
}

int sensor_messages(struct sensor *s, engine_message_fn *handler, void *arg)
{
	const struct pipeline_under_test *u = &s->under_test;

	return u->kernel ? kernel_wait(u->kernel, 0, handler, arg) : native_wait(u->native, handler, arg);
}

void under_test_free(struct pipeline_under_test *u)
{
	native_free(&u->native);
	kernel_free(&u->kernel);
}

struct tables *under_test_tables(const struct pipeline_under_test *u)
{
	return u->kernel ? kernel_tables(u->kernel) : native_tables(u->native);
}

int under_test_run(const struct pipeline_under_test *u, const struct ag_replay *word, const uint8_t *bytes)
{
	return u->kernel ? kernel_run(u->kernel, word, bytes) : native_run(u->native, word, bytes);
}

static struct sensor *make_sensor(struct plan *plan, unsigned int slices)
{
	struct sensor *s = calloc(1, sizeof(*s));
	struct table_sizes sizes = tables_size(plan, slices, 1, false);

	cr_assert(s);
	s->plan = plan;
	under_test_new(&s->under_test, &sizes);
	s->tables = under_test_tables(&s->under_test);
	cr_assert_eq(tables_write(s->tables, 0, plan), 0);
	s->tables->control->epoch = 1;
	s->second.sizes = sizes;
	s->second.counters = calloc(1, sizeof(*s->second.counters));
	s->second.ports = calloc(1, sizeof(*s->second.ports));
	s->second.intervals = calloc(2, sizeof(*s->second.intervals));
	s->second.icmp = calloc(1, sizeof(*s->second.icmp));
	s->second.visits = calloc(sizes.visits, sizeof(*s->second.visits));
	s->second.seen = calloc(sizes.pages, sizeof(*s->second.seen));
	return s;
}

struct sensor *sensor_new(bool shared)
{
	static const uint8_t net6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
	static const uint8_t hole6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0x80, 0};
	struct plan_prefix prefixes[] = {
		prefix4(0xc6336400, 24, 1), prefix4(0xcb007100, 25, 2), prefix4(0xcb007140, 28, 0),
		prefix6(net6, 48, 3),	    prefix6(hole6, 64, 0),	prefix4(0x2d3c0000, 23, 4),
	};
	struct plan *plan = NULL;
	char why[256] = "";

	cr_assert_eq(plan_new(&plan, prefixes, sizeof(prefixes) / sizeof(prefixes[0]), false, why, sizeof(why)),
		     0, "%s", why);
	plan->settings.promoted_slots = 2; /* and nobody in them */
	return make_sensor(plan, shared ? 0 : 1);
}

struct sensor *sensor_new_self(void)
{
	static const uint8_t loopback6[16] = {[15] = 1};
	struct plan_prefix prefixes[] = {prefix4(DARK4, 32, 1), prefix4(0x7f000001, 32, 1),
					 prefix6(dark6, 128, 3), prefix6(loopback6, 128, 3)};
	struct plan *plan = NULL;
	char why[256] = "";

	cr_assert_eq(plan_new(&plan, prefixes, sizeof(prefixes) / sizeof(prefixes[0]), false, why, sizeof(why)),
		     0, "%s", why);
	plan->settings.interfaces[0].feed = AG_FEED_SELF;
	return make_sensor(plan, 1);
}

struct sensor *sensor_new_everywhere(void)
{
	struct plan *plan = NULL;
	char why[256] = "";

	cr_assert_eq(plan_new(&plan, NULL, 0, true, why, sizeof(why)), 0, "%s", why);
	return make_sensor(plan, 1);
}

void sensor_free(struct sensor *s)
{
	under_test_free(&s->under_test);
	plan_free(&s->plan);
	free(s->second.counters);
	free(s->second.ports);
	free(s->second.intervals);
	free(s->second.icmp);
	free(s->second.visits);
	free(s->second.seen);
	free(s);
}

struct ag_settings *sensor_settings(struct sensor *s)
{
	return &s->tables->settings[0];
}

struct want want_outcome(enum ag_outcome outcome)
{
	struct want w = {.outcome = outcome};

	return w;
}

static uint32_t read32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct want want_dark(const struct frame *f)
{
	const uint8_t *ip = f->bytes + f->ip;
	struct want w = {.outcome = AG_OUTCOME_DARK, .class = AG_CLASS_OTHER, .family = f->family};

	if (f->family == 4) {
		w.bytes = read32(ip) & 0xffff;
		w.protocol = ip[9];
		w.host = read32(ip + 12);
		w.dst4 = read32(ip + 16);
		w.scope = 1;
	} else {
		w.bytes = 40 + (read32(ip + 4) >> 16);
		w.protocol = ip[6];
		w.host = (uint64_t)read32(ip + 8) << 32 | read32(ip + 12);
		w.scope = 3;
	}
	return w;
}

struct want want_tcp(const struct frame *f, enum ag_class class)
{
	struct want w = want_dark(f);

	w.class = class;
	w.protocol = 6;
	w.has_port = w.has_flags = true;
	w.port = read32(f->bytes + f->l4) & 0xffff;
	w.flags = f->bytes[f->l4 + 13];
	return w;
}

struct want want_udp(const struct frame *f, enum ag_class class)
{
	struct want w = want_dark(f);

	w.class = class;
	w.protocol = 17;
	w.has_port = true;
	w.port = read32(f->bytes + f->l4) & 0xffff;
	return w;
}

struct want want_icmp(const struct frame *f, enum ag_class class)
{
	struct want w = want_dark(f);

	w.class = class;
	w.protocol = f->family == 4 ? 1 : 58;
	w.has_icmp = true;
	w.icmp = read32(f->bytes + f->l4) >> 16;
	return w;
}

/* HyperLogLog as in the paper, on the finalizer that abi 1 fixes ("Mix13"); IPv4 keys carry bit 32. */
static void touch_host(struct ag_hll *hosts, const struct want *w)
{
	uint64_t x = w->family == 4 ? 0x100000000ULL + w->host : w->host;
	unsigned int rank = 1, at;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	at = (unsigned int)(x >> 50);
	for (int i = 49; i >= 0 && !(x >> i & 1); i--)
		rank++;
	if (hosts->reg[at] < rank)
		hosts->reg[at] = (uint8_t)rank;
}

static unsigned int size_step(unsigned int bytes)
{
	static const unsigned int steps[] = {40, 44, 48, 52, 60, 64, 80, 128, 256, 512, 1024, 1500};
	unsigned int i = 0;

	while (i < sizeof(steps) / sizeof(steps[0]) && bytes > steps[i])
		i++;
	return i;
}

/* One packet into the test's books. */
static void enter(struct sensor *s, const struct want *w, unsigned int wirelen)
{
	struct ag_interval *interval = &s->second.intervals[s->tables->control->epoch & 1];
	struct ag_counters *c = s->second.counters;
	uint32_t index = UINT32_MAX;

	c->received++;
	c->wire_bytes += wirelen;
	c->interface[0]++;
	c->outcome[w->outcome]++;
	if (w->outcome == AG_OUTCOME_SERVICE && w->port < s->second.sizes.visits)
		s->second.visits[w->port]++;
	if (w->outcome != AG_OUTCOME_DARK)
		return;
	c->dark++;
	c->class_packets[w->scope][w->class]++;
	c->class_bytes[w->scope][w->class] += w->bytes;
	c->protocol[w->protocol]++;
	if (w->has_port)
		(w->protocol == 6 ? s->second.ports->tcp : s->second.ports->udp)[w->port]++;
	else
		c->no_port++;
	c->size[size_step(w->bytes)]++;
	if (w->has_flags)
		c->tcp_flags[w->flags]++;
	if (w->has_icmp)
		(w->family == 4 ? s->second.icmp->v4 : s->second.icmp->v6)[w->icmp]++;
	if (w->service)
		c->service[w->direction][w->service]++;
	if (w->has_tool)
		c->tool[w->tool]++;
	for (unsigned int i = 0; i < AG_ANOMALY_MAX; i++)
		c->anomaly[i] += w->anomalies >> i & 1;
	interval->dark++;
	interval->lost[AG_LOST_CPU] += !s->second.sizes.slices;
	touch_host(&interval->hosts[w->class], w);
	if (w->family == 4 && w->scope) {
		plan_lookup4(s->plan, w->dst4, &index);
		s->second.seen[index / AG_PAGE_ADDRESSES].epoch[index % AG_PAGE_ADDRESSES] =
			s->tables->control->epoch;
	}
}

/* Words of two tables that differ, by field. */
static void compare_words(const char *table, const void *got, const void *want, size_t bytes, const char *file,
			  int line)
{
	const uint64_t *g = got, *w = want;

	if (!memcmp(got, want, bytes))
		return;
	for (size_t i = 0; i < bytes / 8; i++)
		cr_expect_eq(g[i], w[i], "%s:%d: %s: word %zu is %llu, must be %llu", file, line, table, i,
			     (unsigned long long)g[i], (unsigned long long)w[i]);
	cr_assert(false, "%s:%d: books differ", file, line);
}

#define FIELD(name)                                                                                            \
	{                                                                                                      \
#name, offsetof(struct ag_counters, name), sizeof(((struct ag_counters *)0)->name)             \
	}

static void compare_counters(const struct ag_counters *got, const struct ag_counters *want, const char *file,
			     int line)
{
	static const struct {
		const char *name;
		size_t at, bytes;
	} fields[] = {FIELD(received),	    FIELD(dark),       FIELD(no_port),	FIELD(wire_bytes),
		      FIELD(interface),	    FIELD(outcome),    FIELD(protocol), FIELD(tcp_flags),
		      FIELD(tool),	    FIELD(service),    FIELD(anomaly),	FIELD(size),
		      FIELD(class_packets), FIELD(class_bytes)};
	size_t checked = 0;
	bool same = !memcmp(got, want, sizeof(*got));

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const uint64_t *g = (const uint64_t *)((const char *)got + fields[i].at);
		const uint64_t *w = (const uint64_t *)((const char *)want + fields[i].at);

		checked += fields[i].bytes;
		for (size_t k = 0; !same && k < fields[i].bytes / 8; k++)
			cr_expect_eq(g[k], w[k], "%s:%d: %s[%zu] is %llu, must be %llu", file, line,
				     fields[i].name, k, (unsigned long long)g[k], (unsigned long long)w[k]);
	}
	cr_assert_eq(checked, sizeof(*got), "a counter that no case looks at");
	cr_assert(same, "%s:%d: books differ", file, line);
}

/* L3's left side, what a sensor without a flow cache loses, and hosts; records are test_track's. */
static void compare_interval(struct sensor *s, const char *file, int line)
{
	unsigned int parity = s->tables->control->epoch & 1;
	const struct ag_interval *got = &s->tables->intervals[parity], *want = &s->second.intervals[parity];

	cr_assert_eq(got->dark, want->dark, "%s:%d: dark of the interval", file, line);
	compare_words("lost", got->lost, want->lost, sizeof(got->lost), file, line);
	compare_words("hosts", got->hosts, want->hosts, sizeof(got->hosts), file, line);
}

static bool must_drop(const struct ag_settings *settings, const struct want *w)
{
	unsigned int feed = settings->interfaces[0].feed;

	return w->outcome == AG_OUTCOME_DARK && (feed == AG_FEED_ROUTED || feed == AG_FEED_MIRROR);
}

void sensor_check(struct sensor *s, const struct frame *f, unsigned int caplen, unsigned int wirelen,
		  struct want want, const char *file, int line)
{
	struct ag_replay word = {.wirelen = wirelen, .caplen = (__u16)caplen, .flags = (__u16)s->flags};
	uint8_t *bytes =
		malloc(caplen ? caplen : 1); /* exactly so many: the sanitizer sees a read behind them */
	int verdict;

	cr_assert(bytes);
	memcpy(bytes, f->bytes, caplen);
	verdict = under_test_run(&s->under_test, &word, bytes);
	free(bytes);
	enter(s, &want, wirelen);
	cr_assert_eq(verdict, must_drop(sensor_settings(s), &want) ? XDP_DROPS : XDP_PASSES,
		     "%s:%d: verdict %d", file, line, verdict);
	compare_counters(s->tables->counters, s->second.counters, file, line);
	compare_words("ports", s->tables->ports, s->second.ports, sizeof(*s->second.ports), file, line);
	compare_words("icmp", s->tables->icmp, s->second.icmp, sizeof(*s->second.icmp), file, line);
	compare_interval(s, file, line);
	compare_words("visits", s->tables->visits, s->second.visits,
		      s->second.sizes.visits * sizeof(*s->second.visits), file, line);
	compare_words("seen", s->tables->seen, s->second.seen, s->second.sizes.pages * sizeof(*s->second.seen),
		      file, line);
}
