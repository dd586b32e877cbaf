// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - ibr: Internet background radiation with known truth.  Owns the command line and the one
 * way through a run: scenario, limits, way out, truth.
 */
#include "live.h"
#include "pcap.h"
#include "service.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define PCAP_PACKETS	 100000 /* of a capture without any limit */
#define PACKET_RATE_MOST 50000	/* pps; above, frames go out through XDP */

/* default.S */
extern const char default_scenario[];
extern const uint64_t default_scenario_len;

enum way { WAY_AUTO, WAY_PACKET, WAY_XDP };

struct options {
	const char *scenario, *pcap, *live, *truth, *dst_mac, *src_mac;
	uint64_t seed, packets, rate_pps, snaplen, truth_sources;
	double seconds;
	struct prefix_list dark;
	bool has_seed, has_packets, has_rate, no_decap;
	enum way way;
};

static const char usage[] =
	"usage: ibr [options] --pcap FILE | --live INTERFACE\n"
	"Makes Internet background radiation to a scenario, and writes down what it sent.\n"
	"\n"
	"  -s, --scenario FILE    who does what (YAML); without it the mix of NICTER 2025\n"
	"      --pcap FILE        write a capture (- is standard output)\n"
	"      --live INTERFACE   send; needs root\n"
	"      --truth FILE       write what was sent, as JSON\n"
	"      --truth-sources N  list sources if they are at most N (default 1000000, 0 = never)\n"
	"      --packets N        so many packets\n"
	"      --seconds S        or for so long\n"
	"      --rate PPS         instead of the scenario's; 0 = as fast as it goes (live only)\n"
	"      --seed N           instead of the scenario's; the same seed gives the same bytes\n"
	"      --dark PREFIX[,…]  instead of the scenario's dark prefixes; repeatable\n"
	"      --dst-mac MAC  --src-mac MAC\n"
	"      --snaplen N        bytes of a frame that the capture keeps (default 65535)\n"
	"      --send auto|packet|xdp   the way out of --live (default: packet up to 50000 pps)\n"
	"      --no-decap         the sensor opens no tunnel: book them by their outer destination\n"
	"      --print-scenario   print the built-in scenario\n"
	"      --kinds, --services    list what a scenario can name\n"
	"      --help\n";

enum {
	OPT_PCAP = 256,
	OPT_LIVE,
	OPT_TRUTH,
	OPT_SOURCES,
	OPT_PACKETS,
	OPT_SECONDS,
	OPT_RATE,
	OPT_SEED,
	OPT_DARK,
	OPT_DMAC,
	OPT_SMAC,
	OPT_SNAPLEN,
	OPT_SEND,
	OPT_NO_DECAP,
	OPT_PRINT,
	OPT_KINDS,
	OPT_SERVICES,
	OPT_HELP
};

static const struct option long_options[] = {
	{"scenario", required_argument, NULL, 's'},
	{"pcap", required_argument, NULL, OPT_PCAP},
	{"live", required_argument, NULL, OPT_LIVE},
	{"truth", required_argument, NULL, OPT_TRUTH},
	{"truth-sources", required_argument, NULL, OPT_SOURCES},
	{"packets", required_argument, NULL, OPT_PACKETS},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"rate", required_argument, NULL, OPT_RATE},
	{"seed", required_argument, NULL, OPT_SEED},
	{"dark", required_argument, NULL, OPT_DARK},
	{"dst-mac", required_argument, NULL, OPT_DMAC},
	{"src-mac", required_argument, NULL, OPT_SMAC},
	{"snaplen", required_argument, NULL, OPT_SNAPLEN},
	{"send", required_argument, NULL, OPT_SEND},
	{"no-decap", no_argument, NULL, OPT_NO_DECAP},
	{"print-scenario", no_argument, NULL, OPT_PRINT},
	{"kinds", no_argument, NULL, OPT_KINDS},
	{"services", no_argument, NULL, OPT_SERVICES},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void print_kinds(void)
{
	for (int i = 0; kinds[i]; i++) {
		printf("%-18s %s\n", kinds[i]->name, kinds[i]->what);
		if (!kinds[i]->variants)
			continue;
		printf("%-18s variants:", "");
		for (int v = 0; kinds[i]->variants[v]; v++)
			printf(" %s", kinds[i]->variants[v]);
		printf("%s\n", kinds[i]->any_variant ? " (default: all)" : " (default: the first)");
	}
}

static void print_services(void)
{
	for (int i = 0; i < services_n; i++)
		printf("%-12s %5u  %s\n", services[i].name, services[i].port,
		       services[i].answer ? "request, answer" : "request");
}

