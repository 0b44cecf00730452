/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task tokens: requests of a stated length, without text.
 *
 * For load and overhead runs: every item is the same number of prompt tokens and of output tokens, so
 * a backend without a tokenizer can serve it and a hundred million items take no memory. Not graded.
 */
#include <tare/task.h>

struct tokens {
    int64_t items;
    int64_t prompt_tok;
    int64_t max_output;
};

static const struct tare_metric metrics[] = {{0}};

static const struct tare_opt options[] = {
    {.name = "items",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct tokens, items),
     .def = "1000",
     .help = "requests to make",
     .min = 1,
     .max = 100000000},
    {.name = "prompt_tok",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct tokens, prompt_tok),
     .def = "16",
     .help = "tokens of a prompt",
     .unit = "tok",
     .min = 1,
     .max = 1 << 24},
    {.name = "max_output",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct tokens, max_output),
     .def = "16",
     .help = "tokens to generate at most; 0: none",
     .unit = "tok",
     .min = 0,
     .max = 1 << 24},
    TARE_OPT_END,
};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    const struct tokens *tokens = self;
    (void)data_dir;
    (void)seed;
    if (tokens->prompt_tok < 1) {
        return tare_err_set(err, TARE_E_USAGE, "task tokens: a prompt needs at least 1 token");
    }
    return 0;
}

static size_t count(void *self)
{
    return (size_t)((const struct tokens *)self)->items;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct tokens *tokens = self;
    if (index >= count(self)) {
        return tare_err_set(err, TARE_E_USAGE, "task tokens: there is no item %zu", index);
    }
    *out = (struct tare_item){.kind = TARE_ITEM_TOKENS,
                              .n_tokens = (uint32_t)tokens->prompt_tok,
                              .max_output = (uint32_t)tokens->max_output};
    return 0;
}

static void close_task(void *self)
{
    (void)self;
}

const struct tare_task tare_task_tokens = {
    .header = TARE_TASK_HEADER,
    .name = "tokens",
    .summary = "requests of a stated length without text, not graded",
    .version = 1,
    .priv_size = sizeof(struct tokens),
    .options = options,
    .metrics = metrics,
    .open = open_task,
    .count = count,
    .item = item,
    .close = close_task,
};
