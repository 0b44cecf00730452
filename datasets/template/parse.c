/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, and what both halves of the parser share. */
#include "parse.h"

#include "template.h"

#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

int tare_tpl_new(struct tare_tpl_parser *p, enum tare_tpl_kind kind, size_t at, struct tare_tpl_node **out)
{
    struct tare_tpl_node *node = tare_tpl_alloc(&p->t->arena, sizeof *node);
    if (!node) {
        (void)tare_tpl_error(p->t, at, TARE_E_NOMEM, p->err, "out of memory");
        return TARE_E_NOMEM;
    }
    *node = (struct tare_tpl_node){.kind = kind, .at = (uint32_t)at};
    *out = node;
    return 0;
}

static int deepest(const struct tare_tpl_node *node)
{
    int depth = 0;
    for (; node; node = node->next) {
        depth = node->depth > depth ? node->depth : depth;
    }
    return depth;
}

int tare_tpl_finish(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    const struct tare_tpl_node *const below[] = {node->a, node->b, node->c, node->d};
    int depth = 0;
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        int of = deepest(below[i]);
        depth = of > depth ? of : depth;
    }
    node->depth = (uint16_t)(depth + 1);
    return depth < tare_tpl_max_depth ? 0
                                      : tare_tpl_error(p->t, node->at, TARE_E_FORMAT, p->err,
                                                       "nested deeper than %d", tare_tpl_max_depth);
}

int tare_tpl_enter(struct tare_tpl_parser *p)
{
    return p->depth++ < 2 * tare_tpl_max_depth
               ? 0
               : tare_tpl_refuse(p, "nested deeper than %d", tare_tpl_max_depth);
}

void tare_tpl_leave(struct tare_tpl_parser *p)
{
    p->depth--;
}

bool tare_tpl_at_name(const struct tare_tpl_parser *p, const char *name)
{
    const struct tare_tpl_token *now = &p->lexer.now;
    return now->kind == TARE_TPL_T_NAME && now->text.n == strlen(name) &&
           memcmp(now->text.data, name, now->text.n) == 0;
}

bool tare_tpl_at_op(const struct tare_tpl_parser *p, char op)
{
    return p->lexer.now.kind == TARE_TPL_T_OPERATOR && p->lexer.now.op == op;
}

int tare_tpl_advance(struct tare_tpl_parser *p)
{
    return tare_tpl_lex_next(&p->lexer, p->err);
}

int tare_tpl_refuse(struct tare_tpl_parser *p, const char *fmt, ...)
{
    char message[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return tare_tpl_error(p->t, p->lexer.now.at, TARE_E_FORMAT, p->err, "%s", message);
}

int tare_tpl_unexpected(struct tare_tpl_parser *p, const char *expected)
{
    const struct tare_tpl_token *now = &p->lexer.now;
    if (now->kind == TARE_TPL_T_STRING) {
        return tare_tpl_refuse(p, "%s is expected, found a string", expected);
    }
    int n = now->text.n < 40 ? (int)now->text.n : 40;
    return tare_tpl_refuse(p, "%s is expected, found '%.*s'", expected, n, now->text.data);
}

/* A list of statements as it grows. */
struct body {
    struct tare_tpl_node *first, *last;
};

static void add(struct body *body, struct tare_tpl_node *node)
{
    if (body->last) {
        body->last->next = node;
    } else {
        body->first = node;
    }
    body->last = node;
}

static int add_text(struct tare_tpl_parser *p, struct body *body, struct tare_bytes text)
{
    struct tare_tpl_node *node = NULL;
    if (text.n == 0) {
        return 0;
    }
    int r = tare_tpl_new(p, TARE_TPL_TEXT, (size_t)(text.data - p->t->source), &node);
    if (r == 0) {
        node->text = text;
        node->depth = 1;
        add(body, node);
    }
    return r;
}

/* The tag must end here. */
static int close_tag(struct tare_tpl_parser *p)
{
    return p->lexer.now.kind == TARE_TPL_T_CLOSE
               ? 0
               : tare_tpl_unexpected(p, p->lexer.inside == TARE_TPL_TAG_PRINT ? "}}" : "%}");
}

static int add_print(struct tare_tpl_parser *p, struct body *body)
{
    struct tare_tpl_node *node = NULL;
    int r = tare_tpl_new(p, TARE_TPL_PRINT, p->lexer.tag_at, &node);
    r = r == 0 ? tare_tpl_advance(p) : r;
    r = r == 0 ? tare_tpl_parse_expr(p, &node->a) : r;
    r = r == 0 ? close_tag(p) : r;
    r = r == 0 ? tare_tpl_finish(p, node) : r;
    if (r == 0) {
        add(body, node);
    }
    return r;
}

/* Statements up to a tag that begins with one of the ends; that word is then the token. At the end of the
 * template there is no end to find: NULL ends wants that. */
static int parse_body(struct tare_tpl_parser *p, const char *const *ends, const struct tare_tpl_node **out);

/* A name that can be assigned to. */
static int parse_variable(struct tare_tpl_parser *p, struct tare_bytes *out)
{
    static const char *const special[] = {"true", "false", "none", "True", "False", "None", "loop", "self",
                                          "not",  "and",   "or",   "in",   "is",    "if",   "else"};
    if (p->lexer.now.kind != TARE_TPL_T_NAME) {
        return tare_tpl_unexpected(p, "the name of a variable");
    }
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (tare_tpl_at_name(p, special[i])) {
            return tare_tpl_refuse(p, "'%s' cannot be a variable", special[i]);
        }
    }
    *out = p->lexer.now.text;
    return tare_tpl_advance(p);
}

