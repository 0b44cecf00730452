/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of server-sent events: what a stream means, and that it means the same however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sse.h"

enum { most_bytes = 64 };

static const struct {
    const char *why;
    const char *stream;
    const char *events; /* each in brackets */
    int code;
} cases[] = {
    {"one event", "data: a\n\n", "[a]", 0},
    {"two events", "data: a\n\ndata: b\n\n", "[a][b]", 0},
    {"the space is optional, and only one goes", "data:a\n\ndata:  b\n\n", "[a][ b]", 0},
    {"lines of one event are joined", "data: a\ndata: b\n\n", "[a\nb]", 0},
    {"carriage returns alone end lines", "data: a\r\rdata: b\r\r", "[a][b]", 0},
    {"CR LF is one end", "data: a\r\n\r\ndata: b\r\n\r\n", "[a][b]", 0},
    {"comments, names, ids and times are read over", ": x\nevent: e\nid: 1\nretry: 5\ndata: a\n\n", "[a]", 0},
    {"a comment keeps a line open and is no event", ": ping\n\n: ping\n\n", "", 0},
    {"a field of that name only", "data: a\ndatax: b\n data: c\nDATA: d\n\n", "[a]", 0},
    {"a field without a colon is empty", "data\n\n", "[]", 0},
    {"an empty value is an event", "data:\n\n", "[]", 0},
    {"a colon in the value stays", "data: {\"a\":1}\n\n", "[{\"a\":1}]", 0},
    {"a byte order mark may come first",
     "\xef\xbb\xbf"
     "data: a\n\n",
     "[a]", 0},
    {"and only first",
     "data: a\n\n\xef\xbb\xbf"
     "data: b\n\n",
     "[a]", 0},
    {"an event that is not ended is none", "data: a\n\ndata: b\n", "[a]", 0},
    {"nor is a line", "data: a\n\ndata: b", "[a]", 0},
    {"many empty lines", "\n\n\ndata: a\n\n\n\n", "[a]", 0},
    {"nothing", "", "", 0},
    {"64 bytes of a line fit", "data: 1234567890123456789012345678901234567890123456789012345678\n\n",
     "[1234567890123456789012345678901234567890123456789012345678]", 0},
    {"65 do not", "data: 12345678901234567890123456789012345678901234567890123456789\n\n", "", TARE_E_LIMIT},
    {"nor an event of lines that fit alone",
     "data: 12345678901234567890123456789012345\ndata: 12345678901234567890123456789012345\n\n", "",
     TARE_E_LIMIT},
    {"a line without an end is refused early",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "", TARE_E_LIMIT},
};

static int note(void *ctx, const char *data, size_t n, struct tare_err *err)
{
    struct text *seen = ctx;
    (void)err;
    assert_int_equal(strlen(data), n);
    text_puts(seen, "[");
    text_add(seen, data, n);
    text_puts(seen, "]");
    return 0;
}

/* Feeds the stream in pieces; 0: whole. */
static int feed(const char *stream, size_t piece, struct text *seen)
{
    struct sse sse = {.most_bytes = most_bytes};
    struct tare_err err = {0};
    size_t n = strlen(stream);
    int r = 0;
    text_add(seen, "", 0);
    for (size_t at = 0; r == 0 && at < n; at += piece ? piece : n) {
        size_t left = n - at, now = piece && piece < left ? piece : left;
        char *exact = malloc(now); /* so that a read behind it is seen */
        assert_non_null(exact);
        memcpy(exact, stream + at, now);
        r = sse_feed(&sse, exact, now, note, seen, &err);
        free(exact);
    }
    assert_int_equal(r, err.code);
    sse_free(&sse);
    return r;
}

static void test_cut_at_every_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 0; piece <= strlen(cases[i].stream); piece++) {
            struct text seen = {0};
            int r = feed(cases[i].stream, piece, &seen);
            if (r != cases[i].code || strcmp(seen.data, cases[i].events) != 0) {
                fail_msg("%s, in pieces of %zu: code %d, \"%s\"", cases[i].why, piece, r, seen.data);
            }
            text_free(&seen);
        }
    }
}

static int refuse(void *ctx, const char *data, size_t n, struct tare_err *err)
{
    int *calls = ctx;
    (void)data;
    (void)n;
    ++*calls;
    return tare_err_set(err, TARE_E_FORMAT, "no");
}

static void test_the_reader_of_events_can_stop_it(void **state)
{
    struct sse sse = {.most_bytes = most_bytes};
    struct tare_err err = {0};
    int calls = 0;
    (void)state;
    assert_int_equal(sse_feed(&sse, "data: a\n\ndata: b\n\n", 18, refuse, &calls, &err), TARE_E_FORMAT);
    assert_int_equal(calls, 1);
    sse_free(&sse);
}

static void test_reset_forgets_what_was_begun(void **state)
{
    struct sse sse = {.most_bytes = most_bytes};
    struct tare_err err = {0};
    struct text seen = {0};
    (void)state;
    assert_int_equal(sse_feed(&sse, "data: old\r", 10, note, &seen, &err), 0);
    sse_reset(&sse);
    assert_int_equal(sse_feed(&sse, "\ndata: new\n\n", 12, note, &seen, &err), 0);
    assert_string_equal(seen.data, "[new]");
    sse_free(&sse);
    text_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_the_reader_of_events_can_stop_it),
        cmocka_unit_test(test_reset_forgets_what_was_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
