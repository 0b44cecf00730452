/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking for scores: samples of known answers for every kind of item that is scored, what a request
 * holds, and what is accounted.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asked.h"

static void test_text(void **state)
{
    (void)state;
    struct setup s;
    set_up(&s, &text_item, 1, TARE_NORM_NONE);
    const struct tare_sample *sample = ask(&s, 0, honest);
    assert_int_equal(sample->code, 0);
    assert_near(sample->num, 0.25 * (1 + 2 + 3 + 4 + 5 + 6));
    assert_int_equal(sample->den, 6);
    assert_int_equal(sample->level, 3);
    assert_int_equal(sample->exact, -1);
    assert_int_equal(sample->n_requests, 1);
    assert_int_equal(sample->n_records, 0);
    assert_int_equal(sample->prompt_tok, 6); /* the first token and abcde */
    assert_int_equal(sample->output_tok, 0);
    assert_int_equal(sample->n_token_ns, 0);
    assert_int_equal(sample->n_output, 0);
    assert_int_equal(sample->ttft_ns, TARE_ABSENT);
    done(&s);
}

/* Probability 1/2 for what comes next in the text, the rest shared by the others. */
static int even_odds(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                     struct tare_err *err)
{
    (void)self, (void)err;
    float row[n_vocab];
    for (uint32_t i = q->first; i < q->n_tokens; i++) {
        for (size_t j = 0; j < n_vocab; j++) {
            row[j] = 0;
        }
        row[q->tokens[i]] = logf(n_vocab - 1);
        sink->logits(sink, q->id, i - 1, row);
    }
    return 0;
}

static void test_logits(void **state)
{
    (void)state;
    static const struct tare_span span = {0, 6};
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_TEXT, .text = BYTES("abcdef")},
        {.kind = TARE_ITEM_SPANS, .text = BYTES("abcdef"), .spans = &span, .n_spans = 1}};
    struct setup s;
    set_up(&s, items, 2, TARE_NORM_NONE);
    assert_near(ask(&s, 0, even_odds)->num, 6 * log(2));
    assert_near(ask(&s, 0, flat)->num, 6 * log(n_vocab));
    assert_true(ask(&s, 1, even_odds)->num == 6);
    assert_int_equal(s.sample.exact, 1);
    assert_true(ask(&s, 1, flat)->num == 0); /* all are equally likely: the lowest id, which is 0, wins */
    assert_int_equal(s.sample.exact, 0);
    assert_int_equal(s.sample.code, 0);
    done(&s);
}

/* Graded are b, e and f: indices 2, 5 and 6 behind the first token. */
static void test_spans(void **state)
{
    (void)state;
    static const struct tare_span spans[] = {{1, 2}, {4, 6}}, one[] = {{1, 2}};
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_SPANS, .text = BYTES("abcdefgh"), .spans = spans, .n_spans = 2},
        {.kind = TARE_ITEM_SPANS, .text = BYTES("abcdefgh"), .spans = one, .n_spans = 1}};
    struct setup s;
    set_up(&s, items, 2, TARE_NORM_NONE);
    const struct tare_sample *sample = ask(&s, 0, honest);
    assert_int_equal(sample->code, 0);
    assert_true(sample->num == 2); /* 2 and 6 are even */
    assert_int_equal(sample->den, 3);
    assert_int_equal(sample->exact, 0);
    assert_int_equal(sample->prompt_tok, 6); /* up to f, which is not fed */
    assert_int_equal(ask(&s, 1, honest)->exact, 1);
    assert_true(s.sample.num == 1);
    assert_int_equal(s.sample.den, 1);
    done(&s);
}

