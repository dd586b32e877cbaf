// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout: what one version wrote, read by another, between layouts that the test makes; the JSON of this
 * program's own structs there and back; what is refused.
 */
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "airglow/keep.h"
#include "engine/backend.h"
#include "engine/layout.h"

/* Types of a layout under construction. */
struct types {
	struct btf *btf;
	int u8, u16, u32, u64, s32, s64, character;
};

static struct types begin_types(void)
{
	struct types t = {.btf = btf__new_empty()};

	cr_assert(t.btf);
	t.u8 = btf__add_int(t.btf, "unsigned char", 1, 0);
	t.u16 = btf__add_int(t.btf, "unsigned short", 2, 0);
	t.u32 = btf__add_int(t.btf, "unsigned int", 4, 0);
	t.u64 = btf__add_int(t.btf, "long long unsigned int", 8, 0);
	t.s32 = btf__add_int(t.btf, "int", 4, BTF_INT_SIGNED);
	t.s64 = btf__add_int(t.btf, "long long int", 8, BTF_INT_SIGNED);
	t.character = btf__add_int(t.btf, "char", 1, BTF_INT_SIGNED);
	return t;
}

static int array_of(const struct types *t, int type, unsigned int count)
{
	int id = btf__add_array(t->btf, t->u32, type, count);

	cr_assert_gt(id, 0);
	return id;
}

static int add_struct(const struct types *t, const char *name, size_t size)
{
	int id = btf__add_struct(t->btf, name, (__u32)size);

	cr_assert_gt(id, 0);
	return id;
}

static void add_field(const struct types *t, const char *name, int type, size_t offset)
{
	cr_assert_eq(btf__add_field(t->btf, name, type, (__u32)offset * 8, 0), 0);
}

static struct layout *finish(const struct types *t)
{
	struct layout *layout = NULL;
	uint32_t size = 0;
	const void *raw = btf__raw_data(t->btf, &size);

	cr_assert(raw);
	cr_assert_eq(layout_new(&layout, raw, size), 0);
	btf__free(t->btf);
	return layout;
}

/* --- another version's struct
 * ----------------------------------------------------------------------------------------------------*/

struct before {
	uint32_t narrow;
	uint32_t gone;
	uint64_t first;
	uint64_t grows[3], shrinks[5];
	struct {
		uint64_t a, b;
	} pairs[2];
	char name[8];
	uint8_t sketch[4];
	int32_t below;
};

struct after {
	uint64_t first; /* moved */
	uint8_t pad[5]; /* no power of two before what follows */
	uint8_t sketch[8];
	char name[16];
	uint64_t fresh;
	uint64_t shrinks[2];
	struct {
		uint64_t b, c, a; /* moved, added */
	} pairs[3];
	uint64_t grows[4];
	uint64_t narrow; /* wider */
	int64_t below;
};

static struct layout *layout_before(void)
{
	struct types t = begin_types();
	int grows = array_of(&t, t.u64, 3), shrinks = array_of(&t, t.u64, 5), pair, pairs,
	    name = array_of(&t, t.character, 8), sketch = array_of(&t, t.u8, 4);

	pair = add_struct(&t, NULL, 16);
	add_field(&t, "a", t.u64, 0);
	add_field(&t, "b", t.u64, 8);
	pairs = array_of(&t, pair, 2);
	add_struct(&t, "figures", sizeof(struct before));
	add_field(&t, "narrow", t.u32, offsetof(struct before, narrow));
	add_field(&t, "gone", t.u32, offsetof(struct before, gone));
	add_field(&t, "first", t.u64, offsetof(struct before, first));
	add_field(&t, "grows", grows, offsetof(struct before, grows));
	add_field(&t, "shrinks", shrinks, offsetof(struct before, shrinks));
	add_field(&t, "pairs", pairs, offsetof(struct before, pairs));
	add_field(&t, "name", name, offsetof(struct before, name));
	add_field(&t, "sketch", sketch, offsetof(struct before, sketch));
	add_field(&t, "below", t.s32, offsetof(struct before, below));
	return finish(&t);
}

/* Its integers have names: typedefs and qualifiers are looked through. */
static struct layout *layout_after(void)
{
	struct types t = begin_types();
	int word = btf__add_const(t.btf, btf__add_typedef(t.btf, "__u64", t.u64));
	int grows = array_of(&t, word, 4), shrinks = array_of(&t, word, 2), pair, pairs,
	    name = array_of(&t, t.character, 16), sketch = array_of(&t, t.u8, 8);

