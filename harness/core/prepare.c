/* SPDX-License-Identifier: Apache-2.0 */
/* Items into requests. One function an item kind; tokenizing and bounds in one place each. */
#include "core/prepare.h"

#include "core/cut.h"
#include "core/prepare_lm_eval.h"

#include <stdlib.h>
#include <string.h>

enum { default_window_tok = 512, max_item_bytes = (1 << 30) - 16 };

static int no_memory(struct builder *b)
{
    return tare_err_set(b->err, TARE_E_NOMEM, "task %s: out of memory while preparing items",
                        b->args->task->name);
}

static bool by_text(const struct builder *b)
{
    return (b->args->ops->caps & TARE_CAP_TEXT_ONLY) != 0;
}

static bool has_bos(const struct builder *b)
{
    return b->args->facts->bos != TARE_UNKNOWN;
}

static int reserve(struct builder *b, size_t n)
{
    if (n <= b->cap) {
        return 0;
    }
    if (n > max_item_bytes) {
        return tare_err_set(b->err, TARE_E_BACKEND, "backend %s: makes %zu tokens of an item",
                            b->args->ops->name, n);
    }
    int32_t *ids = realloc(b->ids, n * sizeof *ids);
    b->ids = ids ? ids : b->ids;
    uint32_t *ends = ids ? realloc(b->ends, n * sizeof *ends) : NULL;
    if (!ends) {
        return no_memory(b);
    }
    b->ends = ends;
    b->cap = n;
    return 0;
}

/* Tokens of the bytes into b->ids and b->ends. A tokenizer that loses bytes is found out here. */
static int tokenize(struct builder *b, struct tare_bytes text, size_t *out_n)
{
    const struct tare_backend *ops = b->args->ops;
    if (text.n > max_item_bytes) {
        return tare_err_set(b->err, TARE_E_LIMIT, "task %s: an item of %zu bytes is too long",
                            b->args->task->name, text.n);
    }
    int r = reserve(b, text.n + 16);
    size_t n = 0;
    for (int tries = 0; r == 0; tries++) {
        r = ops->tokenize(b->args->backend, text.data, text.n, b->ids, b->ends, b->cap, &n, b->err);
        if (r < 0 || n <= b->cap) {
            break;
        }
        r = tries == 0 ? reserve(b, n)
                       : tare_err_set(b->err, TARE_E_BACKEND,
                                      "backend %s: its tokens of one text change in number", ops->name);
    }
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < n; i++) {
        if (b->ends[i] < (i ? b->ends[i - 1] : 0)) {
            return tare_err_set(b->err, TARE_E_BACKEND, "backend %s: token ends go backwards", ops->name);
        }
    }
    if (n > 0 ? b->ends[n - 1] != text.n : text.n != 0) {
        return tare_err_set(b->err, TARE_E_BACKEND, "backend %s: its tokens do not cover the text's bytes",
                            ops->name);
    }
    *out_n = n;
    return 0;
}

/* [BOS] + the first n scratch tokens. *out_n counts both. */
static int32_t *with_bos(struct builder *b, const int32_t *ids, size_t n, size_t *out_n)
{
    size_t bos = has_bos(b);
    int32_t *tokens = tare_arena_array(&b->out->arena, n + bos + 1, sizeof *tokens);
    if (tokens) {
        tokens[0] = (int32_t)b->args->facts->bos;
        if (n > 0 && ids) {
            memcpy(tokens + bos, ids, n * sizeof *tokens);
        }
        *out_n = n + bos;
    }
    return tokens;
}

int tare_builder_tokenize(struct builder *b, struct tare_bytes text, size_t *out_n)
{
    return tokenize(b, text, out_n);
}

int32_t *tare_builder_tokens(struct builder *b, size_t n, size_t *out_n)
{
    return with_bos(b, b->ids, n, out_n);
}

static bool too_long(const struct builder *b, size_t fed)
{
    int64_t n_ctx = b->args->facts->n_ctx;
    return n_ctx != TARE_UNKNOWN && fed > (size_t)n_ctx;
}

