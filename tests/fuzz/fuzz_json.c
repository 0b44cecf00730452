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
    char *same = print(again);
    fuzz_check(strcmp(text, same) == 0, "what is printed reads back as something else");
    free(text);
    free(same);
    tare_json_destroy(json);
    tare_json_destroy(again);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"json", seeds, sizeof seeds / sizeof *seeds, words, 1200000, read_json});
}