	pair = add_struct(&t, NULL, 24);
	add_field(&t, "b", word, 0);
	add_field(&t, "c", word, 8);
	add_field(&t, "a", word, 16);
	pairs = array_of(&t, pair, 3);
	add_struct(&t, "figures", sizeof(struct after));
	add_field(&t, "first", word, offsetof(struct after, first));
	add_field(&t, "sketch", sketch, offsetof(struct after, sketch));
	add_field(&t, "name", name, offsetof(struct after, name));
	add_field(&t, "fresh", word, offsetof(struct after, fresh));
	add_field(&t, "shrinks", shrinks, offsetof(struct after, shrinks));
	add_field(&t, "pairs", pairs, offsetof(struct after, pairs));
	add_field(&t, "grows", grows, offsetof(struct after, grows));
	add_field(&t, "narrow", word, offsetof(struct after, narrow));
	add_field(&t, "below", t.s64, offsetof(struct after, below));
	return finish(&t);
}

static const struct before OLD = {
	.narrow = 0xfffffff0,
	.gone = 77,
	.first = 0x0102030405060708,
	.grows = {1, 2, 3},
	.shrinks = {11, 12, 13, 14, 15},
	.pairs = {{21, 22}, {23, 24}},
	.name = "north",
	.sketch = {9, 8, 7, 6},
	.below = -5,
};

static void check_later(const struct after *now, uint64_t untouched)
{
	cr_assert_eq(now->first, 0x0102030405060708);
	cr_assert_eq(now->narrow, 0xfffffff0);
	cr_assert_eq(now->below, -5, "%lld", (long long)now->below);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(now->grows[i], i + 1);
	cr_assert_eq(now->grows[3], untouched, "the other has no such element");
	cr_assert_eq(now->shrinks[0], 11);
	cr_assert_eq(now->shrinks[1], 12);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(now->pairs[i].a, 21 + 2 * i);
		cr_assert_eq(now->pairs[i].b, 22 + 2 * i);
		cr_assert_eq(now->pairs[i].c, untouched);
	}
	cr_assert_eq(now->pairs[2].a, untouched);
	cr_assert_eq(now->fresh, untouched, "the other has no such member");
	cr_assert_str_eq(now->name, "north");
	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(now->sketch[i], 9 - i);
	cr_assert_eq(now->sketch[4], (uint8_t)untouched);
	for (unsigned int i = 0; i < sizeof(now->pad); i++)
		cr_assert_eq(now->pad[i], (uint8_t)untouched, "what has no name is left alone");
}

Test(layout, what_an_earlier_version_wrote)
{
	struct layout *before = layout_before(), *after = layout_after();
	struct after now;

	cr_assert_eq(layout_size(before, "figures"), sizeof(struct before));
	cr_assert_eq(layout_size(after, "figures"), sizeof(struct after));
	for (unsigned int fill = 0; fill <= 0xaa; fill += 0xaa) {
		memset(&now, (int)fill, sizeof(now));
		cr_assert_eq(layout_copy(&now, after, &OLD, before, "figures"), 0);
		check_later(&now, fill * 0x0101010101010101ULL);
	}
	layout_free(&before);
	layout_free(&after);
}

Test(layout, what_a_later_version_wrote)
{
	struct layout *before = layout_before(), *after = layout_after();
	struct after now = {};
	struct before back;

	cr_assert_eq(layout_copy(&now, after, &OLD, before, "figures"), 0);
	now.fresh = now.grows[3] = now.pairs[2].a = now.pairs[0].c = 999;
	memset(&back, 0, sizeof(back));
	cr_assert_eq(layout_copy(&back, before, &now, after, "figures"), 0);
	cr_assert_eq(back.gone, 0);
	cr_assert_eq(back.shrinks[2], 0);
	back.gone = OLD.gone;
	memcpy(back.shrinks + 2, OLD.shrinks + 2, sizeof(OLD.shrinks) - 2 * sizeof(OLD.shrinks[0]));
	cr_assert_eq(back.narrow, OLD.narrow);
	cr_assert_eq(back.below, -5);
	cr_assert(!memcmp(&back, &OLD, offsetof(struct before, below)));
	layout_free(&before);
	layout_free(&after);
}

