/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the backend, through its exported symbol only: their order, the quality that was published,
 * reuse of a prefix, greedy generation and where it ends.
 */
#include "session.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static uint32_t tokenize(struct session *s, const char *text, int32_t *ids, uint32_t cap)
{
    struct tare_err err = {0};
    uint32_t ends[tokens_max];
    size_t n = 0;
    assert_true(cap <= tokens_max);
    assert_int_equal(tare_plugin.tokenize(s->self, text, strlen(text), ids, ends, cap, &n, &err), 0);
    assert_true(n <= cap);
    return (uint32_t)n;
}

/* Mean nats of each row's next token. */
static double mean_nats(const struct session *s, const int32_t *tokens)
{
    double total = 0;
    for (uint32_t i = 0; i < s->record.n_rows; i++) {
        const float *row = s->record.rows + (size_t)i * s->record.n_vocab;
        double sum = 0;
        for (uint32_t j = 0; j < s->record.n_vocab; j++) {
            sum += exp((double)row[j]);
        }
        total += log(sum) - (double)row[tokens[s->record.positions[i] + 1]];
    }
    return total / s->record.n_rows;
}

/* A model that has learned English finds English likelier than the same tokens backwards. */
static void test_score(void **state)
{
    (void)state;
    static const char text[] = "It was the best of times, it was the worst of times, and he was not "
                               "the man to say that she had been wrong about the old house.";
    struct session s;
    session_start_zoo(&s, "llama-1m.safetensors");
    int32_t ids[200] = {0};
    uint32_t n = 1 + tokenize(&s, text, ids + 1, 199);
    struct tare_request r = session_request(TARE_REQUEST_SCORE, ids, n);
    session_must(&s, &r);
    assert_int_equal(s.record.n_rows, n - 1);
    for (uint32_t i = 0; i < n - 1; i++) {
        assert_int_equal(s.record.positions[i], i);
    }
    double forwards = mean_nats(&s, ids);
    int32_t back[200] = {0};
    for (uint32_t i = 1; i < n; i++) {
        back[i] = ids[n - i];
    }
    r.tokens = back;
    session_must(&s, &r);
    double backwards = mean_nats(&s, back);
    print_message("nats per token: %.3f forwards, %.3f backwards\n", forwards, backwards);
    assert_true(forwards < 4.0 && backwards > log(1024)); /* guessing blindly costs ln 1024 = 6.9 */
    r = session_request(TARE_REQUEST_SCORE, ids, n);
    r.first = n - 3;
    session_must(&s, &r);
    assert_int_equal(s.record.n_rows, 3);
    assert_int_equal(s.record.positions[0], n - 4);
    assert_int_equal(s.record.positions[2], n - 2);
    r.kind = TARE_REQUEST_LOGITS;
    session_must(&s, &r);
    assert_int_equal(s.record.n_rows, 4);
    assert_int_equal(s.record.positions[3], n - 1);
    session_stop(&s);
}

/* Sum over one document: windows of 512 tokens, each behind a BOS of its own. */
static double document_nats(struct session *s, const char *text, size_t n)
{
    struct tare_err err = {0};
    size_t count = 0;
    int32_t *ids = malloc((n + 1) * sizeof *ids);
    uint32_t *ends = malloc((n + 1) * sizeof *ends);
    assert_true(ids && ends);
    assert_int_equal(tare_plugin.tokenize(s->self, text, n, ids, ends, n, &count, &err), 0);
    double nats = 0;
    for (size_t at = 0; at < count; at += 512) {
        int32_t window[513] = {0};
        uint32_t size = count - at < 512 ? (uint32_t)(count - at) : 512;
        memcpy(window + 1, ids + at, size * sizeof *ids);
        struct tare_request r = session_request(TARE_REQUEST_SCORE, window, size + 1);
        session_must(s, &r);
        nats += mean_nats(s, window) * size;
    }
    free(ids);
    free(ends);
    return nats;
}

