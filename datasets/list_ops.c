/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task list_ops: the value of a nested list expression, drawn by the rule of ListOps in Long Range Arena.
 *
 * "[MAX 2 9 [MIN 4 7 ] 0 ] =": MIN, MAX, MED (the median, of an even number of arguments the mean of the
 * middle two, cut to a whole number) and SM (the sum modulo 10). A node above the deepest level is an
 * operator with probability 1/4 and a digit else; an operator has 2 to `arguments` arguments. A length is
 * counted in tokens: a digit is 1, an operator with its closing bracket 2. Level L keeps an expression of a
 * length above L/4 and below L: level 2000 is the arena's rule with its depth of 10 and its 10 arguments.
 *
 * Not Long Range Arena's data, which is one published draw and asked of models trained on it: the draws and
 * the question are ours.
 */
#include "synthetic.h"

enum { DEEPEST = 20, ARGUMENTS_MAX = 10, LONGEST = 20000 };

struct list_ops {
    struct tare_synthetic set;
    int64_t depth;
    int64_t arguments;
};

/* An expression while it is written. */
struct writer {
    const struct list_ops *options;
    struct tare_draft *draft;
    struct tare_rng *rng;
    int64_t tokens;
    int64_t limit; /* of tokens; where it is reached, nothing more is drawn: the item is refused */
};

static int sort_for_median(int *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static int apply(size_t op, int *values, size_t n)
{
    int median = sort_for_median(values, n);
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    const int results[] = {values[0], values[n - 1], median, sum % 10};
    return results[op];
}

static int put_digit(struct writer *w)
{
    int digit = (int)tare_rng_below(w->rng, 10);
    tare_draft_putc(w->draft, (char)('0' + digit));
    w->tokens++;
    return digit;
}

/* Writes a node and returns its value; it calls itself for an argument, at most DEEPEST deep. */
static int put_node(struct writer *w, int64_t depth)
{
    static const char *const names[] = {"[MIN", "[MAX", "[MED", "[SM"};
    if (depth >= w->options->depth || tare_rng_below(w->rng, 4) != 0) {
        return put_digit(w);
    }
    size_t op = tare_rng_below(w->rng, 4);
    size_t n = 2 + tare_rng_below(w->rng, (uint64_t)w->options->arguments - 1);
    int values[ARGUMENTS_MAX] = {0};
    w->tokens += 2;
    tare_draft_puts(w->draft, names[op]);
    for (size_t i = 0; i < n && w->tokens < w->limit; i++) {
        tare_draft_putc(w->draft, ' ');
        values[i] = put_node(w, depth + 1);
    }
    tare_draft_puts(w->draft, " ]");
    return apply(op, values, n);
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    struct writer w = {.options = (const struct list_ops *)self, .draft = draft, .rng = rng, .limit = level};
    int value = put_node(&w, 1);
    const char answer[2] = {' ', (char)('0' + value)};
    draft->refused = w.tokens <= level / 4 || w.tokens >= level;
    tare_draft_puts(draft, " =");
    tare_draft_end_prompt(draft);
    tare_draft_grade(draft, answer, sizeof answer);
    tare_draft_putc(draft, '\n');
}

static const struct tare_bytes digits[] = {{" 0", 2}, {" 1", 2}, {" 2", 2}, {" 3", 2}, {" 4", 2},
                                           {" 5", 2}, {" 6", 2}, {" 7", 2}, {" 8", 2}, {" 9", 2}};

static const struct tare_synthetic_spec spec = {.name = "list_ops",
                                                .n_levels = 3,
                                                .levels = {50, 100, 200},
                                                .least_level = 10,
                                                .generate = generate,
                                                .choices = digits,
                                                .n_choices = 10};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    (void)data_dir;
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only expressions below this many tokens; 0: 50, 100 and 200 in turn", LONGEST),
    {.name = "depth",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct list_ops, depth),
     .def = "10",
     .help = "deepest nesting, the digits counted",
     .min = 2,
     .max = DEEPEST},
    {.name = "arguments",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct list_ops, arguments),
     .def = "10",
     .help = "most arguments of an operator",
     .min = 2,
     .max = ARGUMENTS_MAX},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_CHOICE_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_list_ops = {
    .header = TARE_TASK_HEADER,
    .name = "list_ops",
    .summary = "value of a nested list expression (drawn as ListOps is; not Long Range Arena's data)",
    .version = 1,
    .priv_size = sizeof(struct list_ops),
    .options = options,
    .metrics = tare_synthetic_choice_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
