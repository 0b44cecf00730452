/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and blobs however they are cut; limits, silence and closed pipes; and random bytes. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "messages.h"
#include "wire.h"

#define MS INT64_C(1000000)

struct pipes {
    struct tare_wire wire;
    int to, from; /* the other side's ends */
    int prints;
};

static void set_up(struct pipes *p)
{
    int in[2], out[2], prints[2];
    assert_int_equal(tare_wire_init(&p->wire, NULL), 0);
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(prints, O_CLOEXEC), 0);
    p->to = in[1];
    p->from = out[0];
    p->prints = prints[1];
    p->wire.read_fd = in[0];
    p->wire.write_fd = out[1];
    p->wire.print_fd = prints[0];
    (void)fcntl(in[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(out[1], F_SETFL, O_NONBLOCK);
    (void)fcntl(prints[0], F_SETFL, O_NONBLOCK);
}

static void done(struct pipes *p)
{
    tare_wire_fini(&p->wire);
    if (p->to >= 0) {
        close(p->to);
    }
    close(p->from);
    close(p->prints);
}

static void say(struct pipes *p, const void *data, size_t n)
{
    assert_int_equal(write(p->to, data, n), n);
}

static int64_t soon(void)
{
    return tare_wire_now_ns() + 2000 * MS;
}

static void assert_line(struct pipes *p, const char *expected)
{
    const char *line = NULL;
    size_t n = 0;
    assert_int_equal(tare_wire_line(&p->wire, &line, &n, soon(), NULL), 0);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(line, expected, n);
}

static void test_lines_and_blobs(void **state)
{
    (void)state;
    struct pipes p;
    set_up(&p);
    say(&p, "one\n\ntw", 7);
    assert_line(&p, "one");
    assert_line(&p, "");
    say(&p, "o\nab\ncdthree\n", 13);
    assert_line(&p, "two");
    assert_int_equal(tare_wire_blob(&p.wire, 5, soon(), NULL), 0); /* a blob may hold an end of line */
    assert_memory_equal(p.wire.blob, "ab\ncd", 5);
    assert_int_equal(tare_wire_blob(&p.wire, 0, soon(), NULL), 0);
    assert_line(&p, "three");
    done(&p);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        bool closes;
        size_t blob; /* asked for; 0: a line */
        enum tare_wire_fault fault;
        const char *why;
    } cases[] = {
        {"", false, 0, TARE_WIRE_TIMEOUT, "silence"},
        {"half a line", false, 0, TARE_WIRE_TIMEOUT, "half a line and silence"},
        {"", true, 0, TARE_WIRE_CLOSED, "closed"},
        {"half a line", true, 0, TARE_WIRE_CLOSED, "closed in a line"},
        {"abc", true, 4, TARE_WIRE_CLOSED, "closed in a blob"},
        {"abc", false, 4, TARE_WIRE_TIMEOUT, "a short blob and silence"},
        {"abc", false, TARE_WIRE_BLOB_MAX + 1, TARE_WIRE_GARBAGE, "a blob beyond the limit"},
        {"abc", true, TARE_WIRE_BLOB_MAX, TARE_WIRE_CLOSED, "a huge blob is not paid for before it comes"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct pipes p;
        const char *line = NULL;
        size_t n = 0;
        set_up(&p);
        say(&p, cases[c].sent, strlen(cases[c].sent));
        if (cases[c].closes) {
            close(p.to);
            p.to = -1;
        }
        int64_t deadline_ns = tare_wire_now_ns() + 20 * MS;
        struct tare_err err = {0};
        int r = cases[c].blob ? tare_wire_blob(&p.wire, cases[c].blob, deadline_ns, &err)
                              : tare_wire_line(&p.wire, &line, &n, deadline_ns, &err);
        if (r >= 0 || p.wire.fault != cases[c].fault || !err.msg[0] || p.wire.cap_blob > (size_t)64 << 20) {
            fail_msg("%s: %d, fault %d", cases[c].why, r, (int)p.wire.fault);
        }
        done(&p);
    }
}

/* Fills the pipe until the reader has had enough. */
static void test_over_long(void **state)
{
    (void)state;
    struct pipes p;
    const char *line = NULL;
    size_t n = 0;
    static char chunk[4096];
    memset(chunk, 'x', sizeof chunk);
    set_up(&p);
    int r = 0;
    for (size_t sent = 0; sent <= TARE_WIRE_LINE_MAX && p.wire.fault != TARE_WIRE_GARBAGE;
         sent += sizeof chunk) {
        say(&p, chunk, sizeof chunk);
        r = tare_wire_line(&p.wire, &line, &n, tare_wire_now_ns() + MS / 10, NULL);
    }
    assert_true(r < 0);
    assert_int_equal(p.wire.fault, TARE_WIRE_GARBAGE);
    done(&p);
}

static void test_sending(void **state)
{
    (void)state;
    struct pipes p;
    set_up(&p);
    char *much = calloc(1, 1 << 20);
    assert_int_equal(tare_wire_send(&p.wire, "abc", 3, soon(), NULL), 0);
    assert_true(tare_wire_send(&p.wire, much, 1 << 20, tare_wire_now_ns() + 20 * MS, NULL) < 0);
    assert_int_equal(p.wire.fault, TARE_WIRE_TIMEOUT); /* nobody reads */
    close(p.from);
    p.from = dup(0);
    assert_true(tare_wire_send(&p.wire, "abc", 3, soon(), NULL) < 0);
    assert_int_equal(p.wire.fault, TARE_WIRE_CLOSED);
    free(much);
    done(&p);
}

static void test_prints(void **state)
{
    (void)state;
    struct pipes p;
    char last[16];
    set_up(&p);
    tare_wire_last_line(&p.wire, last, sizeof last);
    assert_string_equal(last, "");
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(write(p.prints, "some words of no use\n", 21), 21);
    }
    assert_int_equal(write(p.prints, "the \033end\xff is here, and long\n \n", 31), 31);
    tare_wire_drain(&p.wire);
    tare_wire_last_line(&p.wire, last, sizeof last);
    assert_string_equal(last, "the ?end? is he"); /* plain, and cut to its room */
    done(&p);
}

