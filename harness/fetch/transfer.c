/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects are followed here and not by libcurl, so that each is looked at. The only user of libcurl of the
 * harness. */
#include "fetch/transfer.h"

#include "base/clock.h"
#include "base/plain.h"
#include "config.h"
#include "fetch/head.h"
#include "fetch/url.h"

#define CURL_DISABLE_TYPECHECK /* its checks are macros over the names, which are members here */
#include <curl/curl.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <string.h>

enum { max_redirects = 5, slow_bytes_per_s = 100, max_foreign_bytes = 1 << 16, oldest_version = 0x075500 };
static const int64_t ns_per_ms = 1000000, ns_per_s = 1000000000;

/* What is used of libcurl. */
static struct {
    void *library;
    const char *version;
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *easy);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    void (*easy_cleanup)(CURL *easy);
    const char *(*easy_strerror)(CURLcode code);
    curl_version_info_data *(*version_info)(CURLversion age);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
    void (*slist_free_all)(struct curl_slist *list);
} curl;

static bool find(const char *name, void *member)
{
    void *symbol = dlsym(curl.library, name);
    memcpy(member, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_all(void)
{
    return find("curl_global_init", &curl.global_init) && find("curl_easy_init", &curl.easy_init) &&
           find("curl_easy_setopt", &curl.easy_setopt) && find("curl_easy_perform", &curl.easy_perform) &&
           find("curl_easy_getinfo", &curl.easy_getinfo) && find("curl_easy_cleanup", &curl.easy_cleanup) &&
           find("curl_easy_strerror", &curl.easy_strerror) && find("curl_version_info", &curl.version_info) &&
           find("curl_slist_append", &curl.slist_append) && find("curl_slist_free_all", &curl.slist_free_all);
}

static int load(struct tare_err *err)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    if (curl.version) {
        return 0;
    }
    for (size_t i = 0; !curl.library && i < sizeof names / sizeof *names; i++) {
        curl.library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    }
    if (!curl.library) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "libcurl.so.4 is not installed, so nothing can be downloaded; --from takes files "
                            "from a folder");
    }
    if (!find_all() || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "libcurl.so.4 cannot be started");
    }
    const curl_version_info_data *info = curl.version_info(CURLVERSION_NOW);
    if (info->version_num < oldest_version) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "libcurl %s is too old: 7.85.0 is needed to hold it to http", info->version);
    }
    curl.version = info->version;
    return 0;
}

struct run {
    const struct tare_transfer *t;
    CURL *easy;
    struct tare_head head;
    int64_t at_byte;       /* of the next one */
    int64_t foreign_bytes; /* of answers that bring no file */
    bool begun;
    enum tare_transfer_left left; /* if we end it */
    int64_t all_bytes;            /* heads and bodies */
    int64_t mark_ns, mark_bytes;  /* when enough had come the last time; 0: not connected yet */
    int failed;                   /* by us: 0, or the code in err */
    struct tare_err err;
};

/* Makes libcurl end the transfer. */
static size_t give_up(struct run *run, int code)
{
    run->failed = code;
    return 0;
}

