/* SPDX-License-Identifier: Apache-2.0 */
/* curl_multi_socket_action on epoll. */
#include "client.h"

#include "options.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or later is needed (CURL_WRITEFUNC_ERROR)"
#endif

enum {
    max_woken = 512,
    look_ns = 20000000,
    ms_ns = 1000000,
    read_bytes = 4096 /* a connection; ten thousand of them are to fit */
};
static const int64_t never_ns = INT64_MAX;

struct client {
    CURLM *multi;
    int epoll;
    int64_t timer_ns; /* when libcurl wants to be called */
    int64_t looked_ns;
    int64_t woke_ns, read_ns;
    uint64_t read_id, counted_id;
    struct transfer *active;
    struct client_setup setup;
    struct curl_slist headers[3]; /* by hand: curl_slist_append would copy the key */
    struct client_counts counts;
};

int64_t client_clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

const char client_version[] = "libcurl " LIBCURL_VERSION;

/* When the kernel got the first byte that nobody has read yet, on CLOCK_MONOTONIC; woke_ns where it does not
 * say. Looking takes nothing out of the socket. */
static int64_t arrival(struct client *c, int fd, int64_t woke_ns)
{
    const int64_t second_ns = 1000000000, oldest_ns = 60 * second_ns;
    union {
        struct cmsghdr head; /* for its alignment */
        char room[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        return woke_ns;
    }
    const struct cmsghdr *told = CMSG_FIRSTHDR(&m);
    if (!told || told->cmsg_level != SOL_SOCKET || told->cmsg_type != SCM_TIMESTAMPNS) {
        return woke_ns;
    }
    struct timespec at, wall;
    memcpy(&at, CMSG_DATA(told), sizeof at);
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t age_ns = (int64_t)(wall.tv_sec - at.tv_sec) * second_ns + wall.tv_nsec - at.tv_nsec;
    bool likely = age_ns >= 0 && age_ns < oldest_ns; /* the wall clock may have been set */
    c->counts.kernel_stamps += likely;
    return likely ? client_clock_ns() - age_ns : woke_ns;
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct client *c = ctx;
    struct epoll_event event = {.data.fd = fd};
    (void)easy;
    event.events =
        (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (!known) {
        const int on = 1;
        (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    }
    if (epoll_ctl(c->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0 ||
        (!known && errno == EEXIST && epoll_ctl(c->epoll, EPOLL_CTL_MOD, fd, &event) == 0)) {
        (void)curl_multi_assign(c->multi, fd, c);
    } else {
        return -1;
    }
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
    struct client *c = ctx;
    (void)multi;
    c->timer_ns = ms < 0 ? never_ns : client_clock_ns() + (int64_t)ms * ms_ns;
    return 0;
}

int client_open(struct client **out, const struct client_setup *setup, struct tare_err *err)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(c);
        return tare_err_set(err, TARE_E_NOMEM, "backend openai: libcurl cannot be started");
    }
    static char json[] = "Content-Type: application/json", no_expect[] = "Expect:";
    c->setup = *setup;
    c->timer_ns = never_ns;
    c->headers[0] = (struct curl_slist){json, &c->headers[1]};
    c->headers[1] = (struct curl_slist){no_expect, setup->key_header ? &c->headers[2] : NULL};
    c->headers[2].data = (char *)(uintptr_t)setup->key_header; /* libcurl reads it only */
    c->multi = curl_multi_init();
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!c->multi || c->epoll < 0) {
        client_close(c);
        return tare_err_set(err, TARE_E_NOMEM, "backend openai: no memory for a client");
    }
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    *out = c;
    return 0;
}

static void leave(struct client *c, struct transfer *t)
{
    if (t->active) {
        (void)curl_multi_remove_handle(c->multi, t->easy);
        *(t->before ? &t->before->next : &c->active) = t->next;
        if (t->next) {
            t->next->before = t->before;
        }
        t->next = t->before = NULL;
        t->active = false;
    }
}

void client_drop(struct client *client, struct transfer *t)
{
    leave(client, t);
}

void client_forget(struct transfer *t)
{
    if (t->client) {
        leave(t->client, t);
    }
    if (t->easy) {
        curl_easy_cleanup(t->easy);
    }
    free(t->error);
    t->easy = NULL;
    t->error = NULL;
}

void client_close(struct client *client)
{
    if (!client) {
        return;
    }
    while (client->active) {
        leave(client, client->active);
    }
    if (client->multi) {
        (void)curl_multi_cleanup(client->multi);
    }
    if (client->epoll >= 0) {
        close(client->epoll);
    }
    free(client);
    curl_global_cleanup();
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct client *c = t->client;
    if (c->counted_id != c->read_id) {
        c->counted_id = c->read_id;
        c->counts.reads++;
    }
    c->counts.received_bytes += (int64_t)(size * n);
    c->read_ns = c->read_ns ? c->read_ns : client_clock_ns();
    t->heard = true;
    t->heard_ns = c->read_ns;
    if (t->status == 0) {
        (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
    }
    t->stopped = t->bytes(t, t->status, bytes, size * n) != 0;
    return t->stopped ? CURL_WRITEFUNC_ERROR : size * n;
}

/* What is the same for every transfer of a client. */
static void set_up(const struct client *c, struct transfer *t)
{
    static const long versions[] = {[HTTP_AUTO] = CURL_HTTP_VERSION_2TLS,
                                    [HTTP_1] = CURL_HTTP_VERSION_1_1,
                                    [HTTP_2] = CURL_HTTP_VERSION_2_0};
    CURL *easy = t->easy;
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, &c->headers[0]);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->setup.connect_ns / ms_ns));
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, c->setup.proxy ? c->setup.proxy : "");
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* a key goes where it was told to */
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "tare");
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)read_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, versions[c->setup.http]);
    (void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, c->setup.http == HTTP_1 ? 0L : 1L);
    if (c->setup.ca_file) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, c->setup.ca_file);
    }
}

