/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured pruning: what is left computes what the whole model computes with those units at zero, in
 * every architecture; shapes, bytes, work and state shrink as counted.
 */
#include "loaded.h"
#include "moments.h"

#include "arch.h"
#include "storage/storages.h"

#include <math.h>
#include <string.h>

#define PRUNE "infer.compress.prune.structured"

enum { fed = 64 };

/* Rows of `small` in `whole`, ascending; a row that is not there fails the test. */
static void find_rows(const struct tare_linear *whole, const struct tare_linear *small, bool *kept)
{
    float *a = moments_dense(whole);
    float *b = moments_dense(small);
    uint32_t at = 0;
    assert_int_equal(whole->in, small->in);
    for (uint32_t r = 0; r < whole->out; r++) {
        kept[r] = at < small->out &&
                  memcmp(a + (size_t)r * whole->in, b + (size_t)at * small->in, whole->in * sizeof *a) == 0;
        at += kept[r];
    }
    assert_int_equal(at, small->out);
    free(a);
    free(b);
}

/* Columns that went are 0 in the whole model; those kept are what the small one has. */
static void zero_columns(struct tare_linear *whole, const struct tare_linear *small, const bool *kept,
                         bool same)
{
    float *a = moments_dense(whole);
    float *b = moments_dense(small);
    struct tare_err err = {0};
    for (uint32_t r = 0; r < whole->out; r++) {
        uint32_t at = 0;
        for (uint32_t c = 0; c < whole->in; c++) {
            float *x = a + (size_t)r * whole->in + c;
            if (kept[c]) {
                float now = b[(size_t)r * small->in + at++];
                assert_true(!same || now == *x);
                *x = now;
            } else {
                *x = 0.0F;
            }
        }
        assert_int_equal(at, small->in);
    }
    struct tare_linear made = {.out = whole->out, .in = whole->in};
    memcpy(made.name, whole->name, sizeof made.name);
    assert_int_equal(tare_storage_f16(&made, a, &err), 0);
    tare_linear_replace(whole, &made);
    free(a);
    free(b);
}

struct units {
    const char *name;
    const char *technique;
    const char *rows;
    const char *columns;
    uint32_t before;
    uint32_t after;
};

static void check_units(const struct units *u)
{
    struct treated whole;
    struct treated small;
    bool kept[1024];
    int32_t ids[fed];
    treated_load(&whole, u->name);
    treated_start(&small, u->name, u->technique);
    for (uint32_t layer = 0; layer < whole.model.config.n_layers; layer++) {
        char rows[64];
        char columns[64];
        (void)snprintf(rows, sizeof rows, "blocks.%u.%s", layer, u->rows);
        (void)snprintf(columns, sizeof columns, "blocks.%u.%s", layer, u->columns);
        assert_int_equal(treated_find(&whole, rows)->out, u->before);
        assert_int_equal(treated_find(&small, rows)->out, u->after);
        assert_int_equal(treated_find(&small, columns)->in, u->after);
        find_rows(treated_find(&whole, rows), treated_find(&small, rows), kept);
        zero_columns(treated_find(&whole, columns), treated_find(&small, columns), kept,
                     !strstr(u->technique, "update"));
    }
    loaded_ids(ids, fed, whole.model.config.n_vocab, 2);
    float *want = treated_logits(&whole, ids, fed, 1);
    float *got = treated_logits(&small, ids, fed, 1);
    double gap = loaded_gap(got, want, (size_t)fed * whole.model.config.n_vocab);
    print_message("%s %s: largest difference of a logit %.1e\n", u->name, u->technique, gap);
    assert_true(gap < 1e-3);
    free(want);
    free(got);
    treated_stop(&whole);
    treated_stop(&small);
}

