/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that understands text only: what it is given, how its events and its usage become a sample, and
 * which of its lies are found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/ask.h"
#include "prepared.h"

enum { max_events = 6, three_tok = 3 };

/* An event, or what is told instead. */
struct act {
    const char *bytes; /* NULL: the end of the list */
    int64_t after_ns;  /* since the request began; the same as before: the same read. -1: no time */
};

struct told {
    struct act acts[max_events];
    int64_t prompt_tok, output_tok; /* -2: usage is not told */
    bool usage_twice;
};

static const struct told *told;

static int answer(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                  struct tare_err *err)
{
    int64_t begin_ns = tare_clock_ns();
    (void)self;
    (void)err;
    assert_null(q->tokens);
    assert_int_equal(q->text_bytes, 6);
    assert_memory_equal(q->text, "prompt", 6);
    assert_int_equal(q->n_stops, 1);
    assert_memory_equal(q->stops[0].data, "##", 2);
    bool stopped = false;
    for (const struct act *a = told->acts; a->bytes && !stopped; a++) {
        while (a->after_ns > 0 && tare_clock_ns() - begin_ns < a->after_ns) {
        }
        const struct tare_event event = {.size = sizeof event,
                                         .id = q->id,
                                         .bytes = a->bytes,
                                         .n_bytes = (uint32_t)strlen(a->bytes),
                                         .arrived_ns =
                                             a->after_ns < 0 ? TARE_UNKNOWN : begin_ns + a->after_ns};
        stopped = sink->event(sink, &event) != 0;
    }
    for (int i = 0; i <= told->usage_twice && told->output_tok != -2 && !stopped; i++) {
        sink->usage(sink, q->id, told->prompt_tok, told->output_tok);
    }
    return 0;
}

static const struct tare_bytes stops[] = {BYTES("##")};
static const struct tare_item generates = {
    .kind = TARE_ITEM_GENERATE, .text = BYTES("prompt"), .stops = stops, .n_stops = 1, .max_output = 8};

static void ask_once(struct setup *s, const struct told *what, struct tare_ask *ask,
                     struct tare_sample *sample)
{
    struct tare_err err = {0};
    told = what;
    set_up(s, &generates, 1, 1, 512, bos);
    s->ops.caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_TEXT_ONLY;
    s->fake.submit = answer;
    const struct tare_prepared_item *item = prepare(s);
    assert_int_equal(s->fake.tokenize_calls, 0);
    assert_int_equal(tare_ask_init(ask, &s->args, &s->prepared, &err), 0);
    (void)tare_ask_item(ask, item, 0, 0, sample);
}

static void test_events_are_stamped_by_their_read_and_counted_by_usage(void **state)
{
    static const struct told what = {{{"a", 1000}, {"bc", 1000}, {"", 400000}}, 5, 7, false};
    struct setup s;
    struct tare_ask ask;
    struct tare_sample sample;
    (void)state;
    ask_once(&s, &what, &ask, &sample);
    assert_int_equal(sample.code, 0);
    assert_int_equal(sample.prompt_tok, 5);
    assert_int_equal(sample.output_tok, 7);
    assert_int_equal(sample.n_token_ns, 3);
    assert_true(sample.token_ns[0] >= 1000);
    assert_true(sample.token_ns[0] == sample.token_ns[1]); /* one read */
    assert_int_equal(sample.token_ns[2] - sample.token_ns[1], 399000);
    assert_true(sample.ttft_ns == sample.token_ns[0]);
    assert_int_equal(sample.n_output, 3);
    assert_memory_equal(sample.output, "abc", 3);
    tare_ask_fini(&ask);
    done(&s);
}

static void test_an_answer_as_a_whole_has_no_times(void **state)
{
    static const struct told what = {{{"abc", -1}}, 5, 7, false};
    struct setup s;
    struct tare_ask ask;
    struct tare_sample sample;
    (void)state;
    ask_once(&s, &what, &ask, &sample);
    assert_int_equal(sample.code, 0);
    assert_int_equal(sample.n_token_ns, 0);
    assert_true(sample.ttft_ns == TARE_ABSENT);
    assert_int_equal(sample.output_tok, 7);
    tare_ask_fini(&ask);
    done(&s);
}

static void test_stamps_stay_between_the_request_and_now(void **state)
{
    static const struct told what = {{{"a", INT64_C(3600000000000)}}, 5, 1, false};
    struct setup s;
    struct tare_ask ask;
    struct tare_sample sample;
    (void)state;
    told = &what;
    set_up(&s, &generates, 1, 1, 512, bos);
    s.ops.caps = TARE_CAP_GENERATE | TARE_CAP_TEXT_ONLY;
    const struct tare_prepared_item *item = prepare(&s);
    assert_int_equal(tare_ask_init(&ask, &s.args, &s.prepared, &s.err), 0);
    ask.item = item;
    ask.q = item->requests;
    ask.request = (struct tare_request){.kind = TARE_REQUEST_GENERATE, .id = 3, .max_output = 8};
    ask.begin_ns = tare_clock_ns();
    const int64_t odd[] = {ask.begin_ns - 1000000, ask.begin_ns + INT64_C(3600000000000), 0};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const struct tare_event event = {.size = sizeof event, .id = 3, .arrived_ns = odd[i]};
        assert_int_equal(ask.sink.event(&ask.sink, &event), 0);
    }
    int64_t now_ns = tare_clock_ns() - ask.begin_ns;
    assert_int_equal(ask.token_ns[0], 0);
    assert_true(ask.token_ns[1] <= now_ns);
    assert_true(ask.token_ns[2] == ask.token_ns[1]); /* never backwards */
    memset(&sample, 0, sizeof sample);
    tare_ask_fini(&ask);
    done(&s);
}