/* By the same names in JSON: what a file of another version says. */
Test(layout, the_file_of_an_earlier_version)
{
	struct layout *before = layout_before(), *after = layout_after();
	json_t *json = layout_json(before, "figures", &OLD);
	struct after now;

	cr_assert(json);
	memset(&now, 0, sizeof(now));
	cr_assert_eq(layout_from_json(&now, after, "figures", json), 0);
	check_later(&now, 0);
	json_decref(json);
	layout_free(&before);
	layout_free(&after);
}

/* Integers of every width into every width: what fits stays what it is. */
Test(layout, integers_change_their_width)
{
	const size_t sizes[] = {1, 2, 4, 8};

	for (unsigned int from = 0; from < 4; from++)
		for (unsigned int to = 0; to < 4; to++) {
			struct types a = begin_types(), b = begin_types();
			struct layout *one, *other;
			uint64_t source = 0x7b, target = 0;
			int a_types[] = {a.u8, a.u16, a.u32, a.u64}, b_types[] = {b.u8, b.u16, b.u32, b.u64};

			add_struct(&a, "word", sizes[from]);
			add_field(&a, "value", a_types[from], 0);
			add_struct(&b, "word", sizes[to]);
			add_field(&b, "value", b_types[to], 0);
			one = finish(&a);
			other = finish(&b);
			cr_assert_eq(layout_copy(&target, other, &source, one, "word"), 0);
			cr_assert_eq(target, 0x7b, "%zu to %zu", sizes[from], sizes[to]);
			layout_free(&one);
			layout_free(&other);
		}
}

/* A member that became something else is one that the other side does not have. */
Test(layout, a_member_of_another_kind_is_left_alone)
{
	struct types a = begin_types(), b = begin_types();
	struct layout *one, *other;
	uint64_t source[2] = {5, 6}, target[2] = {1, 2};
	int two = array_of(&b, b.u32, 2);

	add_struct(&a, "figures", 16);
	add_field(&a, "value", a.u64, 0);
	add_field(&a, "same", a.u64, 8);
	add_struct(&b, "figures", 16);
	add_field(&b, "value", two, 0);
	add_field(&b, "same", b.u64, 8);
	one = finish(&a);
	other = finish(&b);
	cr_assert_eq(layout_copy(target, other, source, one, "figures"), 0);
	cr_assert_eq(target[0], 1);
	cr_assert_eq(target[1], 6);
	layout_free(&one);
	layout_free(&other);
}

/* A struct inside itself by way of many others does not happen; one that is too deep is cut, not followed. */
Test(layout, deep_structs_end)
{
	struct types t = begin_types();
	int inner = t.u64;
	struct layout *layout;
	uint64_t from = 5, to = 0;
	json_t *json;

	for (unsigned int i = 0; i < 40; i++) {
		int id = add_struct(&t, i == 39 ? "deep" : NULL, 8);

		add_field(&t, "in", inner, 0);
		inner = id;
	}
	layout = finish(&t);
	cr_assert_eq(layout_copy(&to, layout, &from, layout, "deep"), 0);
	cr_assert_eq(to, 0);
	json = layout_json(layout, "deep", &from);
	cr_assert_null(json, "it cannot be told whole");
	layout_free(&layout);
}

/* --- this program's own
 * ----------------------------------------------------------------------------------------------------*/

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Every word something, or one of sixteen. */
static void randomize(void *to, size_t bytes, uint64_t *state, bool sparse)
{
	for (size_t i = 0; i + 8 <= bytes; i += 8) {
		uint64_t word = random_next(state);

		if (sparse && word % 16)
			word = 0;
		memcpy((uint8_t *)to + i, &word, sizeof(word));
	}
}

static void name_it(char name[AG_NAME_BYTES], uint64_t *state)
{
	size_t length = random_next(state) % AG_NAME_BYTES;

	memset(name, 0, AG_NAME_BYTES);
	for (size_t i = 0; i < length; i++)
		name[i] = (char)('!' + random_next(state) % 90); /* quotes and backslashes too */
}

/* Names are text; all other bytes are free. */
static void randomize_kept(struct ag_kept *kept, uint64_t *state)
{
	randomize(kept, sizeof(*kept), state, false);
	for (unsigned int i = 0; i <= AG_SCOPES_MAX; i++)
		name_it(kept->scopes[i], state);
	for (unsigned int i = 0; i < AG_INTERFACES_MAX; i++) {
		name_it(kept->interfaces[i].name, state);
		for (unsigned int j = 0; j < AG_NIC_MAX; j++)
			name_it(kept->interfaces[i].drops[j].name, state);
	}
	for (unsigned int i = 0; i < AG_GAPS_MAX; i++) {
		name_it(kept->gaps[i].subject, state);
		name_it(kept->gaps[i].reason, state);
	}
	for (unsigned int i = 0; i < AG_GAP_SUMS_MAX; i++)
		name_it(kept->gap_sums[i].subject, state);
}