static void test_channels(void **state)
{
    static const struct units cases[] = {
        {"llama-0.25m", PRUNE, "mlp.gate", "mlp.down", 192, 144},
        {"llama-0.25m", PRUNE "{update=yes,ratio=0.5}", "mlp.up", "mlp.down", 192, 96},
        {"llama-0.1m", PRUNE "{ratio=0.3,multiple=1}", "mlp.up", "mlp.down", 144, 101},
        {"llama-0.1m", PRUNE "{ratio=0.99}", "mlp.up", "mlp.down", 144, 8},
        {"llama-0.1m", PRUNE "{ratio=0}", "mlp.up", "mlp.down", 144, 144},
        {"rwkv4-1m", PRUNE "{calib_tok=1024}", "ffn.k", "ffn.v", 512, 384},
        {"h3-1m", PRUNE "{calib_tok=1024,ratio=0.5}", "mlp.up", "mlp.down", 576, 288},
        {"hyena-1m", PRUNE "{calib_tok=1024,sequential=no}", "mlp.up", "mlp.down", 544, 408},
        {"retnet-1m", PRUNE "{calib_tok=1024}", "mlp.up", "mlp.down", 320, 240},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_units(&cases[i]);
    }
}

static void test_heads(void **state)
{
    static const struct units cases[] = {
        {"llama-1m", PRUNE "{target=heads,calib_tok=2048}", "attn.q", "attn.o", 128, 96},
        {"llama-1m", PRUNE "{target=heads,calib_tok=2048,ratio=0.5,update=yes}", "attn.v", "attn.o", 128, 64},
        {"llama-1m", PRUNE "{target=heads,calib_tok=2048,ratio=0.9}", "attn.k", "attn.o", 128, 32},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_units(&cases[i]);
    }
}

/* The head or channel that goes is the one that adds least. */
static void test_least_goes(void **state)
{
    struct treated whole;
    struct treated small;
    bool kept[256];
    (void)state;
    treated_load(&whole, "llama-0.25m");
    treated_start(&small, "llama-0.25m", PRUNE "{calib_tok=2048,sequential=no}");
    const struct tare_linear *down = treated_find(&whole, "blocks.2.mlp.down");
    struct tare_moments m = moments_taken(&whole, (size_t)(down - whole.model.linears));
    float *w = moments_dense(down);
    double least_kept = (double)INFINITY;
    double most_gone = 0;
    find_rows(treated_find(&whole, "blocks.2.mlp.up"), treated_find(&small, "blocks.2.mlp.up"), kept);
    for (uint32_t c = 0; c < down->in; c++) {
        double added = 0;
        for (uint32_t r = 0; r < down->out; r++) {
            added += (double)w[r * down->in + c] * (double)w[r * down->in + c] * m.h[c * down->in + c];
        }
        least_kept = kept[c] && added < least_kept ? added : least_kept;
        most_gone = !kept[c] && added > most_gone ? added : most_gone;
    }
    assert_true(most_gone > 0 && most_gone <= least_kept);
    free(w);
    tare_moments_close(&m);
    treated_stop(&whole);
    treated_stop(&small);
}

static size_t state_of(const struct treated *t, uint32_t n)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < t->model.config.n_layers; i++) {
        bytes += t->model.arch->state_bytes(&t->model, i, n);
    }
    return bytes;
}

static void test_counts(void **state)
{
    struct treated whole;
    struct treated small;
    struct tare_linear_facts a;
    struct tare_linear_facts b;
    (void)state;
    treated_load(&whole, "llama-1m");
    treated_start(&small, "llama-1m", PRUNE "{target=heads,calib_tok=1024}+" PRUNE "{calib_tok=1024}");
    tare_model_facts(&whole.model, &a);
    tare_model_facts(&small.model, &b);
    int64_t gone = 4 * (4 * 128 * 32 + 3 * 128 * 96); /* numbers, over 4 layers */
    assert_int_equal(a.params - b.params, gone);
    assert_int_equal(a.stored_bytes - b.stored_bytes, 2 * gone);
    assert_int_equal(a.flops - b.flops, 2 * gone);
    assert_int_equal(a.executed_flops - b.executed_flops, 2 * gone);
    assert_int_equal(state_of(&small, 100) * 4, state_of(&whole, 100) * 3);
    assert_int_equal(small.treatment.calibration_tok, 2 * 1024);
    treated_stop(&whole);
    treated_stop(&small);
}

