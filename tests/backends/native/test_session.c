/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests over one engine of every architecture: what an earlier one leaves behind may save work and
 * may not change an answer.
 */
#include "loaded.h"

#include "decoding.h"

#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4 /* of a logit */

static const char *const models[] = {"llama-0.25m", "rwkv4-1m", "h3-1m", "hyena-1m", "retnet-1m"};
enum { n_models = sizeof models / sizeof models[0], n_context = 60, n_ids = 66 };

struct open_session {
    struct tare_model model;
    struct tare_session session;
    uint32_t rows; /* that went through the first matrix of the first layer */
};

static void count_rows(void *observer, const struct tare_linear *w, const struct tare_product *p)
{
    struct open_session *s = observer;
    s->rows += w == &s->model.linears[1] ? p->n : 0;
}

static void start(struct open_session *s, const char *name)
{
    char path[512];
    struct tare_err err = {0};
    const struct tare_engine_options how = {.threads = 1};
    memset(s, 0, sizeof *s);
    loaded_find_zoo(name, path, sizeof path);
    if (tare_model_load(&s->model, path, &err) < 0 ||
        tare_session_open(&s->session, &s->model, NULL, &how, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    s->session.engine.exec.observe = count_rows;
    s->session.engine.exec.observer = s;
}

static void stop(struct open_session *s)
{
    tare_session_close(&s->session);
    tare_model_close(&s->model);
}

/* Two texts with the same context. */
static void make_ids(int32_t *a, int32_t *b)
{
    loaded_ids(a, n_ids, 1024, 11);
    memcpy(b, a, n_ids * sizeof *a);
    for (int i = n_context; i < n_ids; i++) {
        b[i] = (a[i] + 500) % 1024;
    }
}

/* Answers to the continuation alone, as a choice task asks for them: the context is computed once. */
static void compare_choices(const char *name)
{
    const uint32_t n = n_ids - n_context + 1;
    struct open_session s;
    struct open_session fresh;
    int32_t a[n_ids];
    int32_t b[n_ids];
    make_ids(a, b);
    start(&s, name);
    start(&fresh, name);
    fresh.session.reuse_prefix = false;
    size_t n_vocab = s.model.config.n_vocab;
    (void)tare_session_prefill(&s.session, a, n_ids, n_context - 1, 0);
    assert_int_equal(s.rows, n_ids);
    for (int i = 0; i < 4; i++) {
        const int32_t *ids = i % 2 == 0 ? b : a;
        s.rows = 0;
        fresh.rows = 0;
        const float *got = tare_session_prefill(&s.session, ids, n_ids, n_context - 1, n_context);
        const float *want = tare_session_prefill(&fresh.session, ids, n_ids, n_context - 1, n_context);
        assert_true(loaded_gap(got, want, n * n_vocab) < TOLERANCE);
        assert_int_equal(s.rows, n_ids - n_context + 1);
        assert_int_equal(fresh.rows, n_ids);
    }
    stop(&s);
    stop(&fresh);
}

static void test_choices_share_their_context(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        compare_choices(models[i]);
    }
}

/* A request is answered with the same bits whatever came before it, when no prefix is used again; and
 * after others it is the same as in a session of its own. */
static void test_requests_in_sequence(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        struct open_session s;
        start(&s, models[i]);
        size_t n_vocab = s.model.config.n_vocab;
        for (uint32_t request = 0; request < 5; request++) {
            uint32_t n = 1 + request * 33;
            int32_t ids[200];
            struct open_session own;
            loaded_ids(ids, n, (uint32_t)n_vocab, request);
            start(&own, models[i]);
            const float *want = tare_session_prefill(&own.session, ids, n, 0, 0);
            const float *got = tare_session_prefill(&s.session, ids, n, 0, 0);
            assert_memory_equal(got, want, n * n_vocab * sizeof *want);
            want = tare_session_step(&own.session, 77);
            got = tare_session_step(&s.session, 77);
            assert_memory_equal(got, want, n_vocab * sizeof *want);
            stop(&own);
        }
        stop(&s);
    }
}

/* A hint that a longer prefix is shared than is, and generation in between, mislead nobody. */
static void test_hints_that_lie(void **state)
{
    (void)state;
    for (int i = 0; i < n_models; i++) {
        struct open_session s;
        struct open_session fresh;
        int32_t a[n_ids];
        int32_t b[n_ids];
        make_ids(a, b);
        b[3] ^= 1;
        start(&s, models[i]);
        start(&fresh, models[i]);
        size_t n_vocab = s.model.config.n_vocab;
        (void)tare_session_prefill(&s.session, a, n_ids, 50, 0);
        (void)tare_session_step(&s.session, 9);
        const float *want = tare_session_prefill(&fresh.session, b, n_ids, n_ids - 2, 0);
        const float *got = tare_session_prefill(&s.session, b, n_ids, n_ids - 2, UINT32_MAX);
        assert_true(loaded_gap(got, want, 2 * n_vocab) < TOLERANCE);
        want = tare_session_prefill(&fresh.session, a, n_ids, n_ids - 1, 0);
        got = tare_session_prefill(&s.session, a, n_ids, n_ids - 1, n_ids);
        assert_true(loaded_gap(got, want, n_vocab) < TOLERANCE);
        stop(&s);
        stop(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices_share_their_context),
        cmocka_unit_test(test_requests_in_sequence),
        cmocka_unit_test(test_hints_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
