/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: cases.jsonl, whose texts Jinja2 itself gave (oracle.py checks that), every one rendered; what is
 * refused, with its place and word; values; and the limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/template/template.h"

static struct tare_json *parse_json(const char *text, size_t n)
{
    struct tare_err err = {0};
    struct tare_json *json = NULL;
    if (tare_json_parse_exact(text, n, "case", &json, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return json;
}

static const char *field(const struct tare_json *o, const char *key)
{
    const char *text = tare_json_str(tare_json_get(o, key));
    assert_non_null(text);
    return text;
}

static void check_case(const struct tare_json *c)
{
    struct tare_err err = {0};
    struct tare_template *t = NULL;
    char *text = NULL;
    const char *why = field(c, "why");
    if (tare_template_parse(field(c, "template"), why, &t, &err) < 0 ||
        tare_template_render(t, tare_json_get(c, "doc"), &text, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    if (strcmp(text, field(c, "text")) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", why, text, field(c, "text"));
    }
    free(text);
    tare_template_destroy(t);
}

static void test_cases(void **state)
{
    (void)state;
    char path[4096], *line = NULL;
    size_t cap = 0, n = 0;
    ssize_t used;
    (void)snprintf(path, sizeof path, "%s/cases.jsonl", getenv("TARE_TEMPLATE_CASES"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((used = getline(&line, &cap, file)) > 0) {
        struct tare_json *c = parse_json(line, (size_t)used);
        check_case(c);
        tare_json_destroy(c);
        n++;
    }
    assert_true(n > 100);
    free(line);
    (void)fclose(file);
}

/* A document for all of these. */
static const char doc_text[] =
    "{\"s\": \"abc\", \"l\": [1, 2], \"d\": {\"k\": 1}, \"n\": null, \"i\": 7, \"f\": 1.5}";

struct refusal {
    const char *template, *says, *why;
};

static const struct refusal refused_parsing[] = {
    {"a\n  {{ x", "line 2, column 3: this tag has no end", "an open tag"},
    {"{% if x", "column 1: this tag has no end", "an open statement"},
    {"é{# x", "line 1, column 2: this comment has no end", "columns are characters"},
    {"{{ 'a }}", "column 4: this string has no end", "an open string"},
    {"{{ 'a\\' }}", "column 4: this string has no end", "an escaped quote does not end it"},
    {"{% if s %}a", "'endif' is missing", "an if without its end"},
    {"{% for x in l %}a{% if s %}b{% endfor %}", "found 'endfor'", "ends in the wrong order"},
    {"{% endif %}", "found 'endif'", "an end without its begin"},
    {"{% else %}", "found 'else'", "an else alone"},
    {"{{ }}", "a value is expected, found '}}'", "nothing to print"},
    {"{{ s s }}", "column 6: }} is expected, found 's'", "two values"},
    {"{{ s|reverse }}", "column 6: filter 'reverse' is not known here", "a filter that Jinja2 has"},
    {"{{ s|tojson }}", "filter 'tojson'", "another"},
    {"{{ s.find('b') }}", "column 6: method 'find' is not known here", "a method that Python has"},
    {"{{ s.format(1) }}", "method 'format'", "another"},
    {"{{ d.items() }}", "method 'items'", "of dict"},
    {"{{ cycler(1) }}", "'cycler' is no function", "a function that Jinja2 has"},
    {"{{ s is string }}", "found 'string'", "a test that Jinja2 has"},
    {"{{ s is defined 3 }}", "the end of the test is expected", "an argument of a test"},
    {"{{ s is defined if l else d }}", "found 'if'", "Jinja2 takes if for an argument"},
    {"{{ s.strip('a', 'b') }}", "method strip takes 0 to 1 arguments here, found 2", "too many arguments"},
    {"{{ s.replace('a') }}", "method replace takes 2 to 3", "too few"},
    {"{{ l|join(d=', ') }}", "arguments with a name", "keyword arguments"},
    {"{{ range() }}", "range takes one to three", "range of nothing"},
    {"{{ 1 < 2 < 3 }}", "comparisons in a chain", "a chain"},
    {"{{ 2 ** 3 }}", "** is not known", "power"},
    {"{{ (1, 2) }}", "tuples", "a tuple"},
    {"{{ {'a': 1} }}", "dict literals", "a dict"},
    {"{{ s[1, 2] }}", "']' is expected", "a tuple as an index"},
    {"{{ s[] }}", "an index is expected", "no index"},
    {"{{ l|list[0] }}", "write brackets around the filter", "an index behind a filter"},
    {"{{ l()() }}", "no function", "a call of a value"},
    {"{{ self.x }}", "found 'self'", "Jinja2's own object"},
    {"{{ 1 if }}", "a value is expected", "half a condition"},
    {"{{ not }}", "a value is expected", "not of nothing"},
    {"{{ s not l }}", "'in' behind 'not'", "not without in"},
    {"{{ s = 1 }}", "found '='", "an assignment in an expression"},
    {"{{ 0x10 }}", "decimal digits", "hexadecimal"},
    {"{{ 1_000 }}", "decimal digits", "underscores"},
    {"{{ 007 }}", "leading zeros", "leading zeros"},
    {"{{ 99999999999999999999 }}", "too large", "beyond 64 bits"},
    {"{{ 1e999 }}", "too large", "beyond doubles"},
    {"{{ '\\x4' }}", "no character", "a short escape"},
    {"{{ '\\ud800' }}", "no character", "a surrogate"},
    {"{{ '\\0' }}", "no character", "NUL"},
    {"{{ '\\N{DASH}' }}", "escape \\N", "named characters"},
    {"{{ s ? }}", "'?' has no meaning", "a character of no use"},
    {"{{ ! s }}", "'!' has no meaning", "not of C"},
    {"{{ “a” }}", "'“' has no meaning", "typographic quotes"},
    {"{% set x %}a{% endset %}", "'=' is expected", "set of a block"},
    {"{% set a, b = l %}", "'=' is expected", "set of two"},
    {"{% set d.k = 1 %}", "'=' is expected", "set of an attribute"},
    {"{% set loop = 1 %}", "'loop' cannot be a variable", "special names"},
    {"{% for true in l %}{% endfor %}", "'true' cannot be a variable", "constants"},
    {"{% for a, b in l %}{% endfor %}", "'in' is expected", "two variables"},
    {"{% for x in l if x %}{% endfor %}", "a loop with 'if'", "a filtered loop"},
    {"{% for x in l recursive %}{% endfor %}", "'recursive'", "recursion"},
    {"{% if 1 if s else l %}{% endif %}", "found 'if'", "a condition in a condition"},
    {"{% raw %}{% endraw %}", "found 'raw'", "raw"},
    {"{% macro m() %}{% endmacro %}", "found 'macro'", "macros"},
    {"{% include 'x' %}", "found 'include'", "other files"},
    {"{% if s -%x}", "expected", "a broken end"},
};

static const struct refusal refused_rendering[] = {
    {"{{ x }}", "line 1, column 4: 'x' is undefined", "a name that is not there"},
    {"a\n{{ d.x }}", "line 2, column 6: 'x' is undefined", "a key that is not there"},
    {"{{ l[2] }}", "'element 2' is undefined", "an element that is not there"},
    {"{{ s[-4] }}", "'element -4' is undefined", "a character that is not there"},
    {"{{ x.y is defined }}", "'x' is undefined", "an attribute of nothing"},
    {"{% if x %}{% endif %}", "'x' is undefined", "truth of nothing"},
    {"{{ x == 1 }}", "'x' is undefined", "comparison with nothing"},
    {"{{ [x] }}", "'x' is undefined", "a list with nothing in it"},
    {"{% for a in x %}{% endfor %}", "'x' is undefined", "a loop over nothing"},
    {"{{ s.replace(x, 'a') }}", "'x' is undefined", "nothing as an argument"},
    {"{{ ('a' if false) + 'b' }}", "'if' without 'else'", "a condition without its other half is no text"},
    {"{{ ['a' if false] }}", "'if' without 'else'", "and no element"},
    {"{{ []|first }}", "an element of nothing", "first of nothing"},
    {"{{ s + 1 }}", "column 6: + is not possible here with str and int", "text and number"},
    {"{{ 'a' * 3 }}", "* is not possible here with str and int", "repetition"},
    {"{{ '%s' % s }}", "% is not possible here with str and str", "formatting"},
    {"{{ 1 / 0 }}", "division by zero", "division"},
    {"{{ 1 // 0.0 }}", "division by zero", "of floats"},
    {"{{ i % 0 }}", "division by zero", "remainder"},
    {"{{ 9223372036854775807 + 1 }}", "64 bits", "overflow"},
    {"{{ -9223372036854775807 - 2 }}", "64 bits", "overflow below"},
    {"{{ (-9223372036854775807 - 1) // -1 }}", "64 bits", "the one division that overflows"},
    {"{{ -(-9223372036854775807 - 1) }}", "64 bits", "the one sign that overflows"},
    {"{{ 9007199254740993 / 3 }}", "beyond 2^53", "a division that Python does exactly"},
    {"{{ 's' < 1 }}", "< is not possible here", "order of different types"},
    {"{{ [1] < [2] }}", "< is not possible here", "order of lists"},
    {"{{ 1 in 'a' }}", "'in' is not possible", "a number in text"},
    {"{{ 1 in i }}", "'in' is not possible", "a number in a number"},
    {"{{ -s }}", "str has no sign", "minus text"},
    {"{{ i|length }}", "int has no length", "length of a number"},
    {"{% for x in i %}{% endfor %}", "int has no elements", "a loop over a number"},
    {"{{ i.strip() }}", "found int", "a method of another type"},
    {"{{ s.split('') }}", "split at an empty string", "an empty separator"},
    {"{{ s.index('x') }}", "the text is not in the str", "index of what is not there"},
    {"{{ l.index(5) }}", "'5' is not in the list of 2", "index in a list"},
    {"{{ ', '.join(l) }}", "takes strings, found int", "the method joins strings only"},
    {"{{ range(3) }}", "a range has no text here", "range prints otherwise in Python"},
    {"{{ range(3)[1:] }}", "a slice of range", "and so do its slices"},
    {"{{ range(1, 9, 0) }}", "the step of range is 0", "no step"},
    {"{{ range(s) }}", "range takes integers", "range of text"},
    {"{{ range(100001) }}", "range goes beyond", "a long range"},
    {"{{ l[::0] }}", "the step of a slice is 0", "no step"},
    {"{{ l['a':] }}", "a slice takes integers", "a slice by text"},
    {"{{ i[1:] }}", "a slice of int", "a slice of a number"},
    {"{{ d.items }}", "'items' of a dict is an attribute in Python", "a method without a call"},
    {"{{ l.index is defined }}", "'index' of a list is an attribute", "it is defined in Python"},
    {"{{ i.real }}", "'real' of a int is an attribute", "attributes of numbers"},
    {"{{ s.__class__ }}", "'__class__'", "what leads out of a sandbox"},
    {"{{ loop.index }}", "'loop' is undefined", "loop outside of one"},
    {"{% for x in l %}{{ loop }}{% endfor %}", "a loop has no text", "the loop itself"},
    {"{% for x in l %}{{ loop.cycle }}{% endfor %}", "loop.cycle is not known", "what loop has in Jinja2"},
    {"{{ range }}", "a function of Jinja2", "a global that is no value"},
    {"{{ namespace is defined }}", "a function of Jinja2", "and is defined in Jinja2"},
    {"{{ '٣'|int }}", "beyond ASCII", "digits of other scripts"},
    {"{{ '99999999999999999999'|int }}", "64 bits", "a long integer"},
};

static void check_message(const struct refusal *c, const struct tare_err *err)
{
    if (err->code != TARE_E_FORMAT && err->code != TARE_E_LIMIT) {
        fail_msg("%s: code %d (%s)", c->why, err->code, c->template);
    }
    if (!strstr(err->msg, c->says) || strncmp(err->msg, "what: ", 6) != 0) {
        fail_msg("%s: \"%s\" does not say \"%s\"", c->why, err->msg, c->says);
    }
}

static void test_refused_parsing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_parsing / sizeof *refused_parsing; i++) {
        struct tare_err err = {0};
        struct tare_template *t = NULL;
        if (tare_template_parse(refused_parsing[i].template, "what", &t, &err) == 0 || t) {
            fail_msg("%s: not refused", refused_parsing[i].why);
        }
        check_message(&refused_parsing[i], &err);
    }
}

static void test_refused_rendering(void **state)
{
    (void)state;
    struct tare_json *doc = parse_json(doc_text, sizeof doc_text - 1);
    for (size_t i = 0; i < sizeof refused_rendering / sizeof *refused_rendering; i++) {
        struct tare_err err = {0};
        struct tare_template *t = NULL;
        char *text = NULL;
        if (tare_template_parse(refused_rendering[i].template, "what", &t, &err) < 0) {
            fail_msg("%s", err.msg);
        }
        assert_int_not_equal(tare_template_render(t, doc, &text, &err), 0);
        assert_null(text);
        check_message(&refused_rendering[i], &err);
        tare_template_destroy(t);
    }
    tare_json_destroy(doc);
}

struct value_case {
    const char *template, *json, *why;
};

static const struct value_case values[] = {
    {"{{ l }}", "[1,2]", "a list stays a list"},
    {"{{ [s, d.k] }}", "[\"abc\",1]", "one of the template too"},
    {"{{ d }}", "{\"k\":1}", "an object"},
    {"{{ i }}", "7", "an integer"},
    {"{{ f }}", "1.5", "a float"},
    {"{{ i / 7 }}", "1.0", "a whole float stays one"},
    {"{{ n }}", "null", "null"},
    {"{{ i == 7 }}", "true", "a truth value"},
    {"{{ s }}", "\"abc\"", "text"},
    {"{# c #}{{ l[0] }}", "1", "comments are nothing"},
    {" {{ i }}", "\" 7\"", "a blank makes it text"},
    {"{{ i }}{{ i }}", "\"77\"", "two make it text"},
    {"{% if true %}{{ i }}{% endif %}", "\"7\"", "a statement makes it text"},
    {"no", "\"no\"", "text alone"},
    {"", "\"\"", "nothing"},
    {"{{ 'a' if false }}", "\"\"", "a condition without its other half"},
    {"{{ range(3)|list }}", "[0,1,2]", "a list of a range"},
    {"{{ 's\\n\\\"' }}", "\"s\\n\\\"\"", "escapes"},
};

static void test_values(void **state)
{
    (void)state;
    struct tare_json *doc = parse_json(doc_text, sizeof doc_text - 1);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct tare_err err = {0};
        struct tare_template *t = NULL;
        struct tare_json *value = NULL;
        char *text = NULL;
        if (tare_template_parse(values[i].template, "what", &t, &err) < 0 ||
            tare_template_eval(t, doc, &value, &err) < 0 || tare_json_print(value, false, &text, &err) < 0) {
            fail_msg("%s: %s", values[i].why, err.msg);
        }
        if (strcmp(text, values[i].json) != 0) {
            fail_msg("%s: %s instead of %s", values[i].why, text, values[i].json);
        }
        free(text);
        tare_json_destroy(value);
        tare_template_destroy(t);
    }
    tare_json_destroy(doc);
}

/* Neither is any a value. */
static void test_no_values(void **state)
{
    (void)state;
    static const char *const templates[] = {"{{ x }}", "{{ range(2) }}", "{{ [range(2)] }}",
                                            "{{ 1e308 * 10 }}"};
    struct tare_json *doc = parse_json("{}", 2), *untouched = doc;
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct tare_err err = {0};
        struct tare_template *t = NULL;
        assert_int_equal(tare_template_parse(templates[i], "what", &t, &err), 0);
        assert_int_equal(tare_template_eval(t, doc, &untouched, &err), TARE_E_FORMAT);
        assert_ptr_equal(untouched, doc);
        tare_template_destroy(t);
    }
    tare_json_destroy(doc);
}

/* `piece` n times, with begin and end. */
static char *repeat(const char *begin, const char *piece, size_t n, const char *end)
{
    size_t size = strlen(begin) + n * strlen(piece) + strlen(end) + 1;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    at = stpcpy(at, begin);
    for (size_t i = 0; i < n; i++) {
        at = stpcpy(at, piece);
    }
    (void)stpcpy(at, end);
    return text;
}

struct limit {
    const char *begin, *piece;
    size_t n;
    const char *end, *says, *why;
};

static const struct limit limits[] = {
    {"{{ ", "(", 5000, "1", "nested deeper", "brackets"},
    {"{{ ", "[", 5000, "", "nested deeper", "lists"},
    {"{{ ", "-", 5000, "1 }}", "nested deeper", "signs"},
    {"{{ ", "not ", 5000, "1 }}", "nested deeper", "not"},
    {"{{ 1", "+1", 5000, " }}", "nested deeper", "a sum, whose tree leans to the left"},
    {"{{ s", ".a", 5000, " }}", "nested deeper", "attributes"},
    {"{{ s", "|trim", 5000, " }}", "nested deeper", "filters"},
    {"{{ 1 ", "if 1 else 1 ", 5000, " }}", "nested deeper", "conditions"},
    {"", "{% if 1 %}", 5000, "", "nested deeper", "statements"},
    {"{% if 1 %}", "{% elif 1 %}", 5000, "{% endif %}", "nested deeper", "elif"},
    {"", "aaaaaaaaaaaaaaaa", 70000, "", "1048576 bytes at most", "a long template"},
    {"{% set x = 'aaaaaaaaaaaaaaaa' %}", "{% set x = x ~ x %}", 60, "", "values take more than 64 MiB",
     "text that doubles"},
    {"{% set x = [1] %}", "{% set x = [x, x] %}", 60, "{{ x }}", "longer than 16 MiB", "lists that double"},
    {"{% set x = [1] %}", "{% set x = [x] %}", 200, "{{ x }}", "nested too deeply", "lists in lists"},
    {"{% set r = range(1000) %}", "{% for a in r %}", 4, "{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
     "20000000 steps", "loops in loops"},
    {"{% set x = 'aaaaaaaaaaaaaaaa' %}", "{% set x = x.replace('', x) %}", 10, "", "",
     "replacing that squares"},
    {"{% for i in range(100000) %}",
     "{{ s }}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 4, "{% endfor %}",
     "longer than 16 MiB", "long output"},
};

static void test_limits(void **state)
{
    (void)state;
    struct tare_json *doc = parse_json(doc_text, sizeof doc_text - 1);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct limit *c = &limits[i];
        struct tare_err err = {0};
        struct tare_template *t = NULL;
        char *text = NULL, *source = repeat(c->begin, c->piece, c->n, c->end);
        int r = tare_template_parse(source, "what", &t, &err);
        r = r == 0 ? tare_template_render(t, doc, &text, &err) : r;
        if (r != TARE_E_FORMAT && r != TARE_E_LIMIT) {
            fail_msg("%s: code %d", c->why, r);
        }
        if (!strstr(err.msg, c->says)) {
            fail_msg("%s: %s", c->why, err.msg);
        }
        free(source);
        tare_template_destroy(t);
    }
    tare_json_destroy(doc);
}

/* Fifty of each are no trouble. */
static void test_deep_enough(void **state)
{
    (void)state;
    struct tare_json *doc = parse_json(doc_text, sizeof doc_text - 1);
    char *brackets = repeat("{{ ", "(", 50, "1"), *more = repeat(brackets, ")", 50, " }}");
    char *chain = repeat("{{ 0", " if i == 0 else 1", 50, " }}");
    const char *const sources[] = {more, chain};
    for (size_t i = 0; i < 2; i++) {
        struct tare_err err = {0};
        struct tare_template *t = NULL;
        char *text = NULL;
        if (tare_template_parse(sources[i], "what", &t, &err) < 0 ||
            tare_template_render(t, doc, &text, &err) < 0) {
            fail_msg("%s", err.msg);
        }
        assert_string_equal(text, "1");
        free(text);
        tare_template_destroy(t);
    }
    free(brackets);
    free(more);
    free(chain);
    tare_json_destroy(doc);
}

static void test_document(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_template *t = NULL;
    struct tare_json *doc = parse_json("[1]", 3);
    char *text = NULL;
    assert_int_equal(tare_template_parse("a", "what", &t, &err), 0);
    assert_int_equal(tare_template_render(t, doc, &text, &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "no JSON object"));
    tare_json_destroy(doc);
    tare_template_destroy(t);
    assert_int_equal(tare_template_parse("a\xff", "what", &t, &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "not UTF-8 at byte 1"));
    /* Numbers whose text is lost: whole ones are integers. */
    assert_int_equal(tare_json_parse("{\"a\": 1.0, \"b\": 0.5}", 20, "doc", &doc, &err), 0);
    assert_int_equal(tare_template_parse("{{ a }} {{ b }}", "what", &t, &err), 0);
    assert_int_equal(tare_template_render(t, doc, &text, &err), 0);
    assert_string_equal(text, "1 0.5");
    free(text);
    tare_json_destroy(doc);
    tare_template_destroy(t);
    tare_template_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_refused_parsing),
        cmocka_unit_test(test_refused_rendering),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_no_values),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deep_enough),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
