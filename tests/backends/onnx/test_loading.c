/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be loaded is refused with a code and words that say why: libraries, models, options, requests.
 */
#include "driven.h"

#include "api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct tare_backend tare_plugin;

static void must_refuse(int rc, const struct tare_err *err, int code, const char *words, const char *what)
{
    if (rc != code || !strstr(err->msg, words)) {
        fail_msg("%s: code %d instead of %d, '%s' instead of '... %s ...'", what, rc, code, err->msg, words);
    }
}

/* The fake libraries lie in the folder that TARE_FAKES names. */
static void test_libraries(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int code;
        const char *words;
    } rows[] = {
        {"nowhere.so", TARE_E_UNSUPPORTED, "cannot open shared object"},
        {"../models.py", TARE_E_UNSUPPORTED, "no ONNX Runtime"},
        {"libfake_ort_nothing.so", TARE_E_UNSUPPORTED, "has no OrtGetApiBase"},
        {"libfake_ort_null.so", TARE_E_UNSUPPORTED, "does not hand out version 5"},
        {"libfake_ort_1_4.so", TARE_E_UNSUPPORTED, "is ONNX Runtime 1.4.0, which does not hand out"},
        {"libfake_ort_odd.so", TARE_E_UNSUPPORTED, "is ONNX Runtime banana, which"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char option[1024];
        struct driven d;
        struct tare_err err = {0};
        (void)snprintf(option, sizeof option, "library=%s/%s", getenv("TARE_FAKES"), rows[i].file);
        int rc = driven_try(&d, "bigram.onnx", (const char *const[]){option, NULL}, &err);
        must_refuse(rc, &err, rows[i].code, rows[i].words, rows[i].file);
        driven_stop(&d);
    }
}

/* An older library runs the same models; what it lacks is absent, or refused. The fakes die when they are
 * asked for a version that they do not have. */
static void test_older_libraries(void **state)
{
    (void)state;
    const int32_t ids[] = {0, 5, 9};
    static const char *const files[] = {"libfake_ort_1_5.so", "libfake_ort_1_11.so", "libfake_ort_1_22.so"};
    (void)driven_library();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char option[1024];
        struct driven d;
        (void)snprintf(option, sizeof option, "library=%s/%s", getenv("TARE_FAKES"), files[i]);
        driven_start(&d, driven_model("summed.onnx"), (const char *const[]){option, NULL});
        driven_rows(&d, ids, 3, 3, 0);
        assert_true(fabsf(d.rows[1] - driven_truth(9, 1) - 14.0F / 8) < 1e-5F);
        assert_true(isnan(driven_reading(&d, "ort_arena_bytes")));
        driven_stop(&d);
    }
}

static void test_probe(void **state)
{
    (void)state;
    const char *library = getenv("TARE_ONNXRUNTIME");
    char kept[1024] = "";
    char why[256] = "";
    (void)snprintf(kept, sizeof kept, "%s", library ? library : "");
    assert_int_equal(setenv("TARE_ONNXRUNTIME", "/nowhere/onnxruntime.so", 1), 0);
    assert_int_equal(tare_plugin.probe(why, sizeof why), TARE_E_UNSUPPORTED);
    assert_non_null(strstr(why, "TARE_ONNXRUNTIME"));
    assert_int_equal(kept[0] ? setenv("TARE_ONNXRUNTIME", kept, 1) : unsetenv("TARE_ONNXRUNTIME"), 0);
    (void)driven_library();
    assert_int_equal(tare_plugin.probe(why, sizeof why), 0);
    assert_int_equal(strncmp(tare_plugin.version, "1.", 2), 0);
}

