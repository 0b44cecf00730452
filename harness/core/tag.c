/* SPDX-License-Identifier: Apache-2.0 */
/* One parser, told what to do with each parameter; rendering and resolving are built on it. */
#include "core/tag.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { max_text = 4096, max_params = 32 };

static const char tag_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
static const char key_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

/* A piece of the text. */
struct piece {
    const char *at;
    size_t n;
};

struct parser {
    const char *at;
    const char *what;
    const char *text;
    struct piece keys[max_params]; /* of the tag being read */
    size_t n_keys;
    int (*param)(void *ctx, struct piece key, struct piece value);
    void *ctx;
    struct tare_err *err;
};

static int refuse(const struct parser *p, struct piece where, const char *why)
{
    return tare_err_set(p->err, TARE_E_USAGE, "%s: technique \"%.100s\": \"%.*s\" %s", p->what, p->text,
                        where.n < 60 ? (int)where.n : 60, where.at, why);
}

static bool is_file(struct piece key)
{
    return key.n == 5 && (memcmp(key.at, "draft", 5) == 0 || memcmp(key.at, "calib", 5) == 0);
}

/* What a path in a message, a shell and a table can hold: no control characters and no quotes. */
static bool is_value(struct piece v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.at[i];
        if (c < 0x20 || c == 0x7f || strchr("=\"", c)) {
            return false;
        }
    }
    return v.n > 0;
}

static int note_key(struct parser *p, struct piece key)
{
    for (size_t i = 0; i < p->n_keys; i++) {
        if (p->keys[i].n == key.n && memcmp(p->keys[i].at, key.at, key.n) == 0) {
            return refuse(p, key, "is given twice");
        }
    }
    if (p->n_keys == max_params) {
        return refuse(p, key, "is one parameter too many; 32 may be given");
    }
    p->keys[p->n_keys++] = key;
    return 0;
}

/* "bits=4", up to the ',' or '}' behind it. */
static int read_param(struct parser *p)
{
    struct piece all = {p->at, strcspn(p->at, ",{}")};
    const char *equals = memchr(all.at, '=', all.n);
    struct piece key = {all.at, equals ? (size_t)(equals - all.at) : 0};
    if (key.n == 0 || strspn(key.at, key_chars) != key.n) {
        return refuse(p, all, "is not of the form key=value with a key of a-z, 0-9 and '_'");
    }
    struct piece value = {equals + 1, all.n - key.n - 1};
    if (!is_value(value)) {
        return refuse(p, all, "has no value, or one with '=', a quote or a control character");
    }
    p->at = all.at + all.n;
    int r = note_key(p, key);
    return r == 0 && p->param ? p->param(p->ctx, key, value) : r;
}

static int read_params(struct parser *p)
{
    const char *open = p->at++; /* the brace */
    p->n_keys = 0;
    for (;;) {
        int r = read_param(p);
        if (r < 0) {
            return r;
        }
        char c = *p->at;
        if (c != ',' && c != '}') {
            return refuse(p, (struct piece){open, strlen(open)},
                          c ? "has a brace within braces" : "is not closed by '}'");
        }
        p->at++;
        if (c == '}') {
            return 0;
        }
    }
}

/* Words with single dots between them. */
static bool is_tag(struct piece t)
{
    bool fresh = true;
    for (size_t i = 0; i < t.n; i++) {
        bool separator = t.at[i] == '.' || t.at[i] == '-';
        if (fresh && separator) {
            return false;
        }
        fresh = separator;
    }
    return !fresh;
}

static bool is_nothing(struct piece t)
{
    return (t.n == 8 && memcmp(t.at, "baseline", 8) == 0) || (t.n == 4 && memcmp(t.at, "none", 4) == 0);
}

