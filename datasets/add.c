/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task add: addition of two whole numbers.
 *
 * "A: 84+80=164": both numbers have as many digits as the level says and no leading zero, and every
 * digit of the sum is graded. The arithmetic is done on decimal digits, so that the level is not bound
 * by a machine word; the shipped models were trained on up to 3 digits.
 */
#include "synthetic.h"

enum { LONGEST = 256 };

/* The digits' values, most significant first. A number of one digit may be 0. */
static void draw_number(struct tare_rng *rng, int64_t n, int *digits)
{
    digits[0] = n == 1 ? (int)tare_rng_below(rng, 10) : 1 + (int)tare_rng_below(rng, 9);
    for (int64_t i = 1; i < n; i++) {
        digits[i] = (int)tare_rng_below(rng, 10);
    }
}

static void put_number(struct tare_draft *draft, const int *digits, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        tare_draft_putc(draft, (char)('0' + digits[i]));
    }
}

/* sum has n + 1 digits, the first of which may be 0. */
static void add(const int *a, const int *b, int64_t n, int *sum)
{
    int carry = 0;
    for (int64_t i = n; i > 0; i--) {
        int column = a[i - 1] + b[i - 1] + carry;
        sum[i] = column % 10;
        carry = column / 10;
    }
    sum[0] = carry;
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    (void)self;
    int a[LONGEST];
    int b[LONGEST];
    int sum[LONGEST + 1];
    draw_number(rng, level, a);
    draw_number(rng, level, b);
    add(a, b, level, sum);
    tare_draft_puts(draft, "A: ");
    put_number(draft, a, level);
    tare_draft_putc(draft, '+');
    put_number(draft, b, level);
    tare_draft_putc(draft, '=');
    tare_draft_end_prompt(draft);
    for (int64_t i = sum[0] == 0; i <= level; i++) {
        const char digit = (char)('0' + sum[i]);
        tare_draft_grade(draft, &digit, 1);
    }
    tare_draft_putc(draft, '\n');
}

static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    double numbers = level == 1 ? 10.0 : 9.0 * tare_synthetic_power(10.0, level - 1);
    return numbers * numbers;
}

static const struct tare_synthetic_spec spec = {.name = "add",
                                                .n_levels = 2,
                                                .levels = {2, 3},
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
    TARE_SYNTHETIC_OPT_LEVEL("only numbers of this many digits; 0: 2 and 3 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_add = {
    .header = TARE_TASK_HEADER,
    .name = "add",
    .summary = "add two whole numbers",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
