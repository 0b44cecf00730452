/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that double in size; what is larger than one gets a block of its own. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { first_block = 2048, largest_block = 1 << 18 };

struct tare_tpl_block {
    struct tare_tpl_block *next;
    size_t cap, used;
    alignas(max_align_t) char data[];
};

static struct tare_tpl_block *add_block(struct tare_tpl_arena *arena, size_t n)
{
    size_t cap = arena->blocks ? 2 * arena->blocks->cap : first_block;
    cap = cap > largest_block ? largest_block : cap;
    cap = cap < n ? n : cap;
    struct tare_tpl_block *block = malloc(sizeof *block + cap);
    if (block) {
        *block = (struct tare_tpl_block){.next = arena->blocks, .cap = cap};
        arena->blocks = block;
    }
    return block;
}

void *tare_tpl_alloc(struct tare_tpl_arena *arena, size_t n)
{
    const size_t align = alignof(max_align_t);
    if (n > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - n) {
        arena->is_full = true;
        return NULL;
    }
    n = (n + align - 1) / align * align;
    struct tare_tpl_block *block = arena->blocks;
    if (!block || block->cap - block->used < n) {
        block = add_block(arena, n);
    }
    if (!block) {
        arena->is_full = false;
        return NULL;
    }
    void *data = block->data + block->used;
    block->used += n;
    arena->used_bytes += n;
    return data;
}

void tare_tpl_arena_fini(struct tare_tpl_arena *arena)
{
    while (arena->blocks) {
        struct tare_tpl_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}
