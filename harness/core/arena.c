/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of at least 256 KiB in a list; a request larger than that gets a chunk of its own. */
#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { chunk_bytes = 256 * 1024 };

struct tare_arena_chunk {
    struct tare_arena_chunk *next;
    size_t size;
    max_align_t data[];
};

void *tare_arena_take(struct tare_arena *arena, size_t n)
{
    if (n > SIZE_MAX / 2) {
        return NULL;
    }
    n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!arena->head || arena->head->size - arena->used < n) {
        size_t size = n > chunk_bytes ? n : chunk_bytes;
        struct tare_arena_chunk *chunk = malloc(sizeof *chunk + size);
        if (!chunk) {
            return NULL;
        }
        chunk->next = arena->head;
        chunk->size = size;
        arena->head = chunk;
        arena->used = 0;
    }
    void *at = (char *)arena->head->data + arena->used;
    arena->used += n;
    return at;
}

void *tare_arena_array(struct tare_arena *arena, size_t n, size_t size)
{
    return size && n > SIZE_MAX / size ? NULL : tare_arena_take(arena, n * size);
}

void *tare_arena_copy(struct tare_arena *arena, const void *data, size_t n)
{
    void *to = tare_arena_take(arena, n);
    if (to && n > 0) {
        memcpy(to, data, n);
    }
    return to;
}

void tare_arena_fini(struct tare_arena *arena)
{
    while (arena->head) {
        struct tare_arena_chunk *next = arena->head->next;
        free(arena->head);
        arena->head = next;
    }
    arena->used = 0;
}