static long status_of(const struct run *run)
{
    long status = 0;
    (void)curl.easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The empty line: what has been said is held against what was asked. */
static int end_head(struct run *run)
{
    long status = status_of(run);
    int64_t at = 0;
    if (status < 200 || is_redirect(status)) {
        return 0;
    }
    int r = tare_head_judge(&run->head, status, run->t->from_byte, run->t->total_bytes, &at, &run->err);
    if (r < 0 && (status == 200 || status == 206 || status == 416)) {
        run->left = TARE_LEFT_WORTHLESS;
    }
    r = r == 0 ? run->t->begin(run->t->ctx, at, tare_head_validator(&run->head), &run->err) : r;
    run->begun = r == 0;
    run->at_byte = at;
    return r;
}

static size_t on_head(char *line, size_t size, size_t n, void *ctx)
{
    struct run *run = ctx;
    n *= size;
    run->all_bytes += (int64_t)n;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0 && !run->begun) {
        tare_head_begin(&run->head);
    }
    int r = tare_head_line(&run->head, line, n, &run->err);
    if (r == 0 && !run->begun && (n == 0 || line[0] == '\r' || line[0] == '\n')) {
        r = end_head(run);
    }
    return r == 0 ? n : give_up(run, r);
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    struct run *run = ctx;
    n *= size;
    run->all_bytes += (int64_t)n;
    if (!run->begun) { /* the text of a redirect */
        run->foreign_bytes += (int64_t)n;
        return run->foreign_bytes <= max_foreign_bytes
                   ? n
                   : give_up(run, tare_err_set(&run->err, TARE_E_ENVIRONMENT, "its redirect does not end"));
    }
    if ((int64_t)n > run->t->total_bytes - run->at_byte) {
        run->left = TARE_LEFT_WORTHLESS;
        return give_up(run, tare_err_set(&run->err, TARE_E_ENVIRONMENT,
                                         "it sends more than the %" PRId64 " bytes that the file has",
                                         run->t->total_bytes));
    }
    int r = run->t->bytes(run->t->ctx, bytes, n, &run->err);
    run->at_byte += r == 0 ? (int64_t)n : 0;
    return r == 0 ? n : give_up(run, r);
}