/* Windows: the sums of all, a record of each. */
static void test_windows(void **state)
{
    (void)state;
    static char text[2500];
    memset(text, 'x', sizeof text);
    const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = {text, sizeof text}};
    struct setup s;
    set_up(&s, &item, 1, TARE_NORM_NONE); /* windows of 1000, 1000, 500 */
    const struct tare_sample *sample = ask(&s, 0, honest);
    const double sums[] = {0.25 * 1000 * 1001 / 2, 0.25 * 1000 * 1001 / 2, 0.25 * 500 * 501 / 2};
    assert_int_equal(sample->n_requests, 3);
    assert_int_equal(sample->n_records, 3);
    assert_near(sample->num, sums[0] + sums[1] + sums[2]);
    assert_int_equal(sample->prompt_tok, 2500);
    int64_t latency_ns = 0, before_ns = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_near(sample->records[i].loglik, -sums[i]);
        assert_int_equal(sample->records[i].prompt_tok, i < 2 ? 1000 : 500);
        assert_int_equal(sample->records[i].scored_tok, i < 2 ? 1000 : 500);
        assert_true(sample->records[i].start_ns >= before_ns);
        before_ns = sample->records[i].start_ns + sample->records[i].latency_ns;
        latency_ns += sample->records[i].latency_ns;
    }
    assert_int_equal(sample->start_ns, sample->records[0].start_ns);
    assert_int_equal(sample->latency_ns,
                     latency_ns); /* the sum: our own work in between is not the model's */
    done(&s);
}

static void test_nothing_to_ask(void **state)
{
    (void)state;
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_TEXT, .text = BYTES("")},
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 999, .max_output = 3}}; /* one more than fits */
    struct setup s;
    set_up(&s, items, 2, TARE_NORM_NONE);
    const struct tare_sample *sample = ask(&s, 0, honest);
    assert_int_equal(sample->code, 0); /* an empty document costs nothing and weighs nothing */
    assert_true(sample->num == 0);
    assert_int_equal(sample->den, 0);
    assert_int_equal(sample->n_requests, 0);
    assert_int_equal(sample->latency_ns, 0);
    sample = ask(&s, 1, honest);
    assert_int_equal(sample->code, TARE_E_LIMIT);
    assert_non_null(strstr(s.ask.message, "context"));
    assert_true(isnan(sample->num));
    assert_int_equal(sample->den, TARE_ABSENT);
    assert_int_equal(sample->prefill_flops, TARE_ABSENT);
    assert_int_equal(s.fake.submit_calls, 0);
    done(&s);
}

/* Log-likelihoods by the choice's first byte: 'a' -2, 'b' -3, 'c' -2, each in the first token. */
static int by_letter(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                     struct tare_err *err)
{
    (void)self, (void)err;
    for (uint32_t i = q->first; i < q->n_tokens; i++) {
        sink->score(sink, q->id, i, i > q->first ? 0 : q->tokens[i] == 'b' ? -3 : -2, false);
    }
    return 0;
}

static void test_choice(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("bbbb"), BYTES("a"), BYTES("c"), BYTES("bbb")};
    static const struct {
        enum tare_choice_norm norm;
        uint32_t n_picked;
        size_t picked;
    } cases[] = {{TARE_NORM_NONE, 0, 1},  /* -2 of a and c: the first of equals */
                 {TARE_NORM_BYTES, 0, 0}, /* -3/4 */
                 {TARE_NORM_NONE, 1, 0}}; /* the others are asked and may not be picked */
    for (size_t c = 0; c < 3; c++) {
        for (size_t gold = 0; gold < 4; gold++) {
            const struct tare_item item = {.kind = TARE_ITEM_CHOICE,
                                           .text = BYTES("?"),
                                           .choices = choices,
                                           .n_choices = 4,
                                           .gold = gold,
                                           .n_picked = cases[c].n_picked};
            struct setup s;
            set_up(&s, &item, 1, cases[c].norm);
            const struct tare_sample *sample = ask(&s, 0, by_letter);
            assert_int_equal(sample->code, 0);
            assert_int_equal(sample->exact, gold == cases[c].picked);
            assert_true(sample->num == (gold == cases[c].picked ? 1 : 0));
            assert_int_equal(sample->den, 1);
            assert_int_equal(sample->n_records, 4);
            assert_near(sample->records[0].loglik, -3);
            assert_near(sample->records[1].loglik, -2);
            done(&s);
        }
    }
}

static struct tare_request seen[8]; /* by the order of the calls */

static int looks(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                 struct tare_err *err)
{
    seen[self->submit_calls - 1] = *q;
    assert_int_equal(sink->size, sizeof *sink);
    return honest(self, q, sink, err);
}