static void test_lies_are_found_out(void **state)
{
    static const struct {
        const char *why;
        struct told what;
        const char *says;
    } cases[] = {
        {"events without usage", {{{"a", 0}}, 0, -2, false}, "it told no usage"},
        {"a stop string that was not kept",
         {{{"a#", 0}, {"#b", 0}, {"c", 0}}, 1, 2, false},
         "behind a stop string"},
        {"more tokens than were asked for", {{{"a", 0}}, 1, 9, false}, "more tokens"},
        {"a negative count", {{{"a", 0}}, -1, 1, false}, "no number of tokens"},
        {"an absurd one", {{{"a", 0}}, 1, INT64_C(1) << 40, false}, "no number of tokens"},
        {"usage twice", {{{"a", 0}}, 1, 1, true}, "or twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct setup s;
        struct tare_ask ask;
        struct tare_sample sample;
        ask_once(&s, &cases[i].what, &ask, &sample);
        if (sample.code != TARE_E_BACKEND || !strstr(ask.message, cases[i].says)) {
            fail_msg("%s: code %d, \"%s\"", cases[i].why, sample.code, ask.message);
        }
        tare_ask_fini(&ask);
        done(&s);
    }
}

static int score_three(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                       struct tare_err *err)
{
    (void)self;
    (void)err;
    assert_int_equal(q->text_first, 3);
    assert_memory_equal(q->text, q->text_bytes == 5 ? "ctxab" : "ctxc", q->text_bytes);
    uint32_t n = q->text_bytes == 5 ? three_tok : 1;
    for (uint32_t i = 0; i < n; i++) {
        sink->score(sink, q->id, i, -0.5, true);
    }
    sink->usage(sink, q->id, 9, 0);
    return 0;
}

static const struct tare_bytes choices[] = {BYTES("ab"), BYTES("c")};
static const struct tare_item chooses = {
    .kind = TARE_ITEM_CHOICE, .text = BYTES("ctx"), .choices = choices, .n_choices = 2, .gold = 1};

static void test_a_choice_is_scored_by_where_it_begins(void **state)
{
    struct setup s;
    struct tare_ask ask;
    struct tare_sample sample;
    (void)state;
    set_up(&s, &chooses, 1, 1, 512, bos);
    s.ops.caps = TARE_CAP_SCORE | TARE_CAP_TEXT_ONLY;
    s.fake.submit = score_three;
    const struct tare_prepared_item *item = prepare(&s);
    assert_int_equal(tare_ask_init(&ask, &s.args, &s.prepared, &s.err), 0);
    (void)tare_ask_item(&ask, item, 0, 0, &sample);
    assert_int_equal(sample.code, 0);
    assert_int_equal(sample.exact, 1);
    assert_true(ask.records[0].loglik == -1.5 && ask.records[1].loglik == -0.5);
    assert_int_equal(ask.records[0].scored_tok, three_tok);
    assert_int_equal(ask.records[0].prompt_tok, 9);
    tare_ask_fini(&ask);
    done(&s);
}

static void test_tasks_of_tokens_are_refused(void **state)
{
    static const struct tare_span span = {0, 1};
    static const struct {
        const char *why;
        struct tare_item item;
        uint32_t caps;
        const char *says;
    } cases[] = {
        {"windows", {.kind = TARE_ITEM_TEXT, .text = BYTES("abc")}, 0, "text only"},
        {"spans",
         {.kind = TARE_ITEM_SPANS, .text = BYTES("abc"), .spans = &span, .n_spans = 1},
         0,
         "text only"},
        {"synthetic prompts", {.kind = TARE_ITEM_TOKENS, .n_tokens = 4, .max_output = 1}, 0, "text only"},
        {"a prompt of so many tokens",
         {.kind = TARE_ITEM_GENERATE, .text = BYTES("abc"), .n_tokens = 2, .max_output = 1},
         0,
         "cannot cut prompts to 2 tokens"},
        {"a choice without anything before it",
         {.kind = TARE_ITEM_CHOICE, .choices = choices, .n_choices = 2},
         0,
         "without text"},
        {"what a probe took back",
         {.kind = TARE_ITEM_CHOICE, .text = BYTES("abc"), .choices = choices, .n_choices = 2},
         TARE_CAP_SCORE,
         "cannot score, which task made_up needs: the server ignored echo"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct setup s;
        set_up(&s, &cases[i].item, 1, 1, 512, bos);
        s.ops.caps = (TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_TEXT_ONLY) & ~cases[i].caps;
        s.args.lacks_why = cases[i].caps ? "the server ignored echo" : "";
        assert_fails(&s, TARE_E_UNSUPPORTED, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_stamped_by_their_read_and_counted_by_usage),
        cmocka_unit_test(test_an_answer_as_a_whole_has_no_times),
        cmocka_unit_test(test_stamps_stay_between_the_request_and_now),
        cmocka_unit_test(test_lies_are_found_out),
        cmocka_unit_test(test_a_choice_is_scored_by_where_it_begins),
        cmocka_unit_test(test_tasks_of_tokens_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
