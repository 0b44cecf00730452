/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task assoc_recall: the value that belongs to a key, keys repeating.
 *
 * "K: a n c j a n => c j": the first half of the symbols, by their numbers, are keys and the others values;
 * an item draws a value for each key (values may repeat), then as many pairs as the level says, keys with
 * replacement, and asks for a key that occurred, all of those equally likely. With `absent`
 * the key is any, and the answer is "." where it did not occur. As the associative recall that came with H3
 * and Hyena, whose models are trained on it; ours is text, and the halves are by number, not by spelling.
 *
 * Task recall is another form: all pairs differ, and several keys are asked for.
 */
#include "symbols.h"
#include "synthetic.h"

enum { SYMBOLS_MAX = 2000, LONGEST = 100000 };

struct assoc_recall {
    struct tare_synthetic set;
    int64_t symbols;
    bool absent;
};

/* The values of all keys, and the pairs; marks in `seen` which keys occurred and returns how many did. */
static uint64_t put_pairs(const struct assoc_recall *task, struct tare_draft *draft, struct tare_rng *rng,
                          int64_t level, uint64_t *values, bool *seen)
{
    uint64_t n = (uint64_t)task->symbols;
    uint64_t n_seen = 0;
    for (uint64_t key = 0; key < n / 2; key++) {
        values[key] = n / 2 + tare_rng_below(rng, n / 2);
    }
    for (int64_t i = 0; i < level; i++) {
        uint64_t key = tare_rng_below(rng, n / 2);
        tare_symbol_put(draft, key, n);
        tare_symbol_put(draft, values[key], n);
        n_seen += !seen[key];
        seen[key] = true;
    }
    return n_seen;
}

/* The n-th key that occurred, from 0. */
static uint64_t find_seen(const bool *seen, uint64_t n)
{
    uint64_t key = 0;
    while (!seen[key] || n-- > 0) {
        key++;
    }
    return key;
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct assoc_recall *task = (const struct assoc_recall *)self;
    uint64_t n = (uint64_t)task->symbols;
    uint64_t values[SYMBOLS_MAX / 2] = {0};
    bool seen[SYMBOLS_MAX / 2] = {false};
    tare_draft_puts(draft, "K:");
    uint64_t n_seen = put_pairs(task, draft, rng, level, values, seen);
    uint64_t key = task->absent ? tare_rng_below(rng, n / 2) : find_seen(seen, tare_rng_below(rng, n_seen));
    tare_draft_puts(draft, " =>");
    tare_symbol_put(draft, key, n);
    tare_draft_end_prompt(draft);
    if (seen[key]) {
        tare_symbol_grade(draft, values[key], n);
    } else {
        tare_draft_grade(draft, " .", 2);
    }
    tare_draft_putc(draft, '\n');
}

static const struct tare_synthetic_spec spec = {
    .name = "assoc_recall", .n_levels = 3, .levels = {10, 20, 40}, .least_level = 1, .generate = generate};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    const struct assoc_recall *task = self;
    (void)data_dir;
    if (task->symbols % 2 != 0) {
        return tare_err_set(err, TARE_E_USAGE,
                            "task assoc_recall: symbols=%lld cannot be halved into keys and values; "
                            "give an even number",
                            (long long)task->symbols);
    }
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many pairs; 0: 10, 20 and 40 in turn", LONGEST),
    {.name = "symbols",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct assoc_recall, symbols),
     .def = "18",
     .help = "different keys and values in all, an even number",
     .min = 2,
     .max = SYMBOLS_MAX},
    {.name = "absent",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct assoc_recall, absent),
     .def = "false",
     .help = "ask for keys that did not occur too; the answer is a full stop then"},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_assoc_recall = {
    .header = TARE_TASK_HEADER,
    .name = "assoc_recall",
    .summary = "value of a key among pairs that repeat (associative recall, in text)",
    .version = 1,
    .priv_size = sizeof(struct assoc_recall),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
