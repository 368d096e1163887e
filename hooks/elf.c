// SPDX-License-Identifier: Apache-2.0
#include "hooks/elf.h"

#include <stddef.h>
#include <string.h>

#include "core/text.h"

/*
 * A sanitizer asks dlsym, and so us, for the functions of libc before it is
 * ready to run its own: what finds them calls none.
 */
static bool same(const char *a, const char *b)
{
	size_t i = 0;

	for (; a[i] == b[i]; i++)
		if (!a[i])
			return true;
	return false;
}

uint32_t elf_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* glibc relocates these entries in place, musl does not. */
static const void *table_at(ElfW(Addr) base, ElfW(Addr) value)
{
	return (const void *)(value < base ? base + value : value);
}

static void use_hash(struct elf_object *object, const uint32_t *table)
{
	object->bucket_count = table[0];
	object->symbol_offset = table[1];
	object->bloom_size = table[2];
	object->bloom_shift = table[3];
	object->bloom = (const ElfW(Addr) *)(table + 4);
	object->buckets = (const uint32_t *)(object->bloom + table[2]);
	object->chains = object->buckets + table[0];
}

bool elf_open(struct elf_object *object, ElfW(Addr) base,
	      const ElfW(Dyn) * dynamic)
{
	const ElfW(Dyn) *entry = dynamic;

	*object = (struct elf_object){ .base = base, .dynamic = dynamic };
	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const void *table = table_at(base, entry->d_un.d_ptr);

		if (entry->d_tag == DT_GNU_HASH)
			use_hash(object, table);
		else if (entry->d_tag == DT_SYMTAB)
			object->symbols = table;
		else if (entry->d_tag == DT_STRTAB)
			object->names = table;
		else if (entry->d_tag == DT_VERSYM)
			object->versions = table;
		else if (entry->d_tag == DT_VERDEF)
			object->defined_versions = table;
		else if (entry->d_tag == DT_VERNEED)
			object->needed_versions = table;
	}
	return object->bucket_count && object->symbols && object->names;
}

const char *elf_soname(const struct elf_object *object)
{
	const ElfW(Dyn) *entry = object->dynamic;

	for (; entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_SONAME)
			return object->names + entry->d_un.d_val;
	return NULL;
}

static bool may_hold(const struct elf_object *object, uint32_t hash)
{
	const uint32_t bits = 8 * sizeof(ElfW(Addr));
	ElfW(Addr) word = object->bloom[hash / bits & (object->bloom_size - 1)];

	return word >> (hash % bits) &
	       word >> ((hash >> object->bloom_shift) % bits) & 1;
}

/* The name of version number `index` among those that the object defines. */
static const char *defined_version(const struct elf_object *object,
				   uint16_t index)
{
	const ElfW(Verdef) *entry = object->defined_versions;

	while (entry) {
		if (entry->vd_ndx == index) {
			const ElfW(Verdaux) *name =
				(const void *)((const char *)entry +
					       entry->vd_aux);

			return object->names + name->vda_name;
		}
		entry = entry->vd_next ? (const void *)((const char *)entry +
							entry->vd_next) :
					 NULL;
	}
	return NULL;
}

/* The low bits count; the high one hides all but the default version. */
static bool has_version(const struct elf_object *object, uint32_t index,
			const char *version)
{
	uint16_t number;
	const char *own;

	if (!object->versions)
		return true;
	number = object->versions[index];
	if (!version)
		return !(number & 0x8000);
	own = defined_version(object, number & 0x7fff);
	return own && same(own, version);
}

static bool usable(const struct elf_object *object, uint32_t index,
		   const char *version)
{
	const ElfW(Sym) *symbol = &object->symbols[index];
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value &&
	       type == STT_FUNC && has_version(object, index, version);
}

/* Number of the symbol; 0, which is none's, when it is not defined. */
static inline uint32_t find_index(const struct elf_object *object,
				  const char *name, uint32_t hash,
				  const char *version)
{
	uint32_t index, chain;

	if (!may_hold(object, hash))
		return 0;
	index = object->buckets[hash % object->bucket_count];
	if (index < object->symbol_offset)
		return 0;
	do {
		chain = object->chains[index - object->symbol_offset];
		if ((chain | 1) == (hash | 1) &&
		    usable(object, index, version) &&
		    same(object->names + object->symbols[index].st_name, name))
			return index;
		index++;
	} while (!(chain & 1));
	return 0;
}

void *elf_find(const struct elf_object *object, const char *name, uint32_t hash,
	       const char *version)
{
	uint32_t index = find_index(object, name, hash, version);

	return index ? (void *)(object->base +
				object->symbols[index].st_value) :
		       NULL;
}

/* --- owners --- */

/* musl has it as well; static programs never load us. */
__typeof__(dl_iterate_phdr) dl_iterate_phdr __attribute__((weak));

/* The last object that was there at the start. */
static const ElfW(Dyn) * last_at_start;

struct search {
	const void *address;     /* inside the object, or NULL */
	const char *soname;      /* its name, or NULL */
	const char *symbol;      /* that it defines, or NULL */
	const char *version;     /* of the symbol */
	uint32_t hash;           /* of the symbol */
	bool at_start;           /* only what was there at the start */
	bool over;               /* what follows came later */
	struct elf_object found; /* the answer */
};

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *info)
{
	int i;

	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return (const void *)(info->dlpi_addr +
					      info->dlpi_phdr[i].p_vaddr);
	return NULL;
}

static void measure(struct elf_object *object, const struct dl_phdr_info *info)
{
	ElfW(Addr) begin = (ElfW(Addr)) - 1, end = 0;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD)
			continue;
		if (part->p_vaddr < begin)
			begin = part->p_vaddr;
		if (part->p_vaddr + part->p_memsz > end)
			end = part->p_vaddr + part->p_memsz;
	}
	object->begin = info->dlpi_addr + begin;
	object->end = info->dlpi_addr + end;
}

