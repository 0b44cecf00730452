/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task majority: which of two letters comes more often?
 *
 * "V: a b b a b ?": letters drawn freely, a space before each; as many of both is drawn again. The level is
 * the number of letters. Guessing gets one half.
 */
#include "synthetic.h"

enum { LONGEST = 1000000 };

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    int64_t more = 0; /* a less b */
    (void)self;
    tare_draft_puts(draft, "V:");
    for (int64_t i = 0; i < level; i++) {
        uint64_t letter = tare_rng_below(rng, 2);
        tare_draft_puts(draft, letter ? " b" : " a");
        more += letter ? -1 : 1;
    }
    draft->refused = more == 0;
    tare_draft_puts(draft, " ?");
    tare_draft_end_prompt(draft);
    tare_draft_grade(draft, more > 0 ? " a" : " b", 2);
    tare_draft_putc(draft, '\n');
}

/* With an even number of letters a few less: those with as many of both. */
static double prompts(const struct tare_synthetic *self, int64_t level)
{
    int64_t half = level / 2;
    double tied = level % 2 ? 0.0 : 1.0;
    (void)self;
    for (int64_t i = 1; i <= half && level % 2 == 0; i++) {
        tied *= (double)(half + i) / (double)i;
    }
    return tare_synthetic_power(2.0, level) - tied;
}

static const struct tare_bytes answers[] = {{" a", 2}, {" b", 2}};

static const struct tare_synthetic_spec spec = {.name = "majority",
                                                .n_levels = 3,
                                                .levels = {21, 41, 81},
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
    TARE_SYNTHETIC_OPT_LEVEL("only this many letters; 0: 21, 41 and 81 in turn", LONGEST),
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_CHOICE_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_majority = {
    .header = TARE_TASK_HEADER,
    .name = "majority",
    .summary = "tell which of two letters comes more often",
    .version = 1,
    .priv_size = sizeof(struct tare_synthetic),
    .options = options,
    .metrics = tare_synthetic_choice_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
