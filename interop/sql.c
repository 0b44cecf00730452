/* SPDX-License-Identifier: Apache-2.0 */
/* A tokenizer for INSERT INTO table (names) VALUES (values), and nothing more of SQL. */
#include "sql.h"

#include "values.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum token_kind { token_end, token_word, token_text, token_number, token_sign };
enum { max_columns = 2000 };

struct scan {
    const struct tare_interop_in *in;
    const char *table;
    const char *text;
    size_t n, at;
    int64_t line;
    enum token_kind kind; /* of the current token */
    struct tare_buf token;
    struct tare_buf names; /* of the statement's columns, each with a NUL behind it */
    size_t n_names;
};

static int fault(struct scan *s, const char *what, struct tare_err *err)
{
    s->in->reader->line = s->line;
    return tare_interop_fault(s->in, err, "%s at \"%.30s\"", what, tare_buf_str(&s->token));
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->n) {
        bool comment = s->at + 1 < s->n && memcmp(s->text + s->at, "--", 2) == 0;
        if (comment) {
            while (s->at < s->n && s->text[s->at] != '\n') {
                s->at++;
            }
        } else if (!isspace((unsigned char)s->text[s->at])) {
            return;
        } else {
            s->line += s->text[s->at++] == '\n';
        }
    }
}

