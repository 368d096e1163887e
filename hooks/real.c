// SPDX-License-Identifier: Apache-2.0
/*
 * The next definition of every interposed symbol.
 *
 * Looked up by hand in the GNU hash tables of the objects that follow ours in
 * the loader's order: what RTLD_NEXT means, but without the loader's lock
 * (dlsym on first use hangs a plugin constructor that waits for a thread whose
 * first recv needs it), without malloc, and safe in a signal handler. musl has
 * no _r_debug; there it is dl_iterate_phdr() that gives the order, and the
 * library stays inert anyway.
 */
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "core/text.h"
#include "hooks/elf.h"
#include "hooks/hook.h"
#include "hook_hash.h"

struct hook_real hook_real;
const struct hook_lifecycle *hook_lifecycle;
bool hook_keep_deepbind;

struct row {
	const char *name;
	uint32_t hash;
	uint32_t slot;
};

static const struct row rows[] = {
#define HOOK(family, symbol, presence) \
	{ #symbol, HASH_OF_##symbol, offsetof(struct hook_real, symbol) },
#include "hooks/hooks.def"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Weak: musl lacks the first, static programs never load us. */
extern struct r_debug _r_debug __attribute__((weak));

static void *volatile *slot_of(const struct row *row)
{
	return (void *volatile *)((char *)&hook_real + row->slot);
}

/* What this object defines and none before it did. */
static void resolve_in(ElfW(Addr) base, const ElfW(Dyn) * dynamic)
{
	struct elf_object object;
	size_t i;

	if (!elf_open(&object, base, dynamic))
		return;
	for (i = 0; i < ROW_COUNT; i++)
		if (!*slot_of(&rows[i]))
			*slot_of(&rows[i]) = elf_find(&object, rows[i].name,
						      rows[i].hash, NULL);
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
	static _Atomic bool at_start = true;
	const struct link_map *own = own_map();
	const struct link_map *map = own ? own->l_next : NULL;
	bool first = atomic_exchange(&at_start, false);

	for (; map; map = map->l_next) {
		if (first)
			elf_note_start(map->l_ld);
		resolve_in(map->l_addr, map->l_ld);
	}
	if (!own)
		elf_behind_own(resolve_in);
}

void *hook_find_in_libc(const char *name)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;
	struct elf_object object;

	for (; map; map = map->l_next)
		if (!strcmp(at_text_base_name(map->l_name), "libc.so.6"))
			return elf_open(&object, map->l_addr, map->l_ld) ?
				       elf_find(&object, name, elf_hash(name),
						NULL) :
				       NULL;
	return NULL;
}

static void *find_from(const struct link_map *map, const char *name)
{
	uint32_t hash = elf_hash(name);
	struct elf_object object;
	void *found = NULL;

	for (; map && !found; map = map->l_next)
		if (map->l_ld != elf_own_dynamic &&
		    elf_open(&object, map->l_addr, map->l_ld))
			found = elf_find(&object, name, hash, NULL);
	return found;
}

void *hook_find(const char *name)
{
	return find_from(&_r_debug ? _r_debug.r_map : NULL, name);
}

void *hook_find_next(const char *name)
{
	const struct link_map *own = own_map();

	return own ? find_from(own->l_next, name) :
		     REAL(dlsym)(RTLD_NEXT, name);
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
