// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration: what YAML gives, where it is refused, what is checked as a whole, and that printing and
 * reading are each other's inverse.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/address.h"
#include "base/config.h"

static char why[512];

static struct config *new_config(void)
{
	struct config *config;

	cr_assert_eq(config_new(&config), 0);
	why[0] = '\0';
	return config;
}

static int read_into(struct config *config, const char *text)
{
	return config_read_text(config, text, strlen(text), "t.yaml", why, sizeof(why));
}

static const char *prefix_at(const struct config *config, size_t i)
{
	static char text[PREFIX_TEXT_BYTES];

	return prefix_format(text, sizeof(text), &config->prefixes[i].prefix);
}

Test(config, defaults)
{
	struct config *config = new_config();

	cr_expect_str_eq(config->listen, "127.0.0.1:10023");
	cr_expect_not(config->listen_open);
	cr_expect_null(config->web_config);
	cr_expect_eq(config->client_requests, 100);
	cr_expect_eq(config->client_connections, 100);
	cr_expect_eq(config->memory_bytes, UINT64_C(128) << 20);
	cr_expect_eq(config->interfaces_count, 0);
	cr_expect_eq(config->prefixes_count, 0);
	cr_expect_geq(config->watch_count, 60);
	for (size_t i = 1; i < config->watch_count; i++)
		cr_expect(config->watch[i - 1].protocol < config->watch[i].protocol ||
				  (config->watch[i - 1].protocol == config->watch[i].protocol &&
				   config->watch[i - 1].port < config->watch[i].port),
			  "the built-in watch list is sorted and has no port twice: %u", config->watch[i].port);
	cr_expect_null(config->state);
	cr_expect_null(config->netns);
	config_free(&config);
	cr_expect_null(config);
	config_free(&config);
}

Test(config, an_empty_file_changes_nothing)
{
	struct config *config = new_config();

	cr_expect_eq(read_into(config, ""), 0, "%s", why);
	cr_expect_eq(read_into(config, "# only a comment\n"), 0, "%s", why);
	cr_expect_eq(config->scopes_count, 0);
	config_free(&config);
}

Test(config, reads_every_key)
{
	struct config *config = new_config();

	cr_assert_eq(read_into(config,
			       "interfaces:\n  - eth0\n  - {name: eth1, feed: mirror, mode: generic}\n"
			       "dark:\n  - 10.0.0.0/8\n  - prefix: 192.0.2.0/24\n    scope: lab-1\n"
			       "  - {prefixes: [198.51.100.0/24, '2001:db8::/32'], scope: lab_2}\n"
			       "live: [10.1.0.0/16]\n"
			       "decap:\n  - {type: vxlan, from: 203.0.113.0/30, key: 0x10}\n"
			       "  - {type: ipip, from: '2001:db8::1', to: '2001:db8::2'}\n"
			       "listen: '[::1]:9'\nnetns: sky\nstate: /tmp\nmemory: 16MB\naddresses: 77\n"
			       "watch:\n  tcp: [443, 80]\n  udp: [53]\n"),
		     0, "%s", why);
	cr_assert_eq(config->interfaces_count, 2);
	cr_expect_str_eq(config->interfaces[0].name, "eth0");
	cr_expect_eq(config->interfaces[0].feed, AG_FEED_OBSERVE);
	cr_expect_eq(config->interfaces[0].mode, CONFIG_MODE_AUTO);
	cr_expect_eq(config->interfaces[1].feed, AG_FEED_MIRROR);
	cr_expect_eq(config->interfaces[1].mode, CONFIG_MODE_GENERIC);
	cr_assert_eq(config->scopes_count, 3);
	cr_expect_str_eq(config->scopes[0].name, "dark");
	cr_expect_str_eq(config->scopes[1].name, "lab-1");
	cr_expect_str_eq(config->scopes[2].name, "lab_2");
	cr_assert_eq(config->prefixes_count, 5);
	cr_expect_str_eq(prefix_at(config, 3), "2001:db8::/32");
	cr_expect_eq(config->prefixes[3].scope, 3);
	cr_expect_str_eq(prefix_at(config, 4), "10.1.0.0/16");
	cr_expect_eq(config->prefixes[4].scope, 0, "live");
	cr_assert_eq(config->decaps_count, 2);
	cr_expect_eq(config->decaps[0].type, AG_DECAP_VXLAN);
	cr_expect_eq(config->decaps[0].from_len, 30);
	cr_expect_eq(config->decaps[0].key, 16);
	cr_expect_eq(config->decaps[0].to_any, 1);
	cr_expect_eq(config->decaps[0].key_any, 0);
	cr_expect_eq(config->decaps[1].family, 6);
	cr_expect_eq(config->decaps[1].to[15], 2);
	cr_expect_eq(config->decaps[1].key_any, 1);
	cr_expect_str_eq(config->listen, "[::1]:9");
	cr_expect_str_eq(config->netns, "sky");
	cr_expect_str_eq(config->state, "/tmp");
	cr_expect_eq(config->memory_bytes, 16u << 20);
	cr_expect_eq(config->addresses, 77);
	cr_assert_eq(config->watch_count, 3, "the file's list replaces the built-in one");
	cr_expect_eq(config->watch[0].port, 80);
	cr_expect_eq(config->watch[1].port, 443);
	cr_expect_eq(config->watch[2].protocol, 17);
	config_free(&config);
}

