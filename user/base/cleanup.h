/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cleanup attributes for locals: the owner of a thing is visible where it is declared.
 *
 *	CLEANUP(cleanup_free) char *text = NULL;
 *	CLEANUP(cleanup_fd) int fd = -1;
 */
#ifndef AIRGLOW_BASE_CLEANUP_H
#define AIRGLOW_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* pointer: the address of any pointer to malloc'ed memory. */
static inline void cleanup_free(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof(memory));
	free(memory);
}

static inline void cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

#endif
