/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted server for tests and benchmarks of the openai backend: it answers at stated times, and breaks in
 * stated ways (mock_script.h). One thread, epoll, plain sockets, loopback only. Not a server for anything
 * else: it understands the requests of one client.
 *
 * Prints its port on one line and serves until its standard input is closed.
 */
#include "mock_script.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { max_fd = 65536, max_request = 64 << 10, event_room = (2 << 20) + 4096, max_woken = 512, us_ns = 1000 };
enum { fourth = 3, names = 64 };

struct conn {
    int fd;
    char *in;
    size_t n_in;
    char *out; /* what the socket did not take yet */
    size_t n_out, at_out;
    struct mock_script script;
    int64_t next_event, due_ns, heard_ns;
    size_t heap_at; /* 1-based; 0: not in the heap */
    bool streaming, closes;
};

static struct {
    int epoll, listener;
    struct conn *conns[max_fd];
    struct conn *heap[max_fd];
    size_t n_heap;
    const char *owner; /* owned_by of the model; "": no list of models */
    struct {
        char name[200];
        int64_t refused;
    } refusals[names];
    char room[event_room];
    char encoded[event_room + 512];
} server;

static int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void swap(size_t a, size_t b)
{
    struct conn *c = server.heap[a - 1];
    server.heap[a - 1] = server.heap[b - 1];
    server.heap[b - 1] = c;
    server.heap[a - 1]->heap_at = a;
    server.heap[b - 1]->heap_at = b;
}

static void settle(size_t at)
{
    for (; at > 1 && server.heap[at - 1]->due_ns < server.heap[at / 2 - 1]->due_ns; at /= 2) {
        swap(at, at / 2);
    }
    for (size_t child; (child = 2 * at) <= server.n_heap; at = child) {
        child += child < server.n_heap && server.heap[child]->due_ns < server.heap[child - 1]->due_ns;
        if (server.heap[child - 1]->due_ns >= server.heap[at - 1]->due_ns) {
            break;
        }
        swap(at, child);
    }
}

static void unplan(struct conn *c)
{
    size_t at = c->heap_at;
    if (at > 0) {
        swap(at, server.n_heap);
        server.n_heap--;
        c->heap_at = 0;
        if (at <= server.n_heap) {
            settle(at);
        }
    }
}

static void plan(struct conn *c, int64_t due_ns)
{
    unplan(c);
    c->due_ns = due_ns;
    server.heap[server.n_heap++] = c;
    c->heap_at = server.n_heap;
    settle(server.n_heap);
}

