/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing allocates while a request is answered: calls for memory are counted around `submit`, for every
 * architecture and every technique that has something to do there, on two threads or four.
 *
 * BLAS and FFTW take memory when they are first called, so requests of each kind come once before. Kernels of
 * BLAS for small matrices take some in every call; that is told, and is no failure.
 */
#include "allocations.h"
#include "session.h"
#include "technique.h"

#include <stdio.h>
#include <string.h>

enum { prompt_most = 400, output_tok = 12 };

/* A long score (hyena: by FFT), a shorter continuation of the same context, logits, greedy and sampled text.
 */
static void answer_all(struct session *s, const int32_t *ids)
{
    uint32_t prompt_tok = (uint32_t)s->facts.n_ctx - output_tok;
    prompt_tok = prompt_tok < prompt_most ? prompt_tok : prompt_most;
    struct tare_request r = session_request(TARE_REQUEST_SCORE, ids, prompt_tok);
    session_must(s, &r);
    r.first = prompt_tok / 2;
    session_must(s, &r);
    r.shared_prefix = r.first;
    r.n_tokens = r.first + 5;
    session_must(s, &r);
    r = session_request(TARE_REQUEST_LOGITS, ids, prompt_tok / 2);
    r.first = prompt_tok / 2;
    session_must(s, &r);
    r = session_request(TARE_REQUEST_GENERATE, ids, prompt_tok);
    r.max_output = output_tok;
    session_must(s, &r);
    r.temperature = 0.8F;
    r.seed = 7;
    r.shared_prefix = prompt_tok;
    session_must(s, &r);
}

static void check(const char *path, const char *technique, int64_t threads)
{
    struct session s;
    int32_t ids[prompt_most] = {0};
    for (int i = 1; i < prompt_most; i++) {
        ids[i] = 33 + i * 7 % 90;
    }
    session_start_with(&s, path, &(struct session_options){.threads = threads, .technique = technique});
    assert_true(s.facts.n_ctx >= 2 * output_tok);
    answer_all(&s, ids);
    answer_all(&s, ids);
    int64_t before = allocations_made();
    int64_t before_others = allocations_made_by_others();
    answer_all(&s, ids);
    int64_t made = allocations_made() - before;
    int64_t others = allocations_made_by_others() - before_others;
    if (made != 0) {
        fail_msg("%s %s: %lld calls for memory in 6 requests", path, technique ? technique : "",
                 (long long)made);
    }
    if (others != 0) {
        print_message("%s %s: BLAS or FFTW took memory %lld times\n", path, technique ? technique : "",
                      (long long)others);
    }
    session_stop(&s);
}

static void test_counts(void **state)
{
    (void)state;
    if (!allocations_work()) {
        print_message("skipped: a sanitizer has taken the place of malloc; the others only look for races\n");
        skip();
    }
    int64_t before = allocations_made();
    void *volatile p = malloc(10);
    p = realloc(p, 100);
    free(p);
    assert_int_equal(allocations_made() - before, 2);
}

static void test_architectures(void **state)
{
    (void)state;
    static const char *const files[] = {"llama-0.1m", "rwkv4-1m", "h3-1m", "hyena-1m", "retnet-1m"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512], file[64];
        (void)snprintf(file, sizeof file, "%s.safetensors", files[i]);
        fixture_zoo(file, path, sizeof path);
        check(path, NULL, 2);
        check(path, "infer.compress.quant.weight{method=rtn,bits=8}", 4);
    }
}

/* Mamba is not in the zoo. */
static void test_mamba(void **state)
{
    (void)state;
    char folder[256], model[300], tokenizer[300];
    fixture_folder(folder, sizeof folder);
    (void)snprintf(model, sizeof model, "%s/m.safetensors", folder);
    (void)snprintf(tokenizer, sizeof tokenizer, "%s/tokenizer.json", folder);
    fixture_write(model,
                  fixture_model_of("mamba", &(struct edit){.meta_key = "max_ctx", .meta_value = "\"64\""}));
    fixture_write(tokenizer, fixture_tokenizer("5aa11"));
    check(model, NULL, 2);
    check(model, NULL, 4);
    (void)remove(model);
    (void)remove(tokenizer);
    (void)remove(folder);
}

/* Whatever is listed; what needs more than its name gets it here. */
static void test_techniques(void **state)
{
    (void)state;
    char path[512];
    fixture_zoo("llama-0.1m.safetensors", path, sizeof path);
    for (size_t i = 0; tare_techniques[i]; i++) {
        const struct tare_technique *t = tare_techniques[i];
        char text[256];
        bool drafts = strcmp(t->method, "speculative") == 0;
        bool calibrates = false;
        for (const struct tare_opt *o = t->params; o && o->name; o++) {
            calibrates = calibrates || strcmp(o->name, "calib_tok") == 0;
        }
        (void)snprintf(text, sizeof text, "%s{method=%s%s%s}", t->tag, t->method,
                       drafts ? ",draft=llama-0.1m.safetensors" : "", calibrates ? ",calib_tok=256" : "");
        check(path, text, 2);
    }
    check(path, "infer.dynamic.input-pruning{method=sinks,sinks=2,window=16}", 2);
    check(path, "infer.dynamic.input-pruning{method=prompt,score=attention}", 2);
    check(path, "infer.compress.quant.activation{method=kv,bits=4}", 2);
    check(path,
          "infer.dynamic.input-pruning{method=sinks,sinks=2,window=16}+infer.dynamic.token-parallel{"
          "draft=llama-0.1m.safetensors}",
          2);
    check(path, "infer.compress.quant.activation{method=kv}+infer.dynamic.early-exit{threshold=0.2}", 2);
}

int main(void)
{
    allocations_open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_architectures),
        cmocka_unit_test(test_mamba),
        cmocka_unit_test(test_techniques),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
