/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option parser, from text and from JSON: a value is within its limits or refused, and what is
 * refused changes nothing. The input is NAME=VALUE, or an object.
 */
#include "fuzz.h"

#include "base/opt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct values {
    bool flag;
    int64_t count;
    int64_t wide;
    double ratio;
    char *text;
    int64_t choice;
    int64_t wait_ns;
    int64_t room_bytes;
};

static const char *const choices[] = {"one", "two", "twenty_two", NULL};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct values, member_)

static const struct tare_opt table[] = {
    {MEMBER(TARE_OPT_BOOL, flag), .def = "yes"},
    {MEMBER(TARE_OPT_I64, count), .def = "3", .min = -5, .max = 1000},
    {MEMBER(TARE_OPT_I64, wide)},
    {MEMBER(TARE_OPT_F64, ratio), .def = "0.5", .min = 0, .max = 1},
    {MEMBER(TARE_OPT_STR, text), .def = "t"},
    {MEMBER(TARE_OPT_CHOICE, choice), .def = "two", .choices = choices},
    {MEMBER(TARE_OPT_NS, wait_ns), .def = "20ms", .min = 0, .max = INT64_MAX},
    {MEMBER(TARE_OPT_BYTES, room_bytes), .def = "1KiB", .min = 1, .max = INT64_C(1) << 40},
    TARE_OPT_END};

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("flag=no"),
    FUZZ_TEXT("count=-5"),
    FUZZ_TEXT("wide=9007199254740991"),
    FUZZ_TEXT("ratio=0.25"),
    FUZZ_TEXT("text=anything"),
    FUZZ_TEXT("choice=twenty-two"),
    FUZZ_TEXT("wait-ns=1.5s"),
    FUZZ_TEXT("room_bytes=4GB"),
    FUZZ_TEXT("room_bytes=1.5MiB"),
    FUZZ_TEXT(
        "{\"flag\": true, \"count\": 7, \"ratio\": 1, \"text\": null, \"choice\": \"one\", \"wait_ns\": 5}"),
};

static const char *const words[] = {"nan",  "inf", "1e308", "-1", "0x1p3",        "GiB",
                                    "us",   "ms",  "s",     "=",  "true",         "99999999999999999999",
                                    "e400", ".5",  " ",     "-",  "\"text\": 5,", NULL};

static bool within_limits(const struct values *v)
{
    return v->count >= -5 && v->count <= 1000 && isfinite(v->ratio) && v->ratio >= 0 && v->ratio <= 1 &&
           v->choice >= 0 && v->choice <= 2 && v->wait_ns >= 0 && v->room_bytes >= 1 &&
           v->room_bytes <= INT64_C(1) << 40;
}

static int from_json(struct values *v, const char *text, size_t n, struct tare_err *err)
{
    struct tare_json *json = NULL;
    int r = tare_json_parse(text, n, "fuzz", &json, err);
    r = r == 0 ? tare_opts_from_json(table, v, json, NULL, "fuzz", err) : r;
    tare_json_destroy(json);
    return r;
}

static int from_text(struct values *v, char *text, struct tare_err *err)
{
    char *equals = strchr(text, '=');
    if (!equals) {
        return tare_err_set(err, TARE_E_USAGE, "no '='");
    }
    *equals = '\0';
    struct values before = *v;
    int r = tare_opts_set(table, v, text, equals + 1, "fuzz", err);
    fuzz_check(r == 0 || memcmp(&before, v, sizeof before) == 0, "a refused option changed something");
    return r;
}

static int read_option(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct values v;
    char *text = fuzz_text(data, n);
    (void)rng;
    memset(&v, 0, sizeof v);
    int r = text ? tare_opts_init(table, &v, err) : TARE_E_NOMEM;
    fuzz_check(r == 0, "the defaults were refused");
    r = n > 0 && data[0] == '{' ? from_json(&v, data, n, err) : from_text(&v, text, err);
    fuzz_check(within_limits(&v), "a value beyond its limits");
    tare_opts_fini(table, &v);
    free(text);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"opt", seeds, sizeof seeds / sizeof *seeds, words, 600000, read_option});
}
