/* SPDX-License-Identifier: Apache-2.0 */
/* The backend alone: what it refuses, reuse of prefixes, batches, ends of generation, SentencePiece text. */
#include "opened.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LLAMA "TARE_LLAMACPP"

static const char *zoo(void)
{
    return opened_env("TARE_ZOO_GGUF");
}

/* Writes bytes to a new file; the caller unlinks it. */
static void put_file(char path[64], const void *data, size_t n)
{
    (void)snprintf(path, 64, "/tmp/tare-llamacpp-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    close(fd);
}

/* The whole of a GGUF file. */
static char *read_model(const char *path, size_t *out_n)
{
    enum { most = 8 << 20 };
    char *data = malloc(most);
    FILE *file = fopen(path, "rb");
    assert_true(data && file);
    *out_n = fread(data, 1, most, file);
    (void)fclose(file);
    assert_true(*out_n > 1000 && *out_n < most);
    return data;
}

static void refused(const char *path, const char *const *options, int code, const char *words)
{
    static struct opened o;
    struct tare_err err = {0};
    int rc = opened_try(&o, LLAMA, path, options, &err);
    if (rc != code || !strstr(err.msg, words) || strchr(err.msg, '\n')) {
        fail_msg("%s: %d '%s', not %d with '%s'", path, rc, err.msg, code, words);
    }
    opened_stop(&o);
}

static void test_files_that_are_no_model(void **state)
{
    char path[64];
    size_t n = 0;
    char *whole = read_model(zoo(), &n);
    (void)state;
    refused("/nonexistent/x.gguf", NULL, TARE_E_IO, "No such file");
    refused("/tmp", NULL, TARE_E_IO, "is a folder");
    put_file(path, "", 0);
    refused(path, NULL, TARE_E_FORMAT, "is no GGUF file");
    unlink(path);
    put_file(path, "GGML....", 8);
    refused(path, NULL, TARE_E_FORMAT, "is no GGUF file");
    unlink(path);
    static const struct {
        size_t bytes;
        const char *words;
    } cuts[] = {{4, "cannot load it"},
                {2000, "failed to read key-value pairs"},
                {2000000, "not within the file bounds"}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        put_file(path, whole, cuts[i].bytes);
        refused(path, NULL, TARE_E_FORMAT, cuts[i].words);
        unlink(path);
    }
    whole[4] = 99; /* the version of the format */
    put_file(path, whole, n);
    refused(path, NULL, TARE_E_FORMAT, "cannot load it");
    unlink(path);
    free(whole);
}

static void test_options_that_cannot_be(void **state)
{
    static const char *const quantized[] = {"type_v=q8_0", "flash_attn=off", NULL};
    static const char *const no_file[] = {"lora=/nonexistent/a.gguf", NULL};
    char text[600];
    (void)state;
    refused(zoo(), quantized, TARE_E_BACKEND, "V cache");
    refused(zoo(), no_file, TARE_E_IO, "No such file");
    (void)snprintf(text, sizeof text, "lora=%s:0.5", zoo());
    const char *const no_adapter[] = {text, NULL};
    refused(zoo(), no_adapter, TARE_E_FORMAT, "LoRA");
}

static void test_requests_that_cannot_be(void **state)
{
    static const char *const small[] = {"n_ctx=16", NULL};
    static struct opened o;
    int32_t ids[20] = {0, 1, 2, 3};
    (void)state;
    opened_start(&o, LLAMA, zoo(), small);
    assert_int_equal(o.facts.n_ctx, 16);
    const struct {
        struct tare_request request;
        int code;
    } cases[] = {
        {{.kind = TARE_REQUEST_SCORE, .n_tokens = 0, .first = 1}, TARE_E_USAGE},
        {{.kind = TARE_REQUEST_SCORE, .n_tokens = 1, .first = 1}, TARE_E_USAGE},
        {{.kind = TARE_REQUEST_SCORE, .n_tokens = 4, .first = 0}, TARE_E_USAGE},
        {{.kind = TARE_REQUEST_SCORE, .n_tokens = 4, .first = 4}, TARE_E_USAGE},
        {{.kind = TARE_REQUEST_LOGITS, .n_tokens = 17, .first = 1}, TARE_E_LIMIT},
        {{.kind = TARE_REQUEST_GENERATE, .n_tokens = 17, .first = 17, .max_output = 1}, TARE_E_LIMIT},
        {{.kind = TARE_REQUEST_GENERATE, .n_tokens = 4, .max_output = 1, .temperature = NAN}, TARE_E_USAGE},
        {{.kind = (enum tare_request_kind)9, .n_tokens = 4, .first = 1}, TARE_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_request r = cases[i].request;
        struct tare_err err = {0};
        r.tokens = ids;
        assert_int_equal(o.ops.submit(o.self, &r, &o.sink, &err), cases[i].code);
        assert_true(err.msg[0]);
    }
    for (int32_t bad = -1; bad < 3000; bad += 2000) {
        struct tare_err err = {0};
        struct tare_request r = {.kind = TARE_REQUEST_SCORE, .tokens = ids, .n_tokens = 4, .first = 1};
        ids[2] = bad < 0 ? bad : (int32_t)o.facts.n_vocab;
        assert_int_equal(o.ops.submit(o.self, &r, &o.sink, &err), TARE_E_USAGE);
    }
    ids[2] = 2;
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 16, 1, 0); /* exactly full */
    opened_generate(&o, ids, 12, 20, 0, 0);
    assert_int_equal(o.n_tokens, 5); /* the last one is not fed */
    opened_stop(&o);
}

static void some_ids(int32_t *ids, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = i == 0 ? 0 : (int32_t)(256 + (i * 37) % 700);
    }
}