static void there_and_back(const struct layout *layout, const char *type, const void *value, size_t size)
{
	uint8_t *copy = calloc(1, size), *back = calloc(1, size);
	json_t *json, *read;
	char *text;

	cr_assert(copy && back);
	cr_assert_eq(layout_size(layout, type), size, "%s", type);
	cr_assert_eq(layout_copy(copy, layout, value, layout, type), 0);
	cr_assert(!memcmp(copy, value, size), "%s: the copy is another", type);
	json = layout_json(layout, type, value);
	cr_assert(json, "%s", type);
	text = json_dumps(json, JSON_COMPACT);
	cr_assert(text);
	read = json_loads(text, 0, NULL);
	cr_assert(read);
	cr_assert_eq(layout_from_json(back, layout, type, read), 0, "%s", type);
	cr_assert(!memcmp(back, value, size), "%s: it is another when it is read again", type);
	json_decref(json);
	json_decref(read);
	free(text);
	free(copy);
	free(back);
}

Test(layout, our_own_structs_there_and_back)
{
	struct layout *layout = NULL;
	struct ag_carried *carried = calloc(1, sizeof(*carried));
	struct ag_told *told = calloc(1, sizeof(*told));
	struct ag_kept *kept = calloc(1, sizeof(*kept));
	uint64_t state = 88172645463325252;

	cr_assert(carried && told && kept);
	cr_assert_eq(kernel_layout(&layout), 0);
	there_and_back(layout, "ag_carried", carried, sizeof(*carried));
	there_and_back(layout, "ag_told", told, sizeof(*told));
	there_and_back(layout, "ag_kept", kept, sizeof(*kept));
	randomize(carried, sizeof(*carried), &state, true);
	there_and_back(layout, "ag_carried", carried, sizeof(*carried));
	for (unsigned int round = 0; round < 5; round++) {
		randomize(told, sizeof(*told), &state, round % 2);
		there_and_back(layout, "ag_told", told, sizeof(*told));
		randomize_kept(kept, &state);
		there_and_back(layout, "ag_kept", kept, sizeof(*kept));
	}
	free(carried);
	free(told);
	free(kept);
	layout_free(&layout);
}

Test(layout, the_whole_books_describe_themselves)
{
	const struct {
		const char *type;
		size_t size;
	} types[] = {
		{"ag_abi", sizeof(struct ag_abi)},	     {"ag_collected", sizeof(struct ag_collected)},
		{"ag_carried", sizeof(struct ag_carried)},   {"ag_counters", sizeof(struct ag_counters)},
		{"ag_ports", sizeof(struct ag_ports)},	     {"ag_icmp", sizeof(struct ag_icmp)},
		{"ag_interval", sizeof(struct ag_interval)}, {"ag_control", sizeof(struct ag_control)},
	};
	struct layout *layout = NULL, *again = NULL;
	const void *raw;
	size_t bytes = 0;

	cr_assert_eq(kernel_layout(&layout), 0);
	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		cr_assert_eq(layout_size(layout, types[i].type), types[i].size, "%s", types[i].type);
	cr_assert_eq(layout_size(layout, "ag_nothing"), 0);
	raw = layout_raw(layout, &bytes);
	cr_assert_eq(layout_new(&again, raw, bytes), 0, "what is pinned can be read");
	cr_assert_eq(layout_size(again, "ag_told"), sizeof(struct ag_told));
	layout_free(&again);
	layout_free(&layout);
	layout_free(&layout);
}

/* --- refusals
 * ----------------------------------------------------------------------------------------------------*/

Test(layout, what_is_no_layout)
{
	struct layout *layout = NULL;
	uint8_t noise[256];
	struct types t = begin_types();
	uint32_t size = 0;
	const void *raw = btf__raw_data(t.btf, &size);

	memset(noise, 0x5a, sizeof(noise));
	cr_assert_eq(layout_new(&layout, noise, sizeof(noise)), -EINVAL);
	cr_assert_eq(layout_new(&layout, noise, 0), -EINVAL);
	cr_assert_eq(layout_new(&layout, raw, size - 1), -EINVAL, "cut off");
	cr_assert_eq(layout_new(&layout, raw, (size_t)UINT32_MAX + 1), -EINVAL);
	cr_assert_null(layout);
	btf__free(t.btf);
}

