// SPDX-License-Identifier: Apache-2.0
/*
 * The next definition of every interposed symbol.
 *
 * Looked up by hand in the GNU hash tables of the objects that follow ours in
 * the loader's order: what RTLD_NEXT means, but without the loader's lock
 * (dlsym on first use hangs a plugin constructor that waits for a thread whose
 * first recv needs it), without malloc, and safe in a signal handler. musl has
 * no _r_debug; there dlsym is used, and the library stays inert anyway.
 */
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "hooks/elf.h"
#include "hooks/hook.h"

struct hook_real hook_real;
const struct hook_lifecycle *hook_lifecycle;

struct row {
	const char *name;
	size_t slot;
};

static const struct row rows[] = {
#define HOOK(family, symbol, presence) \
	{ #symbol, offsetof(struct hook_real, symbol) },
#include "hooks/hooks.def"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Weak: musl lacks the first, static programs never load us. */
extern struct r_debug _r_debug __attribute__((weak));
/*
 * musl only (no _r_debug there). The old version exists in every glibc, and a
 * reference to a newer one would keep the library from loading.
 */
__asm__(".symver hook_dlsym, dlsym@GLIBC_2.2.5");
void *hook_dlsym(void *handle, const char *name) __attribute__((weak));

static void *volatile *slot_of(const struct row *row)
{
	return (void *volatile *)((char *)&hook_real + row->slot);
}

static void resolve_in_order(const struct link_map *map)
{
	struct elf_object object;
	size_t i;

	for (; map; map = map->l_next) {
		elf_note_start(map->l_ld);
		if (!elf_open(&object, map->l_addr, map->l_ld))
			continue;
		for (i = 0; i < ROW_COUNT; i++)
			if (!*slot_of(&rows[i]))
				*slot_of(&rows[i]) =
					elf_find(&object, rows[i].name,
						 elf_hash(rows[i].name), NULL);
	}
}

static const struct link_map *own_map(void)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;

	while (map && map->l_ld != elf_own_dynamic)
		map = map->l_next;
	return map;
}

void hook_resolve(void)
{
	const struct link_map *own = own_map();
	size_t i;

	if (own)
		resolve_in_order(own->l_next);
	if (!hook_dlsym)
		return;
	for (i = 0; i < ROW_COUNT; i++)
		if (!*slot_of(&rows[i]))
			*slot_of(&rows[i]) =
				hook_dlsym(RTLD_NEXT, rows[i].name);
}

static const char *base_name(const struct link_map *map)
{
	const char *slash = map->l_name ? strrchr(map->l_name, '/') : NULL;

	return slash ? slash + 1 : map->l_name ? map->l_name : "";
}

void *hook_find_in_libc(const char *name)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;
	struct elf_object object;

	for (; map; map = map->l_next)
		if (!strcmp(base_name(map), "libc.so.6"))
			return elf_open(&object, map->l_addr, map->l_ld) ?
				       elf_find(&object, name, elf_hash(name),
						NULL) :
				       NULL;
	return NULL;
}

void *hook_find(const char *name)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;
	uint32_t hash = elf_hash(name);
	struct elf_object object;
	void *found = NULL;

	for (; map && !found; map = map->l_next)
		if (elf_open(&object, map->l_addr, map->l_ld))
			found = elf_find(&object, name, hash, NULL);
	return found;
}

const char *hook_own_path(void)
{
	const struct link_map *own = own_map();

	return own ? own->l_name : NULL;
}

/* Under whatever name it was copied to, a library keeps this one. */
static const char *library_name(const struct link_map *map)
{
	struct elf_object object;
	const char *name;

	name = elf_open(&object, map->l_addr, map->l_ld) ? elf_soname(&object) :
							   NULL;
	return name ? name : "";
}

bool hook_second_copy(void)
{
	const struct link_map *own = own_map();
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;
	const char *name = own ? library_name(own) : "";

	for (; own && map && map != own; map = map->l_next)
		if (*name && !strcmp(library_name(map), name))
			return true;
	return false;
}
