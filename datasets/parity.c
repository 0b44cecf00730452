/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task parity: is the number of ones even?
 *
 * "P: 0 1 1 0 1 ?": bits drawn freely, a space before each. The level is the number of bits. Guessing gets
 * one half.
 */
#include "synthetic.h"

enum { LONGEST = 1000000 };

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    uint64_t ones = 0;
    (void)self;
    tare_draft_puts(draft, "P:");
    for (int64_t i = 0; i < level; i++) {
        uint64_t bit = tare_rng_below(rng, 2);
        tare_draft_puts(draft, bit ? " 1" : " 0");
        ones += bit;
    }
    tare_draft_puts(draft, " ?");
    tare_draft_end_prompt(draft);
    if (ones % 2) {
        tare_draft_grade(draft, " odd", 4);
    } else {
        tare_draft_grade(draft, " even", 5);
    }
    tare_draft_putc(draft, '\n');
}

static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    return tare_synthetic_power(2.0, level);
}

static const struct tare_bytes answers[] = {{" even", 5}, {" odd", 4}};

static const struct tare_synthetic_spec spec = {.name = "parity",
                                                .n_levels = 3,
                                                .levels = {20, 40, 80},
                                                .least_level = 1,
                                                .generate = generate,
                                                .prompts = prompts,
                                                .choices = answers,
                                                .n_choices = 2};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many bits; 0: 20, 40 and 80 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_CHOICE_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_parity = {
    .header = TARE_TASK_HEADER,
    .name = "parity",
    .summary = "tell whether a string of bits has an even number of ones",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_choice_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
