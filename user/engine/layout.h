/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of the books as they describe themselves (BTF): what another version of airglow wrote is read by
 * the names of its members, from maps and from the file in the state directory. A member that one side does not
 * have is left as it is; arrays are taken as far as both go, for the numbers of outcomes, classes and the like
 * are never given to another meaning.
 */
#ifndef AIRGLOW_ENGINE_LAYOUT_H
#define AIRGLOW_ENGINE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct layout;

/* From raw BTF (copied). 0 or -errno. */
int layout_new(struct layout **out, const void *btf, size_t bytes);
void layout_free(struct layout **layout);
/* The raw BTF; owned by the layout. */
const void *layout_raw(const struct layout *layout, size_t *bytes);

/* Size of a struct in bytes, 0 when the layout has none of this name. */
size_t layout_size(const struct layout *layout, const char *type);

/* Copies a struct of that name between two layouts. -ENOENT: one of them has none. */
int layout_copy(void *to, const struct layout *to_layout, const void *from, const struct layout *from_layout,
		const char *type);

/*
 * A struct as JSON and back: members by name, what is zero left out, arrays as objects by index, characters as
 * text, bytes in hexadecimal. A new reference, NULL without memory or such a type. layout_from_json changes
 * only what is told; -EINVAL: not the JSON of such a struct.
 */
json_t *layout_json(const struct layout *layout, const char *type, const void *from);
int layout_from_json(void *to, const struct layout *layout, const char *type, const json_t *json);

#endif