static int make_easy(const struct client *c, struct transfer *t, struct tare_err *err)
{
    if (t->easy) {
        return 0;
    }
    t->error = calloc(1, CURL_ERROR_SIZE);
    t->easy = t->error ? curl_easy_init() : NULL;
    if (!t->easy) {
        client_forget(t);
        return tare_err_set(err, TARE_E_NOMEM, "backend openai: no memory for a request");
    }
    set_up(c, t);
    /* HTTP/2 on a clear line has no negotiation: the server must expect it. libcurl 7.88 loses the second
     * request on such a connection ("Error in the HTTP2 framing layer"; its own command line does, too). */
    if (c->setup.http == HTTP_2 && strncmp(t->url, "http:", 5) == 0) {
        (void)curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
        (void)curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
        (void)curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    return 0;
}

/* Lets libcurl do what is due. It may send, and find an answer there at once: nothing was waited for, so what
 * it reads is stamped when it is read. */
static void kick(struct client *c)
{
    int running = 0;
    c->read_ns = 0;
    c->read_id++;
    if (c->timer_ns <= client_clock_ns()) { /* it is told again only when it changes */
        c->timer_ns = never_ns;
    }
    (void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

int client_start(struct client *client, struct transfer *t, struct tare_err *err)
{
    t->client = client;
    int r = make_easy(client, t, err);
    if (r < 0) {
        return r;
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    if (t->body) {
        (void)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->n_body);
    } else {
        (void)curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    }
    t->error[0] = '\0';
    t->heard = t->stopped = false;
    t->status = 0;
    t->expired = NULL;
    t->began_ns = client_clock_ns();
    client->counts.sent_bytes += t->body ? (int64_t)t->n_body : 0;
    if (curl_multi_add_handle(client->multi, t->easy) != CURLM_OK) {
        return tare_err_set(err, TARE_E_NOMEM, "backend openai: libcurl takes no further request");
    }
    t->next = client->active;
    if (t->next) {
        t->next->before = t;
    }
    client->active = t;
    t->active = true;
    kick(client);
    return 0;
}

static bool may_pass(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
           code == CURLE_RECV_ERROR || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
           code == CURLE_PARTIAL_FILE || code == CURLE_OPERATION_TIMEDOUT;
}

static void finish(struct client *c, struct transfer *t, CURLcode code)
{
    struct client_end end = {.answered = code == CURLE_OK && !t->expired,
                             .stopped = t->stopped,
                             .again = may_pass(code) && !t->expired,
                             .status = t->status};
    long connects = 0;
    curl_off_t after = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &end.status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
    c->counts.connections += connects;
    end.retry_after_s = (int64_t)after;
    end.why = t->expired ? t->expired : t->error[0] ? t->error : curl_easy_strerror(code);
    leave(c, t);
    t->end(t, &end);
}

/* True: something had ended. */
static bool reap(struct client *c)
{
    int left = 0;
    bool any = false;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
        any = true;
        struct transfer *t = NULL;
        CURLcode code = m->data.result;
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK &&
            t) {
            finish(c, t, code);
        }
    }
    return any;
}

/* Which limit a transfer has passed, or NULL. */
static const char *expiry(const struct client *c, const struct transfer *t, int64_t now_ns)
{
    if (!t->heard) {
        return now_ns - t->began_ns > c->setup.first_byte_ns ? "no byte of an answer within first_byte"
                                                             : NULL;
    }
    return now_ns - t->heard_ns > c->setup.stall_ns ? "the answer stopped for longer than stall" : NULL;
}

static void look_at_limits(struct client *c, int64_t now_ns)
{
    if (now_ns - c->looked_ns < look_ns) {
        return;
    }
    c->looked_ns = now_ns;
    for (struct transfer *t = c->active, *next; t; t = next) {
        next = t->next;
        t->expired = expiry(c, t, now_ns);
        if (t->expired) {
            finish(c, t, CURLE_OPERATION_TIMEDOUT);
            next = c->active; /* `end` may have started others */
        }
    }
}

static int wait_ms(const struct client *c, int64_t until_ns)
{
    int64_t now_ns = client_clock_ns(), due_ns = c->timer_ns < until_ns ? c->timer_ns : until_ns;
    if (c->active && now_ns + look_ns < due_ns) {
        due_ns = now_ns + look_ns;
    }
    return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns + ms_ns - 1) / ms_ns);
}

