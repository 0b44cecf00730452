/* SPDX-License-Identifier: Apache-2.0 */
/* The loop over items, requests and positions, and what becomes of an item that fails. */
#include "fidelity/lockstep.h"

#include "core/spec.h"
#include "fidelity/llama_logits.h"
#include "fidelity/side.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tare/backend.h>
#include <tare/task.h>

enum { most_deaths = 3 };

/* Functions below return 0; 1 where the item has failed, told in `why`; negative for what ends the whole. */
struct lockstep {
    const struct tare_lockstep_args *args;
    struct tare_side teacher, student;
    struct tare_llama_logits file; /* in place of the teacher */
    bool from_file;
    struct tare_lockstep_prepare wanted;
    size_t n_items;
    int64_t n_vocab;
    struct tare_comparer comparer;
    struct tare_choice_score *choices;
    size_t cap_choices;
    int32_t *ids; /* of a chunk of the file */
    float *row;   /* out of the file */
    char why[320];
    bool given_up;
    struct tare_err *err;
};

TARE_PRINTF(2, 3) static int fail(struct lockstep *l, const char *why, ...)
{
    va_list args;
    va_start(args, why);
    (void)vsnprintf(l->why, sizeof l->why, why, args);
    va_end(args);
    return 1;
}

/* r of a call about one side: a process that is over is a failure of the item. */
static int told(struct lockstep *l, const struct tare_side *side, int r)
{
    return r == 1 ? fail(l, "%s: %s", side->who, side->child.died) : r;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a == TARE_UNKNOWN || (b != TARE_UNKNOWN && b < a) ? b : a;
}

/* Do ids mean the same in both, as far as the models say? */
static int check_alike(struct lockstep *l)
{
    const struct tare_lockstep_hello *t = &l->teacher.hello, *s = &l->student.hello;
    if (t->n_vocab != s->n_vocab) {
        return tare_err_set(
            l->err, TARE_E_UNSUPPORTED,
            "teacher and student have vocabularies of %lld and %lld tokens: their distributions "
            "cannot be compared",
            (long long)t->n_vocab, (long long)s->n_vocab);
    }
    if (t->bos != s->bos) {
        return tare_err_set(
            l->err, TARE_E_UNSUPPORTED,
            "teacher and student begin a text with different tokens (%lld and %lld; -1: none): "
            "they would not be asked the same",
            (long long)t->bos, (long long)s->bos);
    }
    return 0;
}

static int check_logits(struct lockstep *l, const struct tare_side *side)
{
    uint32_t caps = side->hello.caps;
    return (caps & TARE_CAP_LOGITS) && !(caps & TARE_CAP_TEXT_ONLY)
               ? 0
               : tare_err_set(l->err, TARE_E_UNSUPPORTED,
                              "the %s's backend gives no distributions over the vocabulary (capability "
                              "\"logits\"): there is nothing to compare",
                              side->who);
}

/* Loads and prepares what does not run. A death behind the first time is the item's, and so is a restart that
 * fails, which nothing can follow. */
static int ready(struct lockstep *l, struct tare_side *side)
{
    bool again = side->child.deaths > 0;
    struct tare_err err = {0};
    int r = tare_side_open(side, &err);
    r = r == 0 && !l->from_file ? tare_side_prepare(side, &l->wanted, &err) : r;
    if (r == 0 && again && !l->from_file && side->told.items != (int64_t)l->n_items) {
        r = tare_err_set(&err, TARE_E_BACKEND, "%s: the task has another number of items now", side->who);
    }
    if (r < 0 && (!again || r == TARE_E_INTERRUPTED)) {
        return tare_err_set(l->err, r, "%s", err.msg);
    }
    l->given_up = l->given_up || r < 0;
    return r < 0 ? fail(l, "%s", err.msg) : told(l, side, r);
}

static int no_memory(struct lockstep *l)
{
    return tare_err_set(l->err, TARE_E_NOMEM, "out of memory");
}