static void test_requests(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("xy"), BYTES("z")};
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_CHOICE, .text = BYTES("ab"), .choices = choices, .n_choices = 2},
        {.kind = TARE_ITEM_GENERATE, .text = BYTES("abc"), .max_output = 0}};
    struct setup s;
    set_up(&s, items, 2, TARE_NORM_NONE);
    assert_int_equal(ask(&s, 0, looks)->code, 0);
    (void)ask(&s, 1, looks);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(seen[i].size, sizeof *seen);
        assert_int_equal(seen[i].kind, i < 2 ? TARE_REQUEST_SCORE : TARE_REQUEST_GENERATE);
        assert_true(seen[i].temperature == 0 && seen[i].seed == 0);
        assert_null(seen[i].text);
        assert_int_equal(seen[i].tokens[0], bos);
        assert_int_equal(seen[i].n_tokens, i == 1 ? 4 : i == 0 ? 5 : 4);
        assert_int_equal(seen[i].first, i < 2 ? 3 : 4);
        assert_int_equal(seen[i].shared_prefix, i == 1 ? 3 : 0);
        assert_true(i == 0 || seen[i].id != seen[i - 1].id);
    }
    done(&s);
}

/* 10 FLOPs a prompt token and 1 a row of logits; 100 an output token after the first. Bytes: 7 times the
 * prompt's tokens, and 3 a later token. */
static int account(const struct tare_work *work, struct tare_cost *out)
{
    out->prefill_flops = 10 * work->prompt_tok + work->logits_rows;
    out->decode_flops = work->output_tok > 1 ? 100 * (work->output_tok - 1) : 0;
    out->prefill_bytes = 7 * work->prompt_tok;
    out->decode_bytes = work->output_tok > 1 ? 3 * (work->output_tok - 1) : 0;
    return 0;
}

static int account_prefill(const struct tare_work *work, struct tare_cost *out)
{
    out->prefill_flops = 10 * work->prompt_tok;
    return 0;
}

static int three_tokens(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                        struct tare_err *err)
{
    (void)self, (void)err;
    for (int32_t i = 0; i < 3; i++) {
        (void)sink->token(sink, q->id, i, "t", 1);
    }
    return 0;
}

static void test_account(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("xy"), BYTES("z")};
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_CHOICE, .text = BYTES("ab"), .choices = choices, .n_choices = 2},
        {.kind = TARE_ITEM_GENERATE, .text = BYTES("abc"), .max_output = 9}};
    struct setup s;
    set_up(&s, items, 2, TARE_NORM_NONE);
    s.fake.account = account;
    assert_int_equal(ask(&s, 0, honest)->prefill_flops, 10 * 4 + 2 + 10 * 3 + 1);
    assert_int_equal(s.sample.decode_flops, 0);
    assert_int_equal(s.sample.prefill_bytes, 7 * (4 + 3));
    assert_int_equal(s.sample.decode_bytes, 0);
    assert_int_equal(ask(&s, 1, three_tokens)->prefill_flops, 10 * 4 + 1);
    assert_int_equal(s.sample.decode_flops, 200);
    assert_int_equal(s.sample.prefill_bytes, 7 * 4);
    assert_int_equal(s.sample.decode_bytes, 6);
    s.fake.account = account_prefill; /* what is known stays known */
    assert_int_equal(ask(&s, 0, honest)->prefill_flops, 10 * 4 + 10 * 3);
    assert_int_equal(s.sample.decode_flops, TARE_ABSENT);
    assert_int_equal(s.sample.prefill_bytes, TARE_ABSENT);
    assert_int_equal(s.sample.decode_bytes, TARE_ABSENT);
    s.fake.account = NULL; /* the hook fails */
    assert_int_equal(ask(&s, 0, honest)->prefill_flops, TARE_ABSENT);
    assert_int_equal(s.sample.decode_flops, TARE_ABSENT);
    assert_int_equal(s.sample.prefill_bytes, TARE_ABSENT);
    assert_int_equal(s.sample.decode_bytes, TARE_ABSENT);
    s.ops.account = NULL;
    assert_int_equal(ask(&s, 1, three_tokens)->prefill_flops, TARE_ABSENT);
    assert_int_equal(s.sample.decode_flops, TARE_ABSENT);
    assert_int_equal(s.sample.decode_bytes, TARE_ABSENT);
    assert_int_equal(s.sample.code, 0);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),     cmocka_unit_test(test_logits),         cmocka_unit_test(test_spans),
        cmocka_unit_test(test_windows),  cmocka_unit_test(test_nothing_to_ask), cmocka_unit_test(test_choice),
        cmocka_unit_test(test_requests), cmocka_unit_test(test_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