static void test_models(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int code;
        const char *words;
    } rows[] = {
        {"nowhere.onnx", TARE_E_IO, "nowhere.onnx"},
        {"empty.onnx", TARE_E_BACKEND, "empty.onnx"},
        {"text.onnx", TARE_E_FORMAT, "text.onnx"},
        {"cut.onnx", TARE_E_FORMAT, "cut.onnx"},
        {"no-operator.onnx", TARE_E_FORMAT, "NoSuchOperator"},
        {"lost-outside.onnx", TARE_E_BACKEND, "not-there.data"},
        {"wrong-input.onnx", TARE_E_FORMAT, "no input 'input_ids'; it has tokens"},
        {"ids-float.onnx", TARE_E_UNSUPPORTED, "'input_ids' is float32; only int64"},
        {"ids-int32.onnx", TARE_E_UNSUPPORTED, "'input_ids' is int32; only int64"},
        {"fixed.onnx", TARE_E_UNSUPPORTED, "'input_ids' has 2 dimensions or a fixed size"},
        {"batch-of-two.onnx", TARE_E_UNSUPPORTED, "'input_ids' has 2 dimensions or a fixed size"},
        {"no-logits.onnx", TARE_E_FORMAT, "no output 'logits'; it has scores"},
        {"int-logits.onnx", TARE_E_UNSUPPORTED, "the logits are int64"},
        {"flat-logits.onnx", TARE_E_FORMAT, "the logits have 2 dimensions"},
        {"last-row.onnx", TARE_E_BACKEND,
         "'logits' came out with 3 dimensions [1, 1, 32, 0] instead of [1, 2, 32"},
        {"extra-input.onnx", TARE_E_UNSUPPORTED, "asks for an input 'use_cache_branch'"},
        {"unpaired.onnx", TARE_E_FORMAT, "has no output 'present.0.key'"},
        {"other-type.onnx", TARE_E_FORMAT, "no output 'present.0.key' of the same type"},
        {"odd-cache.onnx", TARE_E_UNSUPPORTED, "'past_key_values.0.key' is not [1 or open, heads"},
        {"no-context.onnx", TARE_E_USAGE, "option 'ctx_tok'"},
        {"odd-context.onnx", TARE_E_FORMAT, "metadata 'max_ctx' is 'many'"},
        {"high-bos.onnx", TARE_E_FORMAT, "begins sequences with id 32, but has only 32"},
    };
    (void)driven_library();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct driven d;
        struct tare_err err = {0};
        int rc = driven_try(&d, driven_model(rows[i].file), NULL, &err);
        must_refuse(rc, &err, rows[i].code, rows[i].words, rows[i].file);
        driven_stop(&d);
    }
}

static void test_options(void **state)
{
    (void)state;
    static const struct {
        const char *option[3];
        int code;
        const char *words;
    } rows[] = {
        {{"provider=nonesuch", NULL}, TARE_E_UNSUPPORTED, "no execution provider 'nonesuch'; it has "},
        {{"provider=CPUExecution", NULL}, TARE_E_UNSUPPORTED, "no execution provider"},
        {{"tokenizer=/nowhere/tokenizer.json", NULL}, TARE_E_IO, "/nowhere/tokenizer.json"},
        {{"bos=32", NULL}, TARE_E_FORMAT, "begins sequences with id 32"},
    };
    (void)driven_library();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct driven d;
        struct tare_err err = {0};
        int rc = driven_try(&d, driven_model("bigram.onnx"), rows[i].option, &err);
        must_refuse(rc, &err, rows[i].code, rows[i].words, rows[i].option[0]);
        driven_stop(&d);
    }
}

/* A provider that the library was built with, but whose own shared object is not there; a library without it
 * refuses the name. */
static void test_provider_that_does_not_load(void **state)
{
    (void)state;
    static const char *const pairs[] = {"provider=CUDAExecutionProvider", "provider_options=device_id", NULL};
    struct driven d;
    struct tare_err err = {0};
    (void)driven_library();
    int rc = driven_try(&d, driven_model("bigram.onnx"), (const char *const[]){pairs[0], NULL}, &err);
    assert_true(rc == TARE_E_BACKEND || rc == TARE_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "execution provider"));
    driven_stop(&d);
    if (rc == TARE_E_BACKEND) { /* it is in the list */
        rc = driven_try(&d, driven_model("bigram.onnx"), pairs, &err);
        must_refuse(rc, &err, TARE_E_USAGE, "'device_id' is not key=value", "provider_options");
        driven_stop(&d);
    }
}

static void test_no_model(void **state)
{
    (void)state;
    struct driven d;
    struct tare_err err = {0};
    (void)driven_library();
    must_refuse(driven_try(&d, NULL, NULL, &err), &err, TARE_E_USAGE, "no model given", "no path");
    driven_stop(&d);
}

static void test_text_without_tokenizer(void **state)
{
    (void)state;
    struct driven d;
    struct tare_err err = {0};
    int32_t ids[4];
    uint32_t ends[4];
    size_t n = 0;
    (void)driven_library();
    driven_start(&d, driven_model("bigram.onnx"), NULL);
    int rc = tare_plugin.tokenize(d.self, "text", 4, ids, ends, 4, &n, &err);
    must_refuse(rc, &err, TARE_E_UNSUPPORTED, "no tokenizer.json beside the model", "text");
    driven_stop(&d);
}

