// SPDX-License-Identifier: Apache-2.0
/*
 * Loaded objects and their symbols, read by hand (private to hooks/): no
 * lock of the loader's but for a moment in elf_find_for(), no malloc.
 */
#ifndef HOOKS_ELF_H
#define HOOKS_ELF_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* What a lookup needs of one loaded object. */
struct elf_object {
	ElfW(Addr) base;
	ElfW(Addr) begin, end; /* of its segments; elf_find_owner() only */
	const ElfW(Dyn) * dynamic;
	const ElfW(Sym) * symbols;
	const char *names;
	const uint16_t *versions; /* NULL: none */
	const ElfW(Verdef) * defined_versions;
	const ElfW(Verneed) * needed_versions;
	uint32_t bucket_count;
	uint32_t symbol_offset;
	uint32_t bloom_size;
	uint32_t bloom_shift;
	const ElfW(Addr) * bloom;
	const uint32_t *buckets;
	const uint32_t *chains;
};

/* Our own entry in the loader's list: the one whose dynamic section is ours. */
extern const ElfW(Dyn) elf_own_dynamic[] __asm__("_DYNAMIC")
	__attribute__((visibility("hidden")));

uint32_t elf_hash(const char *name);

/* False when it has no GNU hash table to look into. */
bool elf_open(struct elf_object *object, ElfW(Addr) base,
	      const ElfW(Dyn) * dynamic);

/* DT_SONAME, or NULL. */
const char *elf_soname(const struct elf_object *object);

/*
 * A function that the object defines, or NULL. `version`: the one asked for;
 * NULL: the default one. An object without versions has what anybody wants.
 */
void *elf_find(const struct elf_object *object, const char *name, uint32_t hash,
	       const char *version);

/* --- whose definition would a caller have got without us? --- */

/*
 * The object whose definition of `name` the code at `caller` would be bound
 * to: what was loaded at the start, in the loader's order; the caller's own
 * library, and what that needs; anything else that has it. Ourselves excepted. False:
 * nobody has it. *who is the object that the caller lies in; its `dynamic` is
 * NULL when it lies in none.
 */
bool elf_find_owner(const void *caller, const char *name,
		    struct elf_object *owner, struct elf_object *who);

/* Is the object with this dynamic section still there? */
bool elf_is_loaded(const void *dynamic);

/* Visits, in the loader's order, what was loaded behind ourselves. */
void elf_behind_own(void (*visit)(ElfW(Addr) base, const ElfW(Dyn) * dynamic));

/* Everything up to this object was there at the start; once, by hook_resolve. */
void elf_note_start(const ElfW(Dyn) * last);

#endif
