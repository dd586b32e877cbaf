// SPDX-License-Identifier: GPL-2.0-only
/*
 * base.c - the one sentence for the user.
 */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>

int complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("ibr: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return -1;
}