static size_t window_size(const struct builder *b)
{
    if (b->args->window_tok > 0) {
        return (size_t)b->args->window_tok;
    }
    return b->args->facts->n_ctx > 0 ? (size_t)b->args->facts->n_ctx : default_window_tok;
}

/* Windows w of a document: feed BOS, w[0] .. w[n-2]; predict w[0] .. w[n-1]. */
static int prepare_text(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    size_t n = 0, window = window_size(b);
    int r = tokenize(b, item->text, &n);
    if (r < 0) {
        return r;
    }
    if (!has_bos(b)) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED,
                            "the model has no beginning-of-sequence token to predict a first token from");
    }
    to->n_requests = (uint32_t)((n + window - 1) / window);
    to->den = (int64_t)item->text.n;
    to->code = too_long(b, n < window ? n : window) ? TARE_E_LIMIT : 0;
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, to->n_requests, sizeof *q);
    to->requests = q;
    for (size_t i = 0; q && i < to->n_requests; i++) {
        size_t part = n - i * window < window ? n - i * window : window, total = 0;
        memset(&q[i], 0, sizeof q[i]);
        q[i].tokens = with_bos(b, b->ids + i * window, part, &total);
        q[i].n_tokens = (uint32_t)total;
        q[i].first = 1;
        q[i].n_expected = (uint32_t)part;
        if (!q[i].tokens) {
            return no_memory(b);
        }
    }
    return q ? 0 : no_memory(b);
}

/* Flags of the tokens that overlap a span; spans and tokens both ascend. Nothing overlaps what has no
 * bytes, be it a token (of a character cut in pieces) or a span. */
static uint8_t *grade_flags(struct builder *b, const struct tare_item *item, size_t n, size_t shift,
                            size_t *out_last, size_t *out_first, size_t *out_count)
{
    uint8_t *graded = tare_arena_array(&b->out->arena, n + shift, 1);
    size_t s = 0, count = 0;
    for (size_t i = 0; graded && i < n; i++) {
        uint32_t begin = i ? b->ends[i - 1] : 0, end = b->ends[i];
        while (s < item->n_spans &&
               (item->spans[s].end <= begin || item->spans[s].end <= item->spans[s].begin)) {
            s++;
        }
        bool hit = s < item->n_spans && begin < end && item->spans[s].begin < end;
        graded[i + shift] = hit;
        if (hit) {
            *out_first = count++ ? *out_first : i + shift;
            *out_last = i + shift;
        }
    }
    if (graded && shift) {
        graded[0] = 0;
    }
    *out_count = count;
    return graded;
}

static int prepare_spans(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    size_t n = 0, total = 0, first = 0, last = 0, count = 0;
    int r = tokenize(b, item->text, &n);
    if (r < 0) {
        return r;
    }
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, 1, sizeof *q);
    const int32_t *tokens = with_bos(b, b->ids, n, &total);
    const uint8_t *graded = grade_flags(b, item, n, has_bos(b), &last, &first, &count);
    if (!q || !tokens || !graded) {
        return no_memory(b);
    }
    if (count == 0 || first == 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED, "task %s: an item has no token that can be graded",
                            b->args->task->name);
    }
    *q = (struct tare_prepared_request){.tokens = tokens,
                                        .graded = graded,
                                        .n_tokens = (uint32_t)last + 1,
                                        .first = (uint32_t)first,
                                        .n_expected = (uint32_t)count};
    to->requests = q;
    to->n_requests = 1;
    to->den = (int64_t)count;
    to->code = too_long(b, last) ? TARE_E_LIMIT : 0;
    return 0;
}

static int prepare_one_choice(struct builder *b, const struct tare_item *item, size_t choice,
                              size_t n_context, const int32_t *context, struct tare_prepared_request *q)
{
    size_t n = 0;
    int r = tokenize(b, item->choices[choice], &n);
    if (r < 0) {
        return r;
    }
    if (n == 0 || n_context == 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED,
                            "task %s: a choice without tokens or without anything before it cannot be scored",
                            b->args->task->name);
    }
    int32_t *tokens = tare_arena_array(&b->out->arena, n_context + n, sizeof *tokens);
    if (!tokens) {
        return no_memory(b);
    }
    memcpy(tokens, context, n_context * sizeof *tokens);
    memcpy(tokens + n_context, b->ids, n * sizeof *tokens);
    *q = (struct tare_prepared_request){.tokens = tokens,
                                        .n_tokens = (uint32_t)(n_context + n),
                                        .first = (uint32_t)n_context,
                                        .n_expected = (uint32_t)n,
                                        .shared_prefix = choice ? (uint32_t)n_context : 0,
                                        .n_bytes = (uint32_t)item->choices[choice].n};
    return 0;
}