static double gap(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        most = !(d <= most) ? d : most;
    }
    return most;
}

static void test_a_shared_prefix_is_kept(void **state)
{
    static const char *const exact[] = {"type_k=f32", "type_v=f32", "flash_attn=off", NULL};
    static struct opened o;
    int32_t ids[60];
    (void)state;
    opened_start(&o, LLAMA, zoo(), exact);
    size_t wide = (size_t)o.facts.n_vocab, n = 10 * wide;
    float *fresh = malloc(n * sizeof *fresh);
    assert_non_null(fresh);
    some_ids(ids, 60);
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 0);
    memcpy(fresh, o.rows, n * sizeof *fresh);
    (void)opened_reading(&o, 0, "kv_buffer_bytes");
    ids[55] = 300;
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 0); /* another end, and no hint: nothing is kept */
    assert_true(opened_reading(&o, 1, "prefix_reused_tok") == 0);
    assert_true(gap(fresh, o.rows, n) > 0.1);
    some_ids(ids, 60);
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 50);
    assert_true(opened_reading(&o, 1, "prefix_reused_tok") == 50);
    assert_true(opened_reading(&o, 1, "prefix_reuses") == 1);
    assert_true(opened_reading(&o, 1, "llama_decode_tok") == 60 + 10);
    assert_true(opened_reading(&o, 1, "llama_decode_calls") == 2);
    assert_true(opened_reading(&o, 1, "kv_used_tok_max") == 60);
    assert_true(opened_reading(&o, 1, "llama_decode_time") > 0);
    assert_true(gap(fresh, o.rows, n) < 1e-3);
    free(fresh);
    opened_stop(&o);
}

/* A state that cannot be cut back is saved at the first answer. */
static void test_a_recurrent_prefix_is_saved(void **state)
{
    static struct opened o;
    int32_t ids[60];
    (void)state;
    opened_start(&o, LLAMA, opened_env("TARE_MAMBA_GGUF"), NULL);
    assert_int_equal(o.facts.kv_bytes_per_token, 0);
    assert_int_equal(o.facts.state_bytes, TARE_UNKNOWN);
    size_t n = 10 * (size_t)o.facts.n_vocab;
    float *fresh = malloc(n * sizeof *fresh);
    assert_non_null(fresh);
    for (int i = 0; i < 60; i++) {
        ids[i] = i == 0 ? 1 : 260 + (i * 31) % 250;
    }
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 0);
    memcpy(fresh, o.rows, n * sizeof *fresh);
    (void)opened_reading(&o, 0, "compute_buffer_bytes");
    ids[55] = 300;
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 50); /* another end of the same context */
    assert_true(opened_reading(&o, 1, "prefix_reused_tok") == 50);
    double effect = gap(fresh, o.rows, n);
    ids[55] = 260 + (55 * 31) % 250;
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 50);
    assert_true(opened_reading(&o, 1, "prefix_reused_tok") == 100);
    assert_true(effect > 0 && gap(fresh, o.rows, n) < effect / 100);
    ids[7] = 301;
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 60, 51, 50); /* the hint is wrong and must not be believed */
    assert_true(opened_reading(&o, 1, "prefix_reused_tok") == 100);
    opened_generate(&o, ids, 20, 5, 0, 0);
    assert_int_equal(o.n_tokens, 5);
    free(fresh);
    opened_stop(&o);
}