/* The first time: both load, and are found to be alike. Here a death ends the whole. */
static int begin(struct lockstep *l)
{
    struct tare_side *const sides[] = {&l->teacher, &l->student};
    int r = 0;
    for (size_t i = l->from_file; r == 0 && i < 2; i++) {
        r = tare_side_open(sides[i], l->err);
        r = r == 1 ? tare_err_set(l->err, TARE_E_BACKEND, "%s: %s", sides[i]->who, sides[i]->child.died) : r;
    }
    r = r == 0 && !l->from_file ? check_alike(l) : r;
    l->n_vocab = l->student.hello.n_vocab;
    return r == 0 ? tare_comparer_init(&l->comparer, (size_t)l->n_vocab, l->err) : r;
}

/* Windows are those of the smaller context, so that both are asked the same. */
static int begin_task(struct lockstep *l)
{
    struct tare_spec spec;
    int r = tare_spec_parse(l->args->student, strlen(l->args->student), &spec, l->err);
    if (r < 0) {
        return r;
    }
    l->wanted = (struct tare_lockstep_prepare){
        .n_ctx = lesser(l->teacher.hello.n_ctx, l->student.hello.n_ctx), .window_tok = spec.window_tok};
    tare_spec_fini(&spec);
    r = ready(l, &l->teacher);
    r = r == 0 ? ready(l, &l->student) : r;
    r = r == 1 ? tare_err_set(l->err, TARE_E_BACKEND, "%.400s", l->why) : r;
    if (r == 0 && l->teacher.told.items != l->student.told.items) {
        return tare_err_set(l->err, TARE_E_BACKEND, "teacher and student see %lld and %lld items",
                            (long long)l->teacher.told.items, (long long)l->student.told.items);
    }
    l->n_items = r == 0 ? (size_t)l->student.told.items : 0;
    return r;
}

static int begin_file(struct lockstep *l)
{
    const struct tare_llama_logits *f = &l->file;
    const struct tare_lockstep_hello *s = &l->student.hello;
    if (s->n_vocab != (int64_t)f->n_vocab) {
        return tare_err_set(l->err, TARE_E_UNSUPPORTED,
                            "%.200s is of a vocabulary of %u tokens, the student's has %lld: distributions "
                            "cannot be compared",
                            f->path, f->n_vocab, (long long)s->n_vocab);
    }
    if (s->n_ctx != TARE_UNKNOWN && s->n_ctx < (int64_t)f->n_ctx - 1) {
        return tare_err_set(l->err, TARE_E_UNSUPPORTED,
                            "%.200s has chunks of %u tokens, the student's context holds %lld", f->path,
                            f->n_ctx, (long long)s->n_ctx);
    }
    l->ids = calloc(f->n_ctx, sizeof *l->ids);
    l->row = calloc(f->n_vocab, sizeof *l->row);
    l->n_items = f->n_chunk;
    int r = l->ids && l->row ? tare_llama_logits_ids(&l->file, 0, l->ids, l->err) : no_memory(l);
    if (r == 0 && s->bos != TARE_UNKNOWN && l->ids[0] != s->bos) {
        return tare_err_set(
            l->err, TARE_E_UNSUPPORTED,
            "%.200s begins with token %d, the student begins every text with %lld: they would "
            "not be asked the same",
            f->path, l->ids[0], (long long)s->bos);
    }
    return r == 0 ? check_logits(l, &l->student) : r;
}

/* Both rows are there. `ids` has n. `least`: what is said of the teacher's log-probability where its row
 * rules a token out. */
static int compare(struct lockstep *l, const float *teacher, uint32_t position, const int32_t *ids,
                   uint32_t n, float least, struct tare_fidelity_item *item, struct tare_choice_score *choice)
{
    struct tare_position p;
    const char *bad = "";
    if (position != l->student.position || position + 1 >= n) {
        return fail(l, "teacher and student answered different positions");
    }
    int32_t target = ids[position + 1];
    if (target < 0 || target >= l->n_vocab) {
        return fail(l, "token %d is none of the vocabulary's %lld", target, (long long)l->n_vocab);
    }
    if (tare_compare_rows(&l->comparer, teacher, l->student.row, (size_t)target, &p, &bad) < 0) {
        return fail(l, "%s: its logits behind position %u hold a number that is not finite", bad, position);
    }
    p.logprob_t = isinf(p.logprob_t) ? (double)least : p.logprob_t;
    tare_fidelity_add(item, &p);
    choice->logprob_t += p.logprob_t;
    choice->logprob_s += p.logprob_s;
    return 0;
}