static void test_requests(void **state)
{
    (void)state;
    static const int32_t good[] = {0, 1, 2, 3};
    static const int32_t high[] = {0, 1, 32, 3};
    static const int32_t low[] = {0, -1, 2, 3};
    static const int32_t many[40] = {0};
    static const struct {
        const char *what;
        const int32_t *tokens;
        uint32_t n, first;
        enum tare_request_kind kind;
        float temperature;
        int code;
    } rows[] = {
        {"id too high", high, 4, 1, TARE_REQUEST_SCORE, 0, TARE_E_USAGE},
        {"negative id", low, 4, 1, TARE_REQUEST_LOGITS, 0, TARE_E_USAGE},
        {"no tokens", good, 0, 1, TARE_REQUEST_GENERATE, 0, TARE_E_USAGE},
        {"no tokens to score", good, 0, 1, TARE_REQUEST_SCORE, 0, TARE_E_USAGE},
        {"a target without a context", good, 1, 1, TARE_REQUEST_SCORE, 0, TARE_E_USAGE},
        {"no array", NULL, 4, 1, TARE_REQUEST_LOGITS, 0, TARE_E_USAGE},
        {"first is zero", good, 4, 0, TARE_REQUEST_SCORE, 0, TARE_E_USAGE},
        {"first behind the last target", good, 4, 4, TARE_REQUEST_SCORE, 0, TARE_E_USAGE},
        {"first behind the last row", good, 4, 5, TARE_REQUEST_LOGITS, 0, TARE_E_USAGE},
        {"temperature without end", good, 4, 1, TARE_REQUEST_GENERATE, INFINITY, TARE_E_USAGE},
        {"longer than the context", many, driven_ctx + 1, 1, TARE_REQUEST_LOGITS, 0, TARE_E_LIMIT},
        {"a prompt longer than the context", many, driven_ctx + 1, 1, TARE_REQUEST_GENERATE, 0, TARE_E_LIMIT},
        {"unknown kind", good, 4, 1, (enum tare_request_kind)9, 0, TARE_E_UNSUPPORTED},
    };
    struct driven d;
    (void)driven_library();
    driven_start(&d, driven_model("summed.onnx"), NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tare_err err = {0};
        struct tare_request r = {.kind = rows[i].kind,
                                 .tokens = rows[i].tokens,
                                 .n_tokens = rows[i].n,
                                 .first = rows[i].first,
                                 .max_output = 2,
                                 .temperature = rows[i].temperature};
        must_refuse(driven_submit(&d, &r, &err), &err, rows[i].code, "onnx: ", rows[i].what);
        assert_int_equal(d.n_rows + d.n_tokens, 0);
    }
    /* The target of the last position is not fed: as many as the context and one more. */
    struct tare_err err = {0};
    struct tare_request r = {
        .kind = TARE_REQUEST_SCORE, .tokens = many, .n_tokens = driven_ctx + 1, .first = 1};
    assert_int_equal(driven_submit(&d, &r, &err), 0);
    assert_int_equal(d.n_rows, driven_ctx);
    driven_stop(&d);
}

/* A NaN is never a token, nor a probability: the request fails and the next one does not. */
static void test_logits_that_are_none(void **state)
{
    (void)state;
    static const char *const models[] = {"nan.onnx", "inf.onnx"};
    const int32_t into[] = {0, 1, 5};
    const int32_t beside[] = {0, 1, 6};
    (void)driven_library();
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct driven d;
        driven_start(&d, driven_model(models[i]), NULL);
        for (int kind = TARE_REQUEST_GENERATE; kind <= TARE_REQUEST_LOGITS; kind++) {
            struct tare_err err = {0};
            struct tare_request r = {.kind = (enum tare_request_kind)kind,
                                     .tokens = into,
                                     .n_tokens = 3,
                                     .first = 3,
                                     .max_output = 1};
            must_refuse(driven_submit(&d, &r, &err), &err, TARE_E_BACKEND, "after token 2 hold a NaN",
                        models[i]);
            assert_int_equal(d.n_rows + d.n_tokens, 0);
            r.tokens = beside;
            assert_int_equal(driven_submit(&d, &r, &err), 0);
            assert_int_equal(d.n_rows + d.n_tokens, 1);
        }
        driven_stop(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libraries), cmocka_unit_test(test_older_libraries),
        cmocka_unit_test(test_probe),     cmocka_unit_test(test_models),
        cmocka_unit_test(test_options),   cmocka_unit_test(test_provider_that_does_not_load),
        cmocka_unit_test(test_no_model),  cmocka_unit_test(test_text_without_tokenizer),
        cmocka_unit_test(test_requests),  cmocka_unit_test(test_logits_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
