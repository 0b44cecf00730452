/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream's two ends on a real pipe: when bytes leave, what happens when the pipe is full or gone,
 * and that the memory is there before anything is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/stream.h"

struct fixture {
    int fd[2];
    struct tare_outbox box;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    struct tare_err err = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fixture.fd), 0);
    assert_int_equal(tare_outbox_init(&fixture.box, fixture.fd[1], &err), 0);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    tare_outbox_fini(&f->box);
    (void)close(f->fd[1]);
    (void)close(f->fd[0]);
    return 0;
}

static int in_pipe(const struct fixture *f)
{
    int n = -1;
    assert_int_equal(ioctl(f->fd[0], FIONREAD, &n), 0);
    return n;
}

/* Every page is there: no page fault is left for the measured window. */
static void test_memory_is_there(void **state)
{
    struct fixture *f = *state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *begin = f->box.data + (page - (size_t)f->box.data % page) % page;
    size_t n = (size_t)(f->box.data + f->box.cap - begin) / page;
    unsigned char *there = malloc(n);
    assert_non_null(there);
    assert_true(n > 100);
    assert_int_equal(mincore(begin, n * page, there), 0);
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        missing += !(there[i] & 1);
    }
    free(there);
    assert_int_equal(missing, 0);
}

static void test_pump(void **state)
{
    struct fixture *f = *state;
    const int64_t ms = 1000000;
    int64_t now = 1000 * ms, items = 1;
    tare_outbox_pump(&f->box, now); /* the greeting has waited for ever */
    int sent = in_pipe(f);
    assert_true(sent > 0);
    tare_outbox_put(&f->box, TARE_FRAME_ITEMS, &items, sizeof items, NULL, 0);
    tare_outbox_pump(&f->box, now + 99 * ms);
    assert_int_equal(in_pipe(f), sent); /* neither enough nor old enough */
    tare_outbox_pump(&f->box, now + 100 * ms);
    assert_int_equal(in_pipe(f), sent + 8 + (int)sizeof items);
    char text[32 * 1024];
    memset(text, 't', sizeof text);
    tare_outbox_put(&f->box, TARE_FRAME_FACTS, text, sizeof text - 8 - 1, NULL, 0);
    tare_outbox_pump(&f->box, now + 101 * ms);
    assert_int_equal(f->box.used - f->box.sent, sizeof text - 1);
    tare_outbox_put(&f->box, TARE_FRAME_FACTS, NULL, 0, NULL, 0);
    tare_outbox_pump(&f->box, now + 101 * ms); /* 32 KiB are due at once */
    assert_int_equal(f->box.used - f->box.sent, 0);
}

/* Nobody reads: pumping returns, the rest waits. */
static void test_full_pipe(void **state)
{
    struct fixture *f = *state;
    static char text[64 * 1024];
    size_t n = 0;
    for (; n < 1000 && f->box.used + sizeof text + 8 <= f->box.cap; n++) {
        tare_outbox_put(&f->box, TARE_FRAME_FACTS, text, sizeof text, NULL, 0);
        tare_outbox_pump(&f->box, (int64_t)(n + 1) * 1000000000);
    }
    assert_true(f->box.used > f->box.sent);
    assert_false(f->box.broken);
    assert_int_equal(f->box.stalls, 0);
    assert_in_range(n, 10, 999);
    assert_int_equal(f->box.used - f->box.sent + (size_t)in_pipe(f), 12 + n * (sizeof text + 8));
}

static void test_reader_gone(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(close(f->fd[0]), 0);
    f->fd[0] = -1;
    tare_outbox_flush(&f->box);
    assert_true(f->box.broken);
    static char text[1024 * 1024];
    for (int i = 0; i < 20; i++) { /* goes nowhere, and does not wait */
        tare_outbox_put(&f->box, TARE_FRAME_FACTS, text, sizeof text, NULL, 0);
    }
    tare_outbox_flush(&f->box);
    assert_true(f->box.broken);
}

struct counted {
    int64_t next;
    bool ended;
};

static int see_number(void *ctx, int64_t n, struct tare_err *err)
{
    (void)ctx, (void)n, (void)err;
    return 0;
}

static int see_nothing(void *ctx, const char *json, struct tare_err *err)
{
    (void)ctx, (void)json, (void)err;
    return 0;
}

static int see_phase(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err)
{
    (void)ctx, (void)phase, (void)err;
    return 0;
}

static int see_reading(void *ctx, const struct tare_reading_record *r, struct tare_err *err)
{
    struct tare_reading_record *to = ctx;
    static char name[200], source[200];
    (void)err;
    *to = *r;
    to->name = strcpy(name, r->name);
    to->source = strcpy(source, r->source);
    return 0;
}

