// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics as text (openmetrics.h).
 */
#include <inttypes.h>

#include "base/openmetrics.h"

enum kind { COUNTER, GAUGE, INFO };

static const struct {
	const char *family;
	enum kind kind;
	const char *help;
} families[METRIC_MAX] = {
#define AG_METRIC(name, family_, kind_, help_) {family_, kind_, help_},
#include "airglow/metric.def"
#undef AG_METRIC
};

/* What a sample's name has behind the family's. */
static const char *const suffixes[] = {[COUNTER] = "_total", [GAUGE] = "", [INFO] = "_info"};

void metrics_init(struct metrics *m, FILE *out, bool openmetrics)
{
	*m = (struct metrics){.out = out, .openmetrics = openmetrics};
}

void metrics_family(struct metrics *m, enum metric family)
{
	static const char *const types[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [INFO] = "info"};
	enum kind kind = families[family].kind;
	/* Text 0.0.4 names the sample and knows no info. */
	const char *suffix = m->openmetrics ? "" : suffixes[kind];
	const char *type = !m->openmetrics && kind == INFO ? types[GAUGE] : types[kind];

	m->family = family;
	fprintf(m->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", families[family].family, suffix,
		families[family].help, families[family].family, suffix, type);
}

void metrics_begin(struct metrics *m)
{
	m->labels = 0;
	m->series++;
	fprintf(m->out, "%s%s", families[m->family].family, suffixes[families[m->family].kind]);
}

void metrics_label(struct metrics *m, const char *name, const char *value)
{
	fprintf(m->out, "%c%s=\"", m->labels++ ? ',' : '{', name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", m->out);
			continue;
		}
		if (*value == '\\' || *value == '"')
			fputc('\\', m->out);
		fputc(*value, m->out);
	}
	fputc('"', m->out);
}

static void close_labels(struct metrics *m)
{
	fputs(m->labels ? "} " : " ", m->out);
}

void metrics_integer(struct metrics *m, uint64_t value)
{
	close_labels(m);
	fprintf(m->out, "%" PRIu64 "\n", value);
}

void metrics_real(struct metrics *m, double value)
{
	close_labels(m);
	fprintf(m->out, "%.17g\n", value);
}

void metrics_end(struct metrics *m)
{
	if (m->openmetrics)
		fputs("# EOF\n", m->out);
}
