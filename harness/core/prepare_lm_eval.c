/* SPDX-License-Identifier: Apache-2.0 */
/* One function an item kind, as in prepare.c. */
#include "core/prepare_lm_eval.h"

#include "core/cut.h"

#include <string.h>

enum { unknown_context_tok = 512 };

bool tare_prepares_by_lm_eval(const struct builder *b, const struct tare_item *item)
{
    bool kind =
        item->kind == TARE_ITEM_TEXT || item->kind == TARE_ITEM_CHOICE || item->kind == TARE_ITEM_GENERATE;
    return kind && item->n_tokens == 0 && b->args->task->convention == TARE_CONVENTION_LM_EVAL &&
           !(b->args->ops->caps & TARE_CAP_TEXT_ONLY);
}

static int no_memory(struct builder *b)
{
    return tare_err_set(b->err, TARE_E_NOMEM, "task %s: out of memory while preparing items",
                        b->args->task->name);
}

/* Tokens that may be fed; SIZE_MAX: nobody knows, so nothing is cut. */
static size_t most_fed(const struct builder *b)
{
    return b->args->facts->n_ctx > 0 ? (size_t)b->args->facts->n_ctx : SIZE_MAX;
}

static int prepare_text(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    size_t n = 0, total = 0,
           window = b->args->window_tok > 0   ? (size_t)b->args->window_tok
                    : most_fed(b) != SIZE_MAX ? most_fed(b)
                                              : unknown_context_tok;
    int r = tare_builder_tokenize(b, item->text, &n);
    if (r == 0 && b->args->facts->bos == TARE_UNKNOWN) {
        r = tare_err_set(b->err, TARE_E_UNSUPPORTED,
                         "the model has no beginning-of-sequence token to predict a first token from");
    }
    if (r < 0) {
        return r;
    }
    const int32_t *tokens = tare_builder_tokens(b, n, &total);
    to->n_requests = (uint32_t)tare_cut_windows(n, window);
    to->den = (int64_t)item->text.n;
    to->code = (n < window ? n : window) > most_fed(b) ? TARE_E_LIMIT : 0;
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, to->n_requests, sizeof *q);
    for (size_t i = 0; q && tokens && i < to->n_requests; i++) {
        const struct tare_cut_window w = tare_cut_window(n, window, i);
        q[i] = (struct tare_prepared_request){.tokens = tokens + w.begin,
                                              .n_tokens = (uint32_t)w.n,
                                              .first = (uint32_t)w.first,
                                              .n_expected = (uint32_t)(w.n - w.first)};
    }
    to->requests = q;
    return q && tokens ? 0 : no_memory(b);
}

/* How many tokens the context has by itself, the model's first one counted; its blanks belong to the choice.
 */
static int count_context(struct builder *b, const struct tare_item *item, size_t *out)
{
    struct tare_bytes context = item->text;
    size_t n = 0;
    context.n -= tare_cut_blanks(context);
    int r = tare_builder_tokenize(b, context, &n);
    *out = n + (b->args->facts->bos != TARE_UNKNOWN);
    return r;
}

/* Context and choice as one text, and its tokens. */
static int tokenize_joined(struct builder *b, struct tare_bytes context, struct tare_bytes choice,
                           const int32_t **out, size_t *out_n)
{
    size_t n = 0;
    char *joined = tare_arena_take(&b->out->arena, context.n + choice.n + 1);
    if (!joined) {
        return no_memory(b);
    }
    if (context.n) {
        memcpy(joined, context.data, context.n);
    }
    if (choice.n) {
        memcpy(joined + context.n, choice.data, choice.n);
    }
    int r = tare_builder_tokenize(b, (struct tare_bytes){joined, context.n + choice.n}, &n);
    *out = r == 0 ? tare_builder_tokens(b, n, out_n) : NULL;
    return r == 0 && !*out ? no_memory(b) : r;
}

