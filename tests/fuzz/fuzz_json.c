/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON parser: what it accepts can be printed, and what is printed reads back as the same. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <tare/json.h>

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("{\"a\": [1, 2.5e-3, true, false, null], \"b\": {\"c\": \"\\u20ac\\n\"}}"),
    FUZZ_TEXT("[[[[[[\"\\ud83d\\ude00\"]]]]]]"),
    FUZZ_TEXT("\"plain\""),
    FUZZ_TEXT("-0.1e10"),
    FUZZ_TEXT(" {\"key\" : \"value\", \"n\":9007199254740993, \"\":{}}\n"),
    FUZZ_TEXT("[\"\xe2\x82\xac\", \"\xf0\x9f\x98\x80\"]"),
};

static const char *const words[] = {
    "null", "true",         "1e400",      "\\u0000",  "\\ud800", "\"a\":1,",
    "\\\\", "\"",           "\"a\":",     "-",        "1e-400",  "999999999999999999999",
    "\xff", "\xed\xa0\x80", "/**/",       "NaN",      "\\u00e9", "\"key\":",
    "],",   "},",           "[[[[[[[[[[", "{\"x\":{", "0x10",    NULL};

static char *print(const struct tare_json *json)
{
    struct tare_err err = {0};
    char *text = NULL;
    fuzz_check(tare_json_print(json, false, &text, &err) == 0 && text, "what was read cannot be printed");
    return text;
}

static bool same_text(const char *a, const char *b)
{
    return !a == !b && (!a || strcmp(a, b) == 0);
}

/* Depth is at most 64, which the parser has seen to. */
static bool same(const struct tare_json *a, const struct tare_json *b)
{
    enum tare_json_type type = tare_json_type(a);
    if (type != tare_json_type(b) || tare_json_size(a) != tare_json_size(b) ||
        tare_json_true(a) != tare_json_true(b) || !same_text(tare_json_str(a), tare_json_str(b)) ||
        !same_text(tare_json_key(a), tare_json_key(b))) {
        return false;
    }
    double x = tare_json_num(a), y = tare_json_num(b);
    if (!(x == y)) {
        return false;
    }
    a = tare_json_first(a);
    b = tare_json_first(b);
    while (a && b && same(a, b)) {
        a = tare_json_next(a);
        b = tare_json_next(b);
    }
    return !a && !b;
}

static int read_json(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    static char elsewhere;
    struct tare_json *untouched = (struct tare_json *)(void *)&elsewhere, *json = untouched, *again = NULL;
    (void)rng;
    int r = tare_json_parse(data, n, "fuzz", &json, err);
    fuzz_check(r == 0 || json == untouched, "a failure touched the output");
    if (r < 0) {
        return r;
    }
    char *text = print(json);
    struct tare_err fault = {0};
    fuzz_check(tare_json_parse(text, strlen(text), "again", &again, &fault) == 0, fault.msg);
    fuzz_check(same(json, again), "what is printed reads back as something else");
    free(text);
    tare_json_destroy(json);
    tare_json_destroy(again);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"json", seeds, sizeof seeds / sizeof *seeds, words, 1200000, read_json});
}
