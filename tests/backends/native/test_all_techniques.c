/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every technique in the list, on every architecture: it answers with finite numbers, twice the same, with
 * three threads nearly so, and says of the model what can be true, or it refuses in one line that names it.
 *
 * A new line in meson.build is a new case here. What a technique does to numbers is the matter of its own
 * test.
 */
#include "session.h"
#include "technique.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { scored_tok = 64, output_tok = 16, text_cap = 256 };

static const float gap_most = 0.05F;

/* Calibration is most of the work, and slow under a sanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define CALIBRATION ",calib_tok=256"
#else
#define CALIBRATION ",calib_tok=1024"
#endif

/* The tags of a small set of techniques that go over any linear layer, whatever the architecture. */
static const char *const everywhere[] = {"infer.compress.quant.weight", "infer.compress.prune.unstructured",
                                         "infer.compress.low-rank", NULL};

/* What a technique needs beside its name; `calib_tok` keeps the test short. */
static void name_it(const struct tare_technique *t, char *out)
{
    const char *draft = strcmp(t->method, "speculative") == 0 ? ",draft=llama-0.1m.safetensors" : "";
    bool calibrates = false;
    for (const struct tare_opt *o = t->params; o && o->name; o++) {
        calibrates = calibrates || strcmp(o->name, "calib_tok") == 0;
    }
    (void)snprintf(out, text_cap, "%s{method=%s%s%s}", t->tag, t->method, draft,
                   calibrates ? CALIBRATION : "");
}

/* Everything that a run says, to be compared. */
struct outcome {
    struct tare_model_facts facts;
    float rows[scored_tok][1024];
    int32_t tokens[output_tok];
    uint32_t n_tokens;
};

static void run(struct session *s, struct outcome *out)
{
    static const char text[] =
        "The old house stood on a hill behind the town, and nobody had lived in it since "
        "the war; the children said that it was haunted, and their mothers that it was "
        "full of rats and rotten floors.";
    int32_t ids[200] = {0};
    uint32_t ends[200];
    size_t n = 0;
    struct tare_err err = {0};
    assert_int_equal(tare_plugin.tokenize(s->self, text, strlen(text), ids + 1, ends, 199, &n, &err), 0);
    assert_true(n >= scored_tok && n < 200);
    struct tare_request r = session_request(TARE_REQUEST_SCORE, ids, scored_tok + 1);
    session_must(s, &r);
    assert_int_equal(s->record.n_rows, scored_tok);
    memset(out, 0, sizeof *out);
    out->facts = s->facts;
    for (uint32_t i = 0; i < scored_tok; i++) {
        memcpy(out->rows[i], s->record.rows + (size_t)i * s->record.n_vocab,
               s->record.n_vocab * sizeof(float));
    }
    r = session_request(TARE_REQUEST_GENERATE, ids, scored_tok);
    r.max_output = output_tok;
    session_must(s, &r);
    memcpy(out->tokens, s->record.tokens, sizeof out->tokens);
    out->n_tokens = s->record.n_tokens;
}

static void check_rows(const char *what, const struct outcome *o)
{
    float least = o->rows[0][0];
    float most = least;
    for (uint32_t i = 0; i < scored_tok; i++) {
        for (uint32_t j = 0; j < (uint32_t)o->facts.n_vocab; j++) {
            if (!isfinite(o->rows[i][j])) {
                fail_msg("%s: the logit of id %u at position %u is not finite", what, j, i);
            }
            least = o->rows[i][j] < least ? o->rows[i][j] : least;
            most = o->rows[i][j] > most ? o->rows[i][j] : most;
        }
    }
    if (!(most > least)) {
        fail_msg("%s: all logits are equal", what);
    }
    if (o->n_tokens != output_tok) {
        fail_msg("%s: %u tokens of %u", what, o->n_tokens, output_tok);
    }
}