static int take_number(int key, struct options *o, const char *text)
{
	static const char *const name[] = {
		[OPT_SOURCES - 256] = "--truth-sources",
		[OPT_PACKETS - 256] = "--packets",
		[OPT_SECONDS - 256] = "--seconds",
		[OPT_RATE - 256] = "--rate",
		[OPT_SEED - 256] = "--seed",
		[OPT_SNAPLEN - 256] = "--snaplen",
	};
	const char *why = NULL;
	int err = 0;

	switch (key) {
	case OPT_SOURCES:
		err = text_u64(text, 100000000, &o->truth_sources, &why);
		break;
	case OPT_PACKETS:
		o->has_packets = true;
		err = text_u64(text, UINT32_MAX, &o->packets, &why);
		break;
	case OPT_SECONDS:
		err = text_double(text, &o->seconds, &why);
		if (!err && o->seconds <= 0) {
			err = -1;
			why = "it must be more than 0";
		}
		break;
	case OPT_RATE:
		o->has_rate = true;
		err = text_u64(text, NS_PER_S, &o->rate_pps, &why);
		break;
	case OPT_SEED:
		o->has_seed = true;
		err = text_u64(text, UINT64_MAX, &o->seed, &why);
		break;
	case OPT_SNAPLEN:
		err = text_u64(text, 262144, &o->snaplen, &why);
		if (!err && o->snaplen == 0) {
			err = -1;
			why = "it must be more than 0";
		}
		break;
	}
	return err ? complain("%s %s: %s", name[key - 256], text, why) : 0;
}

static int take_option(int key, struct options *o)
{
	static const char *const ways[] = {"auto", "packet", "xdp"};
	int way;

	switch (key) {
	case 's':
		o->scenario = optarg;
		return 0;
	case OPT_PCAP:
		o->pcap = optarg;
		return 0;
	case OPT_LIVE:
		o->live = optarg;
		return 0;
	case OPT_TRUTH:
		o->truth = optarg;
		return 0;
	case OPT_DMAC:
		o->dst_mac = optarg;
		return 0;
	case OPT_SMAC:
		o->src_mac = optarg;
		return 0;
	case OPT_NO_DECAP:
		o->no_decap = true;
		return 0;
	case OPT_DARK:
		return scenario_read_prefixes(&o->dark, optarg);
	case OPT_SEND:
		way = text_label(optarg, ways, 3);
		o->way = way < 0 ? WAY_AUTO : (enum way)way;
		return way < 0 ? complain("--send %s: must be auto, packet or xdp", optarg) : 0;
	case '?':
		return complain("unknown option or missing value; see ibr --help");
	}
	return take_number(key, o, optarg);
}

/* 0 = go on, 1 = done, -1 said */
static int read_options(int argc, char **argv, struct options *o)
{
	int key;

	opterr = 0;
	while ((key = getopt_long(argc, argv, "s:", long_options, NULL)) != -1) {
		switch (key) {
		case OPT_HELP:
			fputs(usage, stdout);
			return 1;
		case OPT_PRINT:
			fwrite(default_scenario, 1, default_scenario_len, stdout);
			return 1;
		case OPT_KINDS:
			print_kinds();
			return 1;
		case OPT_SERVICES:
			print_services();
			return 1;
		}
		if (take_option(key, o))
			return -1;
	}
	if (optind < argc)
		return complain("%s: ibr takes options only; see ibr --help", argv[optind]);
	if (!o->pcap == !o->live)
		return complain("say where to: either --pcap FILE or --live INTERFACE");
	if (o->pcap && o->has_rate && o->rate_pps == 0)
		return complain("--rate 0 is for --live; a capture needs times");
	if (o->pcap && o->truth && !strcmp(o->pcap, "-") && !strcmp(o->truth, "-"))
		return complain("the capture and the truth cannot both go to standard output");
	return 0;
}

/* Puts the command line over the scenario. */
static int settle_scenario(struct scenario *s, struct options *o)
{
	uint8_t mac[6];

	if (o->scenario) {
		if (scenario_load(s, o->scenario))
			return -1;
	} else if (scenario_read(s, "built-in scenario", default_scenario, default_scenario_len)) {
		return -1;
	}
	if (o->has_seed)
		s->seed = o->seed;
	if (o->dark.n) {
		prefix_list_free(&s->dark);
		s->dark = o->dark;
		memset(&o->dark, 0, sizeof(o->dark));
	}
	for (int i = 0; o->no_decap && i < s->actors; i++)
		for (int j = 0; j < s->actor[i].path.n; j++)
			s->actor[i].path.layer[j].decap = DECAP_NO;
	if (o->dst_mac) {
		if (scenario_read_mac(o->dst_mac, mac))
			return -1;
		for (int i = 0; i < s->actors; i++)
			memcpy(s->actor[i].path.dst_mac, mac, 6);
	}
	if (o->src_mac) {
		if (scenario_read_mac(o->src_mac, mac))
			return -1;
		for (int i = 0; i < s->actors; i++)
			memcpy(s->actor[i].path.src_mac, mac, 6);
	}
	return scenario_check(s);
}

