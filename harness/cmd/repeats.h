/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every figure of a run, derived from one repeat alone: what comparisons pair by block. A value has no
 * interval of its own that would count (one repeat), and carries the flags that one repeat raises.
 */
#ifndef TARE_CMD_REPEATS_H
#define TARE_CMD_REPEATS_H

#include "core/declared.h"
#include "core/noise.h"
#include "store/store.h"

struct tare_repeat_context {
    int64_t cell_id;
    int64_t repeat_id;
    int64_t block;
    bool complete; /* every item has its sample, and the worker ended well; else no figures follow */
    tare_noise_set disturbed; /* rules of core/noise.h that this repeat raises */
};

/* Called first with figure NULL for every repeat, then, if it is complete, once for each of its figures,
 * absent ones too. Strings live until it returns. */
typedef int (*tare_repeat_figure_fn)(void *ctx, const struct tare_repeat_context *repeat,
                                     const struct tare_figure *figure, struct tare_err *err);

/* Cells in order, repeats by block. `baseline` and `declared` as in tare_derive_run. Only figures whose name
 * `wanted` holds (NULL-terminated; NULL: all). */
TARE_MUST_CHECK int tare_repeat_figures(struct tare_store *store, int64_t run_id, const char *baseline,
                                        const struct tare_declared *declared, const char *const *wanted,
                                        tare_repeat_figure_fn fn, void *ctx, struct tare_err *err);
/* The same of one cell that is loaded and judged already. */
struct tare_loaded_cell;
TARE_MUST_CHECK int tare_repeat_figures_of(const struct tare_loaded_cell *cell, const char *const *wanted,
                                           tare_repeat_figure_fn fn, void *ctx, struct tare_err *err);

#endif