/* Output error of the matrix behind the channels, with and without making up for them. */
static void test_update_helps(void **state)
{
    struct treated whole;
    double error[2];
    (void)state;
    treated_load(&whole, "llama-0.25m");
    const struct tare_linear *down = treated_find(&whole, "blocks.1.mlp.down");
    struct tare_moments m = moments_taken(&whole, (size_t)(down - whole.model.linears));
    for (int k = 0; k < 2; k++) {
        struct treated small;
        struct treated zeroed;
        bool kept[256];
        treated_load(&zeroed, "llama-0.25m");
        treated_start(&small, "llama-0.25m",
                      k == 0 ? PRUNE "{calib_tok=2048,sequential=no}"
                             : PRUNE "{calib_tok=2048,sequential=no,update=yes}");
        find_rows(treated_find(&whole, "blocks.1.mlp.up"), treated_find(&small, "blocks.1.mlp.up"), kept);
        struct tare_linear *at = treated_find(&zeroed, "blocks.1.mlp.down");
        zero_columns(at, treated_find(&small, "blocks.1.mlp.down"), kept, k == 0);
        float *a = moments_dense(down);
        float *b = moments_dense(at);
        error[k] = moments_error(&m, a, b, down->out);
        free(a);
        free(b);
        treated_stop(&small);
        treated_stop(&zeroed);
    }
    assert_true(error[1] < 0.9 * error[0]);
    tare_moments_close(&m);
    treated_stop(&whole);
}

/* Logits of a model of which one layer is passed over. */
static float *passing_over(struct treated *t, uint32_t layer, const int32_t *ids)
{
    struct tare_engine e;
    struct tare_err err = {0};
    size_t bytes = (size_t)fed * t->model.config.n_vocab * sizeof(float);
    float *out = malloc(bytes);
    assert_non_null(out);
    assert_int_equal(tare_engine_open(&e, &t->model, &(struct tare_engine_options){.threads = 1}, &err), 0);
    tare_engine_embed(&e, ids, fed);
    for (uint32_t i = 0; i < t->model.config.n_layers; i++) {
        if (i != layer) {
            tare_engine_layer(&e, i, fed);
        }
    }
    e.n_tokens = fed;
    memcpy(out, tare_engine_logits(&e, 0, fed), bytes);
    tare_engine_close(&e);
    return out;
}

static void check_layers(const char *name)
{
    struct treated whole;
    struct treated small;
    struct tare_linear_facts a;
    struct tare_linear_facts b;
    int32_t ids[fed];
    uint32_t gone = 0;
    treated_load(&whole, name);
    treated_start(&small, name, PRUNE "{target=layers,calib_tok=1024}");
    assert_int_equal(small.model.config.n_layers, 3);
    for (size_t i = 1; i < whole.model.n_linears; i++) {
        if (!small.model.linears[i].storage) {
            gone = (uint32_t)strtoul(whole.model.linears[i].name + strlen("blocks."), NULL, 10);
        }
    }
    loaded_ids(ids, fed, whole.model.config.n_vocab, 2);
    float *want = passing_over(&whole, gone, ids);
    float *got = treated_logits(&small, ids, fed, 1);
    assert_true(loaded_gap(got, want, (size_t)fed * whole.model.config.n_vocab) < 1e-4);
    tare_model_facts(&whole.model, &a);
    tare_model_facts(&small.model, &b);
    int64_t embed = (int64_t)whole.model.config.n_vocab * whole.model.config.d_model;
    int64_t ends = embed + whole.model.config.d_model * (whole.model.norm_f_bias ? 2 : 1) *
                               (whole.model.embed_norm ? 2 : 1);
    assert_int_equal((a.params - ends) * 3, (b.params - ends) * 4);
    assert_int_equal(a.flops * 3, b.flops * 4);
    assert_int_equal(state_of(&small, 9) * 4, state_of(&whole, 9) * 3);
    free(want);
    free(got);
    treated_stop(&whole);
    treated_stop(&small);
}

static void test_layers(void **state)
{
    (void)state;
    check_layers("llama-1m");
    check_layers("rwkv4-1m");
    check_layers("h3-1m");
    check_layers("hyena-1m");
    check_layers("retnet-1m");
}

