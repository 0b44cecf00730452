/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that bring a stamp of their own: one that can be true is kept to the nanosecond, any other fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asked.h"
#include "base/clock.h"

static const struct tare_item item = {.kind = TARE_ITEM_TOKENS, .n_tokens = 3, .max_output = 4};

/* What the stamps of the next request are, as offsets from its begin or from its end. */
static struct stamps {
    int64_t after_begin_ns[3];
    int64_t after_now_ns; /* added to the last one's time of sending where not 0 */
    int64_t begin_ns;
    int stops;
} stamps;

static int send_stamped(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                        struct tare_err *err)
{
    (void)self, (void)err;
    stamps.begin_ns = tare_clock_ns();
    stamps.stops = 0;
    while (tare_clock_ns() < stamps.begin_ns + 2000000) { /* so that stamps within 2 ms lie in the past */
    }
    for (int i = 0; i < 3; i++) {
        int64_t at_ns = stamps.begin_ns + stamps.after_begin_ns[i];
        if (i == 2 && stamps.after_now_ns != 0) {
            at_ns = tare_clock_ns() + stamps.after_now_ns;
        }
        stamps.stops += sink->token_at(sink, q->id, i, "ab", 2, at_ns) != 0;
    }
    return 0;
}

static void test_kept(void **state)
{
    (void)state;
    struct setup s;
    set_up(&s, &item, 1, TARE_NORM_NONE);
    stamps = (struct stamps){.after_begin_ns = {1000, 1000, 1999999}};
    const struct tare_sample *sample = ask(&s, 0, send_stamped);
    assert_int_equal(sample->code, 0);
    assert_int_equal(sample->n_token_ns, 3);
    assert_int_equal(sample->token_ns[1], sample->token_ns[0]); /* at once is not too early */
    assert_int_equal(sample->token_ns[2] - sample->token_ns[0], 1998999);
    assert_int_equal(sample->n_output, 6);
    assert_int_equal(stamps.stops, 0);
    done(&s);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        struct stamps stamps;
        const char *says;
    } cases[] = {
        {{.after_begin_ns = {-50000000, 1000, 2000}}, "earlier than the request"},
        {{.after_begin_ns = {1000, 999, 2000}}, "earlier than the one before"},
        {{.after_begin_ns = {1000, 2000, 0}, .after_now_ns = 1000000000}, "later than now"},
        {{.after_begin_ns = {1000, 2000, INT64_MIN / 2}}, "earlier than the one before"},
    };
    struct setup s;
    set_up(&s, &item, 1, TARE_NORM_NONE);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        stamps = cases[c].stamps;
        const struct tare_sample *sample = ask(&s, 0, send_stamped);
        assert_int_equal(sample->code, TARE_E_BACKEND);
        if (!strstr(s.ask.message, cases[c].says)) {
            fail_msg("case %zu: \"%s\" lacks \"%s\"", c, s.ask.message, cases[c].says);
        }
        assert_true(stamps.stops > 0);
    }
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