Test(config, keys_of_takeover)
{
	struct config *config = new_config(), *again = new_config();
	char *printed;

	cr_expect_not(config->keep);
	cr_expect_str_eq(config->pins, CONFIG_PINS);
	cr_assert_eq(read_into(config, "keep: true\npins: /sys/fs/bpf/sky\n"), 0, "%s", why);
	cr_expect(config->keep);
	cr_expect_str_eq(config->pins, "/sys/fs/bpf/sky");
	printed = config_print(config);
	cr_assert_not_null(printed);
	cr_assert_eq(read_into(again, printed), 0, "%s", why);
	cr_expect(again->keep);
	cr_expect_str_eq(again->pins, "/sys/fs/bpf/sky");
	cr_assert_eq(read_into(config, "keep: false\n"), 0, "%s", why);
	cr_expect_not(config->keep);
	cr_expect_str_eq(config->pins, "/sys/fs/bpf/sky", "what a file does not tell stays");
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const bad[] = {"keep: yes\n", "keep: 1\n", "keep: True\n", "keep: ''\n"};

		cr_assert_neq(read_into(config, bad[i]), 0, "%s", bad[i]);
		cr_expect(strstr(why, "keep") && strstr(why, "t.yaml:1"), "%s", why);
	}
	free(printed);
	config_free(&config);
	config_free(&again);
}

/* Who holds a configuration keeps it: snapshots do, while another one comes into force. */
Test(config, the_last_reference_frees)
{
	struct config *config = new_config(), *held = config_ref(config);

	config_free(&config);
	cr_expect_null(config);
	cr_expect_str_eq(held->listen, CONFIG_LISTEN);
	config_free(&held);
	cr_expect_null(held);
}

Test(config, keys_of_http)
{
	struct config *config = new_config();
	const char *text = "listen: ['[::1]:9', 'unix:/run/a,b']\nlisten_open: true\nweb_config: web.yml\n"
			   "client_limit: {requests: 7, connections: 1K}\n";

	cr_assert_eq(read_into(config, text), 0, "%s", why);
	cr_expect_str_eq(config->listen, "[::1]:9,unix:/run/a,b");
	cr_expect(config->listen_open);
	cr_expect_str_eq(config->web_config, "web.yml");
	cr_expect_eq(config->client_requests, 7);
	cr_expect_eq(config->client_connections, 1024);
	cr_assert_eq(config_read_text(config, text, strlen(text), "/etc/a/a.yaml", why, sizeof(why)), 0, "%s",
		     why);
	cr_expect_str_eq(config->web_config, "/etc/a/web.yml", "a path is beside the file");
	cr_assert_eq(read_into(config, "listen: a:1\nweb_config: /x/y\n"), 0, "%s", why);
	cr_expect_str_eq(config->listen, "a:1");
	cr_expect_str_eq(config->web_config, "/x/y");
	cr_expect_not(config->listen_open);
	config_free(&config);
}