/* A row that must be there, or (`end`) the end without a failure. */
static int next_row(struct lockstep *l, struct tare_side *side, bool end)
{
    int r = told(l, side, tare_side_row(side, l->err));
    if (r == 2 && side->end.code < 0) {
        return fail(l, "%s: %s", side->who, side->end.message);
    }
    if (r == 2 || (r == 0 && end)) {
        return r == 2 && end ? 0 : fail(l, "%s: it answered another number of positions", side->who);
    }
    return r;
}

/* The rows of a request whose heads were found to be equal. */
static int compare_rows(struct lockstep *l, struct tare_fidelity_item *item, struct tare_choice_score *choice)
{
    struct tare_side *t = &l->teacher, *s = &l->student;
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < s->head.n_rows; i++) {
        r = next_row(l, t, false);
        r = r == 0 ? next_row(l, s, false) : r;
        r = r == 0 ? compare(l, t->row, t->position, s->ids, s->head.n_tokens, -INFINITY, item, choice) : r;
    }
    r = r == 0 ? next_row(l, t, true) : r;
    return r == 0 ? next_row(l, s, true) : r;
}

static int compare_tokens(struct lockstep *l, struct tare_fidelity_item *item)
{
    struct tare_side *const sides[] = {&l->teacher, &l->student};
    int r = 0;
    for (int i = 0; r == 0 && i < 2; i++) {
        r = told(l, sides[i], tare_side_tokens(sides[i], l->err));
        r = r == 0 && sides[i]->end.code < 0 ? fail(l, "%s: %s", sides[i]->who, sides[i]->end.message) : r;
    }
    if (r == 0) {
        const struct tare_side *t = &l->teacher, *s = &l->student;
        item->is_generated = true;
        item->output_t = (uint32_t)t->n_ids;
        item->output_s = (uint32_t)s->n_ids;
        while (item->common < t->n_ids && item->common < s->n_ids &&
               t->ids[item->common] == s->ids[item->common]) {
            item->common++;
        }
    }
    return r;
}

/* Is it the same request? What differs is no failure of the item: no other would be comparable. */
static int check_heads(struct lockstep *l, size_t index, uint32_t request)
{
    const struct tare_side *t = &l->teacher, *s = &l->student;
    uint32_t n = t->head.n_tokens < s->head.n_tokens ? t->head.n_tokens : s->head.n_tokens, i = 0;
    while (i < n && t->ids[i] == s->ids[i]) {
        i++;
    }
    if (i < t->head.n_tokens || i < s->head.n_tokens) {
        return tare_err_set(
            l->err, TARE_E_UNSUPPORTED,
            "item %zu, request %u: teacher and student make other tokens of the same text, the "
            "first at token %u (%d and %d): their distributions cannot be compared",
            index, request, i, i < t->head.n_tokens ? t->ids[i] : -1, i < s->head.n_tokens ? s->ids[i] : -1);
    }
    bool same = t->head.kind == s->head.kind && t->head.n_requests == s->head.n_requests &&
                t->head.first == s->head.first && t->head.n_rows == s->head.n_rows &&
                t->head.code == s->head.code && t->head.max_output == s->head.max_output;
    return same ? 0
                : tare_err_set(l->err, TARE_E_BACKEND, "item %zu: teacher and student are asked differently",
                               index);
}

