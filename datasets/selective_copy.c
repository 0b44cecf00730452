/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task selective_copy: copy the symbols that stand among noise, in their order.
 *
 * "X: . . d . a . ? d a": `data` symbols at places drawn without replacement among level + data cells, full
 * stops in the others; after the question mark every symbol is graded. As the selective copying of Mamba,
 * whose model is trained on it and answers at one marker a symbol; ours is text with one question mark.
 */
#include "symbols.h"
#include "synthetic.h"

enum { SYMBOLS_MAX = 10000, DATA_MAX = 1024, LONGEST = 1000000 };

struct selective_copy {
    struct tare_synthetic set;
    int64_t symbols;
    int64_t data;
};

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct selective_copy *task = (const struct selective_copy *)self;
    uint64_t n = (uint64_t)task->symbols;
    uint64_t symbols[DATA_MAX] = {0};
    int64_t placed = 0;
    tare_draft_puts(draft, "X:");
    for (int64_t left = level + task->data; left > 0; left--) {
        if ((int64_t)tare_rng_below(rng, (uint64_t)left) >= task->data - placed) {
            tare_draft_puts(draft, " .");
            continue;
        }
        symbols[placed] = tare_rng_below(rng, n);
        tare_symbol_put(draft, symbols[placed++], n);
    }
    tare_draft_puts(draft, " ?");
    tare_draft_end_prompt(draft);
    for (int64_t i = 0; i < task->data; i++) {
        tare_symbol_grade(draft, symbols[i], n);
    }
    tare_draft_putc(draft, '\n');
}

static const struct tare_synthetic_spec spec = {
    .name = "selective_copy", .n_levels = 3, .levels = {32, 64, 128}, .least_level = 1, .generate = generate};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many cells of noise; 0: 32, 64 and 128 in turn", LONGEST),
    {.name = "data",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct selective_copy, data),
     .def = "16",
     .help = "symbols to copy",
     .min = 1,
     .max = DATA_MAX},
    {.name = "symbols",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct selective_copy, symbols),
     .def = "14",
     .help = "different symbols beside the noise",
     .min = 2,
     .max = SYMBOLS_MAX},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_selective_copy = {
    .header = TARE_TASK_HEADER,
    .name = "selective_copy",
    .summary = "copy the symbols that stand among noise (selective copying, in text)",
    .version = 1,
    .priv_size = sizeof(struct selective_copy),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
