/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract's side of the backend, through its exported symbol only: what it says it is, the requests
 * and files that it refuses, and that it goes on after a refusal.
 */
#include "session.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void test_header(void **state)
{
    (void)state;
    assert_int_equal(tare_plugin.header.magic, TARE_PLUGIN_MAGIC);
    assert_int_equal(tare_plugin.header.kind, TARE_PLUGIN_BACKEND);
    assert_int_equal(tare_plugin.header.abi, TARE_BACKEND_ABI);
    assert_int_equal(tare_plugin.header.size, sizeof(struct tare_backend));
    assert_string_equal(tare_plugin.name, "native");
    assert_int_equal(tare_plugin.caps, TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_LOGITS |
                                           TARE_CAP_TOKENIZE | TARE_CAP_TECHNIQUE | TARE_CAP_SAMPLED);
    assert_true(strlen(tare_plugin.account_convention) > 100);
}

static void test_describe(void **state)
{
    (void)state;
    struct session s;
    session_start_zoo(&s, "llama-1m.safetensors");
    assert_string_equal(s.facts.arch, "llama");
    assert_string_equal(s.facts.name, "llama-1m");
    assert_string_equal(s.facts.dtype, "f16");
    assert_string_equal(s.facts.tokenizer, "7bfe1fd34c24496e");
    assert_int_equal(s.facts.params_total, 984192);
    assert_int_equal(s.facts.params_active, 984192);
    assert_int_equal(s.facts.params_trainable, 984192);
    assert_int_equal(s.facts.params_non_embedding, 984192 - 1024 * 128);
    assert_in_range(s.facts.params_non_zero, 900000, 984192);
    /* F16, but 9 norms of 128 in F32; the file is this and a header of 3656 + 8 bytes. */
    assert_int_equal(s.facts.stored_bytes, 984192 * 2 + 9 * 128 * 2);
    assert_int_equal(s.facts.stored_bytes, 1974352 - 3664);
    assert_int_equal(s.facts.kv_bytes_per_token, 2 * 128 * 4 * 4);
    assert_int_equal(s.facts.state_bytes, 0);
    assert_int_equal(s.facts.n_ctx, 512);
    assert_int_equal(s.facts.n_vocab, 1024);
    assert_int_equal(s.facts.bos, 0);
    session_stop(&s);
}

/* What a model without a cache of keys keeps; hyena has both kinds. */
static void test_describes_states(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *arch;
        int64_t fixed;
        int64_t per_token;
    } rows[] = {
        {"rwkv4-1m.safetensors", "rwkv4", 4 * 2048, 0},
        {"h3-1m.safetensors", "h3", 4 * 34304, 0},
        {"hyena-1m.safetensors", "hyena", 4 * 4 * 2 * 384, 4 * 4 * 128},
        {"retnet-1m.safetensors", "retnet", 4 * 32768, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct session s;
        session_start_zoo(&s, rows[i].file);
        assert_string_equal(s.facts.arch, rows[i].arch);
        assert_int_equal(s.facts.state_bytes, rows[i].fixed);
        assert_int_equal(s.facts.kv_bytes_per_token, rows[i].per_token);
        session_stop(&s);
    }
}

