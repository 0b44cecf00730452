/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWQ: factors that are folded in leave what a model computes as it was, in every architecture, and change
 * its matrices; rounding after that is nearer in its outputs than plain rounding.
 */
#include "loaded.h"
#include "moments.h"

#include "technique/awq.h"
#include "technique/folds.h"

#include <math.h>
#include <string.h>

#define QUANT "infer.compress.quant.weight"

enum { fed = 100 };

/* Of all targets, on always the same text. */
static struct tare_moments *collected(const struct tare_targets *targets, struct treated *t)
{
    struct tare_err err = {0};
    struct tare_calibration c;
    const struct tare_calibration_choice choice = {.most_tok = 1024, .window_tok = 128};
    struct tare_moments *m = calloc(targets->n, sizeof *m);
    assert_non_null(m);
    assert_int_equal(tare_calibration_open_choice(&c, &t->treatment, &choice, &err), 0);
    assert_int_equal(
        tare_calibration_collect(&c, (const struct tare_linear *const *)targets->of, targets->n, m, &err), 0);
    tare_calibration_close(&c);
    return m;
}

static void awq_open(struct tare_awq *awq, struct treated *t)
{
    struct tare_err err = {0};
    *awq = (struct tare_awq){.treatment = &t->treatment, .how = {.bits = 3}, .group = -1};
    assert_int_equal(tare_targets_open(&awq->targets, &t->treatment, tare_every_block, &err), 0);
    awq->moments = collected(&awq->targets, t);
}

static void awq_close(struct tare_awq *awq)
{
    for (size_t i = 0; i < awq->targets.n; i++) {
        tare_moments_close(&awq->moments[i]);
    }
    free(awq->moments);
    tare_targets_close(&awq->targets);
}

/* The moments that were scaled along are those that the scaled model gives. */
static void check_moments(const struct tare_awq *awq, struct treated *t)
{
    struct tare_moments *now = collected(&awq->targets, t);
    for (size_t i = 0; i < awq->targets.n; i++) {
        const struct tare_moments *kept = &awq->moments[i];
        size_t in = kept->in;
        for (size_t k = 0; k < in * in; k++) {
            double size = sqrt(kept->h[k / in * in + k / in] * kept->h[k % in * in + k % in]);
            if (!(fabs(now[i].h[k] - kept->h[k]) <= 1e-3 * size)) {
                fail_msg("%s: moment %zu is %g, kept was %g", awq->targets.of[i]->name, k, now[i].h[k],
                         kept->h[k]);
            }
        }
        for (size_t j = 0; j < in; j++) {
            assert_true(fabs(now[i].abs[j] - kept->abs[j]) <= 1e-3 * kept->abs[j]);
        }
        tare_moments_close(&now[i]);
    }
    free(now);
}

static size_t count_folds(const char *arch)
{
    size_t n = 0;
    for (const struct tare_fold *f = tare_folds; f->arch; f++) {
        for (size_t i = 0; strcmp(f->arch, arch) == 0 && i < tare_fold_parts && f->columns[i]; i++) {
            n++;
        }
    }
    return n;
}