/* The whole chain, tokenizer to logits, reproduces what the training run measured on this text. */
static void compare_bits_per_byte(const char *file, const char *text, size_t n, double want)
{
    struct session s;
    session_start_zoo(&s, file);
    double nats = 0;
    size_t bytes = 0;
    for (size_t at = 0; at < n;) {
        size_t length = strnlen(text + at, n - at);
        nats += length > 0 ? document_nats(&s, text + at, length) : 0;
        bytes += length;
        at += length + 1;
    }
    double bpb = nats / log(2) / (double)bytes;
    print_message("%s: %.4f bits per byte, published %.4f\n", file, bpb, want);
    assert_true(fabs(bpb - want) < 2e-4);
    session_stop(&s);
}

static const struct {
    const char *file;
    double bits_per_byte;
} published[] = {{"llama-0.1m.safetensors", 1.8053}, {"llama-1m.safetensors", 1.5114},
                 {"rwkv4-1m.safetensors", 1.4899},   {"h3-1m.safetensors", 1.5239},
                 {"hyena-1m.safetensors", 1.5174},   {"retnet-1m.safetensors", 1.5680}};

/* The text takes most of a minute. Under a sanitizer, which is slower, one model reads it: other tests lead
 * through the code of all. */
#if defined(__SANITIZE_ADDRESS__)
enum { n_published = 1 };
#else
enum { n_published = sizeof published / sizeof published[0] };
#endif

static void test_bits_per_byte(void **state)
{
    (void)state;
    char path[512];
    fixture_shared("zoo/data/eval_text.bin", path, sizeof path);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    static char text[1 << 18];
    size_t n = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    assert_int_equal(n, 236317);
    for (size_t i = 0; i < n_published; i++) {
        compare_bits_per_byte(published[i].file, text, n, published[i].bits_per_byte);
    }
}

static double widest_gap(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double gap = fabs((double)a[i] - (double)b[i]);
        worst = gap <= worst ? worst : gap;
    }
    return worst;
}

static void fill(int32_t *ids, uint32_t n, int32_t factor)
{
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = (int32_t)(i * (uint32_t)factor % 1021);
    }
}

/* Fresh, then behind a request with the same beginning, and with a hint that lies. */
static void compare_prefixes(const char *file)
{
    enum { n = 90, shared = 60 };
    struct session s;
    session_start_zoo(&s, file);
    size_t floats = (size_t)n * s.record.n_vocab;
    float *want = malloc(floats * sizeof *want);
    assert_non_null(want);
    int32_t a[n];
    int32_t b[n];
    fill(a, n, 37);
    fill(b, n, 37);
    for (int i = shared; i < n; i++) {
        b[i] = 5;
    }
    struct tare_request r = session_request(TARE_REQUEST_LOGITS, b, n);
    session_must(&s, &r);
    memcpy(want, s.record.rows, floats * sizeof *want);
    struct tare_request first = session_request(TARE_REQUEST_LOGITS, a, n);
    static const uint32_t hints[] = {shared, shared - 7, n, UINT32_MAX, 1, 0};
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        r.shared_prefix = hints[i];
        for (uint32_t from = 1; from <= n; from += 11) {
            session_must(&s, &first);
            r.first = from;
            session_must(&s, &r);
            assert_int_equal(s.record.n_rows, n + 1 - from);
            assert_true(widest_gap(s.record.rows, want + (size_t)(from - 1) * s.record.n_vocab,
                                   (size_t)s.record.n_rows * s.record.n_vocab) < 1e-4);
        }
    }
    free(want);
    session_stop(&s);
}

static void test_shared_prefix(void **state)
{
    (void)state;
    compare_prefixes("llama-0.5m.safetensors");
    compare_prefixes("rwkv4-1m.safetensors");
    compare_prefixes("h3-1m.safetensors");
    compare_prefixes("hyena-1m.safetensors");
    compare_prefixes("retnet-1m.safetensors");
}

/* Reuse is real: with the option off every request is computed from position 0 and so repeats its bits,
 * with it on a request that asks for its last row alone feeds one token. */
static void test_reuse_can_be_switched_off(void **state)
{
    (void)state;
    struct session s;
    session_start_zoo(&s, "llama-0.1m.safetensors");
    int32_t ids[64];
    fill(ids, 64, 11);
    struct tare_request r = session_request(TARE_REQUEST_LOGITS, ids, 64);
    r.first = 64;
    float kept[1024];
    session_must(&s, &r);
    memcpy(kept, s.record.rows, sizeof kept);
    r.shared_prefix = 64;
    session_must(&s, &r);
    assert_true(memcmp(kept, s.record.rows, sizeof kept) != 0); /* a step rounds otherwise than a block */
    assert_true(widest_gap(kept, s.record.rows, 1024) < 1e-4);
    session_stop(&s);
    char path[512];
    fixture_zoo("llama-0.1m.safetensors", path, sizeof path);
    session_start_with(&s, path, &(struct session_options){.no_reuse = true});
    for (int i = 0; i < 2; i++) {
        session_must(&s, &r);
        assert_memory_equal(kept, s.record.rows, sizeof kept);
    }
    session_stop(&s);
}