/* Tokens that both begin with. */
static uint32_t common(const struct tare_prepared_request *a, const struct tare_prepared_request *b)
{
    uint32_t n = 0, most = a->n_tokens < b->first ? a->n_tokens : b->first;
    while (n < most && a->tokens[n] == b->tokens[n]) {
        n++;
    }
    return n;
}

static int prepare_one_choice(struct builder *b, const struct tare_item *item, size_t choice,
                              size_t n_context, struct tare_prepared_request *q, int32_t *code)
{
    const int32_t *tokens = NULL;
    size_t n = 0;
    int r = tokenize_joined(b, item->text, item->choices[choice], &tokens, &n);
    if (r < 0) {
        return r;
    }
    if (n_context == 0 || n <= n_context || item->choices[choice].n == 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED,
                            "task %s: a choice without tokens or without anything before it cannot be scored",
                            b->args->task->name);
    }
    /* The last token is a target only: one more than may be fed remains, and something before the choice. */
    size_t most = most_fed(b), drop = most == SIZE_MAX ? 0 : tare_cut_left(n, most + 1);
    bool fits = drop < n_context;
    *code = fits ? *code : TARE_E_LIMIT;
    drop = fits ? drop : 0;
    *q = (struct tare_prepared_request){.tokens = tokens + drop,
                                        .n_tokens = (uint32_t)(n - drop),
                                        .first = (uint32_t)(n_context - drop),
                                        .n_expected = (uint32_t)(n - n_context),
                                        .n_bytes = (uint32_t)item->choices[choice].n};
    q->shared_prefix = choice ? common(q - 1, q) : 0;
    return 0;
}

/* The item as if its i-th choice were alone: with the context that stands before it. */
static struct tare_item with_context(const struct tare_item *item, size_t i)
{
    struct tare_item one = *item;
    one.text = item->contexts ? item->contexts[i] : item->text;
    return one;
}

static int prepare_choice(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    size_t n_context = 0;
    if (item->gold >= item->n_choices) {
        return tare_err_set(b->err, TARE_E_PLUGIN, "task %s: the right choice is none of an item's %zu",
                            b->args->task->name, item->n_choices);
    }
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, item->n_choices, sizeof *q);
    int r = q ? 0 : no_memory(b);
    for (size_t i = 0; r == 0 && i < item->n_choices; i++) {
        const struct tare_item one = with_context(item, i);
        r = i == 0 || item->contexts ? count_context(b, &one, &n_context) : 0;
        r = r == 0 ? prepare_one_choice(b, &one, i, n_context, &q[i], &to->code) : r;
    }
    to->requests = q;
    to->n_requests = (uint32_t)item->n_choices;
    to->gold = item->gold;
    to->den = 1;
    return r;
}

/* The prompt is cut to the context less what may be generated; something must remain. */
static int prepare_generate(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    size_t n = 0, total = 0, most = most_fed(b);
    int r = tare_builder_tokenize(b, item->text, &n);
    if (r < 0) {
        return r;
    }
    const int32_t *tokens = tare_builder_tokens(b, n, &total);
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, 1, sizeof *q);
    if (!tokens || !q) {
        return no_memory(b);
    }
    if (total == 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED, "task %s: an item gives no token to continue from",
                            b->args->task->name);
    }
    bool fits = most == SIZE_MAX || most > item->max_output;
    size_t drop = most == SIZE_MAX || !fits ? 0 : tare_cut_left(total, most - item->max_output);
    *q = (struct tare_prepared_request){.tokens = tokens + drop,
                                        .n_tokens = (uint32_t)(total - drop),
                                        .first = (uint32_t)(total - drop),
                                        .max_output = item->max_output};
    to->requests = q;
    to->n_requests = 1;
    to->code = fits ? 0 : TARE_E_LIMIT;
    to->den = TARE_UNKNOWN;
    return tare_builder_stops(b, item, to);
}

int tare_prepare_by_lm_eval(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    return item->kind == TARE_ITEM_TEXT     ? prepare_text(b, item, to)
           : item->kind == TARE_ITEM_CHOICE ? prepare_choice(b, item, to)
                                            : prepare_generate(b, item, to);
}