/* The word of the closing statement, and its %}. */
static int parse_end(struct tare_tpl_parser *p)
{
    int r = tare_tpl_advance(p);
    return r == 0 ? close_tag(p) : r;
}

/* Behind `if` or `elif`. An elif is an if in the otherwise of the one before. */
static int parse_if(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL}, *const last[] = {"endif", NULL};
    int r = tare_tpl_enter(p);
    r = r == 0 ? tare_tpl_advance(p) : r;
    r = r == 0 ? tare_tpl_parse_plain(p, &node->a) : r;
    r = r == 0 ? close_tag(p) : r;
    r = r == 0 ? parse_body(p, ends, &node->b) : r;
    if (r == 0 && tare_tpl_at_name(p, "elif")) {
        struct tare_tpl_node *other = NULL;
        r = tare_tpl_new(p, TARE_TPL_IF, p->lexer.now.at, &other);
        r = r == 0 ? parse_if(p, other) : r;
        node->c = other;
    } else if (r == 0 && tare_tpl_at_name(p, "else")) {
        r = parse_end(p);
        r = r == 0 ? parse_body(p, last, &node->c) : r;
        r = r == 0 ? parse_end(p) : r;
    } else if (r == 0) {
        r = parse_end(p);
    }
    tare_tpl_leave(p);
    return r == 0 ? tare_tpl_finish(p, node) : r;
}

/* `x in y`, and the end of its tag. */
static int parse_for_head(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    int r = tare_tpl_advance(p);
    r = r == 0 ? parse_variable(p, &node->text) : r;
    if (r == 0 && !tare_tpl_at_name(p, "in")) {
        return tare_tpl_unexpected(p, "'in'");
    }
    r = r == 0 ? tare_tpl_advance(p) : r;
    r = r == 0 ? tare_tpl_parse_plain(p, &node->a) : r;
    if (r == 0 && (tare_tpl_at_name(p, "recursive") || tare_tpl_at_name(p, "if"))) {
        return tare_tpl_refuse(p, "a loop with 'if' or 'recursive' is not known here");
    }
    return r == 0 ? close_tag(p) : r;
}

static int parse_for(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    static const char *const ends[] = {"else", "endfor", NULL}, *const last[] = {"endfor", NULL};
    int r = parse_for_head(p, node);
    r = r == 0 ? parse_body(p, ends, &node->b) : r;
    if (r == 0 && tare_tpl_at_name(p, "else")) {
        r = parse_end(p);
        r = r == 0 ? parse_body(p, last, &node->c) : r;
    }
    r = r == 0 ? parse_end(p) : r;
    return r == 0 ? tare_tpl_finish(p, node) : r;
}

static int parse_set(struct tare_tpl_parser *p, struct tare_tpl_node *node)
{
    int r = tare_tpl_advance(p);
    r = r == 0 ? parse_variable(p, &node->text) : r;
    if (r == 0 && !tare_tpl_at_op(p, 'a')) {
        return tare_tpl_unexpected(p, "'='");
    }
    r = r == 0 ? tare_tpl_advance(p) : r;
    r = r == 0 ? tare_tpl_parse_expr(p, &node->a) : r;
    r = r == 0 ? close_tag(p) : r;
    return r == 0 ? tare_tpl_finish(p, node) : r;
}

