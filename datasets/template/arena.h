/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed all at once, up to a limit: a parsed template has one, and each rendering. Private to
 * datasets/template/.
 */
#ifndef TARE_TEMPLATE_ARENA_H
#define TARE_TEMPLATE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct tare_tpl_block;

/* Zero-initialise and set the limit. */
struct tare_tpl_arena {
    struct tare_tpl_block *blocks; /* the newest first */
    size_t used_bytes, limit_bytes;
    bool is_full; /* the last refusal was the limit's, not malloc's */
};

/* Uninitialised and aligned for anything; NULL when the limit is reached or memory refused. */
void *tare_tpl_alloc(struct tare_tpl_arena *arena, size_t n);
void tare_tpl_arena_fini(struct tare_tpl_arena *arena);

#endif