/* Text in quotes of that kind; two of them stand for one. */
static int take_quoted(struct scan *s, char quote, struct tare_err *err)
{
    for (s->at++; s->at < s->n; s->at++) {
        if (s->text[s->at] == quote) {
            s->at++;
            if (s->at == s->n || s->text[s->at] != quote) {
                return 0;
            }
        }
        s->line += s->text[s->at] == '\n';
        tare_buf_add(&s->token, s->text + s->at, 1);
    }
    return fault(s, "a quote does not end", err);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void take_run(struct scan *s, bool (*belongs)(char c))
{
    while (s->at < s->n && belongs(s->text[s->at])) {
        tare_buf_add(&s->token, s->text + s->at++, 1);
    }
}

static bool is_numeral(char c)
{
    return strchr("+-.0123456789eE", c) && c;
}

/* The next token. */
static int next(struct scan *s, struct tare_err *err)
{
    int r = 0;
    skip_blanks(s);
    tare_buf_clear(&s->token);
    char c = s->at < s->n ? s->text[s->at] : '\0';
    if (s->at == s->n) {
        s->kind = token_end;
    } else if (c == '\'' || c == '"' || c == '`') {
        s->kind = c == '\'' ? token_text : token_word;
        r = take_quoted(s, c, err);
    } else if (isdigit((unsigned char)c) || (c && strchr("+-.", c))) {
        s->kind = token_number;
        take_run(s, is_numeral);
    } else if (is_word(c)) {
        s->kind = token_word;
        take_run(s, is_word);
    } else {
        s->kind = token_sign;
        tare_buf_add(&s->token, s->text + s->at++, 1);
    }
    return r == 0 ? tare_buf_check(&s->token, s->in->reader->name, err) : r;
}

static bool is(const struct scan *s, enum token_kind kind, const char *text)
{
    return s->kind == kind && strcasecmp(tare_buf_str(&s->token), text) == 0;
}

/* The current token has to be this one; moves on. */
static int expect(struct scan *s, enum token_kind kind, const char *text, struct tare_err *err)
{
    char what[60];
    if (is(s, kind, text)) {
        return next(s, err);
    }
    (void)snprintf(what, sizeof what, "%s is needed", text);
    return fault(s, what, err);
}

static int expect_table(struct scan *s, struct tare_err *err)
{
    char what[80];
    if (is(s, token_word, s->table)) {
        return next(s, err);
    }
    (void)snprintf(what, sizeof what, "only the table %.40s is read; another one", s->table);
    return fault(s, what, err);
}

/* ( name, name ), into names. */
static int read_names(struct scan *s, struct tare_err *err)
{
    tare_buf_clear(&s->names);
    s->n_names = 0;
    int r = expect(s, token_sign, "(", err);
    while (r == 0) {
        if (s->kind != token_word || s->n_names == max_columns) {
            return fault(s, "a column name is needed", err);
        }
        tare_buf_add(&s->names, s->token.data, s->token.used);
        tare_buf_add(&s->names, "", 1);
        s->n_names++;
        r = next(s, err);
        if (r == 0 && !is(s, token_sign, ",")) {
            break;
        }
        r = r == 0 ? next(s, err) : r;
    }
    r = r == 0 ? tare_buf_check(&s->names, s->in->reader->name, err) : r;
    return r == 0 ? expect(s, token_sign, ")", err) : r;
}

static int add_value(struct scan *s, struct tare_json *record, const char *name, struct tare_err *err)
{
    double ignored;
    const char *text = tare_buf_str(&s->token);
    if (tare_json_get(record, name)) {
        return fault(s, "a column stands twice", err);
    }
    if (s->kind == token_text) {
        tare_json_add_str(record, name, text);
    } else if (s->kind == token_number && tare_interop_parse(text, &ignored)) {
        tare_json_add_number_text(record, name, text);
    } else if (is(s, token_word, "NULL")) {
        tare_json_add_null(record, name);
    } else {
        return fault(s, "a quoted text, a number or NULL is needed", err);
    }
    return next(s, err);
}

/* ( value, value ) as one record. */
static int read_values(struct scan *s, struct tare_json *record, struct tare_err *err)
{
    const char *name = tare_buf_str(&s->names);
    int r = expect(s, token_sign, "(", err);
    for (size_t i = 0; r == 0 && i < s->n_names; i++) {
        r = i > 0 ? expect(s, token_sign, ",", err) : 0;
        r = r == 0 ? add_value(s, record, name, err) : r;
        name += strlen(name) + 1;
    }
    return r == 0 ? expect(s, token_sign, ")", err) : r;
}

static int read_insert(struct scan *s, tare_interop_object_fn fn, size_t *n, struct tare_err *err)
{
    int r = expect(s, token_word, "INTO", err);
    r = r == 0 ? expect_table(s, err) : r;
    r = r == 0 ? read_names(s, err) : r;
    r = r == 0 ? expect(s, token_word, "VALUES", err) : r;
    bool more = true;
    while (r == 0 && more) {
        struct tare_json *record = tare_json_new_object();
        r = read_values(s, record, err);
        s->in->reader->line = s->line;
        r = r == 0 ? tare_interop_record(s->in, record, err) : r;
        r = r == 0 ? fn(s->in, record, err) : r;
        tare_json_destroy(record);
        more = r == 0 && is(s, token_sign, ",");
        r = more ? next(s, err) : r;
        ++*n;
    }
    return r;
}

/* CREATE TABLE IF NOT EXISTS name ( ... ): passed over to its semicolon. */
static int skip_create(struct scan *s, struct tare_err *err)
{
    int r = expect(s, token_word, "TABLE", err);
    while (r == 0 && (is(s, token_word, "IF") || is(s, token_word, "NOT") || is(s, token_word, "EXISTS"))) {
        r = next(s, err);
    }
    r = r == 0 ? expect_table(s, err) : r;
    while (r == 0 && s->kind != token_end && !is(s, token_sign, ";")) {
        r = next(s, err);
    }
    return r;
}

static int read_statement(struct scan *s, tare_interop_object_fn fn, size_t *n, struct tare_err *err)
{
    bool create = is(s, token_word, "CREATE");
    if (!create && !is(s, token_word, "INSERT")) {
        return fault(s, "only CREATE TABLE and INSERT INTO are read; another statement", err);
    }
    int r = next(s, err);
    r = r < 0 ? r : create ? skip_create(s, err) : read_insert(s, fn, n, err);
    if (r == 0 && s->kind != token_end) {
        r = expect(s, token_sign, ";", err);
    }
    return r;
}

/* Log lines may stand before the first statement. */
static void skip_log(struct scan *s)
{
    while (s->at < s->n && strncasecmp(s->text + s->at, "CREATE ", 7) != 0 &&
           strncasecmp(s->text + s->at, "INSERT ", 7) != 0) {
        const char *end = memchr(s->text + s->at, '\n', s->n - s->at);
        s->at = end ? (size_t)(end - s->text) + 1 : s->n;
        s->line++;
    }
}

int tare_insert_read(const struct tare_interop_in *in, const char *table, tare_interop_object_fn fn,
                     struct tare_err *err)
{
    struct scan s = {.in = in, .table = table, .line = 1};
    size_t n = 0;
    tare_buf_init(&s.token, tare_interop_max_text);
    tare_buf_init(&s.names, tare_interop_max_text);
    int r = tare_interop_text_all(in, &s.text, &s.n, err);
    if (r == 0) {
        skip_log(&s);
        r = next(&s, err);
    }
    while (r == 0 && s.kind != token_end) {
        r = read_statement(&s, fn, &n, err);
    }
    if (r == 0 && n == 0) {
        r = tare_interop_fault(in, err, "there is no INSERT INTO %.40s in it", table);
    }
    tare_buf_fini(&s.token);
    tare_buf_fini(&s.names);
    return r;
}
