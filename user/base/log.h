/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One sentence a line on stderr, prefixed with the program's name. errno is preserved, so that a caller may log
 * between a failure and its use.
 */
#ifndef AIRGLOW_BASE_LOG_H
#define AIRGLOW_BASE_LOG_H

#include <stdarg.h>

#include <bpf/libbpf.h>

enum log_level { LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Messages above this level are not written. Starts at LOG_WARN; set before threads exist. */
void log_set_level(enum log_level level);

/* log_warn appends what errno says; the others do not look at it. */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * For libbpf_set_print: what the library warns of is detail here (our own sentence tells the user), its debug
 * output is for the curious.
 */
int log_libbpf(enum libbpf_print_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
