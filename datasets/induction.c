/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task induction: what followed the marker before.
 *
 * "I: c a => f b a b => f": as many symbols as the level says, drawn freely, one of which is replaced by the
 * marker; at the end the marker again, and what followed it the first time is graded: `copied` symbols. The
 * marker's place is uniform over those that at least copied + 1 symbols follow. As the induction heads of H3,
 * Hyena and Mamba, whose models are trained on it; ours is text.
 */
#include "symbols.h"
#include "synthetic.h"

enum { SYMBOLS_MAX = 10000, COPIED_MAX = 64, LONGEST = 1000000 };

struct induction {
    struct tare_synthetic set;
    int64_t symbols;
    int64_t copied;
};

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct induction *task = (const struct induction *)self;
    uint64_t n = (uint64_t)task->symbols;
    uint64_t after[COPIED_MAX] = {0};
    int64_t place = (int64_t)tare_rng_below(rng, (uint64_t)(level - 1 - task->copied));
    tare_draft_puts(draft, "I:");
    for (int64_t i = 0; i < level; i++) {
        uint64_t symbol = tare_rng_below(rng, n);
        if (i == place) {
            tare_draft_puts(draft, " =>");
            continue;
        }
        if (i > place && i <= place + task->copied) {
            after[i - place - 1] = symbol;
        }
        tare_symbol_put(draft, symbol, n);
    }
    tare_draft_puts(draft, " =>");
    tare_draft_end_prompt(draft);
    for (int64_t i = 0; i < task->copied; i++) {
        tare_symbol_grade(draft, after[i], n);
    }
    tare_draft_putc(draft, '\n');
}

static const struct tare_synthetic_spec spec = {
    .name = "induction", .n_levels = 3, .levels = {30, 60, 120}, .least_level = 3, .generate = generate};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    const struct induction *task = self;
    int64_t least = task->set.level ? task->set.level : spec.levels[0];
    (void)data_dir;
    if (task->copied + 2 > least) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "task induction: %lld symbols have no room for a marker and %lld copied ones with "
            "another behind them; give a level of at least %lld",
            (long long)least, (long long)task->copied, (long long)task->copied + 2);
    }
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many symbols; 0: 30, 60 and 120 in turn", LONGEST),
    {.name = "symbols",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct induction, symbols),
     .def = "18",
     .help = "different symbols beside the marker",
     .min = 2,
     .max = SYMBOLS_MAX},
    {.name = "copied",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct induction, copied),
     .def = "1",
     .help = "symbols after the marker that are asked for",
     .min = 1,
     .max = COPIED_MAX},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_induction = {
    .header = TARE_TASK_HEADER,
    .name = "induction",
    .summary = "repeat what followed the marker before (induction heads, in text)",
    .version = 1,
    .priv_size = sizeof(struct induction),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
