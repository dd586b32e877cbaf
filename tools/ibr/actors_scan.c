// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_scan.c - scanners: survey organisations, bots and the well-known tools.  Each kind owns the
 * traits its tool leaves in a packet (from the tools' published sources).
 */
#include "actors.h"

#include <stdlib.h>

#define RETRIES_MAX 64

static const uint8_t mss_1460[] = {2, 4, 5, 0xb4};
static const uint8_t mss_1424[] = {2, 4, 5, 0x90};
static const uint8_t mss_536[] = {2, 4, 2, 0x18};
static const uint8_t windows_options[] = {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};

static void set_options(struct tcp_spec *t, const uint8_t *options, size_t len)
{
	t->options = options;
	t->options_len = (uint8_t)len;
}

/* MSS, SACK, timestamps, NOP, window scale: what Linux connect() sends */
static void fill_linux_options(uint8_t o[20], uint32_t mss, uint32_t ts, uint32_t scale)
{
	static const uint8_t shape[20] = {2, 4, 0, 0, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 0};

	memcpy(o, shape, 20);
	put16(o + 2, mss);
	put32(o + 8, ts);
	o[19] = (uint8_t)scale;
}

/* A survey scanner walks very many ports from few addresses; its stack is a plain one of its own. */
static void emit_survey(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 64);
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)(40000 + rng_below(&a->rng, 20000));
	t.seq = rng_u32(&a->rng);
	t.window = p.trait & 1 ? 42340 : 29200;
	set_options(&t, p.trait & 2 ? mss_1460 : mss_1424, 4);
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
}

const struct kind kind_survey = {
	.name = "survey",
	.what = "survey scanners: few sources, very many ports, TCP SYN",
	.emit = emit_survey,
	.ports = "1-1023:20 1024-10000:30 10001-65535:40 80:3 443:3 22:2 8080:2",
};

/* One run: source port and window stay; the sequence number is the destination address. */
static void emit_mirai(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 64);
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)(1024 + (p.trait >> 8) % 64000);
	t.window = (uint16_t)(p.trait >> 32);
	t.seq = get32(p.dst.b);
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_MIRAI);
}

const struct kind kind_mirai = {
	.name = "mirai",
	.what = "Mirai: sequence number = destination, window and source port kept by a run, 23 (9/10) and 2323",
	.emit = emit_mirai,
	.ports = "23:9 2323:1",
	.only_v4 = true,
};

/* A connect() that waits for its retransmissions. */
struct retry {
	uint64_t due_ns;
	struct pick pick;
	uint32_t seq;
	uint16_t sport, dport;
	uint8_t left;
};

struct retries {
	struct retry at[RETRIES_MAX];
	int n;
};

static const struct {
	uint16_t window, mss;
	uint8_t scale;
} stacks[] = {
	{5840, 1460, 1}, {14600, 1460, 4}, {29200, 1460, 7}, {64240, 1460, 7}, {65535, 1400, 8},
};

/* The earliest due connect, or -1 */
static int find_due(const struct retries *r, uint64_t now_ns)
{
	int best = -1;

	for (int i = 0; i < r->n; i++)
		if (r->at[i].due_ns <= now_ns && (best < 0 || r->at[i].due_ns < r->at[best].due_ns))
			best = i;
	return best;
}

/* Waits 1, 2, 4 s: on the wire at 1, 3, 7 s after the first.  When RETRIES_MAX connects wait, others give up.
 */
static void keep_retry(struct actor *a, struct retries *r, const struct retry *now, uint64_t now_ns)
{
	int most = a->retries < 0 ? 3 : a->retries;

	if (!now->left || r->n >= RETRIES_MAX)
		return;
	r->at[r->n] = *now;
	r->at[r->n].left--;
	r->at[r->n++].due_ns = now_ns + (NS_PER_S << (most - now->left));
}

