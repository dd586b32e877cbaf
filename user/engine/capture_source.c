// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a capture file: read from a descriptor that need not seek, decompressed where they
 * begin like gzip. Owns descriptor, buffers and the decompressor. Must not know what a capture is.
 *
 * zlib's inflate() is used and not its gzread(): of a damaged file gzread() throws away what it
 * had decompressed of the same request, and the packets in it with that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_internal.h"

#define RAW_BYTES	 (256u << 10)
#define GZIP_MAGIC_BYTES 3u /* 1f 8b, method 8 */
#define GZIP_WINDOW_BITS (15 + 16)

static ssize_t read_descriptor(struct capture_source *s, uint8_t *to, size_t n)
{
	ssize_t got;

	if (s->eof)
		return 0;
	do {
		got = read(s->fd, to, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	s->eof = got == 0;
	return got;
}

/* Moves what is left in the raw buffer to its front and reads until `n` are there or no more come. */
static int fill_raw(struct capture_source *s, size_t n)
{
	memmove(s->raw, s->raw + s->raw_begin, s->raw_end - s->raw_begin);
	s->raw_end -= s->raw_begin;
	s->raw_begin = 0;
	while (s->raw_end < n) {
		ssize_t got = read_descriptor(s, s->raw + s->raw_end, RAW_BYTES - s->raw_end);

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		s->raw_end += (size_t)got;
	}
	return 0;
}

static bool begins_like_gzip(const struct capture_source *s)
{
	static const uint8_t magic[GZIP_MAGIC_BYTES] = {0x1f, 0x8b, 8};

	return s->raw_end - s->raw_begin >= sizeof(magic) &&
	       !memcmp(s->raw + s->raw_begin, magic, sizeof(magic));
}

/*
 * A gzip file is one member or several behind each other. What follows a member and is none is
 * padding, which gzip(1) ignores too. 1 = a member begins, 0 = end.
 */
static int open_member(struct capture_source *s)
{
	int err = fill_raw(s, GZIP_MAGIC_BYTES);

	if (err)
		return err;
	if (!begins_like_gzip(s))
		return 0;
	if (inflateReset(&s->z) != Z_OK)
		return -EINVAL;
	s->member_open = true;
	return 1;
}

/* One step of the decompressor: bytes made, which may be 0 with err set or not. */
static size_t inflate_some(struct capture_source *s, uint8_t *to, size_t n)
{
	size_t made;
	int state;

	if (s->raw_begin == s->raw_end) {
		s->err = fill_raw(s, 1);
		if (!s->err && s->raw_begin == s->raw_end)
			s->err = -ENODATA;
		if (s->err)
			return 0;
	}
	s->z.next_in = s->raw + s->raw_begin;
	s->z.avail_in = (uInt)(s->raw_end - s->raw_begin);
	s->z.next_out = to;
	s->z.avail_out = (uInt)n;
	state = inflate(&s->z, Z_NO_FLUSH);
	s->raw_begin = s->raw_end - s->z.avail_in;
	made = n - s->z.avail_out;
	if (state == Z_STREAM_END)
		s->member_open = false;
	else if (state == Z_MEM_ERROR)
		s->err = -ENOMEM;
	else if (state != Z_OK && state != Z_BUF_ERROR)
		s->err = -EBADMSG;
	return made;
}

static size_t produce_inflated(struct capture_source *s, uint8_t *to, size_t n)
{
	size_t made = 0;

	while (!made && !s->err) {
		if (!s->member_open) {
			int begun = open_member(s);

			if (begun < 0)
				s->err = begun;
			if (begun <= 0)
				break;
		}
		made = inflate_some(s, to, n);
	}
	return made;
}

/* The next bytes of the decompressed file, 1..n of them; 0 = end, or err is set. */
static size_t produce(struct capture_source *s, uint8_t *to, size_t n)
{
	ssize_t got;

	if (s->err)
		return 0;
	if (s->gzip)
		return produce_inflated(s, to, n);
	if (s->raw_begin < s->raw_end) {
		size_t left = s->raw_end - s->raw_begin;

		if (n > left)
			n = left;
		memcpy(to, s->raw + s->raw_begin, n);
		s->raw_begin += n;
		return n;
	}
	got = read_descriptor(s, to, n);
	if (got < 0) {
		s->err = (int)got;
		return 0;
	}
	return (size_t)got;
}

int capture_source_open(struct capture_source *s, int fd)
{
	int err;

	*s = (struct capture_source){.fd = -1};
	s->raw = malloc(RAW_BYTES);
	s->window = malloc(CAPTURE_WINDOW_BYTES);
	if (!s->raw || !s->window) {
		err = -ENOMEM;
		goto exit_buffers;
	}
	s->fd = fd;
	err = fill_raw(s, GZIP_MAGIC_BYTES);
	if (err)
		goto exit_buffers;
	s->gzip = begins_like_gzip(s);
	if (s->gzip && inflateInit2(&s->z, GZIP_WINDOW_BITS) != Z_OK) {
		err = -ENOMEM;
		goto exit_buffers;
	}
	/* Only advice: a pipe refuses it. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;

exit_buffers:
	free(s->window);
	free(s->raw);
	*s = (struct capture_source){.fd = -1};
	return err;
}

void capture_source_close(struct capture_source *s)
{
	if (s->gzip)
		inflateEnd(&s->z);
	free(s->window);
	free(s->raw);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct capture_source){.fd = -1};
}

size_t capture_source_peek(struct capture_source *s, size_t n, uint8_t **bytes)
{
	if (s->end - s->begin < n && CAPTURE_WINDOW_BYTES - s->begin < n) {
		memmove(s->window, s->window + s->begin, s->end - s->begin);
		s->end -= s->begin;
		s->begin = 0;
	}
	while (s->end - s->begin < n) {
		size_t got = produce(s, s->window + s->end, CAPTURE_WINDOW_BYTES - s->end);

		if (!got)
			break;
		s->end += got;
	}
	*bytes = s->window + s->begin;
	return s->end - s->begin;
}

uint64_t capture_source_skip(struct capture_source *s, uint64_t n)
{
	uint64_t left = n;

	while (left) {
		size_t step = s->end - s->begin;

		if (!step) {
			s->begin = 0;
			s->end = produce(s, s->window, CAPTURE_WINDOW_BYTES);
			if (!s->end)
				break;
			continue;
		}
		if (step > left)
			step = (size_t)left;
		s->begin += step;
		s->offset += step;
		left -= step;
	}
	return n - left;
}

size_t capture_source_read(struct capture_source *s, uint8_t *to, size_t n)
{
	size_t got = s->end - s->begin;

	if (!got) {
		got = produce(s, to, n);
	} else {
		if (got > n)
			got = n;
		memcpy(to, s->window + s->begin, got);
		s->begin += got;
	}
	s->offset += got;
	return got;
}
