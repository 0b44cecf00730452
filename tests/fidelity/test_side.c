/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our end of a worker that says what it must not. The worker is a script made here, which answers its one or
 * two frames whatever it is asked: every length and count that it claims must be refused, told in `died`, and
 * must leave the next process a clean start.
 */
#include "fidelity/side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tare/backend.h>
#include <unistd.h>

#include <cmocka.h>

enum { n_vocab = 4 };

static char script[64], answer[64]; /* paths */

static int make_files(void **state)
{
    static char folder[] = "/tmp/tare-side-XXXXXX";
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    (void)snprintf(script, sizeof script, "%s/worker", folder);
    (void)snprintf(answer, sizeof answer, "%s/answer", folder);
    FILE *to = fopen(script, "w");
    if (!to) {
        return -1;
    }
    /* Waits for the end of what it is asked, so that no write to it fails. */
    (void)fprintf(to, "#!/bin/sh\ncat %s >&3\nexec cat <&4 >/dev/null\n", answer);
    return fclose(to) != 0 || chmod(script, 0700) != 0 ? -1 : 0;
}

static int remove_files(void **state)
{
    char *slash = strrchr(script, '/');
    (void)state;
    (void)unlink(script);
    (void)unlink(answer);
    *slash = '\0';
    return rmdir(script);
}

/* The worker's answers, one frame after the other. */
static FILE *begin(void)
{
    FILE *to = fopen(answer, "wb");
    assert_non_null(to);
    return to;
}

static void put(FILE *to, uint32_t type, uint32_t claimed, const void *body, size_t n)
{
    const struct tare_lockstep_frame_head head = {type, claimed};
    assert_int_equal(fwrite(&head, sizeof head, 1, to), 1);
    assert_int_equal(fwrite(body, 1, n, to), n);
}

static void put_hello(FILE *to, int64_t vocabulary)
{
    struct tare_lockstep_hello hello;
    memset(&hello, 0, sizeof hello);
    hello.n_vocab = vocabulary;
    hello.n_ctx = hello.bos = TARE_UNKNOWN;
    put(to, TARE_LOCKSTEP_HELLO, sizeof hello, &hello, sizeof hello);
}

static struct tare_side side_of(void)
{
    return (struct tare_side){
        .child = {.exe = script, .how = "--lockstep", .time_limit_ns = INT64_C(10000000000)},
        .who = "student",
        .spec = "{}",
        .peak_rss_bytes = -1};
}