static void check_facts(const char *what, const struct tare_model_facts *f,
                        const struct tare_model_facts *dense)
{
    bool params = f->params_total > 0 && f->params_non_zero > 0 && f->params_non_zero <= f->params_total &&
                  f->params_non_embedding > 0 && f->params_non_embedding < f->params_total;
    if (!params || f->params_total > dense->params_total) {
        fail_msg("%s: %lld parameters of %lld, %lld of them not 0, %lld without the embedding", what,
                 (long long)f->params_total, (long long)dense->params_total, (long long)f->params_non_zero,
                 (long long)f->params_non_embedding);
    }
    /* What stands beside the model, or a state that stops growing, is no number of these: absent, and only
     * there. */
    bool dynamic = strstr(what, "infer.dynamic.") != NULL;
    bool untold = dynamic && f->stored_bytes == TARE_UNKNOWN;
    if (!untold && (f->stored_bytes <= 0 || f->stored_bytes > dense->stored_bytes)) {
        fail_msg("%s: %lld bytes stored, %lld before", what, (long long)f->stored_bytes,
                 (long long)dense->stored_bytes);
    }
    untold = dynamic && f->kv_bytes_per_token == TARE_UNKNOWN;
    if (untold) {
        return;
    }
    if (f->kv_bytes_per_token < 0 || f->kv_bytes_per_token > dense->kv_bytes_per_token ||
        f->state_bytes != dense->state_bytes || f->n_ctx != dense->n_ctx || f->n_vocab != dense->n_vocab) {
        fail_msg("%s: state, context or vocabulary are not the model's", what);
    }
}

static void check_same(const char *what, const struct outcome *a, const struct outcome *b)
{
    if (memcmp(a->rows, b->rows, sizeof a->rows) != 0) {
        fail_msg("%s: two runs gave different logits", what);
    }
    if (a->n_tokens != b->n_tokens || memcmp(a->tokens, b->tokens, sizeof a->tokens) != 0) {
        fail_msg("%s: two runs gave different tokens", what);
    }
}

/* Threads cut products into other pieces, whose sums are rounded otherwise; where activations are rounded to
 * codes, one of them may fall on the other side. */
static void check_close(const char *what, const struct outcome *a, const struct outcome *b)
{
    for (uint32_t i = 0; i < scored_tok; i++) {
        for (uint32_t j = 0; j < (uint32_t)a->facts.n_vocab; j++) {
            if (!(fabsf(a->rows[i][j] - b->rows[i][j]) <= gap_most)) {
                fail_msg("%s: three threads put the logit of id %u at position %u at %g, not %g", what, j, i,
                         (double)b->rows[i][j], (double)a->rows[i][j]);
            }
        }
    }
}

/* 0, or the refusal. */
static int try_once(const char *path, const char *technique, int64_t threads, struct outcome *out,
                    struct tare_err *err)
{
    struct session s;
    int rc =
        session_try(&s, path, &(struct session_options){.threads = threads, .technique = technique}, err);
    if (rc == 0) {
        run(&s, out);
        session_stop(&s);
    }
    return rc;
}

static void check_refusal(const char *what, const struct tare_technique *t, int rc,
                          const struct tare_err *err)
{
    if (rc != TARE_E_UNSUPPORTED || rc != err->code || strchr(err->msg, '\n') || !strstr(err->msg, t->tag)) {
        fail_msg("%s: refused with %d, %d '%s'", what, rc, err->code, err->msg);
    }
}

static bool is_for_all(const struct tare_technique *t)
{
    for (size_t i = 0; everywhere[i]; i++) {
        if (strcmp(everywhere[i], t->tag) == 0) {
            return true;
        }
    }
    return false;
}

