// SPDX-License-Identifier: GPL-2.0-only
/*
 * The web configuration: what of the exporters' format is taken, and what is refused, by file, line and reason.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "serve/web_config.h"

#define HASH "$2y$04$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecjW"
#define TLS  "tls_server_config:\n  cert_file: c.pem\n  key_file: /k/k.pem\n"

static char why[512];

static int read_text(struct web_config **config, const char *text)
{
	why[0] = '\0';
	return web_config_read_text(config, text, strlen(text), "d/w.yml", why, sizeof(why));
}

Test(web_config, reads_every_key)
{
	struct web_config *config;

	cr_assert_eq(read_text(&config,
			       TLS "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
				   "  min_version: TLS13\n  max_version: TLS13\n"
				   "  prefer_server_cipher_suites: false\n"
				   "http_server_config:\n  http2: true\n  headers:\n"
				   "    Strict-Transport-Security: max-age=1\n    X-Frame-Options: deny\n"
				   "basic_auth_users:\n  admin: " HASH "\n  'na me': '" HASH "'\n"),
		     0, "%s", why);
	cr_expect(config->tls);
	cr_expect_str_eq(config->cert_file, "d/c.pem", "beside the file");
	cr_expect_str_eq(config->key_file, "/k/k.pem");
	cr_expect_str_eq(config->client_ca_file, "d/ca.pem");
	cr_expect_eq(config->client_auth, WEB_CLIENT_VERIFY);
	cr_expect_eq(config->min_version, WEB_TLS13);
	cr_expect_eq(config->max_version, WEB_TLS13);
	cr_expect_not(config->server_preference);
	cr_expect_str_eq(config->headers[WEB_HEADER_HSTS], "max-age=1");
	cr_expect_str_eq(config->headers[WEB_HEADER_FRAME], "deny");
	cr_expect_null(config->headers[WEB_HEADER_CSP]);
	cr_expect_str_eq(web_header_name(WEB_HEADER_HSTS), "Strict-Transport-Security");
	cr_assert_eq(config->users_count, 2);
	cr_expect_str_eq(config->users[0].name, "admin");
	cr_expect_str_eq(config->users[0].hash, HASH);
	cr_expect_str_eq(config->users[1].name, "na me");
	web_config_free(&config);
	cr_expect_null(config);
	web_config_free(&config);
}

Test(web_config, defaults)
{
	struct web_config *config;

	cr_assert_eq(read_text(&config, TLS), 0, "%s", why);
	cr_expect_eq(config->min_version, WEB_TLS12);
	cr_expect_eq(config->max_version, WEB_TLS13);
	cr_expect(config->server_preference);
	cr_expect_eq(config->users_count, 0);
	web_config_free(&config);
	cr_assert_eq(read_text(&config, "# nothing\n"), 0, "%s", why);
	cr_expect_not(config->tls);
	cr_expect_eq(config->users_count, 0);
	web_config_free(&config);
	cr_assert_eq(read_text(&config, "basic_auth_users: {}\n"), 0, "%s", why);
	cr_expect_eq(config->users_count, 0);
	web_config_free(&config);
}

static const struct {
	const char *text, *because;
} BAD[] = {
	{"tls_server_conf: {}\n",
	 "d/w.yml:1: unknown key \"tls_server_conf\"; known are tls_server_config, http_server_config, basic_auth_users"},
	{TLS "  certfile: x\n",
	 "d/w.yml:4: unknown key \"certfile\" in tls_server_config; known are cert_file"},
	{"tls_server_config:\n  cert_file: c\n", "d/w.yml:2: tls_server_config needs the key \"key_file\""},
	{"tls_server_config:\n  key_file: c\n", "needs the key \"cert_file\""},
	{"tls_server_config: {}\n", "needs the key \"cert_file\""},
	{TLS "  min_version: TLS10\n", "d/w.yml:4: min_version cannot be \"TLS10\"; it is one of TLS12, TLS13"},
	{TLS "  min_version: TLS13\n  max_version: TLS12\n", "d/w.yml:5: min_version is above max_version"},
	{TLS "  client_auth_type: RequestClientCert\n",
	 "d/w.yml:4: client_auth_type cannot be \"RequestClientCert\"; it is one of NoClientCert, RequireAndVerify"},
	{TLS "  client_auth_type: RequireAndVerifyClientCert\n",
	 "d/w.yml:4: RequireAndVerifyClientCert needs client_ca"},
	{TLS "  client_ca_file: ca\n", "d/w.yml:4: client_ca_file is of no use without client_auth_type"},
	{TLS "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n",
	 "d/w.yml:4: cipher_suites is known to the format, but"},
	{TLS "  curve_preferences: [X25519]\n", "curve_preferences is known to the format"},
	{TLS "  client_allowed_sans: [a]\n", "client_allowed_sans is known to the format"},
	{TLS "  cert: |\n    ---\n", "cert is known to the format"},
	{"rate_limit: {interval: 1s}\n", "rate_limit is known to the format"},
	{TLS "  prefer_server_cipher_suites: maybe\n", "one of true, false"},
	{"http_server_config: {http3: true}\n",
	 "unknown key \"http3\" in http_server_config; known are http2, headers"},
	{"http_server_config: {headers: {Server: x}}\n", "unknown key \"Server\" in headers"},
	{"http_server_config:\n  headers: {X-Frame-Options: \"a\\r\\nb\"}\n", "holds a control character"},
	{"basic_auth_users: [admin]\n", "d/w.yml:1: basic_auth_users must hold \"key: value\""},
	{"basic_auth_users:\n  a: secret\n",
	 "d/w.yml:2: the password of a is no bcrypt hash; make one with: htpasswd"},
	{"basic_auth_users:\n  a: $2x$04$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecjW\n",
	 "no bcrypt hash"},
	{"basic_auth_users:\n  a: $2y$04$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecj\n",
	 "no bcrypt hash"},
	{"basic_auth_users:\n  a: $2y$04$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecj!\n",
	 "no bcrypt hash"},
	{"basic_auth_users:\n  a: $2y$31$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecjW\n",
	 "has cost 31"},
	{"basic_auth_users:\n  a: $2y$03$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecjW\n",
	 "has cost 3"},
	{"basic_auth_users:\n  a: $6$abc$def\n", "no bcrypt hash"},
	{"basic_auth_users:\n  a:\n", "d/w.yml:2: basic_auth_users has no value"},
	{"basic_auth_users:\n  '': " HASH "\n", "d/w.yml:2: basic_auth_users has no value"},
	{"basic_auth_users:\n  a: {b: c}\n",
	 "d/w.yml:2: basic_auth_users holds a key or value that is no plain word"},
	{"basic_auth_users:\n  b: " HASH "\n  a: " HASH "\n  a: " HASH "\n",
	 "d/w.yml:4: the key \"a\" stands here twice"},
	{"basic_auth_users:\n  a:b: " HASH "\n", "d/w.yml:2: \"a:b\" cannot name a user: it holds a colon"},
	{"basic_auth_users:\n  \"a\\tb\": " HASH "\n", "\"a?b\" cannot name a user"},
	{"tls_server_config: yes\n", "d/w.yml:1: tls_server_config must hold"},
	{"- a\n", "d/w.yml:1: the file must hold"},
	{"a: [\n", "not YAML"},
};

Test(web_config, refuses_with_file_line_and_reason)
{
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct web_config *config = NULL;

		cr_expect_lt(read_text(&config, BAD[i].text), 0, "%s", BAD[i].text);
		cr_expect_null(config);
		cr_expect(strstr(why, BAD[i].because), "%s gives \"%s\", not \"%s\"", BAD[i].text, why,
			  BAD[i].because);
		cr_expect_null(strchr(why, '\n'));
	}
}

Test(web_config, bounds_users_and_names)
{
	static char text[WEB_USERS_MAX * 100 + 400];
	struct web_config *config;
	int used = snprintf(text, sizeof(text), "basic_auth_users:\n");

	for (int i = 0; i < WEB_USERS_MAX; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "  u%d: " HASH "\n", i);
	cr_assert_eq(read_text(&config, text), 0, "%s", why);
	cr_expect_eq(config->users_count, WEB_USERS_MAX);
	web_config_free(&config);
	snprintf(text + used, sizeof(text) - (size_t)used, "  more: " HASH "\n");
	cr_expect_lt(read_text(&config, text), 0);
	cr_expect(strstr(why, "has 65 entries, at most 64"), "%s", why);
	snprintf(text, sizeof(text), "basic_auth_users:\n  %0*d: " HASH "\n", WEB_NAME_BYTES_MAX, 7);
	cr_assert_eq(read_text(&config, text), 0, "%s", why);
	cr_expect_eq(strlen(config->users[0].name), WEB_NAME_BYTES_MAX);
	web_config_free(&config);
	snprintf(text, sizeof(text), "basic_auth_users:\n  %0*d: " HASH "\n", WEB_NAME_BYTES_MAX + 1, 7);
	cr_expect_lt(read_text(&config, text), 0);
	cr_expect(strstr(why, "longer than 128 bytes"), "%s", why);
}

Test(web_config, names_a_file_that_cannot_be_read)
{
	struct web_config *config;

	cr_expect_eq(web_config_read(&config, "/no/such/web.yml", why, sizeof(why)), -ENOENT);
	cr_expect(strstr(why, "cannot read the web configuration /no/such/web.yml: No such file"), "%s", why);
	cr_expect_eq(web_config_read(&config, "/", why, sizeof(why)), -EISDIR);
}
