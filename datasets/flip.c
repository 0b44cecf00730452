/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task flip: flip-flop memory.
 *
 * "F: w4i0i3w7r7": w writes a digit, i carries one to be ignored, r reads back the digit last written;
 * the digit after each r is graded. The level is the number of instructions, the last of which is a
 * read; the shipped models were trained on up to 64. Not offered as free generation: the reads stand
 * amid the instructions, so that the whole line counts as the prompt.
 */
#include "synthetic.h"

enum { LONGEST = 10000 };

static char put_digit(struct tare_draft *draft, struct tare_rng *rng, char instruction)
{
    char digit = tare_synthetic_digit(rng);
    tare_draft_putc(draft, instruction);
    tare_draft_putc(draft, digit);
    return digit;
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    (void)self;
    static const double ignored[] = {0.5, 0.7, 0.85}; /* what is left is half reads, half writes */
    tare_draft_puts(draft, "F: ");
    char written = put_digit(draft, rng, 'w');
    double ignore = ignored[tare_rng_below(rng, 3)];
    for (int64_t i = 1; i < level; i++) {
        double u = tare_rng_unit(rng);
        if (i == level - 1 || u > 1.0 - 0.5 * (1.0 - ignore)) {
            tare_draft_putc(draft, 'r');
            tare_draft_grade(draft, &written, 1);
        } else if (u < ignore) {
            put_digit(draft, rng, 'i');
        } else {
            written = put_digit(draft, rng, 'w');
        }
    }
    tare_draft_end_prompt(draft);
    tare_draft_putc(draft, '\n');
}

/* The first write, then at each step a write or an ignore of any digit, or a read; then the last read. */
static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    return 10.0 * tare_synthetic_power(21.0, level - 2);
}

static const struct tare_synthetic_spec spec = {.name = "flip",
                                                .n_levels = 3,
                                                .levels = {16, 32, 64},
                                                .least_level = 2,
                                                .generate = generate,
                                                .prompts = prompts};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only this many instructions; 0: 16, 32 and 64 in turn", LONGEST),
    TARE_OPT_END,
};

const struct tare_task tare_task_flip = {
    .header = TARE_TASK_HEADER,
    .name = "flip",
    .summary = "read back the last digit written, past ones to ignore",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