static void emit_iot(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S};
	struct retries *r = a->state;
	struct retry c;
	struct ip_spec ip;
	uint8_t options[20];
	size_t stack;
	int due;

	if (!r)
		r = a->state = calloc(1, sizeof(*r));
	due = r ? find_due(r, stage->now_ns) : -1;
	if (due >= 0) {
		c = r->at[due];
		r->at[due] = r->at[--r->n];
		a->sent++;
	} else {
		actor_pick(a, stage, &c.pick);
		c.seq = rng_u32(&a->rng);
		c.dport = (uint16_t)actor_port(a);
		c.sport = (uint16_t)rng_between(&a->rng, 32768, 60999);
		c.left = (uint8_t)(a->retries < 0 ? 3 : a->retries);
	}
	if (r)
		keep_retry(a, r, &c, stage->now_ns);
	actor_ip(a, &c.pick, &ip, 6, 64);
	ip.frag = IP_DF;
	stack = (c.pick.trait >> 40) % ARRAY_LEN(stacks);
	t.seq = c.seq;
	t.sport = c.sport;
	t.dport = c.dport;
	t.window = stacks[stack].window;
	fill_linux_options(options, stacks[stack].mss,
			   (uint32_t)(stage->now_ns / 1000000 + (c.pick.trait >> 44)), stacks[stack].scale);
	set_options(&t, options, sizeof(options));
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
}

const struct kind kind_iot = {
	.name = "iot",
	.what = "bots that connect() through their kernel: full options, DF, retransmissions at 1, 3, 7 s",
	.emit = emit_iot,
	.ports = "23:40 2323:4 80:8 81:4 8080:6 5555:5 37215:3 52869:2 22:8 7547:2 8443:1 60023:1",
};

enum { ZMAP_OLD, ZMAP_MSS, ZMAP_NEW, ZMAP_LINUX, ZMAP_BSD, ZMAP_SMALLEST };

/* Options of an ID 54321 ZMap: 2.x sent none; a later build MSS 1460; others are seen with 536 and 1424. */
static void set_old_zmap_options(struct tcp_spec *t, const struct pick *p)
{
	static const uint8_t *const mss[] = {mss_1460, mss_536, mss_1424};

	set_options(t, mss[p->trait % 3], 4);
}

static void emit_zmap(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t bsd[] = {2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10,
				      0, 0, 0, 0,    0, 0, 0, 0, 4, 2, 0, 0};
	struct tcp_spec t = {.flags = TCP_S, .window = 65535};
	int variant = actor_variant(a);
	bool old = variant == ZMAP_OLD || variant == ZMAP_MSS;
	uint8_t options[24];
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, old ? 255 : 64);
	if (old && a->ipid < 0)
		ip.id = 54321;
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)rng_between(&a->rng, 32768, 61000);
	t.seq = rng_u32(&a->rng);
	switch (variant) {
	case ZMAP_MSS:
		set_old_zmap_options(&t, &p);
		break;
	case ZMAP_NEW:
		set_options(&t, windows_options, sizeof(windows_options));
		break;
	case ZMAP_LINUX:
		fill_linux_options(options, 1460, (uint32_t)(stage->now_ns / NS_PER_S), 7);
		set_options(&t, options, 20);
		break;
	case ZMAP_BSD:
		memcpy(options, bsd, sizeof(bsd));
		put32(options + 12, (uint32_t)(stage->now_ns / NS_PER_S));
		set_options(&t, options, sizeof(bsd));
		break;
	case ZMAP_SMALLEST:
		set_options(&t, mss_1460, 4);
		break;
	}
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN,
		       a->ipid >= 0	     ? TOOL_NONE
		       : old		     ? TOOL_ZMAP
		       : variant == ZMAP_NEW ? TOOL_ZMAP4
					     : TOOL_NONE);
}

static const char *const zmap_variants[] = {"old", "old-mss", "new", "linux", "bsd", "smallest", NULL};

const struct kind kind_zmap = {
	.name = "zmap",
	.what = "ZMap: up to 4.0 (ID 54321, TTL 255), from 4.1 (random ID, TTL 64, options of a chosen system)",
	.emit = emit_zmap,
	.variants = zmap_variants,
	.ports = "80 443 22 8080 3389",
};

enum { MASSCAN_OLD, MASSCAN_NEW, MASSCAN_ICMP };

