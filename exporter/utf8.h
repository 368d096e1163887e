// SPDX-License-Identifier: Apache-2.0
/*
 * Texts as protobuf and JSON want them: valid UTF-8, counted in characters.
 * Names and values come off the wire and may be any bytes. Pure.
 */
#ifndef AT_EXPORTER_UTF8_H
#define AT_EXPORTER_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "exporter/arena.h"

/*
 * The same text if it is valid; else a copy in the arena with U+FFFD for each
 * sequence that is not (empty when there is no memory).
 */
struct at_text utf8_repair(struct at_text text, struct arena *arena);

/* The first `max` characters of a valid text. */
struct at_text utf8_cut(struct at_text text, uint64_t max);

/* Write a text so that no terminal obeys it: control characters become `?`. */
void utf8_write_harmless(struct at_writer *writer, struct at_text text);

#endif