static void check_same(const char *name, const char *arch)
{
    struct treated before;
    struct treated after;
    struct tare_awq awq;
    struct tare_err err = {0};
    int32_t ids[fed];
    size_t changed = 0;
    treated_load(&before, name);
    treated_load(&after, name);
    awq_open(&awq, &after);
    if (tare_awq_scale(&awq, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    loaded_ids(ids, fed, before.model.config.n_vocab, 3);
    float *want = treated_logits(&before, ids, fed, 1);
    float *got = treated_logits(&after, ids, fed, 1);
    double gap = loaded_gap(got, want, (size_t)fed * before.model.config.n_vocab);
    print_message("%s: largest difference of a logit %.1e\n", name, gap);
    assert_true(gap < 1e-3);
    for (size_t i = 1; i < before.model.n_linears; i++) {
        float *a = treated_dense(&before, i);
        float *b = treated_dense(&after, i);
        size_t n = (size_t)before.model.linears[i].out * before.model.linears[i].in;
        changed += memcmp(a, b, n * sizeof *a) != 0;
        free(a);
        free(b);
    }
    /* alpha 0 may win here and there */
    assert_true(changed >= count_folds(arch) * before.model.config.n_layers / 2);
    check_moments(&awq, &after);
    free(want);
    free(got);
    awq_close(&awq);
    treated_stop(&before);
    treated_stop(&after);
}

static void test_folding_is_exact(void **state)
{
    (void)state;
    check_same("llama-0.25m", "llama");
    check_same("rwkv4-1m", "rwkv4");
    check_same("h3-1m", "h3");
    check_same("hyena-1m", "hyena");
    check_same("retnet-1m", "retnet");
}

/* Every part that the table names is there, so that no fold is passed over for a slip of the pen. */
static void check_names(const char *name, const char *arch)
{
    struct treated t;
    size_t n = 0;
    treated_load(&t, name);
    for (const struct tare_fold *f = tare_folds; f->arch; f++) {
        char full[96];
        if (strcmp(f->arch, arch) != 0) {
            continue;
        }
        n++;
        for (size_t i = 0; i < tare_fold_parts && f->columns[i]; i++) {
            (void)snprintf(full, sizeof full, "blocks.1.%s", f->columns[i]);
            (void)treated_find(&t, full);
        }
        for (size_t i = 0; f->vectors[i]; i++) {
            (void)snprintf(full, sizeof full, "blocks.1.%s", f->vectors[i]);
            assert_non_null(tare_model_vector(&t.model, full));
        }
        if (f->rows) {
            (void)snprintf(full, sizeof full, "blocks.1.%s", f->rows);
            (void)treated_find(&t, full);
        }
    }
    assert_true(n >= 2);
    treated_stop(&t);
}

static void test_names(void **state)
{
    (void)state;
    check_names("llama-0.1m", "llama");
    check_names("rwkv4-1m", "rwkv4");
    check_names("h3-1m", "h3");
    check_names("hyena-1m", "hyena");
    check_names("retnet-1m", "retnet");
}

/* Cutting ranges alone, so that the numbers stay comparable: never worse than the plain grid, mostly better.
 */
static void test_clipping(void **state)
{
    struct treated dense;
    struct treated plain;
    struct treated clipped;
    size_t better = 0;
    (void)state;
    treated_load(&dense, "llama-0.25m");
    treated_start(&plain, "llama-0.25m", QUANT "{method=rtn,bits=3,embed=no}");
    treated_start(&clipped, "llama-0.25m", QUANT "{method=awq,bits=3,scale=no,embed=no,calib_tok=2048}");
    for (size_t i = 1; i < dense.model.n_linears; i++) {
        const struct tare_linear *w = &dense.model.linears[i];
        struct tare_moments m = moments_taken(&dense, i);
        float *want = treated_dense(&dense, i);
        float *a = treated_dense(&plain, i);
        float *b = treated_dense(&clipped, i);
        bool left_alone = strstr(w->name, "attn.q") || strstr(w->name, "attn.k");
        if (left_alone) {
            assert_memory_equal(a, b, (size_t)w->out * w->in * sizeof *a);
        } else {
            better += moments_error(&m, want, b, w->out) < 0.8 * moments_error(&m, want, a, w->out);
        }
        free(want);
        free(a);
        free(b);
        tare_moments_close(&m);
    }
    assert_int_equal(better, 5 * dense.model.config.n_layers);
    treated_stop(&dense);
    treated_stop(&plain);
    treated_stop(&clipped);
}

/* Mean squared difference of logits to those of the untreated model. */
static double drift(const char *name, const char *technique)
{
    struct treated t;
    int32_t ids[fed];
    double sum = 0;
    treated_load(&t, name);
    loaded_ids(ids, fed, t.model.config.n_vocab, 8);
    size_t n = (size_t)fed * t.model.config.n_vocab;
    float *want = treated_logits(&t, ids, fed, 1);
    treated_apply(&t, technique);
    float *got = treated_logits(&t, ids, fed, 1);
    for (size_t i = 0; i < n; i++) {
        sum += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]) / (double)n;
    }
    free(want);
    free(got);
    treated_stop(&t);
    return sum;
}

static void test_nearer(void **state)
{
    (void)state;
    assert_true(drift("llama-1m", QUANT "{method=awq,bits=3}") <
                drift("llama-1m", QUANT "{method=rtn,bits=3}"));
    assert_true(drift("rwkv4-1m", QUANT "{method=awq,bits=3}") <
                drift("rwkv4-1m", QUANT "{method=rtn,bits=3}"));
}

static void test_refusals(void **state)
{
    (void)state;
    treated_refuses(QUANT "{method=awq,bits=0}", TARE_E_USAGE, "bits");
    treated_refuses(QUANT "{method=awq,group=5}", TARE_E_USAGE, "groups of 5 do not divide");
    treated_refuses(QUANT "{method=awq,damp=0.1}", TARE_E_USAGE, "damp");
    treated_refuses(QUANT "{method=awq,calib=/nowhere/text}", TARE_E_IO, "/nowhere/text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding_is_exact), cmocka_unit_test(test_names),
        cmocka_unit_test(test_clipping),         cmocka_unit_test(test_nearer),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