/* What a program that has gone mad may send: never a crash, never an answer that was not sent. */
static void test_fuzz(void **state)
{
    (void)state;
    static const char *const parts[] = {"{",
                                        "}",
                                        "\"seq\":1",
                                        ",",
                                        "\"ok\":\"score\"",
                                        "\"bytes\":3",
                                        "\n",
                                        "\xff",
                                        "\"event\":\"token\"",
                                        "\"at\":1",
                                        "\"token\":5",
                                        "[",
                                        "1e9",
                                        "\\u00",
                                        "\0",
                                        "\"error\":\"x\""};
    struct pipes p;
    uint32_t x = 12345;
    set_up(&p);
    for (int round = 0; round < 3000; round++) {
        char text[512];
        size_t n = 0;
        for (int i = 0; i < 12; i++) {
            x = x * 1664525 + 1013904223;
            const char *part = parts[x >> 28];
            size_t length = *part ? strlen(part) : 1;
            memcpy(text + n, part, length);
            n += length;
        }
        text[n++] = '\n';
        say(&p, text, n);
        const char *line = NULL;
        size_t n_line = 0, taken = 0;
        while (taken < n) {
            struct tare_reply reply;
            assert_int_equal(tare_wire_line(&p.wire, &line, &n_line, soon(), NULL), 0);
            taken += n_line + 1;
            if (tare_reply_parse(line, n_line, &reply, NULL) == 0) {
                assert_true(reply.kind >= TARE_REPLY_OK && reply.kind <= TARE_REPLY_ERROR);
                assert_true(reply.n_blob <= TARE_WIRE_BLOB_MAX);
                tare_reply_fini(&reply);
            }
        }
        assert_int_equal(taken, n);
    }
    done(&p);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as in tare's worker */
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_and_blobs), cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_over_long),       cmocka_unit_test(test_sending),
                                       cmocka_unit_test(test_prints),          cmocka_unit_test(test_fuzz)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
