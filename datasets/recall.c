/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task recall: multi-query associative recall.
 *
 * A list of letters, each paired with a digit ("R: k3 b7 ?"), then up to eight of the letters in another
 * order, each followed by its digit, which is graded. The level is the number of pairs. Not offered as
 * free generation: the queries stand between the answers.
 */
#include "synthetic.h"

enum { LETTERS = 26, QUERIES = 8 };

/* Letters drawn without replacement, each with a digit drawn freely. */
static void draw_pairs(struct tare_rng *rng, int64_t n, char (*pairs)[2])
{
    char letters[] = "abcdefghijklmnopqrstuvwxyz";
    tare_rng_shuffle(rng, letters, LETTERS, 1);
    for (int64_t i = 0; i < n; i++) {
        pairs[i][0] = letters[i];
        pairs[i][1] = tare_synthetic_digit(rng);
    }
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    (void)self;
    char pairs[LETTERS][2];
    draw_pairs(rng, level, pairs);
    tare_draft_puts(draft, "R:");
    for (int64_t i = 0; i < level; i++) {
        tare_draft_putc(draft, ' ');
        tare_draft_putc(draft, pairs[i][0]);
        tare_draft_putc(draft, pairs[i][1]);
    }
    tare_draft_puts(draft, " ?");
    tare_draft_end_prompt(draft);
    tare_rng_shuffle(rng, pairs, (size_t)level, sizeof pairs[0]);
    for (int64_t i = 0; i < level && i < QUERIES; i++) {
        tare_draft_putc(draft, ' ');
        tare_draft_putc(draft, pairs[i][0]);
        tare_draft_grade(draft, &pairs[i][1], 1);
    }
    tare_draft_putc(draft, '\n');
}

static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    double product = 1.0;
    for (int64_t i = 0; i < level; i++) {
        product *= 10.0 * (double)(LETTERS - i);
    }
    return product;
}

static const struct tare_synthetic_spec spec = {.name = "recall",
                                                .n_levels = 4,
                                                .levels = {4, 8, 16, 24},
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
    TARE_SYNTHETIC_OPT_LEVEL("only this many pairs; 0: 4, 8, 16 and 24 in turn", LETTERS),
    TARE_OPT_END,
};

const struct tare_task tare_task_recall = {
    .header = TARE_TASK_HEADER,
    .name = "recall",
    .summary = "look up the digits that belong to letters (associative recall)",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
