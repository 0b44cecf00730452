/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once: everything a worker prepares before it measures. */
#ifndef TARE_CORE_ARENA_H
#define TARE_CORE_ARENA_H

#include <stddef.h>

struct tare_arena_chunk;

/* Zero-initialise. */
struct tare_arena {
    struct tare_arena_chunk *head;
    size_t used; /* of the head */
};

/* Uninitialised memory, aligned for any type; NULL when memory is refused. n may be 0. */
void *tare_arena_take(struct tare_arena *arena, size_t n);
/* n elements of `size` bytes; NULL on overflow too. */
void *tare_arena_array(struct tare_arena *arena, size_t n, size_t size);
void *tare_arena_copy(struct tare_arena *arena, const void *data, size_t n);
void tare_arena_fini(struct tare_arena *arena);

#endif