static uint64_t limit_of(const struct options *o, const struct scenario *s, uint64_t rate_pps)
{
	double seconds = o->seconds > 0 ? o->seconds : s->seconds;
	uint64_t exact = 0;
	bool shares = false;

	if (o->has_packets)
		return o->packets;
	if (o->seconds <= 0 && s->packets)
		return s->packets;
	/* a live run ends by the clock */
	if (seconds > 0)
		return o->live ? STREAM_FOREVER : (uint64_t)(seconds * (double)rate_pps);
	for (int i = 0; i < s->actors; i++) {
		exact += s->actor[i].packets;
		shares = shares || !s->actor[i].packets;
	}
	if (!shares)
		return exact;
	return o->live ? STREAM_FOREVER : PCAP_PACKETS;
}

static int run_pcap(const struct options *o, struct stream *stream, struct truth *truth,
		    struct send_report *report)
{
	static struct frame f;
	struct pcap *p = pcap_open(o->pcap, (uint32_t)o->snaplen);
	int err = p ? 0 : -1;

	report->mode = "pcap";
	while (!err && !live_stop && stream_next(stream, &f)) {
		err = pcap_write(p, stream->stage.now_ns, f.buf, f.len);
		if (!err && truth)
			err = truth_add(truth, &f.v);
		report->sent++;
	}
	report->generated = report->sent;
	report->interface_packets = report->interface_dropped = -1;
	if (!err && live_stop)
		err = complain("stopped by a signal; nothing was written");
	if (p && err)
		pcap_abandon(p);
	else if (p)
		err = pcap_close(p);
	return err;
}

static int run_live(const struct options *o, struct stream *stream, struct truth *truth, uint64_t rate_pps,
		    struct send_report *report)
{
	struct live l = {
		.interface = o->live,
		.stream = stream,
		.truth = truth,
		.rate_pps = rate_pps,
		.seconds = o->seconds > 0 || o->has_packets ? o->seconds : stream->scenario->seconds,
	};
	bool fast = o->way == WAY_XDP || (o->way == WAY_AUTO && (rate_pps == 0 || rate_pps > PACKET_RATE_MOST));
	int err;

	if (live_open(&l))
		return -1;
	err = fast ? live_send_xdp(&l) : live_send_packet(&l);
	if (err == 1 && o->way == WAY_XDP)
		return complain(
			"%s takes no redirected frames; the far end of a veth needs an XDP program, or GRO: "
			"ethtool -K PEER gro on",
			o->live);
	if (err == 1) {
		fprintf(stderr, "ibr: %s takes no redirected frames; using a packet socket\n", o->live);
		/* what was made and not sent is lost: begin again */
		stream_stop(stream);
		if (stream_start(stream, stream->scenario, rate_pps ? rate_pps : NS_PER_S, stream->limit))
			return -1;
		l.report.generated = l.report.sent = l.report.dropped = l.report.not_sendable = 0;
		l.began_ns = live_now_ns();
		err = live_send_packet(&l);
	}
	if (!err)
		live_close(&l);
	*report = l.report;
	return err;
}

static void handle_signal(int number)
{
	(void)number;
	live_stop = 1;
}

static void say_left_out(const struct stream *stream)
{
	bool first = true;

	for (int i = 0; i < stream->scenario->actors; i++) {
		if (!stream->left_out[i])
			continue;
		fprintf(stderr, "%s%s", first ? "ibr: silent, having no dark prefix of their family: " : ", ",
			stream->scenario->actor[i].name);
		first = false;
	}
	if (!first)
		fputc('\n', stderr);
}

static int run(struct options *o, struct scenario *s)
{
	struct send_report report = {0};
	struct truth *truth = NULL;
	struct stream stream;
	uint64_t rate_pps;
	int err = 0;

	if (settle_scenario(s, o))
		return -1;
	rate_pps = o->has_rate ? o->rate_pps : s->rate_pps;
	if (rate_pps == 0 && !o->live)
		return complain("scenario %s has rate: 0, which only --live can do", s->name);
	if (stream_start(&stream, s, rate_pps ? rate_pps : NS_PER_S, limit_of(o, s, rate_pps)))
		return -1;
	say_left_out(&stream);
	if (o->truth) {
		truth = truth_new(s, (uint32_t)(o->live ? UINT32_MAX : o->snaplen), o->truth_sources);
		err = truth ? 0 : -1;
	}
	if (!err && o->pcap)
		err = run_pcap(o, &stream, truth, &report);
	else if (!err)
		err = run_live(o, &stream, truth, rate_pps, &report);
	if (!err && truth)
		err = truth_write(truth, o->truth, &report, stream.left_out);
	truth_free(truth);
	stream_stop(&stream);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = {.snaplen = 65535, .truth_sources = 1000000};
	struct sigaction action = {.sa_handler = handle_signal};
	struct scenario s = {0};
	int err;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	err = read_options(argc, argv, &o);
	if (err == 0)
		err = run(&o, &s);
	scenario_free(&s);
	prefix_list_free(&o.dark);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