static bool contains(const struct dl_phdr_info *info, const void *address)
{
	ElfW(Addr) at = (ElfW(Addr))address - info->dlpi_addr;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && at >= part->p_vaddr &&
		    at - part->p_vaddr < part->p_memsz)
			return true;
	}
	return false;
}

/* The loader's own word for it, or the last part of its path. */
static bool is_named(const struct elf_object *object,
		     const struct dl_phdr_info *info, const char *soname)
{
	const char *own = elf_soname(object);

	return same(own ? own : at_text_base_name(info->dlpi_name), soname);
}

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;
	const ElfW(Dyn) *dynamic = dynamic_of(info);
	struct elf_object object;
	bool matches;

	(void)size;
	if (search->over)
		return 1;
	search->over = search->at_start && dynamic == last_at_start;
	if (!dynamic || dynamic == elf_own_dynamic ||
	    !elf_open(&object, info->dlpi_addr, dynamic))
		return 0;
	matches =
		(!search->address || contains(info, search->address)) &&
		(!search->soname || is_named(&object, info, search->soname)) &&
		(!search->symbol || elf_find(&object, search->symbol,
					     search->hash, search->version));
	if (matches) {
		search->found = object;
		measure(&search->found, info);
	}
	return matches;
}

static bool run(struct search *search)
{
	search->over = false;
	search->found.dynamic = NULL;
	dl_iterate_phdr(look, search);
	return search->found.dynamic != NULL;
}

/* Of a symbol that the object defines itself. */
static const char *own_version(const struct elf_object *object, uint32_t index)
{
	return object->versions ?
		       defined_version(object,
				       object->versions[index] & 0x7fff) :
		       NULL;
}

/* Which version of a symbol an object refers to, or NULL. */
static const char *wanted_version(const struct elf_object *object,
				  const char *symbol)
{
	const ElfW(Verneed) *from = object->needed_versions;
	uint16_t number = 0;
	uint32_t i;

	/* What is not defined here lies before what is. */
	for (i = 1; object->versions && i < object->symbol_offset; i++)
		if (object->symbols[i].st_shndx == SHN_UNDEF &&
		    same(object->names + object->symbols[i].st_name, symbol))
			number = object->versions[i] & 0x7fff;
	while (number > 1 && from) {
		const ElfW(Vernaux) *one =
			(const void *)((const char *)from + from->vn_aux);
		unsigned int left = from->vn_cnt;

		for (; left; left--) {
			if (one->vna_other == number)
				return object->names + one->vna_name;
			one = (const void *)((const char *)one + one->vna_next);
		}
		from = from->vn_next ? (const void *)((const char *)from +
						      from->vn_next) :
				       NULL;
	}
	return NULL;
}

/* Deep enough: a module, its wrapper, the library. */
#define NEEDED_DEPTH 3

static bool find_in_needed(const struct elf_object *object,
			   struct search *search, int depth)
{
	const ElfW(Dyn) * entry;

	for (entry = object->dynamic; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag != DT_NEEDED)
			continue;
		search->soname = object->names + entry->d_un.d_val;
		if (run(search))
			return true;
	}
	for (entry = object->dynamic; depth && entry->d_tag != DT_NULL;
	     entry++) {
		struct search next = { 0 };

		if (entry->d_tag != DT_NEEDED)
			continue;
		next.soname = object->names + entry->d_un.d_val;
		if (run(&next) &&
		    find_in_needed(&next.found, search, depth - 1))
			return true;
	}
	return false;
}

bool elf_find_owner(const void *caller, const char *name,
		    struct elf_object *owner, struct elf_object *who)
{
	struct search whose = { .address = caller };
	struct search search = { .symbol = name,
				 .hash = elf_hash(name),
				 .at_start = last_at_start != NULL };
	uint32_t own = 0;
	bool found;

	if (!dl_iterate_phdr)
		return false;
	if (run(&whose))
		own = find_index(&whose.found, name, search.hash, NULL);
	if (own)
		search.version = own_version(&whose.found, own);
	else if (whose.found.dynamic)
		search.version = wanted_version(&whose.found, name);
	found = search.at_start && run(&search);
	search.at_start = false;
	if (!found && own) {
		search.found = whose.found;
		found = true;
	}
	if (!found && whose.found.dynamic)
		found = find_in_needed(&whose.found, &search, NEEDED_DEPTH);
	search.soname = NULL;
	if (!found)
		found = run(&search);
	search.version = NULL;
	if (!found)
		found = run(&search);
	*owner = search.found;
	*who = whose.found;
	return found;
}

bool elf_is_loaded(const void *dynamic)
{
	struct search search = { .address = dynamic };

	return dl_iterate_phdr && run(&search) &&
	       search.found.dynamic == dynamic;
}

void elf_note_start(const ElfW(Dyn) * last)
{
	last_at_start = last;
}

struct behind {
	void (*visit)(ElfW(Addr) base, const ElfW(Dyn) * dynamic);
	bool reached;
};

static int visit_behind(struct dl_phdr_info *info, size_t size, void *data)
{
	struct behind *behind = data;
	const ElfW(Dyn) *dynamic = dynamic_of(info);

	(void)size;
	if (dynamic && behind->reached)
		behind->visit(info->dlpi_addr, dynamic);
	if (dynamic == elf_own_dynamic)
		behind->reached = true;
	return 0;
}

void elf_behind_own(void (*visit)(ElfW(Addr) base, const ElfW(Dyn) * dynamic))
{
	struct behind behind = { .visit = visit };

	if (dl_iterate_phdr)
		dl_iterate_phdr(visit_behind, &behind);
}