/* Rows come in order and are the same, however the input is cut into calls. */
static void test_batches(void **state)
{
    static const char *const whole[] = {"type_k=f32", "type_v=f32", "flash_attn=off", NULL};
    static const char *const cut[] = {"type_k=f32", "type_v=f32", "flash_attn=off", "n_batch=7", NULL};
    static struct opened a, b;
    int32_t ids[60];
    (void)state;
    some_ids(ids, 60);
    opened_start(&a, LLAMA, zoo(), whole);
    opened_start(&b, LLAMA, zoo(), cut);
    for (uint32_t first = 1; first <= 60; first += 13) {
        opened_rows(&a, TARE_REQUEST_SCORE, ids, 61 - 1, first, 0);
        opened_rows(&b, TARE_REQUEST_SCORE, ids, 61 - 1, first, 0);
        assert_true(gap(a.rows, b.rows, a.n_rows * (size_t)a.facts.n_vocab) < 1e-3);
    }
    opened_generate(&a, ids, 30, 10, 0, 0);
    opened_generate(&b, ids, 30, 10, 0, 0);
    assert_memory_equal(a.tokens, b.tokens, 10 * sizeof *a.tokens);
    opened_stop(&a);
    opened_stop(&b);
}

/* Few tokens: where processors are taken, threads that wait for each other take long. */
static void test_threads(void **state)
{
    static const char *const one[] = {"threads_batch=1", NULL};
    static const char *const more[] = {"threads=2", "threads_batch=3", NULL};
    static struct opened a, b;
    int32_t ids[12];
    (void)state;
    some_ids(ids, 12);
    opened_start(&a, LLAMA, zoo(), one);
    opened_start(&b, LLAMA, zoo(), more);
    opened_rows(&a, TARE_REQUEST_LOGITS, ids, 12, 1, 0);
    opened_rows(&b, TARE_REQUEST_LOGITS, ids, 12, 1, 0);
    assert_true(gap(a.rows, b.rows, 12 * (size_t)a.facts.n_vocab) < 1e-3);
    opened_generate(&a, ids, 12, 3, 0, 0);
    opened_generate(&b, ids, 12, 3, 0, 0);
    assert_memory_equal(a.tokens, b.tokens, 3 * sizeof *a.tokens);
    opened_stop(&a);
    opened_stop(&b);
}

static void test_score_and_logits_are_one(void **state)
{
    static struct opened o;
    int32_t ids[33];
    (void)state;
    opened_start(&o, LLAMA, zoo(), NULL);
    size_t n = 32 * (size_t)o.facts.n_vocab;
    float *rows = malloc(n * sizeof *rows);
    assert_non_null(rows);
    some_ids(ids, 33);
    opened_rows(&o, TARE_REQUEST_LOGITS, ids, 32, 1, 0);
    memcpy(rows, o.rows, n * sizeof *rows);
    opened_rows(&o, TARE_REQUEST_SCORE, ids, 33, 1, 0);
    assert_memory_equal(rows, o.rows, n * sizeof *rows);
    free(rows);
    opened_stop(&o);
}

static void test_the_sink_stops(void **state)
{
    static struct opened o;
    int32_t ids[8], greedy[6];
    (void)state;
    some_ids(ids, 8);
    opened_start(&o, LLAMA, zoo(), NULL);
    opened_generate(&o, ids, 8, 6, 0, 0);
    assert_int_equal(o.n_tokens, 6);
    memcpy(greedy, o.tokens, sizeof greedy);
    o.stop_after = 3;
    opened_generate(&o, ids, 8, 6, 0, 0);
    assert_int_equal(o.n_tokens, 3);
    assert_memory_equal(o.tokens, greedy, 3 * sizeof *greedy);
    o.stop_after = 0;
    opened_generate(&o, ids, 8, 0, 0, 0);
    assert_int_equal(o.n_tokens, 0);
    opened_generate(&o, ids, 8, 6, 0, 0); /* greedy is the same again */
    assert_memory_equal(o.tokens, greedy, sizeof greedy);
    opened_stop(&o);
}