/* Each technique on one model: `all` must answer there, else those that go over any linear layer. */
static void check_model(const char *file, bool all, bool twice)
{
    static struct outcome dense;
    static struct outcome one;
    static struct outcome two;
    char path[512];
    struct tare_err err = {0};
    fixture_zoo(file, path, sizeof path);
    assert_int_equal(try_once(path, NULL, 1, &dense, &err), 0);
    check_rows(file, &dense);
    for (size_t i = 0; tare_techniques[i]; i++) {
        char technique[text_cap];
        char what[text_cap + 64];
        name_it(tare_techniques[i], technique);
        (void)snprintf(what, sizeof what, "%s %s", file, technique);
        int rc = try_once(path, technique, 1, &one, &err);
        if (rc < 0) {
            check_refusal(what, tare_techniques[i], rc, &err);
            if (all || is_for_all(tare_techniques[i])) {
                fail_msg("%s: %s", what, err.msg);
            }
            continue;
        }
        check_rows(what, &one);
        check_facts(what, &one.facts, &dense.facts);
        if (twice) {
            assert_int_equal(try_once(path, technique, 1, &two, &err), 0);
            check_same(what, &one, &two);
            assert_int_equal(try_once(path, technique, 3, &two, &err), 0);
            check_close(what, &one, &two);
        }
    }
}

static void test_llama(void **state)
{
    (void)state;
    check_model("llama-0.1m.safetensors", true, true);
}

static void test_rwkv4(void **state)
{
    (void)state;
    check_model("rwkv4-1m.safetensors", false, false);
}

static void test_h3(void **state)
{
    (void)state;
    check_model("h3-1m.safetensors", false, false);
}

static void test_hyena(void **state)
{
    (void)state;
    check_model("hyena-1m.safetensors", false, false);
}

static void test_retnet(void **state)
{
    (void)state;
    check_model("retnet-1m.safetensors", false, false);
}

/* Texts that could be taken for another technique, or none, and parameters that leave no model. */
static void test_refuses(void **state)
{
    (void)state;
    static struct outcome out;
    static const struct {
        const char *technique;
        const char *says;
    } cases[] = {
        {"", "names none"},
        {"+", "names none"},
        {"infer.compress.quant.weight++infer.compress.low-rank", "names none"},
        {"infer.compress.quant.weight{bits=8}+", "names none"},
        {"infer.compress.quant.weight{bits=8,bits=4}", "given twice"},
        {"infer.compress.quant.weight{bits=8}\n", "control character"},
        {"infer.compress.quant.weight{bits=8", "'}'"},
        {"infer.compress.quant.weight{bits}", "name=value"},
        {"infer.compress.quant.weight{method=none}", "no method"},
        {"infer.compress.none", "not known"},
        {"infer.compress.low-rank{method=asvd,alpha=90,calib_tok=64}", "not finite"},
    };
    char path[512];
    fixture_zoo("llama-0.1m.safetensors", path, sizeof path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tare_err err = {0};
        int rc = try_once(path, cases[i].technique, 1, &out, &err);
        if (rc >= 0 || rc != err.code || !strstr(err.msg, cases[i].says) || strchr(err.msg, '\n')) {
            fail_msg("'%s': %d '%s', not '%s'", cases[i].technique, rc, err.msg, cases[i].says);
        }
    }
}

/* What the list says of itself is what plans and the catalogue rely on. */
static void test_list(void **state)
{
    (void)state;
    for (size_t i = 0; tare_techniques[i]; i++) {
        const struct tare_technique *t = tare_techniques[i];
        unsigned defaults = 0;
        assert_true(t->tag && t->method && t->summary && t->apply);
        for (size_t j = 0; tare_techniques[j]; j++) {
            bool same = strcmp(t->tag, tare_techniques[j]->tag) == 0;
            defaults += same && tare_techniques[j]->is_default;
            if (same && i != j && strcmp(t->method, tare_techniques[j]->method) == 0) {
                fail_msg("%s has two methods %s", t->tag, t->method);
            }
        }
        if (defaults > 1) {
            fail_msg("%s has %u default methods", t->tag, defaults);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),   cmocka_unit_test(test_refuses), cmocka_unit_test(test_llama),
        cmocka_unit_test(test_rwkv4),  cmocka_unit_test(test_h3),      cmocka_unit_test(test_hyena),
        cmocka_unit_test(test_retnet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
