/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer. In a tag that prints, {{+ and {{- are marks of white space control, never a sign. */
#include "lex.h"

#include "datasets/unicode/unicode.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const struct tare_tpl_lexer *lexer, size_t at, const char *with)
{
    size_t n = strlen(with);
    return n <= lexer->t->n - at && memcmp(lexer->t->source + at, with, n) == 0;
}

static char char_at(const struct tare_tpl_lexer *lexer, size_t at)
{
    return at < lexer->t->n ? lexer->t->source[at] : '\0';
}

static size_t skip_space(const struct tare_tpl_lexer *lexer, size_t at)
{
    struct tare_bytes rest = {lexer->t->source + at, lexer->t->n - at};
    return lexer->t->n - tare_unicode_lstrip(rest).n;
}

/* The next {{, {% or {#; the end of the template if there is none. */
static size_t find_tag(const struct tare_tpl_lexer *lexer, size_t at)
{
    const char *source = lexer->t->source;
    for (; at + 1 < lexer->t->n; at++) {
        if (source[at] == '{' && strchr("{%#", source[at + 1]) && source[at + 1]) {
            return at;
        }
    }
    return lexer->t->n;
}

/* Behind the comment that begins at tag_at. */
static int skip_comment(struct tare_tpl_lexer *lexer, struct tare_err *err)
{
    const char *source = lexer->t->source;
    const char *end = strstr(source + lexer->at, "#}");
    if (!end) {
        return tare_tpl_error(lexer->t, lexer->tag_at, TARE_E_FORMAT, err,
                              "this comment has no end; write #}");
    }
    bool strips = end > source + lexer->at && end[-1] == '-';
    lexer->at = (size_t)(end - source) + 2;
    if (strips) {
        lexer->at = skip_space(lexer, lexer->at);
    }
    return 0;
}

int tare_tpl_lex_text(struct tare_tpl_lexer *lexer, struct tare_bytes *text, enum tare_tpl_tag *tag,
                      struct tare_err *err)
{
    size_t begin = lexer->at, end = find_tag(lexer, begin);
    *text = (struct tare_bytes){lexer->t->source + begin, end - begin};
    *tag = TARE_TPL_TAG_NONE;
    lexer->at = end;
    if (end == lexer->t->n) {
        return 0;
    }
    char kind = char_at(lexer, end + 1), mark = char_at(lexer, end + 2);
    lexer->tag_at = end;
    lexer->open = 0;
    lexer->at = end + (mark == '-' || mark == '+' ? 3 : 2);
    if (mark == '-') {
        *text = tare_unicode_rstrip(*text);
    }
    if (kind == '#') {
        return skip_comment(lexer, err);
    }
    *tag = lexer->inside = kind == '{' ? TARE_TPL_TAG_PRINT : TARE_TPL_TAG_STATEMENT;
    return 0;
}

/* Length of what closes the tag here, 0 if nothing does. */
static size_t close_length(const struct tare_tpl_lexer *lexer)
{
    bool prints = lexer->inside == TARE_TPL_TAG_PRINT;
    const char *end = prints ? "}}" : "%}";
    if (lexer->open > 0) {
        return 0;
    }
    if (starts(lexer, lexer->at, end)) {
        return 2;
    }
    char mark = char_at(lexer, lexer->at);
    bool marked = mark == '-' || (mark == '+' && !prints);
    return marked && starts(lexer, lexer->at + 1, end) ? 3 : 0;
}

static bool lex_close(struct tare_tpl_lexer *lexer)
{
    size_t n = close_length(lexer);
    if (n == 0) {
        return false;
    }
    bool strips = char_at(lexer, lexer->at) == '-';
    lexer->now.kind = TARE_TPL_T_CLOSE;
    lexer->now.text.n = n;
    lexer->at += n;
    lexer->inside = TARE_TPL_TAG_NONE;
    if (strips) {
        lexer->at = skip_space(lexer, lexer->at);
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const struct tare_tpl_lexer *lexer, size_t at)
{
    while (is_digit(char_at(lexer, at))) {
        at++;
    }
    return at;
}

/* Behind the fraction and the exponent that begin here; the place itself if none does. */
static size_t skip_fraction(const struct tare_tpl_lexer *lexer, size_t at)
{
    if (char_at(lexer, at) == '.' && is_digit(char_at(lexer, at + 1))) {
        at = skip_digits(lexer, at + 1);
    }
    if (char_at(lexer, at) == 'e' || char_at(lexer, at) == 'E') {
        size_t digits = at + 1 + (char_at(lexer, at + 1) == '+' || char_at(lexer, at + 1) == '-');
        at = is_digit(char_at(lexer, digits)) ? skip_digits(lexer, digits) : at;
    }
    return at;
}

static int lex_number(struct tare_tpl_lexer *lexer, struct tare_err *err)
{
    const char *text = lexer->t->source + lexer->at;
    size_t whole = skip_digits(lexer, lexer->at), end = skip_fraction(lexer, whole);
    /* x.1.0 are two indices, not a fraction */
    bool is_index = lexer->at > 0 && text[-1] == '.';
    end = is_index ? whole : end;
    size_t behind = end;
    struct tare_bytes rest = {lexer->t->source, lexer->t->n};
    if ((*text == '0' && whole - lexer->at > 1) ||
        (behind < lexer->t->n && tare_unicode_in_name(tare_unicode_next(rest, &behind)))) {
        return tare_tpl_error(lexer->t, lexer->at, TARE_E_FORMAT, err,
                              "a number is written in decimal digits, without leading zeros and underscores");
    }
    errno = 0;
    lexer->now.kind = end > whole ? TARE_TPL_T_FLOAT : TARE_TPL_T_INT;
    lexer->now.integer = end > whole ? 0 : strtoll(text, NULL, 10);
    lexer->now.number = end > whole ? strtod(text, NULL) : 0.0;
    if (isinf(lexer->now.number) || (end == whole && errno == ERANGE)) {
        return tare_tpl_error(lexer->t, lexer->at, TARE_E_FORMAT, err, "this number is too large");
    }
    lexer->now.text.n = end - lexer->at;
    lexer->at = end;
    return 0;
}

static int lex_string(struct tare_tpl_lexer *lexer, struct tare_err *err)
{
    const char *source = lexer->t->source;
    char quote = source[lexer->at];
    size_t begin = lexer->at + 1, end = begin;
    while (end < lexer->t->n && source[end] != quote) {
        end += source[end] == '\\' ? 2 : 1;
    }
    if (end >= lexer->t->n) {
        return tare_tpl_error(lexer->t, lexer->at, TARE_E_FORMAT, err, "this string has no end");
    }
    lexer->now.kind = TARE_TPL_T_STRING;
    lexer->at = end + 1;
    return tare_tpl_lex_unescape(lexer, begin, end, &lexer->now.text, err);
}

/* A name begins here, unless 0 is returned; else its length. */
static size_t name_length(const struct tare_tpl_lexer *lexer)
{
    struct tare_bytes all = {lexer->t->source, lexer->t->n};
    size_t next = lexer->at;
    if (!tare_unicode_begins_name(tare_unicode_next(all, &next))) {
        return 0;
    }
    size_t end = next;
    while (next < all.n && tare_unicode_in_name(tare_unicode_next(all, &next))) {
        end = next;
    }
    return end - lexer->at;
}

static int lex_operator(struct tare_tpl_lexer *lexer, struct tare_err *err)
{
    static const char *const pairs[] = {"===", "!=!", "<=l", ">=g", "//d", "**p"};
    struct tare_tpl_token *now = &lexer->now;
    char c = char_at(lexer, lexer->at);
    now->kind = TARE_TPL_T_OPERATOR;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (c == pairs[i][0] && char_at(lexer, lexer->at + 1) == pairs[i][1]) {
            now->op = pairs[i][2];
            now->text.n = 2;
            lexer->at += 2;
            return 0;
        }
    }
    if (c == '\0' || !strchr("+-*/%~[](){}<>=.:|,", c)) {
        size_t end = lexer->at;
        (void)tare_unicode_next((struct tare_bytes){lexer->t->source, lexer->t->n}, &end);
        return tare_tpl_error(lexer->t, lexer->at, TARE_E_FORMAT, err, "'%.*s' has no meaning here",
                              (int)(end - lexer->at), lexer->t->source + lexer->at);
    }
    lexer->open += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
    now->op = (char)(c == '=' ? 'a' : c);
    now->text.n = 1;
    lexer->at++;
    return 0;
}

int tare_tpl_lex_next(struct tare_tpl_lexer *lexer, struct tare_err *err)
{
    lexer->at = skip_space(lexer, lexer->at);
    lexer->now = (struct tare_tpl_token){.at = lexer->at, .text = {lexer->t->source + lexer->at, 0}};
    if (lexer->at == lexer->t->n) {
        return tare_tpl_error(lexer->t, lexer->tag_at, TARE_E_FORMAT, err, "this tag has no end; write %s",
                              lexer->inside == TARE_TPL_TAG_PRINT ? "}}" : "%}");
    }
    if (lex_close(lexer)) {
        return 0;
    }
    char c = lexer->t->source[lexer->at];
    if (is_digit(c)) {
        return lex_number(lexer, err);
    }
    if (c == '"' || c == '\'') {
        return lex_string(lexer, err);
    }
    size_t name = name_length(lexer);
    if (name > 0) {
        lexer->now.kind = TARE_TPL_T_NAME;
        lexer->now.text.n = name;
        lexer->at += name;
        return 0;
    }
    return lex_operator(lexer, err);
}