/* Another end token is written into the file: the one that comes fourth. */
static void test_the_end_token_stops(void **state)
{
    static const char key[] = "tokenizer.ggml.eos_token_id";
    static const char *const on[] = {"ignore_eog=yes", NULL};
    static struct opened o;
    char path[64];
    int32_t ids[8];
    size_t n = 0, at = 0;
    char *whole = read_model(zoo(), &n);
    (void)state;
    some_ids(ids, 8);
    opened_start(&o, LLAMA, zoo(), NULL);
    opened_generate(&o, ids, 8, 6, 0, 0);
    opened_stop(&o);
    int32_t end = o.tokens[3];
    while (memcmp(whole + at, key, sizeof key - 1) != 0) {
        at++;
        assert_true(at + sizeof key + 8 < n);
    }
    memcpy(whole + at + sizeof key - 1 + 4, &end, sizeof end);
    put_file(path, whole, n);
    free(whole);
    uint32_t before = 0; /* it may come earlier, too */
    while (o.tokens[before] != end) {
        before++;
    }
    opened_start(&o, LLAMA, path, NULL);
    opened_generate(&o, ids, 8, 6, 0, 0);
    assert_int_equal(o.n_tokens, before);
    opened_stop(&o);
    opened_start(&o, LLAMA, path, on);
    opened_generate(&o, ids, 8, 6, 0, 0);
    assert_int_equal(o.n_tokens, 6);
    opened_stop(&o);
    unlink(path);
}

/* The last tensor of the file full of NaN: nothing may be drawn from that. */
static void test_broken_weights_generate_nothing(void **state)
{
    static struct opened o;
    char path[64];
    int32_t ids[8];
    size_t n = 0;
    char *whole = read_model(zoo(), &n);
    struct tare_err err = {0};
    struct tare_request r = {
        .kind = TARE_REQUEST_GENERATE, .id = 7, .tokens = ids, .n_tokens = 8, .first = 8, .max_output = 4};
    (void)state;
    some_ids(ids, 8);
    memset(whole + n - 4096, 0xff, 4096);
    put_file(path, whole, n);
    free(whole);
    opened_start(&o, LLAMA, path, NULL);
    assert_int_equal(o.ops.submit(o.self, &r, &o.sink, &err), TARE_E_BACKEND);
    assert_non_null(strstr(err.msg, "not a finite number"));
    assert_int_equal(o.n_tokens, 0);
    opened_stop(&o);
    unlink(path);
}

static void test_beginning_of_sequence(void **state)
{
    static const char *const never[] = {"bos=never", NULL};
    static const char *const always[] = {"bos=always", NULL};
    static struct opened o;
    (void)state;
    opened_start(&o, LLAMA, opened_env("TARE_RANDOM_GGUF"), NULL);
    assert_int_equal(o.facts.bos, 1);
    opened_stop(&o);
    opened_start(&o, LLAMA, opened_env("TARE_RANDOM_GGUF"), never);
    assert_int_equal(o.facts.bos, TARE_UNKNOWN);
    opened_stop(&o);
    opened_start(&o, LLAMA, zoo(), always);
    assert_int_equal(o.facts.bos, 0);
    opened_stop(&o);
}

/* A SentencePiece vocabulary puts a space in front that is not in the text: ends must not count it. */
static void test_sentencepiece_text(void **state)
{
    static const char *const texts[] = {
        "the tree", " the", "  two", "a", " ", "x\ny", "\xe2\x82\xac 5 \xff\xfe", "\n"};
    static struct opened o;
    int32_t ids[64];
    uint32_t ends[64];
    struct tare_err err = {0};
    size_t n = 0;
    (void)state;
    opened_start(&o, LLAMA, opened_env("TARE_RANDOM_GGUF"), NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t count = opened_tokenize(&o, texts[i], strlen(texts[i]), ids, ends);
        assert_true(count > 0);
        assert_int_equal(ends[count - 1], strlen(texts[i]));
        for (uint32_t k = 1; k < count; k++) {
            assert_true(ends[k] >= ends[k - 1]);
        }
    }
    assert_int_equal(opened_tokenize(&o, "", 0, ids, ends), 0);
    /* " the" becomes "__the": a piece of one space, which is the added one and has no byte, and "_th" "e" or
     * the like. */
    uint32_t count = opened_tokenize(&o, " the", 4, ids, ends);
    assert_true(count >= 2 && ends[0] <= 1);
    /* Too little room: only the number is told. */
    ids[0] = -5;
    assert_int_equal(o.ops.tokenize(o.self, "the tree", 8, ids, ends, 1, &n, &err), 0);
    assert_true(n > 1);
    opened_stop(&o);
}

static void test_bytes_that_are_no_text(void **state)
{
    static struct opened o;
    int32_t ids[64];
    uint32_t ends[64];
    struct tare_err err = {0};
    size_t n = 99;
    (void)state;
    opened_start(&o, LLAMA, zoo(), NULL);
    assert_int_equal(o.ops.tokenize(o.self, "ab\xff\xfe", 4, ids, ends, 64, &n, &err), TARE_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "bytes back"));
    assert_int_equal(n, 99); /* outputs are untouched on failure */
    opened_stop(&o);
}

