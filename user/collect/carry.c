// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums of books (carry.h): from memory, from pinned maps, into memory. The file is carry_file.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "collect/carry.h"
#include "collect/hll.h"
#include "collect/kept.h"
#include "collect/ledger.h"

struct carry *carry_new(void)
{
	return calloc(1, sizeof(struct carry));
}

static uint64_t load(const __u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* An interval that no reader has closed: its hosts are known, and what was lost of it. */
static void add_open_interval(struct ag_told *t, const struct ag_interval *interval)
{
	unsigned int i;

	for (i = 0; i < AG_LOST_MAX; i++)
		t->lost[i] += load(&interval->lost[i]);
	for (i = 0; i < AG_ALERT_MAX; i++)
		t->flagged[i] += load(&interval->flagged[i]);
	for (i = 0; i < AG_CLASS_MAX; i++)
		if (load(&interval->hosts_used[i]))
			hll_merge(&t->hosts[i], &interval->hosts[i]);
}

/* What was counted as dark and neither told nor known to be lost. lost_before: of the closed intervals. */
static void settle_untold(struct carry *c, uint64_t lost_before)
{
	uint64_t known = c->told.dark + ledger_lost(c->told.lost) - lost_before;
	uint64_t dark = c->carried.counters.dark;

	if (dark > known)
		c->told.lost[AG_LOST_RESTART] += dark - known;
	c->told.incomplete += dark > c->told.dark;
	c->told.dark = dark > known ? dark : known;
}

/* Is the interval of this parity entered in the sums already? */
static bool is_told(const struct ag_told *t, uint32_t epoch, unsigned int parity)
{
	return (epoch & 1) != parity && t->epoch + 1 >= epoch;
}

void carry_of_books(struct carry *out, const struct books *books)
{
	const struct ag_collected *collected = books->collected;
	uint32_t epoch = __atomic_load_n(&books->control->epoch, __ATOMIC_ACQUIRE);
	uint64_t lost_before;
	unsigned int i;

	out->carried = *books->carried;
	for (i = 0; i <= books->slices; i++) {
		ledger_add(&out->carried.counters, &books->counters[i], sizeof(out->carried.counters));
		ledger_add(&out->carried.ports, &books->ports[i], sizeof(out->carried.ports));
	}
	out->carried.shared += load(&books->counters[books->slices].received);
	ledger_add(&out->carried.icmp, books->icmp, sizeof(out->carried.icmp));
	if (books->visits_size == AG_PORTS)
		ledger_add(out->carried.visits, books->visits, sizeof(out->carried.visits));
	out->told = collected->told[__atomic_load_n(&collected->side, __ATOMIC_ACQUIRE) & 1];
	out->kept = collected->kept;
	lost_before = ledger_lost(out->told.lost);
	for (i = 0; i < (books->slices + 1) * 2; i++)
		if (!is_told(&out->told, epoch, i & 1))
			add_open_interval(&out->told, &books->intervals[i]);
	settle_untold(out, lost_before);
}

void carry_into_books(const struct carry *carry, struct books *books)
{
	uint32_t epoch = books->collected->told[0].epoch;

	*books->carried = carry->carried;
	books->collected->told[0] = carry->told;
	books->collected->told[0].epoch = epoch;
	books->collected->side = 0;
	books->collected->kept = carry->kept;
	if (books->control->epoch == 1) /* after a file: the day's intervals and bitmaps are gone */
		books->collected->kept.day = books->collected->kept.day_epoch = 0;
	__atomic_store_n(&books->abi->complete, 1, __ATOMIC_RELEASE);
}

/* --- pinned books ---------------------------------------------------------------------------------------- */

/* A pinned array as it is: elements of `stride` bytes. */
struct array {
	const uint8_t *bytes;
	size_t size, stride;
	uint32_t count;
};

static int map_array(struct array *out, const struct pins *pins, unsigned int set, const char *name)
{
	CLEANUP(cleanup_fd) int fd = pins_get_map(pins, set, name);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = {};
	uint32_t info_size = sizeof(info);
	void *address;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return -errno;
	out->stride = (info.value_size + 7) & ~7u;
	out->count = info.max_entries;
	out->size = (out->stride * out->count + page - 1) / page * page;
	address = mmap(NULL, out->size, PROT_READ, MAP_SHARED, fd, 0);
	if (address == MAP_FAILED)
		return -errno;
	out->bytes = address;
	return 0;
}

static void unmap_array(struct array *a)
{
	if (a->bytes)
		munmap((void *)(uintptr_t)a->bytes, a->size);
	a->bytes = NULL;
}

/* A set of pinned books, and how they describe themselves. */
struct pinned {
	const struct pins *pins;
	unsigned int set;
	const struct layout *own;
	struct layout *layout;
};

/* The map holds raw BTF, filled up to whole pages: its header says how long it is. */
static int read_layout(struct pinned *p)
{
	struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, type_off, type_len, str_off, str_len;
	} header;
	struct array raw = {};
	uint64_t length;
	int err = map_array(&raw, p->pins, p->set, "layout");

	if (err)
		return err;
	err = -EINVAL;
	if (raw.bytes && raw.size >= sizeof(header)) {
		memcpy(&header, raw.bytes, sizeof(header));
		length = (uint64_t)header.hdr_len + header.str_off + header.str_len;
		if (length <= raw.size)
			err = layout_new(&p->layout, raw.bytes, length);
	}
	unmap_array(&raw);
	return err;
}