static void handle(struct client *c, const struct epoll_event *event)
{
    int running = 0;
    int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    c->read_id++;
    c->read_ns = event->events & EPOLLIN ? arrival(c, event->data.fd, c->woke_ns) : c->woke_ns;
    (void)curl_multi_socket_action(c->multi, event->data.fd, what, &running);
}

int client_round(struct client *client, int64_t until_ns, struct tare_err *err)
{
    struct epoll_event woken[max_woken];
    if (reap(client)) { /* what was answered while it was being sent */
        return 0;
    }
    int n = epoll_wait(client->epoll, woken, max_woken, wait_ms(client, until_ns));
    if (n < 0 && errno != EINTR) {
        return tare_err_set(err, TARE_E_IO, "backend openai: epoll: %s", strerror(errno));
    }
    int64_t woke_ns = client_clock_ns();
    client->woke_ns = woke_ns;
    for (int i = 0; i < n; i++) {
        handle(client, &woken[i]);
    }
    if (client->timer_ns <= client_clock_ns()) {
        kick(client);
    }
    (void)reap(client);
    int64_t now_ns = client_clock_ns();
    look_at_limits(client, now_ns);
    if (now_ns - woke_ns > client->counts.round_max_ns) {
        client->counts.round_max_ns = now_ns - woke_ns;
    }
    return 0;
}

int64_t client_read_ns(const struct client *client)
{
    return client->read_ns;
}

uint64_t client_read_id(const struct client *client)
{
    return client->read_id;
}

const struct client_counts *client_counted(const struct client *client)
{
    return &client->counts;
}