/* Loss of predicting a window's tokens from those before, without a layer. */
static double loss_without(struct treated *t, const struct tare_calibration *c, uint32_t layer)
{
    uint32_t n_vocab = t->model.config.n_vocab;
    double sum = 0;
    assert_int_equal(c->window, fed);
    for (uint32_t i = 0; i < c->n_windows; i++) {
        const int32_t *tokens = c->tokens + i * fed;
        float *logits = passing_over(t, layer, tokens);
        for (uint32_t k = 0; k + 1 < fed; k++) {
            double all = 0;
            for (uint32_t v = 0; v < n_vocab; v++) {
                all += exp((double)logits[k * n_vocab + v]);
            }
            sum += log(all) - (double)logits[k * n_vocab + (uint32_t)tokens[k + 1]];
        }
        free(logits);
    }
    return sum;
}

/* The layer that goes is the one without which the loss is least. */
static void test_judge_loss(void **state)
{
    struct treated t;
    struct treated small;
    struct tare_calibration c;
    struct tare_err err = {0};
    uint32_t best = 0;
    double least = (double)INFINITY;
    char name[64];
    const struct tare_calibration_choice choice = {.most_tok = 640, .window_tok = fed};
    (void)state;
    treated_load(&t, "llama-0.25m");
    assert_int_equal(tare_calibration_open_choice(&c, &t.treatment, &choice, &err), 0);
    for (uint32_t layer = 0; layer < t.model.config.n_layers; layer++) {
        double loss = loss_without(&t, &c, layer);
        best = loss < least ? layer : best;
        least = loss < least ? loss : least;
    }
    treated_start(&small, "llama-0.25m", PRUNE "{target=layers,judge=loss,calib_tok=640,calib_window=64}");
    (void)snprintf(name, sizeof name, "blocks.%u.attn.q", best);
    assert_null(treated_find(&small, name)->storage);
    assert_int_equal(small.model.config.n_layers, t.model.config.n_layers - 1);
    tare_calibration_close(&c);
    treated_stop(&t);
    treated_stop(&small);
}

/* One stays, and what comes after finds its way in what is left. */
static void test_layers_then_others(void **state)
{
    struct treated t;
    (void)state;
    treated_start(&t, "llama-0.25m",
                  PRUNE "{target=layers,calib_tok=1024,ratio=0.5}+" PRUNE
                        "{target=layers,calib_tok=1024,ratio=0.5}+" PRUNE
                        "{calib_tok=1024}+infer.compress.quant.weight{method=gptq,bits=4,calib_tok=1024}+"
                        "infer.compress.prune.unstructured{method=magnitude}");
    assert_int_equal(t.model.config.n_layers, 1);
    treated_stop(&t);
    treated_start(&t, "llama-0.1m", PRUNE "{target=layers,calib_tok=1024,ratio=0.99}");
    assert_int_equal(t.model.config.n_layers, 1);
    treated_stop(&t);
}

static void refuse_heads(const char *name)
{
    struct treated t;
    struct tare_err err = {0};
    treated_load(&t, name);
    assert_int_equal(tare_technique_apply(PRUNE "{target=heads}", &t.treatment, &err), TARE_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "cannot be taken out one by one"));
    treated_stop(&t);
}

static void test_refusals(void **state)
{
    (void)state;
    treated_refuses(PRUNE "{ratio=1}", TARE_E_USAGE, "ratio 1 is not in [0, 1)");
    treated_refuses(PRUNE "{target=neurons}", TARE_E_USAGE, "target");
    treated_refuses(PRUNE "{target=layers,judge=fate}", TARE_E_USAGE, "judge");
    treated_refuses(PRUNE "{multiple=0}", TARE_E_USAGE, "multiple");
    treated_refuses("infer.compress.quant.weight{bits=4}+" PRUNE, TARE_E_UNSUPPORTED, "take parts out first");
    refuse_heads("rwkv4-1m");
    refuse_heads("retnet-1m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels),     cmocka_unit_test(test_heads),
        cmocka_unit_test(test_least_goes),   cmocka_unit_test(test_counts),
        cmocka_unit_test(test_update_helps), cmocka_unit_test(test_layers),
        cmocka_unit_test(test_judge_loss),   cmocka_unit_test(test_layers_then_others),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
