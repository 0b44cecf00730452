/* SPDX-License-Identifier: Apache-2.0 */
/* Filter chains: JSON up to the first line feed, and behind it a response of any bytes. */
#include "fuzz.h"

#include "datasets/grading/filters.h"

#include <stdlib.h>
#include <string.h>

/* Of a response so many bytes are looked at: patterns that try everything have less to try. */
enum { LONGEST = 20 };

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("[{\"function\":\"regex\",\"regex_pattern\":\"#### (\\\\-?[0-9.,]+)\",\"group_select\":0,"
              "\"fallback\":\"[invalid]\"},{\"function\":\"take_first\"}]\nso #### 1,200."),
    FUZZ_TEXT(
        "[{\"function\":\"regex\",\"regex_pattern\":\"(-?[$0-9.,]{2,})|(-?[0-9]+)\",\"group_select\":-1}]\n"
        "5 and $7."),
    FUZZ_TEXT("[{\"function\":\"regex\",\"regex_pattern\":\"(?<=is "
              ")(?P<a>.*?)(?=\\\\s|$)(?i:x\\\\w{,2})?[^]a-c]\"}]\n"
              "it is \xc3\xa9"
              "d\xff"),
    FUZZ_TEXT("[{\"function\":\"remove_whitespace\"},{\"function\":\"lowercase\"},{\"function\":\"map\","
              "\"mapping_dict\":{\"a\":1},\"default_value\":\"b\"}]\n A"),
};

static const char *const words[] = {"\"function\":", "\"regex\"", "\"uppercase\"",
                                    "{,}",           "(?P<a>",    "(?=",
                                    "\\\\Z",         "\\\\s",     "\\\\u00e9",
                                    "[^]",           "|",         "\\\\b",
                                    "(?i)",          "(?(1)",     "[[:",
                                    "\\\\1",         "\xc3\xa9",  "\xe2\x82",
                                    "\\\\x41",       "*?",        "\n",
                                    "null",          "\"\"",      NULL};

static void apply_twice(const struct tare_filters *f, struct tare_bytes in)
{
    struct tare_err err = {0};
    char *first = NULL, *second = NULL;
    size_t n = 77, n_second = 0;
    int r = tare_filters_apply(f, in, &first, &n, &err);
    if (r < 0) {
        fuzz_check(err.code == r && err.msg[0] && !first && n == 77,
                   "a failure touched the output, or says nothing");
        return;
    }
    fuzz_check(first && first[n] == '\0', "an output without an end");
    fuzz_check(tare_filters_apply(f, in, &second, &n_second, &err) == 0, "the second time it failed");
    fuzz_check(n == n_second && memcmp(first, second, n) == 0, "the second time it gave something else");
    free(first);
    free(second);
}

static int read_filters(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    (void)rng;
    const char *line = memchr(data, '\n', n);
    size_t n_chain = line ? (size_t)(line - data) : n;
    struct tare_bytes in = {.data = line ? line + 1 : data, .n = line ? n - n_chain - 1 : 0};
    struct tare_json *chain;
    int r = tare_json_parse(data, n_chain, "chain", &chain, err);
    if (r < 0) {
        return r;
    }
    struct tare_filters *f = NULL;
    r = tare_filters_parse(chain, "chain", &f, err);
    fuzz_check((r == 0) == (f != NULL), "a failure touched the filters");
    if (r == 0) {
        in.n = in.n < LONGEST ? in.n : LONGEST;
        apply_twice(f, in);
    }
    tare_filters_destroy(f);
    tare_json_destroy(chain);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"filters", seeds, sizeof seeds / sizeof *seeds, words, 100000, read_filters});
}