static void hang_up(struct conn *c)
{
    unplan(c);
    server.conns[c->fd] = NULL;
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void want(const struct conn *c, bool out)
{
    struct epoll_event event = {.events = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0), .data.fd = c->fd};
    (void)epoll_ctl(server.epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* Sends, and keeps what is not taken. */
static void put(struct conn *c, const char *bytes, size_t n)
{
    ssize_t sent = c->n_out ? 0 : send(c->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    size_t taken = sent > 0 ? (size_t)sent : 0;
    if (taken < n) {
        char *out = realloc(c->out, c->n_out + n - taken);
        if (!out) {
            abort();
        }
        memcpy(out + c->n_out, bytes + taken, n - taken);
        c->out = out;
        c->n_out += n - taken;
        want(c, true);
    }
}

static void put_rest(struct conn *c)
{
    ssize_t sent = send(c->fd, c->out + c->at_out, c->n_out - c->at_out, MSG_NOSIGNAL | MSG_DONTWAIT);
    c->at_out += sent > 0 ? (size_t)sent : 0;
    if (c->at_out == c->n_out) {
        c->n_out = c->at_out = 0;
        want(c, false);
    }
}

/* One chunk of the transfer encoding behind `head`, in one segment; every byte a chunk, and a segment, of its
 * own for MOCK_SPLIT. */
static void put_chunk(struct conn *c, const char *head, const char *bytes, size_t n)
{
    size_t step = c->script.mode == MOCK_SPLIT ? 1 : n, k = strlen(head);
    bool bare = c->script.mode == MOCK_CUT_CLEAN;
    memcpy(server.encoded, head, k);
    for (size_t at = 0; at < n; at += step) {
        k += bare ? 0 : (size_t)snprintf(server.encoded + k, 32, "%zx\r\n", step);
        memcpy(server.encoded + k, bytes + at, step);
        k += step;
        memcpy(server.encoded + k, "\r\n", 2);
        k += bare ? 0 : 2;
        for (size_t i = 0; step == 1 && i < k; i++) {
            put(c, server.encoded + i, 1);
        }
        if (step > 1) {
            put(c, server.encoded, k);
        }
        k = 0;
    }
}

static void put_answer(struct conn *c, int64_t status, const char *headers, const char *body, size_t n)
{
    char head[400];
    int k = snprintf(head, sizeof head,
                     "HTTP/1.1 %lld X\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
                     (long long)status, headers, n);
    put(c, head, (size_t)k);
    put(c, body, n);
}

static const char *stream_head(const struct conn *c)
{
    return c->next_event > 0                  ? ""
           : c->script.mode == MOCK_CUT_CLEAN ? "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                                "Connection: close\r\n\r\n"
                                              : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                                "Transfer-Encoding: chunked\r\n\r\n";
}

/* Events that are due; false if the connection is gone. */
static bool step(struct conn *c)
{
    struct mock_script *s = &c->script;
    bool breaks = s->mode == MOCK_CUT || s->mode == MOCK_CUT_CLEAN || s->mode == MOCK_STALL;
    if (breaks && c->next_event == fourth) {
        if (s->mode == MOCK_STALL) {
            unplan(c);
            return true;
        }
        hang_up(c);
        return false;
    }
    const char *head = stream_head(c);
    int64_t last = mock_script_last(s), from_ns = c->due_ns;
    size_t k = 0;
    for (int64_t b = 0; c->next_event <= last && (b < s->batch || c->next_event >= s->n); b++) {
        k += mock_script_event(s, c->next_event++, now(), server.room + k, sizeof server.room - k);
    }
    put_chunk(c, head, server.room, k);
    if (c->next_event > last) {
        unplan(c);
        c->streaming = false;
        put(c, "0\r\n\r\n", 5);
    } else {
        plan(c, from_ns + s->itl_us * us_ns);
    }
    return true;
}

/* Refuses as often as was said, counted by name. */
static bool refuses(const struct mock_script *s)
{
    for (size_t i = 0; i < names; i++) {
        if (!server.refusals[i].name[0]) {
            (void)snprintf(server.refusals[i].name, sizeof server.refusals[i].name, "%s", s->name);
        }
        if (strcmp(server.refusals[i].name, s->name) == 0) {
            return server.refusals[i].refused++ < s->times;
        }
    }
    return false;
}

static void answer_models(struct conn *c)
{
    char body[400];
    int n = snprintf(body, sizeof body,
                     "{\"data\":[{\"id\":\"mock\",\"owned_by\":\"%s\",\"meta\":{\"n_params\":42,\"size\":84,"
                     "\"n_ctx\":512}}]}",
                     server.owner);
    put_answer(c, *server.owner ? 200 : 404, "", body, (size_t)n);
}

static void refuse(struct conn *c)
{
    char headers[64] = "", body[600];
    const struct mock_script *s = &c->script;
    if (s->after_s) {
        (void)snprintf(headers, sizeof headers, "Retry-After: %lld\r\n", (long long)s->after_s);
    }
    bool tells = s->mode == MOCK_TELL_KEY;
    int n = snprintf(body, sizeof body, "{\"error\":{\"message\":\"%s%s\"}}",
                     tells ? "wrong key: " : "not now", tells ? s->key : "");
    put_answer(c, tells ? 401 : s->status, headers, body, (size_t)n);
}

static void answer(struct conn *c, const char *request)
{
    struct mock_script *s = &c->script;
    if (strncmp(request, "GET ", 4) == 0) {
        answer_models(c);
    } else if (!mock_script_read(s, request)) {
        put_answer(c, 400, "", "{}", 2);
    } else if (!s->stream) {
        put_answer(c, 200, "", server.room, mock_script_whole(s, server.room, sizeof server.room));
    } else if (s->mode == MOCK_TELL_KEY || (s->mode == MOCK_REFUSE && refuses(s))) {
        refuse(c);
    } else {
        c->next_event = 0;
        s->received_ns = c->heard_ns;
        c->streaming = true;
        plan(c, c->heard_ns + s->ttft_us * us_ns);
    }
}

/* True once the whole request is there; cut off from what comes behind. */
static bool take_request(struct conn *c)
{
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) {
        return false;
    }
    const char *length = strcasestr(c->in, "Content-Length:");
    size_t n = (size_t)(end - c->in) + 4;
    n += length && length < end ? strtoull(length + strlen("Content-Length:"), NULL, 10) : 0;
    if (c->n_in < n) {
        return false;
    }
    answer(c, c->in);
    memmove(c->in, c->in + n, c->n_in - n + 1);
    c->n_in -= n;
    return true;
}

static void hear(struct conn *c)
{
    ssize_t n = recv(c->fd, c->in + c->n_in, max_request - c->n_in - 1, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            hang_up(c);
        }
        return;
    }
    c->heard_ns = now();
    c->n_in += (size_t)n;
    c->in[c->n_in] = '\0';
    (void)take_request(c);
}

static void welcome(void)
{
    int one = 1, fd;
    while ((fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct conn *c = fd < max_fd ? calloc(1, sizeof *c) : NULL;
        if (!c || !(c->in = calloc(1, max_request))) {
            abort();
        }
        c->fd = fd;
        server.conns[fd] = c;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        (void)epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static int open_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server.listener < 0 || bind(server.listener, (struct sockaddr *)&address, n) != 0 ||
        listen(server.listener, 16384) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&address, &n) != 0) {
        return -1;
    }
    return ntohs(address.sin_port);
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    (void)epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event);
}