/* libcurl's own limit looks at the mean of five seconds, and so comes late behind a fast beginning. */
static bool is_stalled(struct run *run)
{
    int64_t now_ns = tare_clock_ns(), stall_ns = run->t->stall_ns;
    int64_t enough = slow_bytes_per_s * (stall_ns / ns_per_s);
    curl_off_t connected_us = 0;
    if (run->mark_ns == 0) {
        (void)curl.easy_getinfo(run->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
        run->mark_ns = connected_us > 0 ? now_ns : 0;
        run->mark_bytes = run->all_bytes;
        return false;
    }
    if (run->all_bytes - run->mark_bytes >= enough) {
        run->mark_ns = now_ns;
        run->mark_bytes = run->all_bytes;
    }
    return now_ns - run->mark_ns > stall_ns;
}

static int on_time(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    struct run *run = ctx;
    (void)total, (void)now, (void)up_total, (void)up_now;
    if (run->t->stop(run->t->ctx)) {
        run->failed = tare_err_set(&run->err, TARE_E_INTERRUPTED, "interrupted");
    } else if (is_stalled(run)) {
        run->left = TARE_LEFT_GOOD;
        run->failed =
            tare_err_set(&run->err, TARE_E_ENVIRONMENT, "stopped waiting: under %d bytes a second for %.0f s",
                         slow_bytes_per_s, (double)run->t->stall_ns / (double)ns_per_s);
    }
    return run->failed != 0;
}

#define SET(option, value) (curl.easy_setopt(run->easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_limits(struct run *run)
{
    const struct tare_transfer *t = run->t;
    return SET(CONNECTTIMEOUT_MS, (long)(t->connect_ns / ns_per_ms)) && SET(NOSIGNAL, 1L) &&
           SET(PROTOCOLS_STR, "http,https") && SET(FOLLOWLOCATION, 0L) && SET(SSL_VERIFYPEER, 1L) &&
           SET(SSL_VERIFYHOST, 2L) && SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (!t->ca_file || SET(CAINFO, t->ca_file));
}

static bool set_callbacks(struct run *run, char *message)
{
    return SET(HEADERFUNCTION, on_head) && SET(HEADERDATA, run) && SET(WRITEFUNCTION, on_bytes) &&
           SET(WRITEDATA, run) && SET(XFERINFOFUNCTION, on_time) && SET(XFERINFODATA, run) &&
           SET(NOPROGRESS, 0L) && SET(SUPPRESS_CONNECT_HEADERS, 1L) && SET(ERRORBUFFER, message) &&
           SET(USERAGENT, "tare/" TARE_VERSION);
}

/* *lines is for the caller to free. */
static bool set_range(struct run *run, struct curl_slist **lines)
{
    char range[32], condition[TARE_VALIDATOR_MAX + 16];
    if (run->t->from_byte == 0) {
        return true;
    }
    (void)snprintf(range, sizeof range, "%" PRId64 "-", run->t->from_byte);
    (void)snprintf(condition, sizeof condition, "If-Range: %s", run->t->validator);
    *lines = curl.slist_append(NULL, condition);
    return *lines && SET(RANGE, range) && SET(HTTPHEADER, *lines);
}

/* Of these the same request may succeed a moment later. */
static bool may_pass(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
           code == CURLE_RECV_ERROR || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
           code == CURLE_PARTIAL_FILE || code == CURLE_OPERATION_TIMEDOUT;
}

static int explain(const struct run *run, CURLcode code, const char *message,
                   enum tare_transfer_left *out_left, struct tare_err *err)
{
    *out_left = run->left;
    if (run->failed != 0) {
        return tare_err_set(err, run->failed, "%s", run->err.msg);
    }
    if (code == CURLE_OK) {
        return 0;
    }
    *out_left = may_pass(code) ? TARE_LEFT_GOOD : TARE_LEFT_AS_WAS;
    int r = tare_err_set(err, TARE_E_ENVIRONMENT, "%s%s",
                         code == CURLE_OPERATION_TIMEDOUT ? "stopped waiting: " : "",
                         message[0] ? message : curl.easy_strerror(code));
    tare_plain_err(err);
    return r;
}

/* One request. True with *to: the answer is a redirect to there. */
static bool redirected(const struct run *run, const char **to)
{
    char *url = NULL;
    if (!is_redirect(status_of(run)) ||
        curl.easy_getinfo(run->easy, CURLINFO_REDIRECT_URL, &url) != CURLE_OK || !url) {
        return false;
    }
    *to = url;
    return true;
}

static int ask(struct run *run, const char *message, enum tare_transfer_left *out_left, struct tare_err *err)
{
    char url[TARE_URL_MAX];
    const char *to = NULL;
    (void)snprintf(url, sizeof url, "%s", run->t->url);
    for (int i = 0; i <= max_redirects; i++) {
        if (!SET(URL, url)) {
            return tare_err_set(err, TARE_E_NOMEM, "libcurl: out of memory");
        }
        run->mark_ns = 0;
        int r = explain(run, curl.easy_perform(run->easy), message, out_left, err);
        if (r < 0 || run->begun) {
            return r;
        }
        if (!redirected(run, &to)) {
            return tare_err_set(err, TARE_E_ENVIRONMENT, "it answers with status %ld", status_of(run));
        }
        r = tare_url_follow(url, to, err);
        if (r < 0) {
            return r;
        }
        (void)snprintf(url, sizeof url, "%s", to);
    }
    return tare_err_set(err, TARE_E_ENVIRONMENT, "it redirects more than %d times", max_redirects);
}

int tare_transfer_run(const struct tare_transfer *transfer, enum tare_transfer_left *out_left,
                      struct tare_err *err)
{
    struct run self = {.t = transfer}, *run = &self;
    struct curl_slist *lines = NULL;
    char message[CURL_ERROR_SIZE] = "";
    *out_left = TARE_LEFT_AS_WAS;
    int r = load(err);
    if (r < 0) {
        return r;
    }
    self.easy = curl.easy_init();
    if (!self.easy) {
        return tare_err_set(err, TARE_E_NOMEM, "libcurl: out of memory");
    }
    bool ok = set_limits(run) && set_callbacks(run, message) && set_range(run, &lines);
    r = ok ? ask(run, message, out_left, err)
           : tare_err_set(err, TARE_E_UNSUPPORTED, "libcurl %s refuses an option that is needed",
                          curl.version);
    curl.easy_cleanup(self.easy);
    curl.slist_free_all(lines);
    return r;
}
