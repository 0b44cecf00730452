/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the wire comes back equal; what is cut or claims too much is refused. */
#include "verify/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int32_t tokens[] = {256, 1, 2, 3};

static struct tare_buf put_answer(void)
{
    static const double logprob[] = {-0.5, -1.25};
    static const int32_t argmax[] = {-1, 7};
    static const uint8_t greedy[] = {1, 0};
    static const uint32_t ends[] = {1, 3, 4, 4};
    const struct tare_wire_answer a = {.n = 2,
                                       .n_tokens = 4,
                                       .n_bytes = 4,
                                       .cut = 3,
                                       .message = "well",
                                       .logprob = logprob,
                                       .argmax = argmax,
                                       .greedy = greedy,
                                       .tokens = tokens,
                                       .ends = ends,
                                       .text = "a\0b\n"};
    const struct tare_wire_printed printed = {.bytes = 5, .first = "hello"};
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 20);
    tare_wire_put_answers(&buf, &printed, &a, 1);
    return buf;
}

static void test_answers(void **state)
{
    struct tare_buf buf = put_answer();
    struct tare_arena arena = {0};
    struct tare_wire_printed printed;
    struct tare_wire_answer got;
    struct tare_wire_head head;
    (void)state;
    memcpy(&head, buf.data, sizeof head);
    assert_int_equal(head.type, TARE_WIRE_ANSWERS);
    assert_int_equal(head.bytes, buf.used - sizeof head);
    assert_int_equal(
        tare_wire_get_answers(buf.data + sizeof head, head.bytes, &arena, &printed, &got, 1, NULL), 0);
    assert_int_equal(printed.bytes, 5);
    assert_string_equal(printed.first, "hello");
    assert_string_equal(got.message, "well");
    assert_true(got.logprob[1] <= -1.25 && got.logprob[1] >= -1.25);
    assert_int_equal(got.argmax[1], 7);
    assert_int_equal(got.greedy[0], 1);
    assert_memory_equal(got.tokens, tokens, sizeof tokens);
    assert_int_equal(got.ends[3], 4);
    assert_memory_equal(got.text, "a\0b\n", 4);
    tare_arena_fini(&arena);
    tare_buf_fini(&buf);
}

/* Every shorter body is refused, and one with more answers in it than were asked for. */
static void test_damaged_answers(void **state)
{
    struct tare_buf buf = put_answer();
    const size_t head = sizeof(struct tare_wire_head);
    (void)state;
    for (size_t n = 0; n < buf.used - head; n++) {
        struct tare_arena arena = {0};
        struct tare_wire_printed printed;
        struct tare_wire_answer got;
        char *body = malloc(n + 1); /* of that size, so that a read beyond it is seen */
        assert_non_null(body);
        memcpy(body, buf.data + head, n);
        assert_int_equal(tare_wire_get_answers(body, n, &arena, &printed, &got, 1, NULL), TARE_E_FORMAT);
        free(body);
        tare_arena_fini(&arena);
    }
    struct tare_arena arena = {0};
    struct tare_wire_printed printed;
    assert_int_equal(tare_wire_get_answers(buf.data + head, buf.used - head, &arena, &printed, NULL, 0, NULL),
                     TARE_E_FORMAT);
    tare_arena_fini(&arena);
    tare_buf_fini(&buf);
}

/* A count that no body could hold must not be allocated. */
static void test_huge_counts(void **state)
{
    struct tare_buf buf = put_answer();
    struct tare_arena arena = {0};
    struct tare_wire_printed printed;
    struct tare_wire_answer got;
    char *body = buf.data + sizeof(struct tare_wire_head);
    const uint32_t huge = UINT32_MAX;
    (void)state;
    memcpy(body + sizeof printed + offsetof(struct tare_wire_answer, n), &huge, sizeof huge);
    assert_int_equal(tare_wire_get_answers(body, buf.used - sizeof(struct tare_wire_head), &arena, &printed,
                                           &got, 1, NULL),
                     TARE_E_FORMAT);
    tare_arena_fini(&arena);
    tare_buf_fini(&buf);
}

static void test_asks(void **state)
{
    const struct tare_wire_ask asks[] = {
        {.kind = TARE_REQUEST_SCORE, .n_tokens = 4, .first = 2, .shared_prefix = 1, .tokens = tokens},
        {.kind = TARE_REQUEST_GENERATE,
         .n_tokens = 2,
         .first = 2,
         .max_output = 9,
         .seed = 77,
         .n_stops = 2,
         .tokens = tokens,
         .stops = {{"\n\n", 2}, {"ab", 2}}}};
    struct tare_arena arena = {0};
    struct tare_wire_ask *got = NULL;
    struct tare_buf buf;
    uint32_t n = 0;
    const size_t head = sizeof(struct tare_wire_head);
    (void)state;
    tare_buf_init(&buf, 1 << 20);
    tare_wire_put_asks(&buf, asks, 2);
    assert_int_equal(tare_wire_get_asks(buf.data + head, buf.used - head, &arena, &got, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_int_equal(got[0].shared_prefix, 1);
    assert_memory_equal(got[0].tokens, tokens, sizeof tokens);
    assert_int_equal(got[1].seed, 77);
    assert_memory_equal(got[1].stops[1].data, "ab", 2);
    assert_int_equal(tare_wire_get_asks(buf.data + head, buf.used - head - 1, &arena, &got, &n, NULL),
                     TARE_E_FORMAT);
    tare_arena_fini(&arena);
    tare_buf_fini(&buf);
}

static void test_tokens(void **state)
{
    static const uint32_t ends[] = {0, 1, 2, 3};
    const struct tare_wire_tokens t = {.n = 4, .ids = tokens, .ends = ends};
    const struct tare_wire_printed printed = {.bytes = 0};
    struct tare_wire_printed got_printed;
    struct tare_wire_tokens got;
    struct tare_arena arena = {0};
    struct tare_buf buf;
    const size_t head = sizeof(struct tare_wire_head);
    (void)state;
    tare_buf_init(&buf, 1 << 20);
    tare_wire_put_tokens(&buf, &printed, &t);
    assert_int_equal(tare_wire_get_tokens(buf.data + head, buf.used - head, &arena, &got_printed, &got, NULL),
                     0);
    assert_memory_equal(got.ids, tokens, sizeof tokens);
    assert_int_equal(got.ends[3], 3);
    assert_int_equal(
        tare_wire_get_tokens(buf.data + head, buf.used - head - 1, &arena, &got_printed, &got, NULL),
        TARE_E_FORMAT);
    tare_arena_fini(&arena);
    tare_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_damaged_answers),
                                       cmocka_unit_test(test_huge_counts), cmocka_unit_test(test_asks),
                                       cmocka_unit_test(test_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