static void handle(const struct epoll_event *event)
{
    int fd = event->data.fd;
    if (fd == server.listener) {
        welcome();
        return;
    }
    struct conn *c = server.conns[fd];
    if (c && (event->events & EPOLLOUT)) {
        put_rest(c);
    }
    if (c && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        hear(c);
    }
}

/* How long to sleep: with few streams the last of it is spent looking at the clock, for a kernel's timers are
 * late by tens of microseconds, by more in a virtual machine. */
static int64_t time_to_sleep(void)
{
    enum { few = 4, spin_ns = 200000 };
    if (server.n_heap == 0) {
        return 1000000000;
    }
    int64_t wait_ns = server.heap[0]->due_ns - now() - (server.n_heap <= few ? spin_ns : 0);
    return wait_ns < 0 ? 0 : wait_ns;
}

/* Returns false when standard input is closed. */
static bool round_of_loop(void)
{
    struct epoll_event woken[max_woken];
    int64_t wait_ns = time_to_sleep();
    const struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    int n = epoll_pwait2(server.epoll, woken, max_woken, &wait, NULL);
    while (server.n_heap && server.heap[0]->due_ns <= now()) {
        (void)step(server.heap[0]);
    }
    for (int i = 0; i < n; i++) {
        char byte;
        if (woken[i].data.fd == 0) {
            if (read(0, &byte, 1) <= 0) {
                return false;
            }
        } else {
            handle(&woken[i]);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max < max_fd ? files.rlim_max : max_fd;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    server.owner = argc > 1 ? argv[1] : "mock";
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    int port = server.epoll < 0 ? -1 : open_listener();
    if (port < 0) {
        perror("mock_server");
        return 1;
    }
    watch(server.listener);
    watch(0);
    printf("%d\n", port);
    (void)fflush(stdout);
    while (round_of_loop()) {
    }
    return 0;
}
