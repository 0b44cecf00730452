/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task calc: nested list operations over digits.
 *
 * "L: [_[^058]4]=4": ^ is the greatest, _ the least, + the sum modulo 10 of two or three operands, and
 * the one digit of the answer is graded. The level is the depth of nesting. Random expressions favour 0 and
 * 9; a wanted answer is drawn first and up to eight expressions are tried for it, which evens that out a
 * little (at depth 3 from about 24.2 to 23.5 per cent for the two).
 */
#include "synthetic.h"

enum { DEEPEST = 20, TRIES = 8 };

static int apply(char op, int left, int right)
{
    if (op == '+') {
        return (left + right) % 10;
    }
    return (op == '^') == (left > right) ? left : right;
}

/* Writes an expression of exactly this depth and returns its value; it calls itself for an operand. */
static int put_expression(struct tare_draft *draft, struct tare_rng *rng, int64_t depth)
{
    char op = "^_+"[tare_rng_below(rng, 3)];
    uint64_t n = 2 + tare_rng_below(rng, 2);
    uint64_t deep = tare_rng_below(rng, n); /* the operand that certainly goes all the way down */
    int value = 0;
    tare_draft_putc(draft, '[');
    tare_draft_putc(draft, op);
    for (uint64_t i = 0; i < n; i++) {
        int operand;
        if (depth > 1 && (i == deep || (depth > 2 && tare_rng_unit(rng) < 0.25))) {
            operand = put_expression(draft, rng, depth - 1);
        } else {
            operand = (int)tare_rng_below(rng, 10);
            tare_draft_putc(draft, (char)('0' + operand));
        }
        value = i == 0 ? operand : apply(op, value, operand);
    }
    tare_draft_putc(draft, ']');
    return value;
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    (void)self;
    int wanted = (int)tare_rng_below(rng, 10);
    int value = -1;
    for (int i = 0; i < TRIES && value != wanted; i++) {
        tare_draft_clear(draft);
        tare_draft_puts(draft, "L: ");
        value = put_expression(draft, rng, level);
    }
    tare_draft_putc(draft, '=');
    tare_draft_end_prompt(draft);
    const char digit = (char)('0' + value);
    tare_draft_grade(draft, &digit, 1);
    tare_draft_putc(draft, '\n');
}

/*
 * Expressions of two and of three operands per operator. Depth 1: digits only. Depth 2: one operand is
 * an expression. Deeper: at least one is.
 */
static double prompts(const struct tare_synthetic *self, int64_t level)
{
    (void)self;
    double inner = 3.0 * (1e2 + 1e3);
    for (int64_t depth = 2; depth <= level; depth++) {
        double any = 10.0 + inner;
        inner = depth == 2 ? 3.0 * (2.0 * 1e1 + 3.0 * 1e2) * inner
                           : 3.0 * (any * any - 1e2 + any * any * any - 1e3);
    }
    return inner;
}

static const struct tare_synthetic_spec spec = {.name = "calc",
                                                .n_levels = 3,
                                                .levels = {1, 2, 3},
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
    TARE_SYNTHETIC_OPT_LEVEL("only this depth of nesting; 0: 1, 2 and 3 in turn", DEEPEST),
    TARE_SYNTHETIC_OPT_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_calc = {
    .header = TARE_TASK_HEADER,
    .name = "calc",
    .summary = "evaluate nested list operations over digits",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
