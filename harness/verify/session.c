/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to a child and back, and what the process says of itself. */
#include "verify/session.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* One frame of the wanted type; free *out. */
static int read_frame(struct tare_verify_session *s, enum tare_wire_type type, const char *doing, char **out,
                      size_t *out_n, struct tare_err *err)
{
    struct tare_wire_head head = {0, 0};
    int64_t deadline_ns = tare_clock_ns() + s->child.time_limit_ns;
    int r = tare_child_read(&s->child, &head, sizeof head, doing, deadline_ns, err);
    if (r != 0) {
        return r;
    }
    if (head.type != (uint32_t)type || head.bytes > TARE_WIRE_MOST_BYTES) {
        return tare_child_condemn(&s->child, "crash: the process talks nonsense in %s", doing);
    }
    char *body = malloc(head.bytes + (size_t)1);
    if (!body) {
        tare_child_drop(&s->child);
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    r = tare_child_read(&s->child, body, head.bytes, doing, deadline_ns, err);
    if (r != 0) {
        free(body);
        return r;
    }
    body[head.bytes] = '\0';
    *out = body;
    *out_n = head.bytes;
    return 0;
}

/* What the worker says of the loaded model. */
static int take_hello(struct tare_verify_session *s, char *body, size_t n)
{
    if (n < sizeof s->hello) {
        return tare_child_condemn(&s->child, "crash: the process talks nonsense in load");
    }
    memcpy(&s->hello, body, sizeof s->hello);
    s->hello.message[sizeof s->hello.message - 1] = '\0';
    if (s->hello.code < 0) {
        (void)snprintf(s->child.died, sizeof s->child.died, "load: %.*s", TARE_WIRE_MESSAGE - 8,
                       s->hello.message);
        s->child.deaths++;
        tare_child_drop(&s->child);
        return 1;
    }
    free(s->facts);
    s->facts = strdup(body + sizeof s->hello);
    return 0;
}

int tare_verify_session_start(struct tare_verify_session *s, struct tare_err *err)
{
    char *body = NULL;
    size_t n = 0;
    if (s->child.running) {
        return 0;
    }
    int r = tare_child_start(&s->child, s->spec, err);
    r = r < 0 ? r : read_frame(s, TARE_WIRE_HELLO, "load", &body, &n, err);
    r = r == 0 ? take_hello(s, body, n) : r;
    free(body);
    return r == 0 && !s->facts ? tare_err_set(err, TARE_E_NOMEM, "out of memory") : r;
}

int tare_verify_session_stop(struct tare_verify_session *s, struct tare_err *err)
{
    return tare_child_stop(&s->child, err);
}

void tare_verify_session_fini(struct tare_verify_session *s)
{
    tare_child_drop(&s->child);
    free(s->facts);
    free(s->spec);
    memset(s, 0, sizeof *s);
}

static int send_frame(struct tare_verify_session *s, const struct tare_buf *buf, const char *doing,
                      struct tare_err *err)
{
    int r = tare_buf_check(buf, "request", err);
    return r == 0 ? tare_child_send(&s->child, buf->data, buf->used, doing, err) : r;
}

static void note_printed(struct tare_verify_session *s, const struct tare_wire_printed *printed)
{
    if (s->printed_bytes == 0 && printed->bytes > 0) {
        memcpy(s->printed_first, printed->first, sizeof s->printed_first);
    }
    s->printed_bytes += printed->bytes > 0 ? printed->bytes : 0;
}

/* A frame that does not hold what it should is the backend's doing: it shares the process. */
static int blame(struct tare_verify_session *s, int r, struct tare_err *err)
{
    if (r == TARE_E_FORMAT) {
        r = tare_child_condemn(&s->child, "crash: %.200s", err->msg);
    }
    return r;
}

static const char *doing_what(const struct tare_wire_ask *ask)
{
    return ask->kind == TARE_REQUEST_SCORE      ? "a score request"
           : ask->kind == TARE_REQUEST_GENERATE ? "a generate request"
                                                : "a logits request";
}

int tare_verify_session_ask(struct tare_verify_session *s, const struct tare_wire_ask *asks, uint32_t n,
                            struct tare_arena *arena, struct tare_wire_answer *answers, struct tare_err *err)
{
    struct tare_buf buf;
    struct tare_wire_printed printed;
    const char *doing = doing_what(&asks[0]);
    char *body = NULL;
    size_t n_body = 0;
    int r = tare_verify_session_start(s, err);
    tare_buf_init(&buf, TARE_WIRE_MOST_BYTES);
    tare_wire_put_asks(&buf, asks, n);
    r = r == 0 ? send_frame(s, &buf, doing, err) : r;
    tare_buf_fini(&buf);
    r = r == 0 ? read_frame(s, TARE_WIRE_ANSWERS, doing, &body, &n_body, err) : r;
    if (r == 0) {
        r = blame(s, tare_wire_get_answers(body, n_body, arena, &printed, answers, n, err), err);
    }
    if (r == 0) {
        note_printed(s, &printed);
    }
    free(body);
    return r;
}

int tare_verify_session_tokenize(struct tare_verify_session *s, const char *text, size_t n,
                                 struct tare_arena *arena, struct tare_wire_tokens *out, struct tare_err *err)
{
    struct tare_buf buf;
    struct tare_wire_printed printed;
    char *body = NULL;
    size_t n_body = 0;
    int r = tare_verify_session_start(s, err);
    tare_buf_init(&buf, TARE_WIRE_MOST_BYTES);
    tare_wire_put(&buf, TARE_WIRE_TOKENIZE, text, n, NULL, 0);
    r = r == 0 ? send_frame(s, &buf, "tokenize", err) : r;
    tare_buf_fini(&buf);
    r = r == 0 ? read_frame(s, TARE_WIRE_TOKENS, "tokenize", &body, &n_body, err) : r;
    if (r == 0) {
        r = blame(s, tare_wire_get_tokens(body, n_body, arena, &printed, out, err), err);
    }
    if (r == 0) {
        note_printed(s, &printed);
    }
    free(body);
    return r;
}

/* Is the process of that number in the group? */
static bool is_in_group(const char *number, pid_t group)
{
    char path[64];
    struct tare_buf buf;
    int parent = 0, found = 0;
    tare_buf_init(&buf, 4096);
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", number);
    bool read = tare_buf_read_file(&buf, path, NULL) == 0;
    const char *end = read ? strrchr(tare_buf_str(&buf), ')') : NULL; /* behind the name, which may be odd */
    bool ok = end && sscanf(end, ") %*c %d %d", &parent, &found) == 2 && found == group;
    tare_buf_fini(&buf);
    return ok;
}

static int64_t anonymous_bytes(const char *number)
{
    char path[64];
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 16);
    (void)snprintf(path, sizeof path, "/proc/%.20s/status", number);
    bool read = tare_buf_read_file(&buf, path, NULL) == 0;
    const char *at = read ? strstr(tare_buf_str(&buf), "\nRssAnon:") : NULL;
    int64_t kib = at ? strtoll(at + 9, NULL, 10) : -1;
    tare_buf_fini(&buf);
    return kib < 0 ? -1 : kib * 1024;
}

int64_t tare_verify_session_memory(const struct tare_verify_session *s)
{
    DIR *proc = s->child.running ? opendir("/proc") : NULL;
    int64_t sum = -1;
    const struct dirent *e;
    while (proc && (e = readdir(proc)) != NULL) {
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_in_group(e->d_name, s->child.process.pid)) {
            int64_t bytes = anonymous_bytes(e->d_name);
            sum = bytes < 0 ? sum : (sum < 0 ? 0 : sum) + bytes;
        }
    }
    if (proc) {
        (void)closedir(proc);
    }
    return sum;
}
