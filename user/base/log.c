// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log (log.h). One write a line, so that lines of several threads do not mix.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static enum log_level log_level = LOG_WARN;

void log_set_level(enum log_level level)
{
	log_level = level;
}

/* error: 0 or an errno value whose text is appended. */
static void __attribute__((format(printf, 3, 0)))
write_line(enum log_level level, int error, const char *format, va_list args)
{
	int saved = errno;
	char text[1024];
	size_t length;

	if (level > log_level)
		return;
	vsnprintf(text, sizeof(text), format, args);
	length = strlen(text);
	while (length && text[length - 1] == '\n')
		text[--length] = '\0';
	/* What is quoted may hold anything: a message stays one line and does nothing to a terminal. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = level < LOG_DEBUG ? '?' : ' ';
	if (error)
		fprintf(stderr, "airglow: %s: %s\n", text, strerror(error));
	else
		fprintf(stderr, "airglow: %s\n", text);
	errno = saved;
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_WARN, errno, format, args);
	va_end(args);
}

void log_warnx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_WARN, 0, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_INFO, 0, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_DEBUG, 0, format, args);
	va_end(args);
}

int log_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	write_line(level == LIBBPF_DEBUG ? LOG_TRACE : LOG_DEBUG, 0, format, args);
	return 0;
}