/* Context and choice as one text; where the choice begins is all that is told of the cut. */
static int one_choice_by_text(struct builder *b, const struct tare_item *item, size_t choice,
                              struct tare_prepared_request *q)
{
    struct tare_bytes context = item->contexts ? item->contexts[choice] : item->text,
                      added = item->choices[choice];
    if (context.n + added.n > max_item_bytes) {
        return tare_err_set(b->err, TARE_E_LIMIT, "task %s: an item of %zu bytes is too long",
                            b->args->task->name, context.n + added.n);
    }
    if (context.n == 0 || added.n == 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED,
                            "task %s: a choice without text or without anything before it cannot be scored",
                            b->args->task->name);
    }
    char *text = tare_arena_array(&b->out->arena, context.n + added.n, 1);
    if (!text) {
        return no_memory(b);
    }
    memcpy(text, context.data, context.n);
    memcpy(text + context.n, added.data, added.n);
    bool by_lm_eval = b->args->task->convention == TARE_CONVENTION_LM_EVAL;
    size_t blanks = by_lm_eval ? tare_cut_blanks(context) : 0; /* they count to the choice there */
    *q = (struct tare_prepared_request){.text = text,
                                        .text_bytes = (uint32_t)(context.n + added.n),
                                        .text_first = (uint32_t)(context.n - blanks),
                                        .n_bytes = (uint32_t)added.n};
    return 0;
}

static int choices_by_text(struct builder *b, const struct tare_item *item, struct tare_prepared_request *q)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < item->n_choices; i++) {
        r = one_choice_by_text(b, item, i, &q[i]);
    }
    return r;
}

static int choices_by_tokens(struct builder *b, const struct tare_item *item, struct tare_prepared_request *q,
                             struct tare_prepared_item *to)
{
    size_t n = 0, n_context = 0;
    int r = tokenize(b, item->text, &n);
    if (r < 0) {
        return r;
    }
    const int32_t *context = with_bos(b, b->ids, n, &n_context);
    if (!context) {
        return no_memory(b);
    }
    for (size_t i = 0; i < item->n_choices; i++) {
        r = prepare_one_choice(b, item, i, n_context, context, &q[i]);
        if (r < 0) {
            return r;
        }
        to->code = too_long(b, q[i].n_tokens - 1) ? TARE_E_LIMIT : to->code;
    }
    return 0;
}

static int prepare_choice(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    if (item->gold >= item->n_choices || (item->contexts && !by_text(b))) {
        return tare_err_set(
            b->err, TARE_E_PLUGIN,
            "task %s: the right choice is none of an item's %zu, or a context of each choice is "
            "asked for by other rules than those of lm-evaluation-harness",
            b->args->task->name, item->n_choices);
    }
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, item->n_choices, sizeof *q);
    int r = !q ? no_memory(b) : by_text(b) ? choices_by_text(b, item, q) : choices_by_tokens(b, item, q, to);
    if (r < 0) {
        return r;
    }
    to->requests = q;
    to->n_requests = (uint32_t)item->n_choices;
    to->gold = item->gold;
    to->den = 1;
    return 0;
}

static int copy_stops(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    struct tare_bytes *stops = tare_arena_array(&b->out->arena, item->n_stops, sizeof *stops);
    for (size_t i = 0; stops && i < item->n_stops; i++) {
        stops[i].n = item->stops[i].n;
        stops[i].data = tare_arena_copy(&b->out->arena, item->stops[i].data, item->stops[i].n);
        if (!stops[i].data) {
            return no_memory(b);
        }
    }
    to->stops = stops;
    to->n_stops = item->n_stops;
    if (item->reference.data) {
        to->reference.n = item->reference.n;
        to->reference.data = tare_arena_copy(&b->out->arena, item->reference.data, item->reference.n);
    }
    return stops && (!item->reference.data || to->reference.data) ? 0 : no_memory(b);
}