static int read_tag(struct parser *p)
{
    struct piece tag = {p->at, strspn(p->at, tag_chars)};
    if (!is_tag(tag)) {
        return refuse(p, (struct piece){p->at, strcspn(p->at, "+{")},
                      "is no tag: words of a-z and 0-9 with '.' or '-' between them");
    }
    p->at += tag.n;
    bool alone = tag.at == p->text && *p->at == '\0';
    if (is_nothing(tag) && !alone) {
        return refuse(p, tag, "is no technique, and stands alone");
    }
    int r = *p->at == '{' ? read_params(p) : 0;
    if (r == 0 && *p->at && *p->at != '+') {
        r = refuse(p, (struct piece){p->at, strlen(p->at)}, "stands where '{', '+' or the end is due");
    }
    return r;
}

static int parse(struct parser *p)
{
    p->at = p->text;
    if (strlen(p->text) > max_text) {
        return tare_err_set(p->err, TARE_E_USAGE, "%s: technique \"%.40s...\": longer than %d bytes", p->what,
                            p->text, max_text);
    }
    int r = read_tag(p);
    while (r == 0 && *p->at == '+') {
        p->at++;
        r = read_tag(p);
    }
    return r;
}

int tare_tag_check(const char *text, const char *what, struct tare_err *err)
{
    struct parser p = {.what = what, .text = text, .err = err};
    return parse(&p);
}

/* Numbers as people write them: 4, 0.5, 1e-06. */
static int add_value(const struct tare_json *v, const char *what, struct tare_buf *to, struct tare_err *err)
{
    switch (tare_json_type(v)) {
    case TARE_JSON_STRING:
        if (strpbrk(tare_json_str(v), ",{}")) { /* it would read as more than one */
            return tare_err_set(err, TARE_E_USAGE, "%s: parameter \"%.60s\" holds one of ,{}", what,
                                tare_json_key(v));
        }
        tare_buf_add_str(to, tare_json_str(v));
        return 0;
    case TARE_JSON_NUMBER:
        tare_buf_printf(to, "%.15g", tare_json_num(v));
        return 0;
    case TARE_JSON_BOOL:
        tare_buf_add_str(to, tare_json_true(v) ? "true" : "false");
        return 0;
    default:
        return tare_err_set(err, TARE_E_USAGE,
                            "%s: parameter \"%.60s\" is %s; give a text, a number or a boolean", what,
                            tare_json_key(v), tare_json_type_name(tare_json_type(v)));
    }
}

static int add_params(const struct tare_json *params, const char *what, struct tare_buf *to,
                      struct tare_err *err)
{
    int r = 0;
    for (const struct tare_json *v = tare_json_first(params); r == 0 && v; v = tare_json_next(v)) {
        tare_buf_printf(to, "%s%s=", v == tare_json_first(params) ? "{" : ",", tare_json_key(v));
        r = add_value(v, what, to, err);
    }
    tare_buf_add_str(to, tare_json_size(params) ? "}" : "");
    return r;
}

static int add_techniques(const struct tare_json *technique, const char *what, struct tare_buf *to,
                          struct tare_err *err)
{
    if (tare_json_str(technique)) {
        tare_buf_add_str(to, tare_json_str(technique));
        return 0;
    }
    if (tare_json_type(technique) != TARE_JSON_ARRAY || tare_json_size(technique) == 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"technique\" is neither a text nor an array of texts",
                            what);
    }
    for (const struct tare_json *v = tare_json_first(technique); v; v = tare_json_next(v)) {
        if (!tare_json_str(v)) {
            return tare_err_set(err, TARE_E_USAGE, "%s: \"technique\" holds %s; its elements are texts", what,
                                tare_json_type_name(tare_json_type(v)));
        }
        tare_buf_add_str(to, v == tare_json_first(technique) ? "" : "+");
        tare_buf_add_str(to, tare_json_str(v));
    }
    return 0;
}

