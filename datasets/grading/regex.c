/* SPDX-License-Identifier: Apache-2.0 */
/* The one user of PCRE2; see regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "datasets/grading/regex.h"

#include "datasets/grading/python_pattern.h"

#include <stdlib.h>
#include <string.h>

/* A search that takes more steps, or memory, than any pattern of a task should. */
enum { STEPS = 10000000, HEAP_KIBIBYTES = 256 * 1024 };

struct tare_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    size_t groups;
    char *what;
};

void tare_regex_destroy(struct tare_regex *regex)
{
    if (regex) {
        pcre2_code_free(regex->code);
        pcre2_match_data_free(regex->match);
        pcre2_match_context_free(regex->limits);
        free(regex->what);
        free(regex);
    }
}

static int explain(int code, const char *what, size_t at, int as, struct tare_err *err)
{
    PCRE2_UCHAR message[128] = "unknown error";
    (void)pcre2_get_error_message(code, message, sizeof message);
    return tare_err_set(err, as, "%s: regular expression: %s (at %zu)", what, (const char *)message, at);
}

/* Without the optimisations that could only change how fast a search is. One did more: 10.42 makes [a-]{1,}
 * possessive in (?i)[a-]{1,}(?>\x{212a}{0,}\\?(?i:0)*?)a, which then does not match "aa". */
enum { PLAIN = PCRE2_NO_AUTO_POSSESS | PCRE2_NO_START_OPTIMIZE | PCRE2_NO_DOTSTAR_ANCHOR };

static uint32_t options_of(enum tare_regex_syntax syntax)
{
    return syntax == TARE_REGEX_LITERAL_ANY_CASE ? PCRE2_UTF | PCRE2_LITERAL | PCRE2_CASELESS
                                                 : PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PLAIN;
}

/* Line feed ends a line, whatever this PCRE2 was built for. */
static int compile_code(struct tare_bytes pattern, uint32_t options, const char *what, pcre2_code **out,
                        struct tare_err *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context || pcre2_set_newline(context, PCRE2_NEWLINE_LF) != 0) {
        pcre2_compile_context_free(context);
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for a regular expression", what);
    }
    int code;
    PCRE2_SIZE at;
    *out = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.n, options, &code, &at, context);
    pcre2_compile_context_free(context);
    return *out ? 0 : explain(code, what, at, TARE_E_FORMAT, err);
}

static int make(struct tare_bytes pattern, uint32_t options, const char *what, struct tare_regex **out,
                struct tare_err *err)
{
    struct tare_regex *regex = calloc(1, sizeof *regex);
    if (!regex) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for a regular expression", what);
    }
    int r = compile_code(pattern, options, what, &regex->code, err);
    if (r < 0) {
        tare_regex_destroy(regex);
        return r;
    }
    uint32_t groups = 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    regex->groups = groups;
    regex->match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    regex->limits = pcre2_match_context_create(NULL);
    regex->what = strdup(what);
    if (!regex->match || !regex->limits || !regex->what) {
        tare_regex_destroy(regex);
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for a regular expression", what);
    }
    (void)pcre2_set_match_limit(regex->limits, STEPS);
    (void)pcre2_set_heap_limit(regex->limits, HEAP_KIBIBYTES);
    *out = regex;
    return 0;
}

int tare_regex_compile(struct tare_bytes pattern, enum tare_regex_syntax syntax, const char *what,
                       struct tare_regex **out, struct tare_err *err)
{
    struct tare_string said = {0};
    int r = 0;
    if (syntax == TARE_REGEX_PYTHON) {
        r = tare_python_pattern(pattern, what, &said, err);
        pattern = tare_string_bytes(&said);
    }
    if (r == 0) {
        r = make(pattern, options_of(syntax), what, out, err);
    }
    tare_string_fini(&said);
    return r;
}

size_t tare_regex_groups(const struct tare_regex *regex)
{
    return regex->groups;
}

int tare_regex_next(struct tare_regex *regex, struct tare_bytes text, struct tare_regex_at *at,
                    struct tare_err *err)
{
    if (at->next > text.n) {
        return 0;
    }
    uint32_t options = at->not_empty ? PCRE2_NOTEMPTY_ATSTART : 0;
    int r = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.n, at->next, options, regex->match,
                        regex->limits);
    if (r == PCRE2_ERROR_NOMATCH) {
        at->next = text.n + 1;
        return 0;
    }
    if (r < 0) {
        bool limit = r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_HEAPLIMIT || r == PCRE2_ERROR_DEPTHLIMIT;
        return explain(r, regex->what, at->next, limit ? TARE_E_LIMIT : TARE_E_FORMAT, err);
    }
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);
    if (ends[0] > ends[1]) { /* \K in a look-ahead, which Python's syntax has not */
        return tare_err_set(err, TARE_E_FORMAT, "%s: a match that ends before it begins", regex->what);
    }
    at->begin = ends[0];
    at->end = ends[1];
    at->next = ends[1];
    at->not_empty = ends[0] == ends[1];
    return 1;
}

struct tare_bytes tare_regex_group(const struct tare_regex *regex, struct tare_bytes text, size_t i)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);
    if (i > regex->groups || ends[2 * i] == PCRE2_UNSET || ends[2 * i] > ends[2 * i + 1]) {
        return (struct tare_bytes){.data = "", .n = 0};
    }
    return (struct tare_bytes){.data = text.data + ends[2 * i], .n = ends[2 * i + 1] - ends[2 * i]};
}

int tare_regex_replace(struct tare_regex *regex, struct tare_bytes text, struct tare_bytes by,
                       struct tare_string *out, struct tare_err *err)
{
    struct tare_regex_at at = {0};
    size_t kept = 0;
    int r;
    while ((r = tare_regex_next(regex, text, &at, err)) > 0) {
        tare_string_add(out, text.data + kept, at.begin - kept);
        tare_string_add(out, by.data, by.n);
        kept = at.end;
    }
    if (r < 0) {
        return r;
    }
    tare_string_add(out, text.data + kept, text.n - kept);
    return tare_string_check(out, regex->what, err);
}

int tare_regex_remove(struct tare_regex *regex, struct tare_bytes text, struct tare_string *out,
                      struct tare_err *err)
{
    return tare_regex_replace(regex, text, (struct tare_bytes){.data = "", .n = 0}, out, err);
}