static int ask_both(struct lockstep *l, size_t index, uint32_t request)
{
    struct tare_side *const sides[] = {&l->teacher, &l->student};
    int r = 0;
    for (int i = 0; r == 0 && i < 2; i++) {
        r = told(l, sides[i], tare_side_ask(sides[i], index, request, l->err));
    }
    for (int i = 0; r == 0 && i < 2; i++) {
        r = told(l, sides[i], tare_side_head(sides[i], l->err));
    }
    return r == 0 ? check_heads(l, index, request) : r;
}

static bool is_generated(const struct tare_side *side)
{
    return side->head.kind == TARE_ITEM_GENERATE || side->head.kind == TARE_ITEM_TOKENS;
}

static int ask_request(struct lockstep *l, size_t index, uint32_t request, struct tare_fidelity_item *item,
                       struct tare_choice_score *choice)
{
    int r = ask_both(l, index, request);
    if (r != 0) {
        return r;
    }
    if (l->student.head.code < 0) {
        return fail(l, "it does not fit the context of %lld tokens", (long long)l->wanted.n_ctx);
    }
    if (l->student.head.n_requests == 0) {
        return fail(l, "its text has no token");
    }
    if (is_generated(&l->student)) {
        return compare_tokens(l, item);
    }
    r = check_logits(l, &l->teacher);
    r = r == 0 ? check_logits(l, &l->student) : r;
    choice->n_bytes = l->student.head.n_bytes;
    return r == 0 ? compare_rows(l, item, choice) : r;
}

static int reserve_choices(struct lockstep *l, size_t n)
{
    if (n <= l->cap_choices) {
        return 0;
    }
    struct tare_choice_score *choices = realloc(l->choices, n * sizeof *choices);
    if (!choices) {
        return no_memory(l);
    }
    l->choices = choices;
    l->cap_choices = n;
    return 0;
}

static int ask_item(struct lockstep *l, size_t index, struct tare_fidelity_item *item)
{
    int r = ready(l, &l->teacher);
    r = r == 0 ? ready(l, &l->student) : r;
    uint32_t n = 1;
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        r = reserve_choices(l, i + (size_t)1);
        if (r == 0) {
            l->choices[i] = (struct tare_choice_score){0, 0, 0};
            r = ask_request(l, index, i, item, &l->choices[i]);
            n = l->student.head.n_requests;
        }
    }
    if (r == 0 && l->student.head.kind == TARE_ITEM_CHOICE) {
        r = tare_fidelity_choose(item, l->choices, n, l->student.head.gold,
                                 l->student.told.norm == TARE_NORM_BYTES, l->err);
    }
    return r;
}

/* The student's rows beside those of the file. */
static int ask_chunk(struct lockstep *l, size_t index, struct tare_fidelity_item *item)
{
    struct tare_llama_logits *f = &l->file;
    struct tare_choice_score unused = {0, 0, 0};
    float lowest = 0;
    int r = ready(l, &l->student);
    r = r == 0 ? tare_llama_logits_ids(f, (uint32_t)index, l->ids, l->err) : r;
    if (r == 0 && l->student.hello.bos != TARE_UNKNOWN) {
        l->ids[0] = (int32_t)l->student.hello.bos;
    }
    r = r == 0 ? told(l, &l->student, tare_side_feed(&l->student, l->ids, f->n_ctx - 1, f->first + 1, l->err))
               : r;
    for (uint32_t i = 0; r == 0 && i < f->n_rows; i++) {
        r = tare_llama_logits_row(f, (uint32_t)index, i, l->row, &lowest, l->err);
        r = r == 0 ? next_row(l, &l->student, false) : r;
        r = r == 0 ? compare(l, l->row, f->first + i, l->ids, f->n_ctx, lowest, item, &unused) : r;
    }
    return r == 0 ? next_row(l, &l->student, true) : r;
}

/* What is still coming in of an answer that nobody wants any more. */
static int settle(struct lockstep *l)
{
    int r = l->from_file ? 0 : tare_side_skip(&l->teacher, l->err);
    r = r < 0 ? r : tare_side_skip(&l->student, l->err);
    return r < 0 ? r : 0;
}