static void test_memory_and_identity(void **state)
{
    static struct opened a, b;
    (void)state;
    opened_start(&a, LLAMA, zoo(), NULL);
    double kv = opened_reading(&a, 0, "kv_buffer_bytes");
    assert_true(fabs(kv - 512.0 * (double)a.facts.kv_bytes_per_token) < 0.006 * 1024 * 1024);
    assert_true(fabs(opened_reading(&a, 0, "weights_buffer_bytes") - (double)a.facts.stored_bytes) < 20000);
    assert_true(opened_reading(&a, 0, "compute_buffer_bytes") > 0);
    assert_true(isnan(opened_reading(&a, 0, "lora_buffer_bytes")));
    assert_int_equal(a.facts.kv_bytes_per_token, 2048); /* halves: 2 * 4 layers * 128 * 2 bytes */
    opened_start(&b, LLAMA, opened_env("TARE_RANDOM_GGUF"), NULL);
    assert_string_not_equal(a.facts.tokenizer, b.facts.tokenizer);
    assert_non_null(strstr(a.facts.tokenizer, "bpe"));
    assert_non_null(strstr(b.facts.tokenizer, "spm"));
    assert_int_equal(b.facts.params_total - b.facts.params_non_embedding, 2 * 512 * 64); /* not tied */
    opened_stop(&a);
    opened_stop(&b);
}

/* The model with the adapter at half its strength is the file with half of the adapter added. */
static void test_an_adapter(void **state)
{
    static struct opened plain, merged, adapted;
    char full[600], half[600];
    int32_t ids[40];
    (void)state;
    (void)snprintf(full, sizeof full, "lora=%s", opened_env("TARE_ADAPTER_GGUF"));
    (void)snprintf(half, sizeof half, "lora=%s:0.5", opened_env("TARE_ADAPTER_GGUF"));
    const char *const options[][5] = {{"type_k=f32", "type_v=f32", "flash_attn=off", half, NULL},
                                      {"type_k=f32", "type_v=f32", "flash_attn=off", full, NULL}};
    const char *const none[] = {"type_k=f32", "type_v=f32", "flash_attn=off", NULL};
    for (int i = 0; i < 40; i++) {
        ids[i] = i == 0 ? 1 : 260 + (i * 31) % 250;
    }
    opened_start(&plain, LLAMA, opened_env("TARE_RANDOM_GGUF"), none);
    opened_start(&merged, LLAMA, opened_env("TARE_MERGED_GGUF"), none);
    opened_rows(&plain, TARE_REQUEST_LOGITS, ids, 40, 1, 0);
    opened_rows(&merged, TARE_REQUEST_LOGITS, ids, 40, 1, 0);
    size_t n = 40 * (size_t)plain.facts.n_vocab;
    double effect = gap(plain.rows, merged.rows, n), off[2];
    for (int i = 0; i < 2; i++) {
        struct tare_cost cost;
        struct tare_err err = {0};
        const struct tare_work work = {.prompt_tok = 4, .logits_rows = 1};
        opened_start(&adapted, LLAMA, opened_env("TARE_RANDOM_GGUF"), options[i]);
        opened_rows(&adapted, TARE_REQUEST_LOGITS, ids, 40, 1, 0);
        off[i] = gap(adapted.rows, merged.rows, n);
        assert_true(isnan(opened_reading(&adapted, 0, "lora_buffer_bytes"))); /* 4 KiB are 0.00 MiB */
        assert_int_equal(adapted.ops.account(adapted.self, &work, &cost, &err), 0);
        assert_int_equal(cost.prefill_flops, TARE_UNKNOWN); /* what an adapter costs is not modelled */
        opened_stop(&adapted);
    }
    print_message("an adapter changes logits by %.3g, beside the merged file by %.3g\n", effect, off[0]);
    assert_true(off[0] < 1e-5 && off[0] < effect / 100 && off[1] > effect / 3);
    opened_stop(&plain);
    opened_stop(&merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_are_no_model),
        cmocka_unit_test(test_options_that_cannot_be),
        cmocka_unit_test(test_requests_that_cannot_be),
        cmocka_unit_test(test_a_shared_prefix_is_kept),
        cmocka_unit_test(test_a_recurrent_prefix_is_saved),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_score_and_logits_are_one),
        cmocka_unit_test(test_the_sink_stops),
        cmocka_unit_test(test_the_end_token_stops),
        cmocka_unit_test(test_broken_weights_generate_nothing),
        cmocka_unit_test(test_beginning_of_sequence),
        cmocka_unit_test(test_sentencepiece_text),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_memory_and_identity),
        cmocka_unit_test(test_an_adapter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