static void test_hellos(void **state)
{
    static const struct {
        const char *why;
        uint32_t type, claimed;
        int64_t vocabulary;
        int returns;
    } cases[] = {
        {"a right one", TARE_LOCKSTEP_HELLO, sizeof(struct tare_lockstep_hello), n_vocab, 0},
        {"another frame", TARE_LOCKSTEP_ROW, sizeof(struct tare_lockstep_hello), n_vocab, 1},
        {"too short a body", TARE_LOCKSTEP_HELLO, 3, n_vocab, 1},
        {"more than there may be", TARE_LOCKSTEP_HELLO, UINT32_MAX, n_vocab, 1},
        {"no vocabulary", TARE_LOCKSTEP_HELLO, sizeof(struct tare_lockstep_hello), 0, TARE_E_UNSUPPORTED},
        {"an unknown one", TARE_LOCKSTEP_HELLO, sizeof(struct tare_lockstep_hello), -1, TARE_E_UNSUPPORTED},
        {"one of no memory", TARE_LOCKSTEP_HELLO, sizeof(struct tare_lockstep_hello), INT64_MAX,
         TARE_E_UNSUPPORTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_side s = side_of();
        struct tare_err err = {0};
        struct tare_lockstep_hello hello;
        FILE *to = begin();
        memset(&hello, 0, sizeof hello);
        hello.n_vocab = cases[i].vocabulary;
        put(to, cases[i].type, cases[i].claimed, &hello, sizeof hello);
        assert_int_equal(fclose(to), 0);
        int r = tare_side_open(&s, &err);
        if (r != cases[i].returns) {
            fail_msg("%s: %d, %s %s", cases[i].why, r, s.child.died, err.msg);
        }
        assert_true(r != 1 || strstr(s.child.died, "nonsense in load"));
        assert_true(s.child.running == (r == 0));
        tare_side_fini(&s);
    }
}

/* What follows a good greeting. */
static void answer_with(struct tare_side *s, uint32_t type, uint32_t claimed, const void *body, size_t n)
{
    FILE *to = begin();
    *s = side_of();
    put_hello(to, n_vocab);
    put(to, type, claimed, body, n);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(tare_side_open(s, NULL), 0);
    assert_int_equal(tare_side_ask(s, 0, 0, NULL), 0);
}

static void test_heads(void **state)
{
    static const struct {
        const char *why;
        uint32_t n_tokens, first, n_bytes; /* behind the head */
        int returns;
    } cases[] = {{"a right one", 2, 1, 8, 0},
                 {"fewer ids than it says", 3, 1, 8, 1},
                 {"more ids than it says", 1, 1, 8, 1},
                 {"half an id", 2, 1, 7, 1},
                 {"a first position behind the last", 2, 3, 8, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_side s;
        struct {
            struct tare_lockstep_head head;
            int32_t ids[2];
        } body;
        memset(&body, 0, sizeof body);
        body.head.n_tokens = cases[i].n_tokens;
        body.head.first = cases[i].first;
        body.ids[1] = 7;
        uint32_t bytes = (uint32_t)sizeof body.head + cases[i].n_bytes;
        answer_with(&s, TARE_LOCKSTEP_HEAD, bytes, &body, bytes);
        int r = tare_side_head(&s, NULL);
        if (r != cases[i].returns || (r == 0 && s.ids[1] != 7)) {
            fail_msg("%s: %d, %s", cases[i].why, r, s.child.died);
        }
        tare_side_fini(&s);
    }
}

static void test_rows(void **state)
{
    const struct {
        uint32_t position;
        float row[n_vocab];
    } body = {5, {1, 2, 3, 4}};
    struct tare_side s;
    (void)state;
    answer_with(&s, TARE_LOCKSTEP_ROW, sizeof body, &body, sizeof body);
    assert_int_equal(tare_side_row(&s, NULL), 0);
    assert_int_equal(s.position, 5);
    assert_memory_equal(s.row, body.row, sizeof body.row);
    tare_side_fini(&s);
    const uint32_t claims[] = {0, 4, sizeof body - 4, sizeof body + 4, UINT32_MAX};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        answer_with(&s, TARE_LOCKSTEP_ROW, claims[i], &body, sizeof body);
        assert_int_equal(tare_side_row(&s, NULL), 1);
        assert_non_null(strstr(s.child.died, "nonsense"));
        tare_side_fini(&s);
    }
}

/* An answer that nobody wants is read to its end, whatever it is made of; then the next one can be asked. */
static void test_skip(void **state)
{
    struct tare_lockstep_end end;
    struct tare_side s;
    char junk[5000] = {0};
    (void)state;
    memset(&end, 0, sizeof end);
    FILE *to = begin();
    put_hello(to, n_vocab);
    put(to, TARE_LOCKSTEP_ROW, sizeof junk, junk, sizeof junk);
    put(to, 77, 0, junk, 0);
    put(to, TARE_LOCKSTEP_END, sizeof end, &end, sizeof end);
    assert_int_equal(fclose(to), 0);
    s = side_of();
    assert_int_equal(tare_side_open(&s, NULL), 0);
    assert_int_equal(tare_side_skip(&s, NULL), 0); /* nothing was asked */
    assert_int_equal(tare_side_ask(&s, 0, 0, NULL), 0);
    assert_int_equal(tare_side_skip(&s, NULL), 0);
    assert_false(s.pending);
    assert_true(s.child.running);
    tare_side_fini(&s);
}

/* An end of no end's size; its successor begins anew. */
static void test_next_process(void **state)
{
    struct tare_side s;
    (void)state;
    answer_with(&s, TARE_LOCKSTEP_END, 3, "abc", 3);
    assert_int_equal(tare_side_row(&s, NULL), 1);
    assert_int_equal(s.child.deaths, 1);
    assert_int_equal(tare_side_open(&s, NULL), 0);
    assert_false(s.pending);
    tare_side_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hellos), cmocka_unit_test(test_heads),        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_skip),   cmocka_unit_test(test_next_process),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