/* The element as this program's struct, zero where the other layout has nothing. */
static int take_element(const struct pinned *p, const struct array *a, uint32_t index, const char *type,
			void *to, size_t size)
{
	if (index >= a->count || layout_size(p->layout, type) > a->stride || layout_size(p->own, type) != size)
		return -EINVAL;
	memset(to, 0, size);
	return layout_copy(to, p->own, a->bytes + index * a->stride, p->layout, type);
}

static int take_first(const struct pinned *p, const char *name, const char *type, void *to, size_t size)
{
	struct array a = {};
	int err = map_array(&a, p->pins, p->set, name);

	if (!err)
		err = take_element(p, &a, 0, type, to, size);
	unmap_array(&a);
	return err;
}

/* Adds all elements of an array of counters up in `to`. last (may be NULL): the last element by itself. */
static int sum_elements(const struct pinned *p, const char *name, const char *type, void *to, void *last,
			size_t size)
{
	CLEANUP(cleanup_free) void *element = malloc(size);
	struct array a = {};
	int err = element ? map_array(&a, p->pins, p->set, name) : -ENOMEM;
	uint32_t i;

	for (i = 0; !err && i < a.count; i++) {
		err = take_element(p, &a, i, type, element, size);
		if (!err)
			ledger_add(to, element, size);
	}
	if (!err && last)
		memcpy(last, element, size);
	unmap_array(&a);
	return err;
}

static int add_open_intervals(const struct pinned *p, struct ag_told *told, uint32_t epoch)
{
	CLEANUP(cleanup_free) struct ag_interval *interval = malloc(sizeof(*interval));
	struct array a = {};
	int err = interval ? map_array(&a, p->pins, p->set, "intervals") : -ENOMEM;
	uint32_t i;

	for (i = 0; !err && i < a.count; i++) {
		if (is_told(told, epoch, i & 1))
			continue;
		err = take_element(p, &a, i, "ag_interval", interval, sizeof(*interval));
		if (!err)
			add_open_interval(told, interval);
	}
	unmap_array(&a);
	return err;
}

static int take_collected(const struct pinned *p, struct carry *out)
{
	CLEANUP(cleanup_free) struct ag_collected *collected = malloc(sizeof(*collected));
	int err =
		collected ? take_first(p, "collected", "ag_collected", collected, sizeof(*collected)) : -ENOMEM;

	if (err)
		return err;
	out->told = collected->told[collected->side & 1];
	out->kept = collected->kept;
	return 0;
}

