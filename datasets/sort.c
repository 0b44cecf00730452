/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task sort: write digits in ascending order.
 *
 * "S: 3017 ? 0137": every digit after the question mark is graded. The level is the number of digits;
 * the shipped models were trained on up to 16.
 */
#include "synthetic.h"

enum { LONGEST = 10000 };

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    (void)self;
    int64_t times[10] = {0};
    tare_draft_puts(draft, "S: ");
    for (int64_t i = 0; i < level; i++) {
        char digit = tare_synthetic_digit(rng);
        times[digit - '0']++;
        tare_draft_putc(draft, digit);
    }
    tare_draft_puts(draft, " ? ");
    tare_draft_end_prompt(draft);
    for (int d = 0; d <= 9; d++) {
        char digit = (char)('0' + d);
        for (int64_t i = 0; i < times[d]; i++) {
            tare_draft_grade(draft, &digit, 1);
        }
    }
    tare_draft_putc(draft, '\n');
}

static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    return tare_synthetic_power(10.0, level);
}

static const struct tare_synthetic_spec spec = {.name = "sort",
                                                .n_levels = 3,
                                                .levels = {4, 8, 16},
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
    TARE_SYNTHETIC_OPT_LEVEL("only this many digits; 0: 4, 8 and 16 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_sort = {
    .header = TARE_TASK_HEADER,
    .name = "sort",
    .summary = "write a string of digits in ascending order",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
