// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture reader on arbitrary bytes: it must neither crash nor read outside what it holds, and
 * what capture.h promises of every frame, of the end and of the sentences must hold. Corpus:
 * tests/fuzz/corpus/capture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/capture.h"

#define PACKETS_MAX 200000u /* a gzip of nothing but zeros holds many empty records */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "promise of capture.h broken: %s\n", what);
	abort();
}

/* Every byte is looked at, so that the sanitizer sees each. */
static void touch_bytes(const struct capture_frame *f)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < f->caplen; i++)
		sum += f->bytes[i];
	require(sum <= 255ull * f->caplen, "bytes are bytes");
}

static void check_end(struct capture *c, int end, uint64_t frames, uint64_t last_index)
{
	struct capture_frame f;
	const char *note;
	size_t notes = 0;

	require(capture_next(c, &f) == end, "the answer stays the same");
	require((end < 0) == (capture_problem(c) != NULL), "a problem has a sentence");
	require(last_index <= frames + capture_skipped(c), "each packet is handed on or counted as skipped");
	while ((note = capture_note(c))) {
		require(note[0] != '\0', "a note is a sentence");
		notes++;
	}
	require(!capture_skipped(c) || notes, "what is left out is told");
}

static void read_capture(struct capture *c)
{
	struct capture_frame f = {0}, last = {0};
	uint64_t frames = 0;
	int got;

	while ((got = capture_next(c, &f)) == 1) {
		require(f.caplen <= f.wirelen, "not more captured than on the wire");
		require(f.caplen <= CAPTURE_FRAME_BYTES_MAX + 14, "frames are bounded");
		require(f.index > last.index, "packet numbers rise");
		require(!frames || f.offset > last.offset, "offsets rise");
		touch_bytes(&f);
		last = f;
		if (++frames == PACKETS_MAX)
			return;
	}
	check_end(c, got, frames, last.index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct capture *c = NULL;
	char why[512] = "";

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0) {
		perror("memfd");
		abort();
	}
	if (capture_open_fd(&c, fd, "input", why, sizeof(why))) {
		require(!c && strstr(why, "input"), "a refusal names the file");
		return 0;
	}
	read_capture(c);
	capture_free(&c);
	return 0;
}