static int render(const struct tare_json *entry, const char *what, struct tare_buf *to, struct tare_err *err)
{
    const struct tare_json *technique = tare_json_get(entry, "technique");
    const struct tare_json *params = tare_json_get(entry, "params");
    const char *text = tare_json_str(technique);
    if (params && tare_json_type(params) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"params\" is no object", what);
    }
    if (params && (!text || strpbrk(text, "{+"))) {
        return tare_err_set(err, TARE_E_USAGE,
                            "%s: \"params\" goes with one technique that has no parameters in its text",
                            what);
    }
    int r = add_techniques(technique, what, to, err);
    r = r == 0 ? add_params(params, what, to, err) : r;
    r = r == 0 ? tare_buf_check(to, what, err) : r;
    return r == 0 ? tare_tag_check(tare_buf_str(to), what, err) : r;
}

int tare_tag_render(const struct tare_json *entry, const char *what, char **out, struct tare_err *err)
{
    const struct tare_json *technique = tare_json_get(entry, "technique");
    const char *text = tare_json_str(technique);
    if ((!technique || (text && !*text)) && !tare_json_get(entry, "params")) {
        *out = NULL;
        return 0;
    }
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 20);
    int r = render(entry, what, &buf, err);
    if (r == 0) {
        *out = tare_buf_take(&buf);
    }
    tare_buf_fini(&buf);
    return r;
}

/* The text so far, and where the piece begins that has not been copied yet. */
struct resolver {
    const struct tare_paths *paths;
    struct tare_buf to;
    const char *from;
    struct tare_err *err;
};

static int resolve_param(void *ctx, struct piece key, struct piece value)
{
    struct resolver *s = ctx;
    char name[TARE_PATH_MAX], path[TARE_PATH_MAX];
    if (!is_file(key)) {
        return 0;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)value.n, value.at);
    int r = tare_paths_model(s->paths, name, path, sizeof path, s->err);
    if (r == 0 && strpbrk(path, ",{}=\"")) {
        r = tare_err_set(s->err, TARE_E_USAGE, "%.200s: a path in a technique cannot hold any of ,{}=\"",
                         path);
    }
    if (r == 0) {
        tare_buf_add(&s->to, s->from, (size_t)(value.at - s->from));
        tare_buf_add_str(&s->to, path);
        s->from = value.at + value.n;
    }
    return r;
}

int tare_tag_resolve(const struct tare_paths *paths, const char *tag, char **out, struct tare_err *err)
{
    struct resolver s = {.paths = paths, .from = tag, .err = err};
    struct parser p = {.what = "plan", .text = tag, .param = resolve_param, .ctx = &s, .err = err};
    tare_buf_init(&s.to, 1 << 20);
    int r = parse(&p);
    tare_buf_add_str(&s.to, s.from);
    r = r == 0 ? tare_buf_check(&s.to, "technique", err) : r;
    if (r == 0) {
        *out = tare_buf_take(&s.to);
    }
    tare_buf_fini(&s.to);
    return r;
}

struct walker {
    int (*each)(void *ctx, const char *param, const char *path);
    void *ctx;
    int r;
};

static int walk_param(void *ctx, struct piece key, struct piece value)
{
    struct walker *w = ctx;
    char param[16], path[TARE_PATH_MAX];
    if (w->r == 0 && is_file(key) && value.n < sizeof path) {
        (void)snprintf(param, sizeof param, "%.*s", (int)key.n, key.at);
        (void)snprintf(path, sizeof path, "%.*s", (int)value.n, value.at);
        w->r = w->each(w->ctx, param, path);
    }
    return 0;
}

int tare_tag_files(const char *tag, int (*each)(void *ctx, const char *param, const char *path), void *ctx)
{
    struct walker w = {.each = each, .ctx = ctx};
    struct tare_err ignored = {0};
    struct parser p = {.what = "", .text = tag, .param = walk_param, .ctx = &w, .err = &ignored};
    return parse(&p) < 0 ? 0 : w.r;
}