/* Each generated token is the most probable one by the logits of everything before it. */
static void test_generate(void **state)
{
    (void)state;
    struct session s;
    session_start_zoo(&s, "llama-1m.safetensors");
    int32_t ids[200] = {0};
    uint32_t n = 1 + tokenize(&s, "She looked out of the window, and", ids + 1, 100);
    struct tare_request r = session_request(TARE_REQUEST_GENERATE, ids, n);
    r.max_output = 24;
    session_must(&s, &r);
    assert_int_equal(s.record.n_tokens, 24);
    assert_int_equal(s.record.n_rows, 0);
    int32_t made[24];
    memcpy(made, s.record.tokens, sizeof made);
    print_message("generated:%.*s\n", (int)s.record.n_text, s.record.text);
    int32_t again[100];
    assert_int_equal(s.record.text[s.record.n_text] = '\0', 0);
    assert_true(tokenize(&s, s.record.text, again, 100) > 0);
    memcpy(ids + n, made, sizeof made);
    struct tare_request check = session_request(TARE_REQUEST_SCORE, ids, n + 24);
    check.first = n;
    session_must(&s, &check);
    for (int i = 0; i < 24; i++) {
        const float *row = s.record.rows + (size_t)i * 1024;
        int32_t best = 0;
        for (int32_t j = 1; j < 1024; j++) {
            best = row[j] > row[best] ? j : best;
        }
        assert_int_equal(best, made[i]);
    }
    s.record.stop_after = 5;
    session_must(&s, &r);
    assert_int_equal(s.record.n_tokens, 5);
    assert_memory_equal(s.record.tokens, made, 5 * sizeof *made);
    r.max_output = 0;
    session_must(&s, &r);
    assert_int_equal(s.record.n_tokens, 0);
    session_stop(&s);
}

/* 512 positions can be fed; the last output needs none. */
static void reach_the_end(const char *file)
{
    struct session s;
    session_start_zoo(&s, file);
    int32_t ids[514];
    fill(ids, 514, 17);
    struct tare_request r = session_request(TARE_REQUEST_GENERATE, ids, 510);
    r.max_output = 100;
    session_must(&s, &r);
    assert_int_equal(s.record.n_tokens, 3);
    r.n_tokens = 512;
    session_must(&s, &r);
    assert_int_equal(s.record.n_tokens, 1);
    r = session_request(TARE_REQUEST_SCORE, ids, 513);
    session_must(&s, &r);
    assert_int_equal(s.record.n_rows, 512);
    struct tare_err err = {0};
    r.n_tokens = 514;
    assert_int_equal(session_submit(&s, &r, &err), TARE_E_LIMIT);
    r = session_request(TARE_REQUEST_LOGITS, ids, 513);
    assert_int_equal(session_submit(&s, &r, &err), TARE_E_LIMIT);
    r = session_request(TARE_REQUEST_GENERATE, ids, 513);
    assert_int_equal(session_submit(&s, &r, &err), TARE_E_LIMIT);
    assert_int_equal(s.record.n_rows + s.record.n_tokens, 0);
    session_stop(&s);
}

/* Hyena's filters end there; the others would run on, but are measured within their context too. */
static void test_end_of_context(void **state)
{
    (void)state;
    reach_the_end("llama-0.1m.safetensors");
    reach_the_end("rwkv4-1m.safetensors");
    reach_the_end("h3-1m.safetensors");
    reach_the_end("hyena-1m.safetensors");
    reach_the_end("retnet-1m.safetensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score),         cmocka_unit_test(test_bits_per_byte),
        cmocka_unit_test(test_shared_prefix), cmocka_unit_test(test_reuse_can_be_switched_off),
        cmocka_unit_test(test_generate),      cmocka_unit_test(test_end_of_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
