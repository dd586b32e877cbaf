// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture files: opening, handing on, and the sentences about what was odd (see capture.h).
 * Owns the life of a capture. Must not know how either format is laid out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture_internal.h"

#define ETHERNET_BYTES	    14u
#define LONGEST_MAGIC_BYTES 4u

void capture_add_note(struct capture *c, const char *format, ...)
{
	va_list arguments;

	if (c->note_count == CAPTURE_NOTES_MAX) {
		c->notes_lost++;
		return;
	}
	va_start(arguments, format);
	if (vasprintf(&c->notes[c->note_count], format, arguments) < 0)
		c->notes_lost++;
	else
		c->note_count++;
	va_end(arguments);
}

static void note_the_lost(struct capture *c)
{
	if (!c->notes_lost)
		return;
	if (asprintf(&c->notes[c->note_count], "%s: %llu more notes of this file are not shown", c->name,
		     (unsigned long long)c->notes_lost) >= 0)
		c->note_count++;
}

int capture_set_problem(struct capture *c, int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(c->problem, sizeof(c->problem), format, arguments);
	va_end(arguments);
	return err;
}

int capture_cut_off(struct capture *c, uint64_t offset, uint64_t got, uint64_t wanted)
{
	const struct capture_source *s = &c->source;
	unsigned long long packet = c->packets + 1, at = offset;
	const char *kind = s->gzip ? " (decompressed)" : "";

	if (s->err == -EBADMSG)
		return capture_set_problem(c, s->err,
					   "%s: compressed data damaged inside packet %llu, byte "
					   "offset %llu (decompressed); what follows cannot be read",
					   c->name, packet, at);
	if (s->err && s->err != -ENODATA)
		return capture_set_problem(c, s->err,
					   "%s: read error at packet %llu, byte offset "
					   "%llu%s: %s",
					   c->name, packet, at, kind, strerror(-s->err));
	if (s->err && !got)
		return capture_set_problem(c, -ENODATA,
					   "%s: compressed data cut off behind packet "
					   "%llu, byte offset %llu (decompressed)",
					   c->name, packet - 1, at);
	if (wanted)
		return capture_set_problem(c, -ENODATA,
					   "%s: cut off inside packet %llu, byte "
					   "offset %llu%s: %llu of %llu bytes of its record",
					   c->name, packet, at, kind, (unsigned long long)got,
					   (unsigned long long)wanted);
	return capture_set_problem(c, -ENODATA,
				   "%s: cut off inside packet %llu, byte offset "
				   "%llu%s: %llu bytes of its record",
				   c->name, packet, at, kind, (unsigned long long)got);
}

void capture_skip_record(struct capture *c)
{
	c->packets++;
	c->skipped++;
}

static int refuse_begin(const struct capture *c, const uint8_t *bytes, size_t have, char *why, size_t why_size)
{
	const struct capture_source *s = &c->source;

	if (s->err && s->err != -ENODATA && s->err != -EBADMSG) {
		snprintf(why, why_size, "cannot read %s: %s", c->name, strerror(-s->err));
		return s->err;
	}
	if (s->err) {
		snprintf(why, why_size, "%s is %s inside its compressed data before any packet", c->name,
			 s->err == -ENODATA ? "cut off" : "damaged");
		return s->err;
	}
	if (!have)
		snprintf(why, why_size, "%s is empty%s: not a capture (pcap or pcapng)", c->name,
			 s->gzip ? " when decompressed" : "");
	else if (have < LONGEST_MAGIC_BYTES)
		snprintf(why, why_size, "%s is not a capture (pcap or pcapng): %zu bytes in all", c->name,
			 have);
	else
		snprintf(why, why_size,
			 "%s is not a capture (pcap or pcapng, either may be gzipped): it begins "
			 "with the bytes %02x %02x %02x %02x",
			 c->name, bytes[0], bytes[1], bytes[2], bytes[3]);
	return -EBADMSG;
}

static int open_format(struct capture *c, char *why, size_t why_size)
{
	uint8_t *bytes;
	size_t have = capture_source_peek(&c->source, LONGEST_MAGIC_BYTES, &bytes);

	if (capture_pcap_begins(bytes, have))
		return capture_pcap_open(c, why, why_size);
	if (capture_pcapng_begins(bytes, have))
		return capture_pcapng_open(c, why, why_size);
	return refuse_begin(c, bytes, have, why, why_size);
}

int capture_open_fd(struct capture **out, int fd, const char *name, char *why, size_t why_size)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct stat st;
	int err = -ENOMEM;

	if (!c)
		goto exit_descriptor;
	c->source.fd = -1;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->frame = malloc(CAPTURE_FRAME_BYTES_MAX + ETHERNET_BYTES);
	if (!c->frame)
		goto exit_descriptor;
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		err = -EISDIR;
		goto exit_descriptor;
	}
	err = capture_source_open(&c->source, fd);
	if (err)
		goto exit_descriptor;
	err = open_format(c, why, why_size);
	if (err)
		goto exit_capture;
	*out = c;
	return 0;

exit_descriptor:
	snprintf(why, why_size, "cannot read %s: %s", name, strerror(-err));
	close(fd);
exit_capture:
	capture_free(&c);
	return err;
}

int capture_open(struct capture **out, const char *path, char *why, size_t why_size)
{
	bool standard_input = !strcmp(path, "-");
	int fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int err = -errno;

		snprintf(why, why_size, "cannot open %s: %s", standard_input ? "standard input" : path,
			 strerror(-err));
		return err;
	}
	return capture_open_fd(out, fd, standard_input ? "standard input" : path, why, why_size);
}

static void leave_out_link(struct capture *c, const struct capture_record *r)
{
	c->skipped++;
	if (*r->link_noted)
		return;
	*r->link_noted = true;
	capture_add_note(c,
			 "%s: packet %llu at byte offset %llu and all others of its interface "
			 "left out: link type %u is not read",
			 c->name, (unsigned long long)c->packets, (unsigned long long)r->offset, r->link_type);
}

int capture_next(struct capture *c, struct capture_frame *f)
{
	struct capture_record r;
	int got;

	if (c->ended)
		return c->end;
	while ((got = c->read_record(c, &r)) == 1) {
		c->packets++;
		c->last_time_ns = r.time_ns;
		if (capture_link_known(r.link_type)) {
			capture_link_normalise(&r, c->frame, f);
			f->time_ns = r.time_ns;
			f->index = c->packets;
			f->offset = r.offset;
			return 1;
		}
		leave_out_link(c, &r);
	}
	c->ended = true;
	c->end = got;
	note_the_lost(c);
	return got;
}

const char *capture_problem(const struct capture *c)
{
	return c->problem[0] ? c->problem : NULL;
}

const char *capture_note(struct capture *c)
{
	return c->note_next < c->note_count ? c->notes[c->note_next++] : NULL;
}

uint64_t capture_skipped(const struct capture *c)
{
	return c->skipped;
}

void capture_free(struct capture **c)
{
	struct capture *gone = *c;

	if (!gone)
		return;
	*c = NULL;
	capture_pcap_close(&gone->pcap);
	capture_pcapng_close(&gone->pcapng);
	capture_source_close(&gone->source);
	for (size_t i = 0; i < gone->note_count; i++)
		free(gone->notes[i]);
	free(gone->frame);
	free(gone);
}