static const struct {
	const char *text, *because;
} BAD[] = {
	{"listen: a\nfoo: 1\n", "t.yaml:2: unknown key \"foo\""},
	{"interfaces:\n- name: a\n  fed: mirror\n",
	 "t.yaml:3: unknown key \"fed\" in interfaces; known are name, feed, mode"},
	{"interfaces:\n- name: a\n  feed: mirror2\n",
	 "t.yaml:3: feed cannot be \"mirror2\"; it is one of observe, routed"},
	{"interfaces:\n- name: a\n  mode: 1\n", "t.yaml:3: mode cannot be \"1\""},
	{"interfaces:\n- feed: mirror\n", "t.yaml:2: an entry of interfaces needs the key \"name\""},
	{"interfaces: eth0\n", "t.yaml:1: interfaces must be a list"},
	{"interfaces: [[a]]\n", "t.yaml:1: interfaces must hold"},
	{"interfaces: [a, a]\n", "t.yaml:1: the interface a is given twice"},
	{"interfaces: [aaaaaaaaaaaaaaaa]\n", "cannot name an interface"},
	{"interfaces: ['']\n", "t.yaml:1: interfaces has no value"},
	{"interfaces: [a,b,c,d,e,f,g,h,i]\n", "t.yaml:1: interfaces has 9 entries, at most 8"},
	{"dark:\n- 10.0.0.0/8\n- 10.0.0.1/9\n", "t.yaml:3: \"10.0.0.1/9\" has bits set behind its length"},
	{"dark:\n- prefixes:\n  - 10.0.0.0/8\n  - x\n", "t.yaml:4: \"x\" is not a prefix"},
	{"dark:\n- scope: a\n", "t.yaml:2: an entry of dark needs either prefix or prefixes"},
	{"dark:\n- prefix: 10.0.0.0/8\n  prefixes: [11.0.0.0/8]\n", "t.yaml:2: an entry of dark needs either"},
	{"dark:\n- prefix: 10.0.0.0/8\n  scope: Big\n", "\"Big\" cannot name a scope"},
	{"dark:\n- 10.0.0.0/8\n- {prefix: 10.0.0.0/8, scope: b}\n",
	 "t.yaml:3: 10.0.0.0/8 is given both as dark and as b"},
	{"dark: [10.0.0.0/8]\nlive: [10.0.0.0/8]\n", "t.yaml:2: 10.0.0.0/8 is given both as dark and as live"},
	{"dark:\n- 10.0.0.0/8,11.0.0.0/8,x\n", "t.yaml:2: \"x\" is not a prefix"},
	{"decap: [{type: gre}]\n", "needs the key \"from\""},
	{"decap: [{type: gre, from: 10.0.0.0/8, key: -1}]\n", "\"-1\" is not a key"},
	{"decap: [{type: vxlan, from: 10.0.0.0/8, key: 16777216}]\n", "from 0 to 16777215"},
	{"decap: [{type: erspan, from: 10.0.0.0/8, key: 1024}]\n", "from 0 to 1023"},
	{"decap: [{type: ipip, from: 10.0.0.0/8, key: 1}]\n", "has no key"},
	{"decap: [{type: gre, from: 10.0.0.0/8, to: '::1'}]\n", "one is IPv4, the other IPv6"},
	{"decap: [gre]\n", "t.yaml:1: "},
	{"memory: lots\n", "t.yaml:1: memory cannot be \"lots\"; give a size like 128MB"},
	{"listen:\n", "t.yaml:1: listen has no value"},
	{"netns: [a]\n", "t.yaml:1: netns must be one plain value"},
	{"listen: []\n", "t.yaml:1: listen must be one plain value or a list of them"},
	{"listen:\n- a\n- [b]\n", "t.yaml:3: listen must be one plain value or a list of them"},
	{"listen:\n- a\n- ''\n", "t.yaml:3: listen has no value"},
	{"listen: {a: b}\n", "t.yaml:1: listen must be one plain value or a list of them"},
	{"listen_open: perhaps\n", "t.yaml:1: listen_open cannot be \"perhaps\"; it is one of false, true"},
	{"client_limit: {requests: 0}\n",
	 "t.yaml:1: requests cannot be \"0\"; give a number from 1 to 1000000"},
	{"client_limit:\n  connections: -1\n", "t.yaml:2: connections cannot be \"-1\""},
	{"client_limit: {requets: 1}\n",
	 "unknown key \"requets\" in client_limit; known are requests, connections"},
	{"listen: a\nlisten: b\n", "t.yaml:2: the key \"listen\" stands here twice"},
	{"listen: \"a\\0b\"\n", "holds a byte 0"},
	{"addresses: -3\n", "addresses cannot be \"-3\""},
	{"watch:\n  tcp: [1, 65536]\n", "t.yaml:2: \"65536\" is not a port"},
	{"watch:\n  tcp: [5]\n  udp:\n    - 5\n    - 5\n", "t.yaml:5: the port 5 is watched twice"},
	{"watch: [5]\n", "t.yaml:1: watch must hold \"key: value\""},
	{"- a\n", "t.yaml:1: the file must hold \"key: value\""},
	{"just words\n", "t.yaml:1: the file must hold"},
	{"listen: a\n---\nnetns: b\n", "a second document"},
	{"x: &a [*a]\n", "t.yaml:"},
	{"interfaces: &a [eth0]\nlive: *a\n", "aliases"},
	{"interfaces: [\n", "t.yaml:2: not YAML"},
	{"\tlisten: a\n", "not YAML"},
	{"listen: \xff\xfe\n", "not YAML"},
	{"[a]: b\n", "a key must be a plain word"},
};