/* Plain counters; one alone when no interface had the feed self. */
static int add_visits(const struct pinned *p, struct ag_carried *out)
{
	struct array a = {};
	int err = map_array(&a, p->pins, p->set, "visits");

	if (!err && a.stride == sizeof(__u64) && a.count == AG_PORTS)
		ledger_add(out->visits, a.bytes, sizeof(out->visits));
	unmap_array(&a);
	return err == -ENOENT ? 0 : err; /* earlier versions have none */
}

/* What these books counted beside what they may have carried. */
static int add_counted(const struct pinned *p, struct carry *out)
{
	CLEANUP(cleanup_free) struct ag_counters *shared = calloc(1, sizeof(*shared));
	struct ag_carried *c = &out->carried;
	struct ag_control control;
	uint64_t lost_before = ledger_lost(out->told.lost);
	int err = shared ? take_first(p, "control", "ag_control", &control, sizeof(control)) : -ENOMEM;

	if (!err)
		err = sum_elements(p, "counters", "ag_counters", &c->counters, shared, sizeof(c->counters));
	if (!err)
		err = sum_elements(p, "ports", "ag_ports", &c->ports, NULL, sizeof(c->ports));
	if (!err)
		err = sum_elements(p, "icmp", "ag_icmp", &c->icmp, NULL, sizeof(c->icmp));
	if (!err)
		err = add_visits(p, c);
	if (!err)
		err = add_open_intervals(p, &out->told, control.epoch);
	if (err)
		return err;
	c->shared += shared->received;
	settle_untold(out, lost_before);
	return 0;
}

/* The sets whose making was finished, which is when they got their map `abi`: nothing counted in the others. */
static unsigned int whole_sets(const struct pins *pins, unsigned int sets[PINS_SETS_MAX])
{
	unsigned int n = pins_sets(pins, sets), whole = 0, i;

	for (i = 0; i < n; i++) {
		CLEANUP(cleanup_fd) int fd = pins_get_map(pins, sets[i], "abi");

		if (fd != -ENOENT)
			sets[whole++] = sets[i];
	}
	return whole;
}

/* sets[0..n - 1], the last of them included. Books whose own carry was not finished carry what is before them.
 */
static int fold(struct carry *out, const struct pins *pins, const struct layout *own, const unsigned int *sets,
		unsigned int n)
{
	struct pinned p = {.pins = pins, .own = own};
	struct ag_abi abi;
	int err;

	if (!n)
		return -EINVAL; /* what was to be carried is gone */
	p.set = sets[n - 1];
	err = read_layout(&p);
	if (!err)
		err = take_first(&p, "abi", "ag_abi", &abi, sizeof(abi));
	if (!err && !abi.complete) {
		err = fold(out, pins, own, sets, n - 1);
	} else if (!err) {
		err = take_first(&p, "carried", "ag_carried", &out->carried, sizeof(out->carried));
		if (!err)
			err = take_collected(&p, out);
	}
	if (!err)
		err = add_counted(&p, out);
	layout_free(&p.layout);
	return err == -ENOENT ? -EINVAL : err; /* a map is missing: these are no books of ours */
}

int carry_of_pins(struct carry *out, const struct pins *pins, unsigned int set, const struct layout *own)
{
	unsigned int sets[PINS_SETS_MAX], n = whole_sets(pins, sets);

	while (n && sets[n - 1] >= set)
		n--;
	return n ? fold(out, pins, own, sets, n) : -ENOENT;
}

int carry_of_all_pins(struct carry *out, const struct pins *pins, const struct layout *own)
{
	unsigned int sets[PINS_SETS_MAX], n = whole_sets(pins, sets);

	return n ? fold(out, pins, own, sets, n) : -ENOENT;
}

void carry_add_gap(struct ag_kept *kept, const char *subject, const char *reason, int64_t from_ns,
		   int64_t to_ns)
{
	struct gaps gaps = {};

	kept_load_gaps(kept, &gaps);
	gaps_add(&gaps, subject, from_ns, to_ns, reason);
	kept_store_gaps(kept, &gaps);
}
