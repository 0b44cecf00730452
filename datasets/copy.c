/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task copy: repeat a string of random letters.
 *
 * "C: q r s ? q r s": letters with a space before each, and every such pair of bytes after the question
 * mark is graded. The level is the number of letters; the shipped models were trained on up to 32.
 */
#include "synthetic.h"

enum { LETTERS = 26, LONGEST = 10000 };

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    (void)self;
    char letters[LONGEST];
    tare_draft_puts(draft, "C:");
    for (int64_t i = 0; i < level; i++) {
        letters[i] = (char)('a' + (int)tare_rng_below(rng, LETTERS));
        tare_draft_putc(draft, ' ');
        tare_draft_putc(draft, letters[i]);
    }
    tare_draft_puts(draft, " ?");
    tare_draft_end_prompt(draft);
    for (int64_t i = 0; i < level; i++) {
        const char pair[2] = {' ', letters[i]};
        tare_draft_grade(draft, pair, sizeof pair);
    }
    tare_draft_putc(draft, '\n');
}

static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    return tare_synthetic_power(LETTERS, level);
}

static const struct tare_synthetic_spec spec = {.name = "copy",
                                                .n_levels = 3,
                                                .levels = {8, 16, 32},
                                                .least_level = 1,
                                                .generate = generate,
                                                .prompts = prompts};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many letters; 0: 8, 16 and 32 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_copy = {
    .header = TARE_TASK_HEADER,
    .name = "copy",
    .summary = "repeat a string of random letters",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
