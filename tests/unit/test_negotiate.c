// SPDX-License-Identifier: GPL-2.0-only
/*
 * negotiate: preferences of clients as RFC 9110 writes them, and as clients write them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "serve/negotiate.h"

Test(negotiate, weights)
{
	static const struct {
		const char *header, *item;
		int weight;
	} cases[] = {
		{NULL, "gzip", -1},
		{"", "gzip", -1},
		{"gzip", "gzip", 1000},
		{"GZIP", "gzip", 1000},
		{"  gzip  ", "gzip", 1000},
		{"deflate, gzip", "gzip", 1000},
		{"deflate,gzip;q=0.5", "gzip", 500},
		{"gzip;q=0", "gzip", 0},
		{"gzip;q=0.000", "gzip", 0},
		{"gzip;q=0.001", "gzip", 1},
		{"gzip; q=1.000", "gzip", 1000},
		{"gzip ; Q=0.25 , br", "gzip", 250},
		{"gzip;q=1.5", "gzip", 0},
		{"gzip;q=", "gzip", 0},
		{"gzip;q=-1", "gzip", 0},
		{"gzip;q=0.1234", "gzip", 0},
		{"gzip;q=abc", "gzip", 0},
		{"gzipped", "gzip", -1},
		{"x-gzip", "gzip", -1},
		{"gzip;level=9;q=0.3", "gzip", 300},
		{"text/plain;eq=1;q=0.2", "text/plain", 200},
		{"text/plain;note=\"a,b;q=0\";q=0.7", "text/plain", 700},
		{"text/plain;note=\"\\\",\";q=0.6", "text/plain", 600},
		{"text/plain;note=\"open", "text/plain", 1000},
		{",,;,gzip", "gzip", 1000},
		{";q=0.5", "gzip", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(negotiate_weight(cases[i].header, cases[i].item), cases[i].weight,
			     "%s in \"%s\": %d", cases[i].item, cases[i].header ? cases[i].header : "(none)",
			     negotiate_weight(cases[i].header, cases[i].item));
}

Test(negotiate, openmetrics_only_where_it_is_preferred)
{
	/* Prometheus 2.x and 3.x, curl, a browser, and some who are odd. */
	cr_expect(
		negotiate_openmetrics("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
				      "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
	cr_expect(negotiate_openmetrics("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
					"text/plain;version=0.0.4;q=0.4,*/*;q=0.2"));
	cr_expect(negotiate_openmetrics("application/openmetrics-text"));
	cr_expect(!negotiate_openmetrics("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5"));
	cr_expect(!negotiate_openmetrics("application/openmetrics-text;q=0, */*"));
	cr_expect(!negotiate_openmetrics("application/openmetrics-text;q=0.1, */*"));
	cr_expect(!negotiate_openmetrics("*/*"));
	cr_expect(!negotiate_openmetrics("text/html,application/xhtml+xml,*/*;q=0.8"));
	cr_expect(!negotiate_openmetrics(NULL));
}

Test(negotiate, html_and_gzip_where_they_are_named)
{
	cr_expect(negotiate_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
	cr_expect(!negotiate_html("*/*"));
	cr_expect(!negotiate_html("text/html;q=0"));
	cr_expect(!negotiate_html(NULL));
	cr_expect(negotiate_gzip("gzip, deflate, br"));
	cr_expect(negotiate_gzip("*"));
	cr_expect(!negotiate_gzip("gzip;q=0, *"));
	cr_expect(!negotiate_gzip("identity"));
	cr_expect(!negotiate_gzip(NULL));
}

Test(negotiate, escapes_are_undone_but_never_end_a_name)
{
	static const struct {
		const char *written, *read;
	} cases[] = {
		{"", ""},
		{"/metrics", "/metrics"},
		{"/%6detrics", "/metrics"},
		{"%4A%4a", "JJ"},
		{"%", "%"},
		{"%4", "%4"},
		{"%zz", "%zz"},
		{"%%41", "%A"},
		{"/m%00x", "/m%00x"},
		{"%2e%2E/", "../"},
		{"a+b", "a+b"},
		{"%ff", "\xff"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];

		strcpy(text, cases[i].written);
		cr_expect_eq(negotiate_unescape(text), strlen(cases[i].read));
		cr_expect_str_eq(text, cases[i].read);
	}
}
