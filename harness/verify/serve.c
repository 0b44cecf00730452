/* SPDX-License-Identifier: Apache-2.0 */
/* One backend, one loop: read a frame, ask, answer. */
#include "verify/serve.h"

#include "core/serving.h"
#include "core/worker.h"
#include "verify/recorder.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { caught_bytes = 1 << 20 };

struct server {
    int in_fd, out_fd;
    int caught_fd; /* standard output, a memory file that cannot grow */
    struct tare_spec spec;
    struct tare_instance instance;
};

/* What is written beyond its end fails there: a backend that prints without end takes no memory. */
static int catch_output(struct server *s, struct tare_err *err)
{
    s->caught_fd = memfd_create("tare-stdout", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool ok = s->caught_fd >= 0 && ftruncate(s->caught_fd, caught_bytes) == 0 &&
              fcntl(s->caught_fd, F_ADD_SEALS, F_SEAL_GROW) == 0 &&
              dup2(s->caught_fd, STDOUT_FILENO) == STDOUT_FILENO;
    return ok ? 0
              : tare_err_set(err, TARE_E_ENVIRONMENT, "standard output cannot be caught: %s",
                             strerror(errno));
}

/* How far the common offset has moved, and back with it. */
static void take_printed(const struct server *s, struct tare_wire_printed *out)
{
    memset(out, 0, sizeof *out);
    (void)fflush(stdout);
    out->bytes = lseek(s->caught_fd, 0, SEEK_CUR);
    if (out->bytes > 0) {
        size_t n = (size_t)out->bytes < sizeof out->first - 1 ? (size_t)out->bytes : sizeof out->first - 1;
        ssize_t got = pread(s->caught_fd, out->first, n, 0);
        for (ssize_t i = 0; i < got; i++) {
            out->first[i] = isprint((unsigned char)out->first[i]) ? out->first[i] : '.';
        }
        (void)lseek(s->caught_fd, 0, SEEK_SET);
    }
}

static bool write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        data += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* False at the end of what there is. */
static bool read_all(int fd, char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = read(fd, data, n);
        if (done == 0 || (done < 0 && errno != EINTR)) {
            return false;
        }
        data += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static int send_buf(const struct server *s, struct tare_buf *buf, struct tare_err *err)
{
    int r = tare_buf_check(buf, "answer to the referee", err);
    if (r == 0 && !write_all(s->out_fd, buf->data, buf->used)) {
        r = tare_err_set(err, TARE_E_IO, "the referee is gone");
    }
    tare_buf_fini(buf);
    return r;
}

/* What was loaded, or why not. */
static int greet(const struct server *s, int code, const struct tare_err *why, struct tare_err *err)
{
    struct tare_wire_hello hello;
    memset(&hello, 0, sizeof hello);
    hello.code = code;
    hello.caps = s->instance.ops.caps;
    hello.can_cancel = s->instance.ops.cancel != NULL;
    hello.n_ctx = s->instance.facts.n_ctx;
    hello.n_vocab = s->instance.facts.n_vocab;
    hello.bos = s->instance.facts.bos;
    memcpy(hello.message, why->msg, sizeof hello.message);
    struct tare_json *facts = tare_json_new_object();
    if (code == 0) {
        tare_instance_facts(&s->instance, facts);
    }
    char *text = NULL;
    int r = tare_json_print(facts, false, &text, err);
    tare_json_destroy(facts);
    if (r == 0) {
        struct tare_buf buf;
        tare_buf_init(&buf, 1 << 24);
        tare_wire_put(&buf, TARE_WIRE_HELLO, &hello, sizeof hello, text, strlen(text));
        r = send_buf(s, &buf, err);
    }
    free(text);
    return r;
}

static int answer_asks(struct server *s, const char *body, size_t n_body, struct tare_err *err)
{
    struct tare_arena arena = {0};
    struct tare_wire_ask *asks = NULL;
    struct tare_wire_printed printed;
    struct tare_buf buf;
    uint32_t n = 0;
    tare_buf_init(&buf, TARE_WIRE_MOST_BYTES);
    int r = tare_wire_get_asks(body, n_body, &arena, &asks, &n, err);
    struct tare_wire_answer *answers = tare_arena_array(&arena, n + (size_t)1, sizeof *answers);
    r = r == 0 && !answers ? tare_err_set(err, TARE_E_NOMEM, "out of memory") : r;
    r = r == 0 ? tare_recorder_ask(&s->instance, asks, n, &arena, answers, err) : r;
    if (r == 0) {
        take_printed(s, &printed);
        tare_wire_put_answers(&buf, &printed, answers, n);
        r = send_buf(s, &buf, err);
    }
    tare_buf_fini(&buf);
    tare_arena_fini(&arena);
    return r;
}

static int answer_text(struct server *s, const char *body, size_t n_body, struct tare_err *err)
{
    struct tare_arena arena = {0};
    struct tare_wire_tokens tokens;
    struct tare_wire_printed printed;
    struct tare_buf buf;
    tare_buf_init(&buf, TARE_WIRE_MOST_BYTES);
    int r =
        s->instance.ops.tokenize
            ? tare_recorder_tokenize(&s->instance, body, n_body, &arena, &tokens, err)
            : tare_err_set(err, TARE_E_FORMAT, "the referee asked for tokens where there is no tokenizer");
    if (r == 0) {
        take_printed(s, &printed);
        tare_wire_put_tokens(&buf, &printed, &tokens);
        r = send_buf(s, &buf, err);
    }
    tare_buf_fini(&buf);
    tare_arena_fini(&arena);
    return r;
}

/* 1 for a frame that was answered, 0 at the end. */
static int serve_one(struct server *s, struct tare_err *err)
{
    struct tare_wire_head head;
    if (!read_all(s->in_fd, (char *)&head, sizeof head)) {
        return 0;
    }
    char *body = head.bytes <= TARE_WIRE_MOST_BYTES ? malloc(head.bytes + (size_t)1) : NULL;
    int r = body ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0 && !read_all(s->in_fd, body, head.bytes)) {
        r = tare_err_set(err, TARE_E_IO, "the referee is gone");
    }
    r = r < 0                             ? r
        : head.type == TARE_WIRE_ASK      ? answer_asks(s, body, head.bytes, err)
        : head.type == TARE_WIRE_TOKENIZE ? answer_text(s, body, head.bytes, err)
                                          : tare_err_set(err, TARE_E_FORMAT, "unknown frame %u", head.type);
    free(body);
    return r < 0 ? r : 1;
}

int tare_verify_serve(int spec_fd, int in_fd, int out_fd, struct tare_err *err)
{
    struct server s = {.in_fd = in_fd, .out_fd = out_fd, .caught_fd = -1};
    struct tare_err why = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    tare_worker_quiet_libraries(); /* as where it is measured */
    int r = catch_output(&s, err);
    if (r < 0) {
        return r;
    }
    int loaded = tare_serving_load(spec_fd, &s.spec, &s.instance, &why);
    r = greet(&s, loaded, &why, err);
    while (r >= 0 && loaded == 0 && (r = serve_one(&s, err)) == 1) {
    }
    tare_instance_close(&s.instance);
    tare_spec_fini(&s.spec);
    close(s.caught_fd);
    return r;
}