static int add_statement(struct tare_tpl_parser *p, struct body *body)
{
    static const struct {
        const char *word;
        enum tare_tpl_kind kind;
        int (*parse)(struct tare_tpl_parser *p, struct tare_tpl_node *node);
    } statements[] = {
        {"if", TARE_TPL_IF, parse_if}, {"for", TARE_TPL_FOR, parse_for}, {"set", TARE_TPL_SET, parse_set}};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (tare_tpl_at_name(p, statements[i].word)) {
            struct tare_tpl_node *node = NULL;
            int r = tare_tpl_new(p, statements[i].kind, p->lexer.tag_at, &node);
            r = r == 0 ? statements[i].parse(p, node) : r;
            if (r == 0) {
                add(body, node);
            }
            return r;
        }
    }
    return tare_tpl_unexpected(p, "a statement (if, elif, else, endif, for, endfor, set) that belongs here");
}

static const char *last_of(const char *const *ends)
{
    while (ends[1]) {
        ends++;
    }
    return ends[0];
}

static bool at_end_word(const struct tare_tpl_parser *p, const char *const *ends)
{
    for (; ends && *ends; ends++) {
        if (tare_tpl_at_name(p, *ends)) {
            return true;
        }
    }
    return false;
}

/* Text and the tag behind it. *done: the body is at its end. */
static int parse_piece(struct tare_tpl_parser *p, const char *const *ends, struct body *body, bool *done)
{
    struct tare_bytes text;
    enum tare_tpl_tag tag = TARE_TPL_TAG_NONE;
    size_t at = p->lexer.at;
    if (at == p->t->n) {
        *done = true;
        return !ends ? 0
                     : tare_tpl_error(p->t, at, TARE_E_FORMAT, p->err,
                                      "the template ends, and '%s' is missing", last_of(ends));
    }
    int r = tare_tpl_lex_text(&p->lexer, &text, &tag, p->err);
    r = r == 0 ? add_text(p, body, text) : r;
    if (r < 0 || tag == TARE_TPL_TAG_NONE) {
        return r;
    }
    if (tag == TARE_TPL_TAG_PRINT) {
        return add_print(p, body);
    }
    r = tare_tpl_advance(p);
    *done = r == 0 && at_end_word(p, ends);
    return r == 0 && !*done ? add_statement(p, body) : r;
}

static int parse_body(struct tare_tpl_parser *p, const char *const *ends, const struct tare_tpl_node **out)
{
    struct body body = {0};
    bool done = false;
    int r = tare_tpl_enter(p);
    while (r == 0 && !done) {
        r = parse_piece(p, ends, &body, &done);
    }
    tare_tpl_leave(p);
    if (r == 0) {
        *out = body.first;
    }
    return r;
}

/* Line ends of all three kinds become \n, as Jinja2 has it. */
static void copy_lines(struct tare_template *t, const char *text)
{
    for (; *text; text++) {
        if (*text == '\r') {
            t->source[t->n++] = '\n';
            text += text[1] == '\n';
        } else {
            t->source[t->n++] = *text;
        }
    }
    t->source[t->n] = '\0';
}

static int make(const char *text, const char *what, struct tare_template **out, struct tare_err *err)
{
    size_t n = strlen(text), valid = tare_unicode_valid((struct tare_bytes){text, n});
    if (n > tare_tpl_max_text_bytes) {
        return tare_err_set(err, TARE_E_FORMAT, "%.120s: a template has %d bytes at most", what,
                            tare_tpl_max_text_bytes);
    }
    if (valid < n) {
        return tare_err_set(err, TARE_E_FORMAT, "%.120s: the template is not UTF-8 at byte %zu", what, valid);
    }
    struct tare_template *t = calloc(1, sizeof *t);
    if (t) {
        t->arena.limit_bytes = tare_tpl_max_memory_bytes;
        t->what = strdup(what);
        t->source = malloc(n + 1);
    }
    if (!t || !t->what || !t->source) {
        tare_template_destroy(t);
        return tare_err_set(err, TARE_E_NOMEM, "%.120s: out of memory", what);
    }
    copy_lines(t, text);
    *out = t;
    return 0;
}

int tare_template_parse(const char *text, const char *what, struct tare_template **out, struct tare_err *err)
{
    struct tare_template *t = NULL;
    int r = make(text, what, &t, err);
    if (r < 0) {
        return r;
    }
    struct tare_tpl_parser p = {.lexer = {.t = t}, .t = t, .err = err};
    r = parse_body(&p, NULL, &t->body);
    if (r < 0) {
        tare_template_destroy(t);
        return r;
    }
    bool is_one = t->body && !t->body->next && t->body->kind == TARE_TPL_PRINT;
    t->only = is_one ? t->body->a : NULL;
    *out = t;
    return 0;
}

void tare_template_destroy(struct tare_template *t)
{
    if (t) {
        tare_tpl_arena_fini(&t->arena);
        free(t->what);
        free(t->source);
        free(t);
    }
}
