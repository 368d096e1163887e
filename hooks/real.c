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
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

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
#undef HOOK
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

/* What a lookup needs of one loaded object. */
struct object {
	ElfW(Addr) base;
	const ElfW(Sym) * symbols;
	const char *names;
	const uint16_t *versions; /* NULL: none */
	uint32_t bucket_count;
	uint32_t symbol_offset;
	uint32_t bloom_size;
	uint32_t bloom_shift;
	const ElfW(Addr) * bloom;
	const uint32_t *buckets;
	const uint32_t *chains;
};

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* glibc relocates these entries in place, musl does not. */
static const void *table_at(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? map->l_addr + value :
						    value);
}

static void use_hash(struct object *object, const uint32_t *table)
{
	object->bucket_count = table[0];
	object->symbol_offset = table[1];
	object->bloom_size = table[2];
	object->bloom_shift = table[3];
	object->bloom = (const ElfW(Addr) *)(table + 4);
	object->buckets = (const uint32_t *)(object->bloom + table[2]);
	object->chains = object->buckets + table[0];
}

static bool open_object(struct object *object, const struct link_map *map)
{
	const ElfW(Dyn) *entry = map->l_ld;

	memset(object, 0, sizeof(*object));
	object->base = map->l_addr;
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const void *table = table_at(map, entry->d_un.d_ptr);

		if (entry->d_tag == DT_GNU_HASH)
			use_hash(object, table);
		else if (entry->d_tag == DT_SYMTAB)
			object->symbols = table;
		else if (entry->d_tag == DT_STRTAB)
			object->names = table;
		else if (entry->d_tag == DT_VERSYM)
			object->versions = table;
	}
	return object->bucket_count && object->symbols && object->names;
}

static bool may_hold(const struct object *object, uint32_t hash)
{
	const uint32_t bits = 8 * sizeof(ElfW(Addr));
	ElfW(Addr) word = object->bloom[hash / bits & (object->bloom_size - 1)];

	return word >> (hash % bits) &
	       word >> ((hash >> object->bloom_shift) % bits) & 1;
}

/* Defined, callable, and the default version of its name. */
static bool usable(const struct object *object, uint32_t index)
{
	const ElfW(Sym) *symbol = &object->symbols[index];
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value &&
	       type == STT_FUNC &&
	       (!object->versions || !(object->versions[index] & 0x8000));
}

static void *find_in(const struct object *object, const char *name,
		     uint32_t hash)
{
	uint32_t index, chain;

	if (!may_hold(object, hash))
		return NULL;
	index = object->buckets[hash % object->bucket_count];
	if (index < object->symbol_offset)
		return NULL;
	do {
		chain = object->chains[index - object->symbol_offset];
		if ((chain | 1) == (hash | 1) && usable(object, index) &&
		    !strcmp(object->names + object->symbols[index].st_name,
			    name))
			return (void *)(object->base +
					object->symbols[index].st_value);
		index++;
	} while (!(chain & 1));
	return NULL;
}

/* Our own entry in the loader's list: the one whose dynamic section is ours. */
extern const ElfW(Dyn) own_dynamic[] __asm__("_DYNAMIC")
	__attribute__((visibility("hidden")));

static void *volatile *slot_of(const struct row *row)
{
	return (void *volatile *)((char *)&hook_real + row->slot);
}

static void resolve_in_order(const struct link_map *map)
{
	struct object object;
	size_t i;

	for (; map; map = map->l_next) {
		if (!open_object(&object, map))
			continue;
		for (i = 0; i < ROW_COUNT; i++)
			if (!*slot_of(&rows[i]))
				*slot_of(&rows[i]) =
					find_in(&object, rows[i].name,
						gnu_hash(rows[i].name));
	}
}

static const struct link_map *own_map(void)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;

	while (map && map->l_ld != own_dynamic)
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
	struct object object;

	for (; map; map = map->l_next)
		if (!strcmp(base_name(map), "libc.so.6"))
			return open_object(&object, map) ?
				       find_in(&object, name, gnu_hash(name)) :
				       NULL;
	return NULL;
}

void *hook_find(const char *name)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;
	uint32_t hash = gnu_hash(name);
	struct object object;
	void *found = NULL;

	for (; map && !found; map = map->l_next)
		if (open_object(&object, map))
			found = find_in(&object, name, hash);
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
	const ElfW(Dyn) *entry = map->l_ld;
	const char *names = NULL;
	size_t at = 0;

	for (; entry && entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_STRTAB)
			names = table_at(map, entry->d_un.d_ptr);
		else if (entry->d_tag == DT_SONAME)
			at = entry->d_un.d_val;
	}
	return names && at ? names + at : "";
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
