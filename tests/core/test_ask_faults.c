/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends that break their contract in every way a sink can be misused when scores are asked for. A
 * fault is the sample's code and message; the next sample is clean.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asked.h"

/* Every way to answer a SCORE request wrongly. The request has indices 1 .. 6. */
#define WRONG(name_, body)                                                                 \
    static int name_(struct fake *self, const struct tare_request *q, struct tare_sink *k, \
                     struct tare_err *e)                                                   \
    {                                                                                      \
        (void)self, (void)q, (void)k, (void)e;                                             \
        body;                                                                              \
        return 0;                                                                          \
    }

WRONG(answers_nothing, (void)0)
WRONG(answers_too_few, for (uint32_t i = 1; i < 6; i++) k->score(k, q->id, i, -1, true))
WRONG(answers_too_many, for (uint32_t i = 1; i < 8; i++) k->score(k, q->id, i, -1, true))
WRONG(answers_backwards, for (uint32_t i = 6; i > 0; i--) k->score(k, q->id, i, -1, true))
WRONG(answers_twice, for (uint32_t i = 2; i < 14; i++) k->score(k, q->id, i / 2, -1, true))
WRONG(answers_all_twice, for (uint32_t i = 0; i < 12; i++) k->score(k, q->id, 1 + i % 6, -1, true))
WRONG(answers_from_zero, for (uint32_t i = 0; i < 7; i++) k->score(k, q->id, i, -1, true))
WRONG(leaves_one_out, for (uint32_t i = 1; i < 7; i += 1 + (i == 3)) k->score(k, q->id, i, -1, true))
WRONG(answers_another, for (uint32_t i = 1; i < 7; i++) k->score(k, q->id + 1, i, -1, true))
WRONG(gives_nan, for (uint32_t i = 1; i < 7; i++) k->score(k, q->id, i, i == 4 ? (double)NAN : -1, true))
WRONG(gives_infinity, for (uint32_t i = 1; i < 7; i++) k->score(k, q->id, i, (double)INFINITY, true))
WRONG(gives_minus_infinity,
      for (uint32_t i = 1; i < 7; i++) k->score(k, q->id, i, i == 2 ? -(double)INFINITY : -1, true))
WRONG(gives_positive, for (uint32_t i = 1; i < 7; i++) k->score(k, q->id, i, i == 6 ? 0.01 : -1, true))
WRONG(gives_logits_at_the_end, static const float row[n_vocab]; k->logits(k, q->id, 6, row))
WRONG(gives_logits_far_away, static const float row[n_vocab]; k->logits(k, q->id, UINT32_MAX, row))
WRONG(gives_nan_logits, float row[n_vocab]; memset(row, 0xff, sizeof row);
      for (uint32_t i = 0; i < 6; i++) k->logits(k, q->id, i, row))
WRONG(generates, honest(self, q, k, e); (void)k->token(k, q->id, 5, "x", 1))
WRONG(completes, honest(self, q, k, e); k->done(k, q->id, 0, NULL))

static int fails(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                 struct tare_err *err)
{
    (void)honest(self, q, sink, err);
    return tare_err_set(err, TARE_E_IO, "the server hung up");
}

static int fails_silently(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                          struct tare_err *err)
{
    (void)self, (void)q, (void)sink, (void)err;
    return TARE_E_IO;
}

static void assert_failed(struct setup *s, submit_fn *submit, int code, const char *says)
{
    (void)strcpy(s->ask.message, "");
    const struct tare_sample *sample = ask(s, 0, submit);
    if (sample->code != code || !strstr(s->ask.message, says)) {
        fail_msg("%d, \"%s\" lacks \"%s\"", sample->code, s->ask.message, says);
    }
    assert_true(isnan(sample->num)); /* half an answer is no answer */
    assert_int_equal(sample->den, TARE_ABSENT);
    assert_int_equal(sample->exact, -1);
    assert_int_equal(sample->n_requests, 1);
}

static void test_wrong_scores(void **state)
{
    (void)state;
    static const struct {
        submit_fn *submit;
        int code;
        const char *says;
    } cases[] = {
        {answers_nothing, TARE_E_BACKEND, "fewer"},
        {answers_too_few, TARE_E_BACKEND, "fewer"},
        {answers_too_many, TARE_E_BACKEND, "order"},
        {answers_backwards, TARE_E_BACKEND, "order"},
        {answers_twice, TARE_E_BACKEND, "order"},
        {answers_all_twice, TARE_E_BACKEND, "order"},
        {answers_from_zero, TARE_E_BACKEND, "order"},
        {leaves_one_out, TARE_E_BACKEND, "order"},
        {answers_another, TARE_E_BACKEND, "not asked"},
        {gives_nan, TARE_E_BACKEND, "no finite number"},
        {gives_infinity, TARE_E_BACKEND, "above 0"},
        {gives_minus_infinity, TARE_E_BACKEND, "no finite number"},
        {gives_positive, TARE_E_BACKEND, "above 0"},
        {gives_logits_at_the_end, TARE_E_BACKEND, "order"},
        {gives_logits_far_away, TARE_E_BACKEND, "order"},
        {gives_nan_logits, TARE_E_BACKEND, "no finite number"},
        {generates, TARE_E_BACKEND, "not asked"},
        {completes, TARE_E_BACKEND, "completion"},
        {fails, TARE_E_IO, "the server hung up"},
        {fails_silently, TARE_E_IO, "did not say why"},
    };
    struct setup s;
    set_up(&s, &text_item, 1, TARE_NORM_NONE);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        assert_failed(&s, cases[c].submit, cases[c].code, cases[c].says);
        assert_int_equal(ask(&s, 0, honest)->code, 0);
        assert_near(s.sample.num, 5.25);
    }
    done(&s);
}

WRONG(rounds_up, for (uint32_t i = 1; i < 7; i++) k->score(k, q->id, i, 1e-5, true))

static void test_rounding(void **state)
{
    (void)state;
    struct setup s;
    set_up(&s, &text_item, 1, TARE_NORM_NONE);
    assert_int_equal(ask(&s, 0, rounds_up)->code, 0); /* a certain token may come out a bit above 0 */
    done(&s);
}

/* A tokenizer that knows more ids than the model has logits. */
static void test_vocabulary(void **state)
{
    (void)state;
    static const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = BYTES("a\xff")};
    struct setup s;
    set_up(&s, &item, 1, TARE_NORM_NONE);
    s.ask.n_vocab = 255; /* the id of the last byte is 255 */
    (void)ask(&s, 0, flat);
    assert_int_equal(s.sample.code, TARE_E_BACKEND);
    assert_non_null(strstr(s.ask.message, "vocabulary"));
    done(&s);
}

/* A wrong second request ends the item: the third is not made. */
static int second_fails(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                        struct tare_err *err)
{
    return self->submit_calls == 2 ? tare_err_set(err, TARE_E_NOMEM, "full") : honest(self, q, sink, err);
}

static void test_second_fails(void **state)
{
    (void)state;
    static char text[2500];
    memset(text, 'x', sizeof text);
    const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = {text, sizeof text}};
    struct setup s;
    set_up(&s, &item, 1, TARE_NORM_NONE);
    const struct tare_sample *sample = ask(&s, 0, second_fails);
    assert_int_equal(sample->code, TARE_E_NOMEM);
    assert_string_equal(s.ask.message, "full");
    assert_int_equal(sample->n_requests, 2);
    assert_int_equal(s.fake.submit_calls, 2);
    assert_true(isnan(sample->num));
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_scores),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_vocabulary),
        cmocka_unit_test(test_second_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
