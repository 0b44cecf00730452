/* SPDX-License-Identifier: Apache-2.0 */
/* An address is taken apart once; everything else is said of the parts. */
#include "fetch/url.h"

#include "base/plain.h"

#include <string.h>
#include <strings.h>

struct parts {
    bool secure;
    const char *host; /* with its brackets */
    size_t n_host;
    const char *port; /* digits; NULL: the scheme's */
    size_t n_port;
};

static const char host_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
static const char digits[] = "0123456789";

static size_t host_length(const char *text)
{
    if (*text == '[') {
        size_t n = strspn(text + 1, "0123456789abcdefABCDEF:.");
        return n > 0 && text[1 + n] == ']' ? n + 2 : 0;
    }
    return strspn(text, host_letters);
}

/* Visible ASCII, from here to the end. */
static bool is_visible(const char *text)
{
    for (; *text; text++) {
        if (*text <= 0x20 || *text >= 0x7f || *text == '\\') {
            return false;
        }
    }
    return true;
}

/* NULL, or what is wrong. */
static const char *split(const char *url, struct parts *out)
{
    struct parts p = {.secure = strncmp(url, "https://", 8) == 0};
    if (!p.secure && strncmp(url, "http://", 7) != 0) {
        return "is neither https nor http";
    }
    if (strlen(url) >= TARE_URL_MAX) {
        return "is too long";
    }
    p.host = url + (p.secure ? 8 : 7);
    p.n_host = host_length(p.host);
    const char *at = p.host + p.n_host;
    if (p.n_host > 0 && *at == ':') {
        p.port = at + 1;
        p.n_port = strspn(p.port, digits);
        at = p.n_port > 0 && p.n_port <= 5 ? p.port + p.n_port : "?";
    }
    if (p.n_host == 0 || (*at != '\0' && *at != '/')) {
        return "names no plain host";
    }
    if (!is_visible(at)) {
        return "has characters that no address has";
    }
    *out = p;
    return NULL;
}

static int refuse(const char *url, const char *why, struct tare_err *err)
{
    int r = tare_err_set(err, TARE_E_USAGE, "address %.200s %s", url, why);
    tare_plain_err(err);
    return r;
}

static bool is_this_machine(const struct parts *p)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == p->n_host && strncasecmp(names[i], p->host, p->n_host) == 0) {
            return true;
        }
    }
    return false;
}

int tare_url_check(const char *url, enum tare_url_from from, struct tare_err *err)
{
    struct parts p;
    const char *wrong = split(url, &p);
    if (!wrong && from == TARE_URL_MIRROR && !p.secure && !is_this_machine(&p)) {
        wrong = "is not https, which a mirror on another machine must be";
    }
    return wrong ? refuse(url, wrong, err) : 0;
}

static bool same_port(const struct parts *a, const struct parts *b)
{
    static const char *const of_scheme[] = {"80", "443"};
    const char *pa = a->port ? a->port : of_scheme[a->secure], *pb = b->port ? b->port : of_scheme[b->secure];
    size_t na = a->port ? a->n_port : strlen(pa), nb = b->port ? b->n_port : strlen(pb);
    return na == nb && memcmp(pa, pb, na) == 0;
}

int tare_url_follow(const char *from, const char *to, struct tare_err *err)
{
    struct parts a, b;
    const char *wrong = split(from, &a);
    if (wrong) {
        return refuse(from, wrong, err);
    }
    wrong = split(to, &b);
    if (!wrong && a.secure && !b.secure) {
        wrong = "is not https any more";
    }
    if (!wrong && (a.n_host != b.n_host || strncasecmp(a.host, b.host, a.n_host) != 0)) {
        wrong = "is another host's";
    }
    if (!wrong && a.secure == b.secure && !same_port(&a, &b)) {
        wrong = "is another port's";
    }
    if (wrong) {
        int r = tare_err_set(err, TARE_E_ENVIRONMENT, "it redirects to %.160s, which %s", to, wrong);
        tare_plain_err(err);
        return r;
    }
    return 0;
}

int tare_url_join(const char *base, const char *file, char out[TARE_URL_MAX], struct tare_err *err)
{
    size_t n = strlen(base);
    int used = snprintf(out, TARE_URL_MAX, "%s%s%s", base, n > 0 && base[n - 1] == '/' ? "" : "/", file);
    return used < TARE_URL_MAX ? 0 : tare_err_set(err, TARE_E_LIMIT, "address %.100s... is too long", base);
}