static int from_text(const struct layout *layout, struct ag_kept *kept, const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	int err;

	cr_assert(json, "%s", text);
	err = layout_from_json(kept, layout, "ag_kept", json);
	json_decref(json);
	return err;
}

Test(layout, what_is_no_json_of_a_struct)
{
	static const char *const bad[] = {
		"[]",
		"5",
		"null",
		"\"text\"",
		"{\"id\": \"5\"}",
		"{\"id\": 5.0}",
		"{\"id\": {}}",
		"{\"id\": null}",
		"{\"id\": true}",
		"{\"alerts\": 5}",
		"{\"alerts\": [1, 2]}",
		"{\"alerts\": {\"x\": 1}}",
		"{\"alerts\": {\"\": 1}}",
		"{\"alerts\": {\"-1\": 1}}",
		"{\"alerts\": {\"+1\": 1}}",
		"{\"alerts\": {\" 1\": 1}}",
		"{\"alerts\": {\"\\t1\": 1}}",
		"{\"alerts\": {\"1x\": 1}}",
		"{\"alerts\": {\"0x1\": 1}}",
		"{\"alerts\": {\"1\": \"one\"}}",
		"{\"scopes\": {\"1\": 5}}",
		"{\"scopes\": {\"1\": [\"n\"]}}",
		"{\"scopes\": {\"1\": \"1234567890123456789012345678901234567890\"}}", /* no room for its end */
		"{\"interfaces\": {\"0\": {\"drops\": {\"0\": 5}}}}",
	};
	struct layout *layout = NULL;
	struct ag_kept *kept = calloc(1, sizeof(*kept));

	cr_assert(kept);
	cr_assert_eq(kernel_layout(&layout), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(from_text(layout, kept, bad[i]), -EINVAL, "%s", bad[i]);
	cr_assert_eq(layout_from_json(kept, layout, "ag_nothing", json_null()), -ENOENT);
	cr_assert_eq(layout_copy(kept, layout, kept, layout, "ag_nothing"), -ENOENT);
	cr_assert_null(layout_json(layout, "ag_nothing", kept));
	free(kept);
	layout_free(&layout);
}

/* Members and elements of a later version are passed over; a sketch may be larger or smaller. */
Test(layout, what_this_version_does_not_have_is_passed_over)
{
	struct layout *layout = NULL;
	struct ag_kept *kept = calloc(1, sizeof(*kept));
	struct ag_told *told = calloc(1, sizeof(*told));
	json_t *json;

	cr_assert(kept && told);
	cr_assert_eq(kernel_layout(&layout), 0);
	kept->start_ns = 3;
	cr_assert_eq(from_text(layout, kept,
			       "{\"later\": {\"x\": []}, \"id\": 5, \"alerts\": {\"0\": 7, \"99999\": 8, "
			       "\"18446744073709551616\": 9}, \"scopes\": {\"65\": \"x\", \"64\": \"last\"}}"),
		     0);
	cr_assert_eq(kept->id, 5);
	cr_assert_eq(kept->alerts[0], 7);
	cr_assert_eq(kept->start_ns, 3, "what is not told stays");
	cr_assert_str_eq(kept->scopes[AG_SCOPES_MAX], "last");
	json = json_pack("{s:{s:s}}", "hosts", "0", "0102");
	cr_assert_eq(layout_from_json(told, layout, "ag_told", json), -EINVAL, "hosts are structs");
	json_decref(json);
	json = json_pack("{s:{s:{s:s}}}", "hosts", "0", "reg", "01fe");
	cr_assert_eq(layout_from_json(told, layout, "ag_told", json), 0);
	cr_assert_eq(told->hosts[0].reg[0], 1);
	cr_assert_eq(told->hosts[0].reg[1], 0xfe);
	cr_assert_eq(told->hosts[0].reg[2], 0);
	json_decref(json);
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const bad[] = {"012", "0g", "AB"};

		json = json_pack("{s:{s:{s:s}}}", "hosts", "0", "reg", bad[i]);
		cr_assert_eq(layout_from_json(told, layout, "ag_told", json), -EINVAL, "%s", bad[i]);
		json_decref(json);
	}
	free(kept);
	free(told);
	layout_free(&layout);
}