static int see_sample(void *ctx, const struct tare_sample *s, struct tare_err *err)
{
    struct counted *counted = ctx;
    for (uint32_t i = 0; i < s->n_output; i++) {
        if (s->output[i] != (char)s->item) {
            return tare_err_set(err, TARE_E_FORMAT, "sample %lld is garbled", (long long)s->item);
        }
    }
    return s->item == counted->next++ ? 0 : tare_err_set(err, TARE_E_FORMAT, "out of order");
}

static int see_end(void *ctx, const struct tare_end_frame *end, struct tare_err *err)
{
    (void)end, (void)err;
    ((struct counted *)ctx)->ended = true;
    return 0;
}

static const struct tare_inbox_ops ops = {see_number, see_nothing, see_phase, see_reading,
                                          see_sample, see_end,     NULL,      NULL};

static int read_all(int fd, void *ctx, struct tare_err *err)
{
    struct tare_inbox inbox;
    tare_inbox_init(&inbox);
    int r = 1;
    while (r > 0) {
        r = tare_inbox_read(&inbox, fd, &ops, ctx, err);
    }
    tare_inbox_fini(&inbox);
    return r;
}

/* 34 MB, and frames larger than the whole memory among them. */
enum { n_samples = 400, small_bytes = 50000, large_bytes = 3500000 };

static void write_all(struct tare_outbox *box)
{
    static char output[large_bytes];
    for (int64_t i = 0; i < n_samples; i++) {
        uint32_t n = i % 100 == 7 ? large_bytes : small_bytes;
        memset(output, (int)i, n);
        struct tare_sample sample = {.item = i, .output = output, .n_output = n};
        tare_outbox_put_sample(box, &sample);
    }
    struct tare_end_frame end = {0};
    tare_outbox_put(box, TARE_FRAME_END, &end, sizeof end, NULL, 0);
    tare_outbox_flush(box);
}

/* Much more than fits, to a process that reads: all arrives, in order, and the waiting is counted. */
static void test_stalls(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(f->fd[1]);
        struct counted counted = {0};
        int r = read_all(f->fd[0], &counted, NULL);
        _exit(r == 0 && counted.ended && counted.next == n_samples ? 0 : 1);
    }
    assert_true(f->box.cap < large_bytes);
    write_all(&f->box);
    assert_false(f->box.broken);
    assert_true(f->box.stalls > 0);
    assert_int_equal(close(f->fd[1]), 0);
    f->fd[1] = -1;
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Strings longer than a reading has room for are cut, not spilled; NaN stays NaN. */
static void test_long_reading(void **state)
{
    struct fixture *f = *state;
    char text[400];
    memset(text, 'r', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const struct tare_reading_record sent = {text, text,        text, text,        text,        text,
                                             text, (double)NAN, text, (double)NAN, (double)NAN, text};
    struct tare_reading_record got = {0};
    struct tare_err err = {0};
    tare_outbox_put_reading(&f->box, &sent);
    tare_outbox_flush(&f->box);
    assert_int_equal(close(f->fd[1]), 0);
    f->fd[1] = -1;
    assert_int_equal(read_all(f->fd[0], &got, &err), 0);
    assert_true(isnan(got.value));
    assert_in_range(strlen(got.name), 100, 199);
    assert_int_equal(strspn(got.name, "r"), strlen(got.name));
    assert_int_equal(strlen(got.source), strlen(got.name));
}

static void test_read(void **state)
{
    struct fixture *f = *state;
    struct counted counted = {0};
    struct tare_inbox inbox;
    struct tare_err err = {0};
    tare_inbox_init(&inbox);
    assert_int_equal(fcntl(f->fd[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(tare_inbox_read(&inbox, f->fd[0], &ops, &counted, &err),
                     1); /* nothing yet: not the end */
    tare_outbox_flush(&f->box);
    assert_int_equal(tare_inbox_read(&inbox, f->fd[0], &ops, &counted, &err), 1);
    assert_true(inbox.greeted);
    assert_int_equal(write(f->fd[1], "garbage!", 8), 8);
    assert_int_equal(tare_inbox_read(&inbox, f->fd[0], &ops, &counted, &err), TARE_E_FORMAT);
    assert_int_equal(tare_inbox_read(&inbox, -1, &ops, &counted, &err), TARE_E_IO);
    tare_inbox_fini(&inbox);
}

static void test_bad_fd(void **state)
{
    (void)state;
    struct tare_outbox box;
    struct tare_err err = {0};
    assert_int_equal(tare_outbox_init(&box, -1, &err), TARE_E_IO);
    assert_non_null(strstr(err.msg, strerror(EBADF)));
    tare_outbox_fini(&box);
}

#define ON_PIPE(f) cmocka_unit_test_setup_teardown(f, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_PIPE(test_memory_is_there),
        ON_PIPE(test_pump),
        ON_PIPE(test_full_pipe),
        ON_PIPE(test_reader_gone),
        ON_PIPE(test_stalls),
        ON_PIPE(test_long_reading),
        ON_PIPE(test_read),
        cmocka_unit_test(test_bad_fd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