static void test_refuses_requests(void **state)
{
    (void)state;
    struct session s;
    session_start_zoo(&s, "llama-0.1m.safetensors");
    const int32_t good[] = {0, 1, 2, 3};
    const int32_t high[] = {0, 1, 1024, 3};
    const int32_t low[] = {0, -1, 2, 3};
    const int32_t target[] = {0, 1, 2, 1024};
    const struct {
        const char *what;
        enum tare_request_kind kind;
        const int32_t *tokens;
        uint32_t n;
        uint32_t first;
        float temperature;
    } rows[] = {
        {"id too high", TARE_REQUEST_SCORE, high, 4, 1, 0},
        {"negative id", TARE_REQUEST_LOGITS, low, 4, 1, 0},
        {"target too high", TARE_REQUEST_SCORE, target, 4, 1, 0},
        {"last id too high", TARE_REQUEST_GENERATE, target, 4, 1, 0},
        {"no tokens", TARE_REQUEST_GENERATE, good, 0, 1, 0},
        {"no tokens to score", TARE_REQUEST_SCORE, good, 0, 1, 0},
        {"a target without a context", TARE_REQUEST_SCORE, good, 1, 1, 0},
        {"no array", TARE_REQUEST_LOGITS, NULL, 4, 1, 0},
        {"first is zero", TARE_REQUEST_SCORE, good, 4, 0, 0},
        {"first behind the last target", TARE_REQUEST_SCORE, good, 4, 4, 0},
        {"first behind the last row", TARE_REQUEST_LOGITS, good, 4, 5, 0},
        {"temperature without end", TARE_REQUEST_GENERATE, good, 4, 1, INFINITY},
        {"temperature is no number", TARE_REQUEST_GENERATE, good, 4, 1, NAN},
        {"unknown kind", (enum tare_request_kind)9, good, 4, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tare_err err = {0};
        struct tare_request r = session_request(rows[i].kind, rows[i].tokens, rows[i].n);
        r.first = rows[i].first;
        r.temperature = rows[i].temperature;
        r.max_output = 4;
        int rc = session_submit(&s, &r, &err);
        if (rc >= 0 || err.msg[0] == '\0' || s.record.n_rows + s.record.n_tokens > 0) {
            fail_msg("not refused before any answer: %s", rows[i].what);
        }
    }
    struct tare_request r = session_request(TARE_REQUEST_SCORE, good, 4);
    session_must(&s, &r);
    assert_int_equal(s.record.n_rows, 3);
    session_stop(&s);
}

/* The small model in a folder of its own, to try what lies beside a model. */
struct folder {
    char path[200];
    char model[260];
    char tokenizer[260];
    char other[260];
};

static void make_folder(struct folder *f, const struct edit *edit, const char *sha)
{
    fixture_folder(f->path, sizeof f->path);
    (void)snprintf(f->model, sizeof f->model, "%s/m.safetensors", f->path);
    (void)snprintf(f->tokenizer, sizeof f->tokenizer, "%s/tokenizer.json", f->path);
    (void)snprintf(f->other, sizeof f->other, "%s/other.json", f->path);
    fixture_write(f->model, fixture_model(edit));
    if (sha) {
        fixture_write(f->tokenizer, fixture_tokenizer(sha));
    }
}

static void remove_folder(const struct folder *f)
{
    (void)remove(f->model);
    (void)remove(f->tokenizer);
    (void)remove(f->other);
    assert_int_equal(remove(f->path), 0);
}

/* All logits are equal when all weights are zero: the lowest id wins. */
static void test_ties_go_to_the_lowest_id(void **state)
{
    (void)state;
    const struct edit zero = {.zero = 1};
    struct folder f;
    make_folder(&f, &zero, "5aa11");
    struct session s;
    session_start(&s, f.model);
    assert_int_equal(s.facts.params_total, small_params);
    assert_int_equal(s.facts.params_non_zero, 24); /* the three norms */
    const int32_t ids[] = {0, 9};
    struct tare_request r = session_request(TARE_REQUEST_GENERATE, ids, 2);
    r.max_output = 3;
    session_must(&s, &r);
    assert_int_equal(s.record.n_tokens, 3);
    assert_int_equal(s.record.tokens[0] | s.record.tokens[1] | s.record.tokens[2], 0);
    assert_int_equal(s.record.n_text, 3);
    session_stop(&s);
    remove_folder(&f);
}

static int try_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    int rc = tare_plugin.load(self, load, err);
    tare_plugin.unload(self);
    return rc;
}

static void test_refuses_loads(void **state)
{
    (void)state;
    struct folder f;
    struct tare_err err = {0};
    make_folder(&f, NULL, "feed");
    void *self = session_new_self();
    struct tare_load load = {.size = sizeof load, .path = f.model};
    remove(f.tokenizer);
    assert_int_equal(try_load(self, &load, &err), TARE_E_IO);
    assert_non_null(strstr(err.msg, "tokenizer.json"));
    fixture_write(f.tokenizer, fixture_tokenizer("feed"));
    assert_int_equal(try_load(self, &load, &err), TARE_E_FORMAT);
    assert_true(strstr(err.msg, "5aa11") && strstr(err.msg, "feed"));
    fixture_write(f.tokenizer, fixture_tokenizer("5aa11"));
    load.technique = "infer.compress.quant";
    assert_int_equal(try_load(self, &load, &err), TARE_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "infer.compress.quant"));
    load = (struct tare_load){.size = sizeof load};
    assert_int_equal(try_load(self, &load, &err), TARE_E_USAGE);
    load.path = "absent.safetensors";
    assert_int_equal(try_load(self, &load, &err), TARE_E_IO);
    remove_folder(&f);
    free(self);
}

/* A failed load leaves room for a good one; the option names a tokenizer anywhere. */
static void test_loads_after_a_failure(void **state)
{
    (void)state;
    struct folder f;
    struct tare_err err = {0};
    make_folder(&f, NULL, "feed");
    void *self = session_new_self();
    const struct tare_load load = {.size = sizeof load, .path = f.model};
    assert_int_equal(try_load(self, &load, &err), TARE_E_FORMAT);
    fixture_write(f.other, fixture_tokenizer("5aa11"));
    *(char **)session_option(self, "tokenizer") = f.other;
    if (try_load(self, &load, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    free(self);
    remove_folder(&f);
}

/* However many threads compute, beyond the heads and rows that there are too, the answers are the same. */
static void test_threads(void **state)
{
    (void)state;
    static const int64_t threads[] = {1, 2, 7, 64};
    struct folder f;
    make_folder(&f, NULL, "5aa11");
    const int32_t ids[] = {0, 9, 200, 31, 7};
    float want[5 * small_vocab];
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        struct session s;
        session_start_with(&s, f.model, &(struct session_options){.threads = threads[i]});
        struct tare_request r = session_request(TARE_REQUEST_LOGITS, ids, 5);
        session_must(&s, &r);
        assert_int_equal(s.record.n_rows, 5);
        for (size_t j = 0; i > 0 && j < 5 * small_vocab; j++) {
            assert_true(fabs((double)s.record.rows[j] - (double)want[j]) < 1e-5);
        }
        memcpy(want, s.record.rows, sizeof want);
        session_stop(&s);
    }
    remove_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_describes_states),
        cmocka_unit_test(test_refuses_requests),
        cmocka_unit_test(test_ties_go_to_the_lowest_id),
        cmocka_unit_test(test_refuses_loads),
        cmocka_unit_test(test_loads_after_a_failure),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