Test(config, refuses_with_file_line_and_reason)
{
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct config *config = new_config();

		cr_expect_lt(read_into(config, BAD[i].text), 0, "%s", BAD[i].text);
		cr_expect(strstr(why, BAD[i].because), "%s gives \"%s\", not \"%s\"", BAD[i].text, why,
			  BAD[i].because);
		cr_expect_null(strchr(why, '\n'));
		config_free(&config);
	}
}

Test(config, names_a_file_that_cannot_be_read)
{
	struct config *config = new_config();

	cr_expect_eq(config_read(config, "/no/such/file.yaml", why, sizeof(why)), -ENOENT);
	cr_expect(strstr(why, "/no/such/file.yaml: No such file"));
	cr_expect_eq(config_read(config, "/", why, sizeof(why)), -EISDIR);
	config_free(&config);
}

Test(config, command_line_tunnels)
{
	static const struct {
		const char *text;
		const char *because; /* NULL: good */
	} rows[] = {
		{"type=gre,from=192.0.2.1", NULL},
		{"type=gre,from=192.0.2.0/24,to=192.0.2.9,key=4294967295", NULL},
		{"type=foo,from=192.0.2.1", "does not say both"},
		{"type=gre", "does not say both"},
		{"from=192.0.2.1", "does not say both"},
		{"type=gre,type=gre,from=192.0.2.1", "is no part of a tunnel"},
		{"type=gre,from=192.0.2.1,foo=1", "is no part of a tunnel"},
		{"type=gre,from", "is no part of a tunnel"},
		{"type=gre,from=192.0.2.1,to=192.0.2.0/24", "is not an IPv4 or IPv6 address"},
		{"", "empty"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *config = new_config();

		cr_expect_eq(!config_add_decap(config, rows[i].text, why, sizeof(why)), !rows[i].because,
			     "%s: %s", rows[i].text, why);
		cr_expect(!rows[i].because || strstr(why, rows[i].because), "%s: \"%s\"", rows[i].text, why);
		config_free(&config);
	}
}

static const struct {
	const char *text;
	bool live;
	const char *because; /* NULL: good */
} WHOLE[] = {
	{"dark: [10.0.0.0/8]", false, NULL},
	{"", false, NULL},
	{"", true, "no interface"},
	{"interfaces: [e]", true, "no address is dark"},
	{"interfaces: [e]\ndark: [10.0.0.0/8]", true, NULL},
	{"interfaces: [{name: e, feed: tunnel}]\ndark: [10.0.0.0/8]", true, "no tunnel may be opened"},
	{"interfaces: [{name: e, feed: tunnel}]\ndark: [10.0.0.0/8]\ndecap: [{type: gre, from: 192.0.2.1}]",
	 true, NULL},
	{"dark: [10.0.0.0/8, 10.1.0.0/16]", false, "10.1.0.0/16 and 10.0.0.0/8 overlap"},
	{"dark: [10.1.0.0/16, 10.0.0.0/8]", false, "overlap"},
	{"dark: [10.0.0.0/8, {prefix: 10.1.0.0/16, scope: b}]", false, NULL},
	{"dark: [10.0.0.0/8, {prefix: 10.1.0.0/16, scope: b}, 10.1.2.0/24]", false, NULL},
	{"dark: [10.0.0.0/8, 10.1.2.0/24]\nlive: [10.1.0.0/16]", false, NULL},
	{"dark: [10.0.0.0/8, {prefix: 10.1.0.0/16, scope: b}, 10.2.0.0/16]", false,
	 "10.2.0.0/16 and 10.0.0.0/8 overlap"},
	{"dark: ['2001:db8::/32', '2001:db8:1::/48']", false, "overlap"},
	{"dark: [0.0.0.0/0, '::/0']", false, NULL},
	{"dark: [10.0.0.0/8]\nlive: [11.0.0.0/8]", false, "the live prefix 11.0.0.0/8 is no hole"},
	{"dark: [10.0.0.0/8]\nlive: [10.1.0.0/16, 10.1.1.0/24]", false,
	 "the live prefix 10.1.1.0/24 is no hole"},
	{"memory: 1MB", false, "at least 8MB"},
};

Test(config, checks_the_whole)
{
	for (size_t i = 0; i < sizeof(WHOLE) / sizeof(WHOLE[0]); i++) {
		struct config *config = new_config();
		int err;

		cr_assert_eq(read_into(config, WHOLE[i].text), 0, "%s", why);
		err = config_check(config, WHOLE[i].live, why, sizeof(why));
		cr_expect_eq(!err, !WHOLE[i].because, "%s: %s", WHOLE[i].text, why);
		cr_expect(!WHOLE[i].because || strstr(why, WHOLE[i].because), "%s: \"%s\"", WHOLE[i].text, why);
		config_free(&config);
	}
}

Test(config, limits_scopes_and_prefixes)
{
	struct config *config = new_config();
	char text[64], name[16];
	int err = 0;

	for (unsigned int i = 0; i < AG_SCOPES_MAX && !err; i++) {
		snprintf(text, sizeof(text), "10.%u.0.0/16", i);
		snprintf(name, sizeof(name), "s%u", i);
		err = config_add_dark(config, text, name, why, sizeof(why));
	}
	cr_expect_eq(err, 0, "%s", why);
	cr_expect_eq(config_add_dark(config, "11.0.0.0/8", "one-more", why, sizeof(why)), -ENOSPC);
	cr_expect_eq(config_add_dark(config, "11.0.0.0/8", "s3", why, sizeof(why)), 0, "an old name has room");
	for (unsigned int i = 0; i < AG_PREFIXES6_MAX && !err; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x::/48", i + 1);
		err = config_add_dark(config, text, "s3", why, sizeof(why));
	}
	cr_expect_eq(err, 0, "%s", why);
	cr_expect_eq(config_add_dark(config, "2001:db9::/48", "s3", why, sizeof(why)), -ENOSPC);
	for (unsigned int i = (unsigned int)config->prefixes_count; i < AG_PREFIXES_MAX && !err; i++) {
		snprintf(text, sizeof(text), "12.%u.%u.0/24", i / 256, i % 256);
		err = config_add_live(config, text, why, sizeof(why));
	}
	cr_expect_eq(err, 0, "%s", why);
	cr_expect_eq(config_add_live(config, "13.0.0.0/8", why, sizeof(why)), -ENOSPC);
	config_free(&config);
}

static void print_again(const char *text)
{
	struct config *first = new_config(), *second;
	char *printed, *again;

	cr_assert_eq(read_into(first, text), 0, "%s", why);
	printed = config_print(first);
	cr_assert_not_null(printed);
	second = new_config();
	cr_assert_eq(read_into(second, printed), 0, "%s in\n%s", why, printed);
	again = config_print(second);
	cr_expect_str_eq(again, printed);
	cr_expect_eq(second->prefixes_count, first->prefixes_count);
	cr_expect_eq(second->watch_count, first->watch_count);
	cr_expect_eq(second->decaps_count, first->decaps_count);
	cr_expect_eq(memcmp(second->decaps, first->decaps, first->decaps_count * sizeof(*first->decaps)), 0);
	cr_expect_eq(second->self_scope, first->self_scope);
	cr_expect_eq(second->live_ports_count, first->live_ports_count);
	for (size_t i = 0; i < first->live_ports_count; i++) {
		const struct config_live_ports *a = &first->live_ports[i], *b = &second->live_ports[i];

		cr_expect(a->protocol == b->protocol && a->first == b->first && a->last == b->last);
	}
	cr_expect_arr_eq(second->signatures, first->signatures, sizeof(first->signatures));
	free(printed);
	free(again);
	config_free(&first);
	config_free(&second);
}

Test(config, printing_and_reading_are_inverse)
{
	print_again(
		"interfaces: [eth0, {name: eth1, feed: routed, mode: native}]\n"
		"dark: [10.0.0.0/8, {prefix: 10.1.0.0/16, scope: '1'}, {prefix: '2001:db8::/32', scope: 'null'}]\n"
		"live: [10.2.0.0/16]\n"
		"decap: [{type: gre, from: 192.0.2.1, key: 0}, {type: ipip, from: '::/0', to: '::1'}]\n"
		"netns: 'a: b'\nstate: '#x'\nwatch: {tcp: [0, 65535]}\n");
	print_again("interfaces: [e]\ndark: [10.0.0.0/8]\ndecap: [{type: vxlan, from: 1.2.3.4}]\n");
	print_again("dark: [0.0.0.0/0]\nwatch: {udp: [53]}\ndecap: [{type: gre, from: 1.2.3.4}]\n");
}

/* --- feed self, and rows of signatures
 * --------------------------------------------------------------------------- */

Test(config, self_is_a_word_among_the_prefixes)
{
	struct config *config = new_config();

	cr_assert_eq(read_into(config, "interfaces: [{name: eth0, feed: self}]\n"
				       "dark: [203.0.113.0/24, {prefix: self, scope: vps}]\n"),
		     0, "%s", why);
	cr_expect_eq(config->self_scope, 2);
	cr_expect_str_eq(config->scopes[1].name, "vps");
	cr_expect_eq(config->prefixes_count, 1);
	cr_expect_eq(config_check(config, true, why, sizeof(why)), 0, "%s", why);
	cr_expect_eq(config_check(config, false, why, sizeof(why)), 0, "%s", why);
	cr_expect(config_uses_self(config));
	config->replay = true;
	cr_expect_not(config_uses_self(config), "replay does not look at interfaces");
	config->own_flows = true;
	cr_expect(config_uses_self(config));
	cr_expect_eq(config_add_dark(config, "self", NULL, why, sizeof(why)), -EEXIST);
	cr_expect_eq(config_add_live(config, "self", why, sizeof(why)), -EINVAL);
	config_free(&config);
}

static void check_refused(const char *text, bool live, const char *reason)
{
	struct config *config = new_config();

	cr_assert_eq(read_into(config, text), 0, "%s", why);
	cr_expect_neq(config_check(config, live, why, sizeof(why)), 0, "%s", text);
	cr_expect_not_null(strstr(why, reason), "%s", why);
	config_free(&config);
}

Test(config, self_needs_its_feed)
{
	check_refused("interfaces: [eth0]\ndark: [self]\n", true, "feed self");
	check_refused("interfaces: [{name: a, feed: self}, {name: b, feed: routed}]\ndark: [self]\n", true,
		      "which drops what is dark");
	check_refused("interfaces: [eth0]\ndark: [203.0.113.0/24]\nlive_ports: [tcp/80]\n", true,
		      "live ports are for the feed self");
	check_refused("interfaces: [{name: a, feed: self}, {name: b, feed: observe}]\ndark: [self]\n", true,
		      "which does not ask");
	check_refused("interfaces: [{name: eth0, feed: self}]\ndark: [self]\n", false, "nothing for a capture");
}

/* Alerts that take an address for one that never answers. */
Test(config, self_puts_reflection_off)
{
	struct config *config = new_config();
	struct ag_settings *settings = calloc(1, sizeof(*settings));

	cr_assert_not_null(settings);
	cr_assert_eq(read_into(config, "interfaces: [{name: eth0, feed: self}]\ndark: [self]\n"), 0);
	config_write(config, settings);
	cr_expect_eq(settings->thresholds.reflection_requests, 0);
	cr_expect_eq(settings->thresholds.scan_ports, config->thresholds.scan_ports);
	cr_expect_neq(config->thresholds.reflection_requests, 0, "the key is printed as it was given");
	config->interfaces[0].feed = AG_FEED_OBSERVE;
	config_write(config, settings);
	cr_expect_eq(settings->thresholds.reflection_requests, config->thresholds.reflection_requests);
	free(settings);
	config_free(&config);
}

Test(config, live_ports)
{
	static const char *const bad[] = {"80",	     "tcp/",	  "tcp/65536",	  "tcp/80-79", "icmp/8",
					  "tcp/80-", "tcp/1-2-3", "tcp/99999999", "TCP/80",    "tcp/-1"};
	struct config *config = new_config();
	struct ag_settings *settings = calloc(1, sizeof(*settings));
	unsigned int tcp = 0, udp = 0;

	cr_assert_not_null(settings);
	cr_assert_eq(config_add_live_ports(config, "tcp/80, udp/51820,tcp/65500-65535", why, sizeof(why)), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(config_add_live_ports(config, bad[i], why, sizeof(why)), -EINVAL, "%s", bad[i]);
		cr_expect_not_null(strstr(why, bad[i]), "%s", why);
	}
	cr_expect_eq(config_add_live_ports(config, "tcp/79-80", why, sizeof(why)), -EEXIST);
	cr_expect_eq(config_add_live_ports(config, "udp/80", why, sizeof(why)), 0);
	config_write(config, settings);
	for (unsigned int i = 0; i < 1024; i++) {
		tcp += (unsigned int)__builtin_popcountll(settings->live_ports.tcp[i]);
		udp += (unsigned int)__builtin_popcountll(settings->live_ports.udp[i]);
	}
	cr_expect_eq(tcp, 37);
	cr_expect_eq(udp, 2);
	cr_expect_eq(settings->live_ports.tcp[1], 1ULL << 16);
	cr_expect_eq(settings->live_ports.udp[51820 / 64], 1ULL << (51820 % 64));
	for (unsigned int i = 0; i < CONFIG_LIVE_PORTS_MAX - 4; i++) {
		char text[32];

		snprintf(text, sizeof(text), "udp/%u", 1000 + i);
		cr_assert_eq(config_add_live_ports(config, text, why, sizeof(why)), 0, "%s", why);
	}
	cr_expect_eq(config_add_live_ports(config, "udp/9", why, sizeof(why)), -ENOSPC);
	free(settings);
	config_free(&config);
}

Test(config, signatures)
{
	struct config *config = new_config();
	const struct ag_signature *row = config->signatures;

	cr_assert_eq(
		read_into(config,
			  "signatures:\n"
			  "  - {service: dns, port: 5300, direction: request, bytes: 0xCAFE}\n"
			  "  - {service: memcached, port: 0, direction: response, bytes: '0102030405060708',"
			  " mask: ffffffffffffffff, offset: 200, min_payload: 0}\n"),
		0, "%s", why);
	cr_assert_eq(config->signatures_count, 2);
	cr_expect_eq(row[0].service, AG_SERVICE_DNS);
	cr_expect_eq(row[0].port, 5300);
	cr_expect_eq(row[0].direction, AG_REQUEST);
	cr_expect_eq(row[0].value, 0xcafe000000000000);
	cr_expect_eq(row[0].mask, 0xffff000000000000);
	cr_expect_eq(row[0].offset, 0);
	cr_expect_eq(row[0].min_payload, 2, "the bytes must be there");
	cr_expect_eq(row[1].value, 0x0102030405060708);
	cr_expect_eq(row[1].direction, AG_RESPONSE);
	cr_expect_eq(row[1].offset, 200);
	cr_expect_eq(row[1].min_payload, 0);
	config_free(&config);
}

Test(config, signatures_that_are_refused)
{
	static const struct {
		const char *row, *reason;
	} bad[] = {
		{"{service: gopher, port: 1, direction: request, bytes: 00}", "service"},
		{"{service: none, port: 1, direction: request, bytes: 00}", "service"},
		{"{service: dns, port: 65536, direction: request, bytes: 00}", "port"},
		{"{service: dns, port: 1, direction: up, bytes: 00}", "direction"},
		{"{service: dns, port: 1, direction: request, bytes: 0}", "bytes"},
		{"{service: dns, port: 1, direction: request, bytes: zz}", "bytes"},
		{"{service: dns, port: 1, direction: request, bytes: 010203040506070809}", "bytes"},
		{"{service: dns, port: 1, direction: request, bytes: 0102, mask: ff}", "mask"},
		{"{service: dns, port: 1, direction: request, bytes: 01, mask: fe}", "never matches"},
		{"{service: dns, port: 1, direction: request, bytes: 01, offset: 201}", "offset"},
		{"{service: dns, port: 1, direction: request, bytes: 01, min_payload: -1}", "min_payload"},
		{"{service: dns, port: 1, direction: request}", "bytes"},
	};
	char text[4096];
	size_t used;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *config = new_config();

		snprintf(text, sizeof(text), "signatures:\n  - %s\n", bad[i].row);
		cr_expect_neq(read_into(config, text), 0, "%s", bad[i].row);
		cr_expect_not_null(strstr(why, bad[i].reason), "%s", why);
		cr_expect_not_null(strstr(why, "t.yaml:2"), "%s", why);
		config_free(&config);
	}
	used = (size_t)snprintf(text, sizeof(text), "signatures:\n");
	for (unsigned int i = 0; i <= AG_SIGNATURES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "  - {service: dns, port: %u, direction: request, bytes: 00}\n", i);
	{
		struct config *config = new_config();

		cr_expect_neq(read_into(config, text), 0);
		config_free(&config);
	}
}

Test(config, printing_and_reading_are_inverse_of_self_and_rows)
{
	print_again("interfaces: [{name: e, feed: self}]\n"
		    "dark: [10.0.0.0/8, {prefixes: [self, 11.0.0.1], scope: me}]\n"
		    "live_ports: ['tcp/0-65535', udp/53]\n"
		    "signatures:\n"
		    "  - {service: ntp, port: 123, direction: response, bytes: '00', mask: '00'}\n"
		    "  - {service: dns, port: 53, direction: request, bytes: '0000000000000000'}\n"
		    "  - {service: dns, port: 53, direction: request, bytes: 'ab00', mask: 'ff00'}\n"
		    "decap: [{type: gre, from: 1.2.3.4}]\n");
}