int tare_builder_stops(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    return copy_stops(b, item, to);
}

static int generation(struct builder *b, const int32_t *tokens, size_t n, uint32_t max_output,
                      struct tare_prepared_item *to)
{
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, 1, sizeof *q);
    if (!q || !tokens) {
        return no_memory(b);
    }
    if (n == 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED, "task %s: an item gives no token to continue from",
                            b->args->task->name);
    }
    *q = (struct tare_prepared_request){
        .tokens = tokens, .n_tokens = (uint32_t)n, .first = (uint32_t)n, .max_output = max_output};
    to->requests = q;
    to->n_requests = 1;
    /* The last generated token is never fed. */
    to->code = too_long(b, n + (max_output ? max_output - 1 : 0)) ? TARE_E_LIMIT : 0;
    return 0;
}

static int generation_by_text(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    if (item->n_tokens > 0) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED,
                            "backend %s understands text only: it cannot cut prompts to %u tokens",
                            b->args->ops->name, item->n_tokens);
    }
    if (item->text.n == 0 || item->text.n > max_item_bytes) {
        return tare_err_set(b->err, item->text.n ? TARE_E_LIMIT : TARE_E_UNSUPPORTED,
                            "task %s: a prompt of %zu bytes cannot be continued", b->args->task->name,
                            item->text.n);
    }
    struct tare_prepared_request *q = tare_arena_array(&b->out->arena, 1, sizeof *q);
    const char *text = tare_arena_copy(&b->out->arena, item->text.data, item->text.n);
    if (!q || !text) {
        return no_memory(b);
    }
    *q = (struct tare_prepared_request){
        .text = text, .text_bytes = (uint32_t)item->text.n, .max_output = item->max_output};
    to->requests = q;
    to->n_requests = 1;
    to->den = TARE_UNKNOWN;
    return copy_stops(b, item, to);
}

static int prepare_generate(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    size_t n = 0, total = 0;
    if (by_text(b)) {
        return generation_by_text(b, item, to);
    }
    int r = tokenize(b, item->text, &n);
    if (r < 0) {
        return r;
    }
    const int32_t *tokens = with_bos(b, b->ids, n, &total);
    if (tokens && item->n_tokens > total) {
        return tare_err_set(b->err, TARE_E_FORMAT,
                            "task %s: a prompt has %zu tokens, %u were asked for; ask for fewer or choose "
                            "another text",
                            b->args->task->name, total, item->n_tokens);
    }
    total = item->n_tokens ? item->n_tokens : total;
    r = generation(b, tokens, total, item->max_output, to);
    to->den = TARE_UNKNOWN; /* graded as a whole, not by tokens */
    return r == 0 ? copy_stops(b, item, to) : r;
}

static int prepare_tokens(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    int32_t *tokens = tare_arena_array(&b->out->arena, item->n_tokens + 1, sizeof *tokens);
    for (uint32_t i = 0; tokens && i < item->n_tokens; i++) {
        tokens[i] = i == 0 && has_bos(b) ? (int32_t)b->args->facts->bos : 'a';
    }
    to->den = TARE_UNKNOWN;
    return generation(b, tokens, item->n_tokens, item->max_output, to);
}

static int prepare_item(struct builder *b, const struct tare_item *item, struct tare_prepared_item *to)
{
    to->kind = item->kind;
    to->level = item->level;
    to->n_picked = item->n_picked;
    if (tare_prepares_by_lm_eval(b, item)) {
        return tare_prepare_by_lm_eval(b, item, to);
    }
    switch (item->kind) {
    case TARE_ITEM_TEXT:
        return prepare_text(b, item, to);
    case TARE_ITEM_SPANS:
        return prepare_spans(b, item, to);
    case TARE_ITEM_CHOICE:
        return prepare_choice(b, item, to);
    case TARE_ITEM_GENERATE:
        return prepare_generate(b, item, to);
    case TARE_ITEM_TOKENS:
        return prepare_tokens(b, item, to);
    default:
        return tare_err_set(b->err, TARE_E_PLUGIN, "task %s: unknown item kind %d", b->args->task->name,
                            (int)item->kind);
    }
}