static void note_failure(struct lockstep *l, struct tare_lockstep_result *to, size_t index)
{
    if (to->n_failed++ == 0) {
        to->first_failed = index;
        (void)snprintf(to->failure, sizeof to->failure, "%s", l->why);
    }
}

static int run_items(struct lockstep *l, struct tare_lockstep_result *to)
{
    uint32_t in_a_row = 0;
    int r = 0;
    to->n_asked = l->n_items;
    to->items = calloc(l->n_items + 1, sizeof *to->items);
    if (!to->items) {
        return no_memory(l);
    }
    for (size_t i = 0; r == 0 && i < l->n_items && !l->given_up; i++) {
        struct tare_fidelity_item *item = &to->items[to->n_items];
        uint32_t deaths = l->teacher.child.deaths + l->student.child.deaths;
        r = l->from_file ? ask_chunk(l, i, item) : ask_item(l, i, item);
        tare_side_look(&l->teacher);
        tare_side_look(&l->student);
        to->n_items += r == 0;
        if (r == 1) {
            memset(item, 0, sizeof *item);
            note_failure(l, to, i);
            r = settle(l);
        }
        in_a_row = l->teacher.child.deaths + l->student.child.deaths > deaths ? in_a_row + 1 : 0;
        l->given_up = l->given_up || in_a_row >= most_deaths;
    }
    to->n_failed = l->n_items - to->n_items;
    return r;
}

static void take_facts(struct lockstep *l, struct tare_lockstep_result *to)
{
    to->n_vocab = l->n_vocab;
    to->n_ctx = l->from_file ? (int64_t)l->file.n_ctx : l->wanted.n_ctx;
    to->teacher_facts = l->teacher.facts;
    to->student_facts = l->student.facts;
    l->teacher.facts = l->student.facts = NULL;
    to->teacher_rss_bytes = l->teacher.peak_rss_bytes;
    to->student_rss_bytes = l->student.peak_rss_bytes;
    to->teacher_deaths = l->teacher.child.deaths;
    to->student_deaths = l->student.child.deaths;
}

/* One that is still answering would wait for ever for somebody to read it. */
static void end_side(struct tare_side *side)
{
    struct tare_err ignored = {0};
    if (side->pending) {
        tare_child_drop(&side->child);
    } else if (tare_child_stop(&side->child, &ignored) != 0) {
        /* All answers are in: how a process ends behind them changes none. */
    }
}

static void finish(struct lockstep *l)
{
    end_side(&l->teacher);
    end_side(&l->student);
    tare_side_fini(&l->teacher);
    tare_side_fini(&l->student);
    tare_llama_logits_close(&l->file);
    tare_comparer_fini(&l->comparer);
    free(l->choices);
    free(l->ids);
    free(l->row);
}

int tare_lockstep_run(const struct tare_lockstep_args *args, struct tare_lockstep_result *out,
                      struct tare_err *err)
{
    const struct tare_child child = {
        .exe = args->exe, .how = "--lockstep", .time_limit_ns = args->time_limit_ns};
    struct lockstep l = {
        .args = args,
        .teacher = {.child = child, .who = "teacher", .spec = args->teacher, .peak_rss_bytes = -1},
        .student = {.child = child, .who = "student", .spec = args->student, .peak_rss_bytes = -1},
        .from_file = args->teacher_logits != NULL,
        .err = err};
    struct tare_lockstep_result made = {.n_items = 0};
    int r = l.from_file ? tare_llama_logits_open(args->teacher_logits, &l.file, err) : 0;
    r = r == 0 ? begin(&l) : r;
    r = r == 0 ? (l.from_file ? begin_file(&l) : begin_task(&l)) : r;
    r = r == 0 ? run_items(&l, &made) : r;
    take_facts(&l, &made);
    finish(&l);
    if (r < 0) {
        tare_lockstep_result_fini(&made);
        return r;
    }
    *out = made;
    return 0;
}

void tare_lockstep_result_fini(struct tare_lockstep_result *result)
{
    free(result->items);
    free(result->teacher_facts);
    free(result->student_facts);
    memset(result, 0, sizeof *result);
}