static void emit_masscan(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S};
	int variant = actor_variant(a);
	uint32_t fold;
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 255);
	if (variant == MASSCAN_ICMP) {
		uint8_t echo[48];

		for (size_t i = 0; i < sizeof(echo); i++)
			echo[i] = (uint8_t)(i + 8);
		ip.protocol = ip.src.is6 ? 58 : 1;
		frame_start(f, &a->path);
		frame_ip(f, &ip);
		frame_icmp(f, ip.src.is6 ? 128 : 8, 0, rng_u32(&a->rng), echo, sizeof(echo));
		f->v.class = CLASS_SCAN;
		frame_end(f);
		return;
	}
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)(40000 + p.trait % 20000);
	t.seq = rng_u32(&a->rng);
	fold = get32(p.dst.b) ^ t.dport ^ t.seq;
	ip.id = (uint16_t)fold;
	t.window = variant == MASSCAN_NEW ? 1025 : 1024;
	if (variant == MASSCAN_NEW)
		set_options(&t, mss_1460, 4);
	/* over IPv6 there is no ID that could tell */
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, ip.src.is6 ? TOOL_NONE : TOOL_MASSCAN);
}

static const char *const masscan_variants[] = {"old", "new", "icmp", NULL};

const struct kind kind_masscan = {
	.name = "masscan",
	.what = "masscan: ID = destination ^ port ^ sequence number; old: window 1024, no options; new: 1025, MSS",
	.emit = emit_masscan,
	.variants = masscan_variants,
	.ports = "80 443 22 3306 6379 8080 5900 1-65535:2",
};

enum { NMAP_SYN, NMAP_NULL, NMAP_FIN, NMAP_XMAS, NMAP_ACK, NMAP_ECN };

static void emit_nmap(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t flags[] = {TCP_S, 0, TCP_F, TCP_F | TCP_P | TCP_U, TCP_A, TCP_S | TCP_E | TCP_C};
	int variant = actor_variant(a);
	struct tcp_spec t = {.flags = flags[variant], .window = 1024};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	/* TTL starts at 37 to 59, chosen anew each packet; some hops are gone */
	actor_ip(a, &p, &ip, 6, 64);
	if (a->ttl < 0)
		ip.ttl = (uint8_t)(rng_between(&a->rng, 37, 59) - 8 - (p.trait >> 20) % 8);
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)(33000 + p.trait % 30000);
	t.seq = (uint32_t)(p.trait >> 16);
	if (variant == NMAP_SYN)
		set_options(&t, mss_1460, 4);
	if (variant == NMAP_ACK)
		t.seq = 0;
	if (variant == NMAP_ECN) {
		t.window = 3;
		set_options(&t, windows_options, sizeof(windows_options));
	}
	actor_send_tcp(a, f, &ip, &t, actor_tcp_class(t.flags), variant == NMAP_SYN ? TOOL_NMAP : TOOL_NONE);
}

static const char *const nmap_variants[] = {"syn", "null", "fin", "xmas", "ack", "ecn", NULL};

const struct kind kind_nmap = {
	.name = "nmap",
	.what = "nmap: SYN (window 1024, MSS 1460 only, TTL at most 59), NULL, FIN, XMAS, ACK and ECN probes",
	.emit = emit_nmap,
	.variants = nmap_variants,
	.ports = "1-1024 3306 3389 5432 5900 8080 8443",
};

/* key = seq ^ destination as it lies in memory ^ ports; one key a run, and a profile of its own. */
static void emit_unicornscan(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S, .window = 4128};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 255);
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)rng_between(&a->rng, 1025, 65534);
	t.seq = (uint32_t)p.trait ^ __builtin_bswap32(get32(p.dst.b)) ^ (((uint32_t)t.dport << 16) + t.sport);
	set_options(&t, mss_1460, 4);
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_UNICORNSCAN);
}

const struct kind kind_unicornscan = {
	.name = "unicornscan",
	.what = "unicornscan: sequence number from one key a run, TTL 255, window 4128",
	.emit = emit_unicornscan,
	.ports = "21 22 23 25 80 110 139 443 445 3389",
	.only_v4 = true,
};

static void emit_hping(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t = {.flags = TCP_S, .window = 512};
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 64);
	if (a->flags >= 0)
		t.flags = (uint8_t)a->flags;
	t.dport = (uint16_t)actor_port(a);
	t.sport = (uint16_t)(1024 + (p.trait % 2000 + a->sent) % 60000);
	t.seq = rng_u32(&a->rng);
	t.ack = rng_u32(&a->rng);
	actor_send_tcp(a, f, &ip, &t, actor_tcp_class(t.flags), t.flags == TCP_S ? TOOL_HPING : TOOL_NONE);
}

const struct kind kind_hping = {
	.name = "hping",
	.what = "hping: window 512, no options, source port counting up",
	.emit = emit_hping,
	.ports = "80 443 53",
};