static const char *named(uint32_t missing)
{
    return missing & TARE_CAP_SCORE ? "score" : missing & TARE_CAP_GENERATE ? "generate" : "tokenize";
}

/* What an item needs of a backend; a lack skips the cell, with the reason. */
static int check_caps(struct builder *b, const struct tare_item *item)
{
    const struct tare_backend *ops = b->args->ops;
    bool scores =
        item->kind == TARE_ITEM_TEXT || item->kind == TARE_ITEM_SPANS || item->kind == TARE_ITEM_CHOICE;
    bool words = item->kind == TARE_ITEM_CHOICE || item->kind == TARE_ITEM_GENERATE;
    uint32_t need = (scores ? TARE_CAP_SCORE : TARE_CAP_GENERATE) |
                    (item->kind == TARE_ITEM_TOKENS || by_text(b) ? 0U : TARE_CAP_TOKENIZE);
    uint32_t missing = need & ~ops->caps;
    const char *why = b->args->lacks_why && missing ? b->args->lacks_why : "";
    if (missing) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED, "backend %s cannot %s, which task %s needs%s%s",
                            ops->name, named(missing), b->args->task->name, *why ? ": " : "", why);
    }
    if (by_text(b) && !words) {
        return tare_err_set(b->err, TARE_E_UNSUPPORTED,
                            "backend %s understands text only, and task %s is made of tokens", ops->name,
                            b->args->task->name);
    }
    return 0;
}

/* Synthetic items that ask the same share one prepared item: a million of them cost 8 MB. */
static bool same_tokens(const struct tare_item *a, const struct tare_item *b)
{
    return a->kind == TARE_ITEM_TOKENS && b->kind == TARE_ITEM_TOKENS && a->n_tokens == b->n_tokens &&
           a->max_output == b->max_output && a->level == b->level;
}

static int prepare_all(struct builder *b)
{
    struct tare_item before = {0}, item;
    const struct tare_prepared_item *shared = NULL;
    for (size_t i = b->args->first_item; i < b->out->count; i++) {
        memset(&item, 0, sizeof item);
        int r = b->args->task->item(b->args->task_self, i, &item, b->err);
        r = r == 0 ? check_caps(b, &item) : r;
        if (r < 0) {
            return r;
        }
        if (!shared || !same_tokens(&before, &item)) {
            struct tare_prepared_item *to = tare_arena_take(&b->out->arena, sizeof *to);
            if (!to) {
                return no_memory(b);
            }
            memset(to, 0, sizeof *to);
            r = prepare_item(b, &item, to);
            if (r < 0) {
                return r;
            }
            shared = to;
        }
        before = item;
        b->out->items[i] = shared;
        uint32_t output = shared->n_requests ? shared->requests[0].max_output : 0;
        b->out->max_output = output > b->out->max_output ? output : b->out->max_output;
        b->out->max_requests =
            shared->n_requests > b->out->max_requests ? shared->n_requests : b->out->max_requests;
    }
    return 0;
}

int tare_prepare(const struct tare_prepare_args *args, struct tare_prepared *out, struct tare_err *err)
{
    struct tare_prepared prepared;
    memset(&prepared, 0, sizeof prepared);
    prepared.count = args->task->count(args->task_self);
    prepared.items = calloc(prepared.count + 1, sizeof *prepared.items);
    struct builder b = {.args = args, .out = &prepared, .err = err};
    int r = prepared.items ? prepare_all(&b) : no_memory(&b);
    free(b.ids);
    free(b.ends);
    if (r < 0) {
        tare_prepared_fini(&prepared);
        return r;
    }
    *out = prepared;
    return 0;
}

void tare_prepared_fini(struct tare_prepared *prepared)
{
    tare_arena_fini(&prepared->arena);
    free(prepared->items);
    memset(prepared, 0, sizeof *prepared);
}
