/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokenizer: cases of the zoo, a plain second implementation to compare with, and files that lie.
 */
#include "fixture.h"

#include "backends/tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ids_max = 8192 };

#define RULE                                                                                    \
    "\"pretokenizer\":\" ?[A-Za-z\\\\x80-\\\\xff]+(?:'[A-Za-z\\\\x80-\\\\xff]+)*|[0-9]|\\\\n+|" \
    " ?[^A-Za-z0-9\\\\x80-\\\\xff\\\\s\\\\x00]+|\\\\x00|\\\\s\","
#define TYPE               "\"type\":\"tare-byte-bpe-1\","
#define SHA                "\"sha\":\"ab\","
#define FILE_OF(n, merges) "{" TYPE RULE SHA "\"bos\":0,\"vocab_size\":" n ",\"merges\":" merges "}"

static void load(struct tare_tokenizer *tok)
{
    char path[512];
    struct tare_err err = {0};
    fixture_zoo("tokenizer.json", path, sizeof path);
    if (tare_tokenizer_load(tok, path, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static size_t encode(struct tare_tokenizer *tok, const char *text, size_t n, int32_t *ids, uint32_t *ends)
{
    struct tare_err err = {0};
    size_t count = 0;
    assert_int_equal(tare_tokenizer_encode(tok, text, n, ids, ends, ids_max, &count, &err), 0);
    assert_true(count <= ids_max);
    return count;
}

/* The ids spell the text, and each end is where its bytes stop. */
static void assert_spells(const struct tare_tokenizer *tok, const char *text, size_t n, const int32_t *ids,
                          const uint32_t *ends, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t length;
        const char *bytes = tare_tokenizer_bytes(tok, (uint32_t)ids[i], &length);
        assert_true(at + length <= n);
        assert_memory_equal(bytes, text + at, length);
        at += length;
        assert_int_equal(ends[i], at);
    }
    assert_int_equal(at, n);
}

/* One pass over all pairs per merge, by the words of the format; slow and plain. */
static size_t merge_plainly(const struct tare_tokenizer *tok, int32_t *ids, size_t n)
{
    for (;;) {
        uint32_t best = UINT32_MAX;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t rank = tare_tokenizer_rank(tok, (uint32_t)ids[i], (uint32_t)ids[i + 1]);
            best = rank < best ? rank : best;
        }
        if (best == UINT32_MAX) {
            return n;
        }
        size_t out = 0;
        for (size_t i = 0; i < n; out++) {
            bool hit = i + 1 < n && tare_tokenizer_rank(tok, (uint32_t)ids[i], (uint32_t)ids[i + 1]) == best;
            ids[out] = hit ? 256 + (int32_t)best : ids[i];
            i += hit ? 2 : 1;
        }
        n = out;
    }
}

static void test_merges_like_the_plain_way(void **state)
{
    (void)state;
    static const char letters[] = "etaoinshrdlu";
    struct tare_tokenizer tok = {0};
    load(&tok);
    uint32_t random = 12345;
    int32_t ids[ids_max];
    uint32_t ends[ids_max];
    int32_t want[ids_max];
    char text[400];
    size_t merged = 0;
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + (size_t)round;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525u + 1013904223u;
            text[i] = letters[(random >> 16) % (round % 2 ? 2 : sizeof letters - 1)];
            want[i] = (unsigned char)text[i];
        }
        size_t count = encode(&tok, text, n, ids, ends);
        assert_spells(&tok, text, n, ids, ends, count);
        assert_int_equal(count, merge_plainly(&tok, want, n));
        assert_memory_equal(ids, want, count * sizeof *ids);
        merged += n - count;
    }
    assert_true(merged > 1000);
    tare_tokenizer_close(&tok);
}

/* What the plain way makes of `marked`, in which '|' shows the cuts; the text without them into text. */
static size_t encode_marked(const struct tare_tokenizer *tok, const char *marked, char *text, size_t *n_text,
                            int32_t *ids)
{
    size_t made = 0;
    size_t n = 0;
    *n_text = 0;
    for (const char *p = marked;; p++) {
        if (*p == '|' || *p == '\0') {
            made += merge_plainly(tok, ids + made, n);
            n = 0;
        } else {
            ids[made + n++] = (unsigned char)*p;
            text[(*n_text)++] = *p;
        }
        if (*p == '\0') {
            return made;
        }
    }
}

/* A tokenizer with one merge: two bytes that become one id wherever no cut lies between them. */
static void load_one_merge(struct tare_tokenizer *tok, unsigned char left, unsigned char right)
{
    char text[512];
    struct tare_json *root = NULL;
    struct tare_err err = {0};
    int n = snprintf(text, sizeof text, FILE_OF("257", "[[%u,%u]]"), left, right);
    assert_in_range(n, 1, sizeof text - 1);
    assert_int_equal(tare_json_parse(text, (size_t)n, "test", &root, &err), 0);
    assert_int_equal(tare_tokenizer_build(tok, root, "test", &err), 0);
    tare_json_destroy(root);
}

static void compare_cuts(struct tare_tokenizer *tok, const char *marked)
{
    char text[64];
    int32_t ids[64];
    int32_t want[64];
    uint32_t ends[64];
    size_t n;
    size_t made = encode_marked(tok, marked, text, &n, want);
    size_t count = encode(tok, text, n, ids, ends);
    if (count != made || memcmp(ids, want, made * sizeof *ids) != 0) {
        fail_msg("cut otherwise than \"%s\"", marked);
    }
}

/* Where texts are cut, written by hand; each pair of neighbours in turn is made a merge. */
static void test_cuts(void **state)
{
    (void)state;
    static const char *const cuts[] = {
        " the| cat",
        " |7",
        " | two",
        "a|1|2|b",
        "don't| you'll",
        "rock'n|'| roll",
        "'|tis",
        "a|''|b",
        "x|\n\n| y",
        " |\n| |\t",
        "end|.|\n",
        " --| so",
        "\xc3\xa9t\xc3\xa9| ok",
        "a'\xc3\xa9",
        "\t|\r|\f|\v",
        " |\n| | | x",
        "a|'",
        "\x01\x02|a",
        "he| (|she|)",
        "3|.|1|4",
        "it's| '|em",
        "\x80| \x80\xff|1",
        "@|A|[|a|{|Z|`",
    };
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        const char *left = cuts[i];
        for (const char *p = left + 1; *p; p++) {
            if (*p == '|') {
                continue;
            }
            struct tare_tokenizer tok = {0};
            load_one_merge(&tok, (unsigned char)*left, (unsigned char)*p);
            compare_cuts(&tok, cuts[i]);
            tare_tokenizer_close(&tok);
            left = p;
        }
    }
}

/* {"hex": "...", "ids": [...]} with a parser of its own: digits only. */
static size_t read_case(const char *line, char *text, int32_t *ids, size_t *n_ids)
{
    const char *hex = strstr(line, "\"hex\": \"") + 8;
    size_t n = 0;
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1 && *hex != '"'; hex += 2) {
        text[n++] = (char)byte;
    }
    const char *p = strchr(strstr(line, "\"ids\""), '[') + 1;
    *n_ids = 0;
    for (char *end; *p != ']'; p = end + strspn(end, ", ")) {
        ids[(*n_ids)++] = (int32_t)strtol(p, &end, 10);
        assert_true(end > p);
    }
    return n;
}

static void test_cases_of_the_zoo(void **state)
{
    (void)state;
    char path[512];
    fixture_shared("zoo/data/tokenizer_cases.jsonl", path, sizeof path);
    struct tare_tokenizer tok = {0};
    load(&tok);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    static char line[65536];
    static char text[ids_max];
    static int32_t want[ids_max];
    static int32_t ids[ids_max];
    static uint32_t ends[ids_max];
    int n_cases = 0;
    for (; fgets(line, sizeof line, f); n_cases++) {
        size_t n_want;
        size_t n = read_case(line, text, want, &n_want);
        size_t count = encode(&tok, text, n, ids, ends);
        assert_int_equal(count, n_want);
        assert_memory_equal(ids, want, count * sizeof *ids);
        assert_spells(&tok, text, n, ids, ends, count);
    }
    (void)fclose(f);
    assert_int_equal(n_cases, 40);
    tare_tokenizer_close(&tok);
}

/* Every byte value, NUL too, in random order comes back. */
static void test_any_bytes(void **state)
{
    (void)state;
    struct tare_tokenizer tok = {0};
    load(&tok);
    char text[2048];
    int32_t ids[ids_max];
    uint32_t ends[ids_max];
    uint32_t random = 99;
    for (size_t i = 0; i < sizeof text; i++) {
        random = random * 1664525u + 1013904223u;
        text[i] = (char)(random >> 24);
    }
    assert_spells(&tok, text, sizeof text, ids, ends, encode(&tok, text, sizeof text, ids, ends));
    assert_int_equal(encode(&tok, "", 0, ids, ends), 0);
    assert_int_equal(encode(&tok, "\0", 1, ids, ends), 1);
    assert_int_equal(ids[0], tok.bos);
    tare_tokenizer_close(&tok);
}

/* The full count comes back and nothing is written past the room given. */
static void test_little_room(void **state)
{
    (void)state;
    struct tare_tokenizer tok = {0};
    struct tare_err err = {0};
    load(&tok);
    int32_t ids[3] = {-7, -7, -7};
    uint32_t ends[3] = {77, 77, 77};
    size_t count = 0;
    assert_int_equal(tare_tokenizer_encode(&tok, "1234", 4, ids, ends, 2, &count, &err), 0);
    assert_int_equal(count, 4);
    assert_int_equal(ids[1], '2');
    assert_int_equal(ids[2], -7);
    assert_int_equal(ends[2], 77);
    assert_int_equal(tare_tokenizer_encode(&tok, "1234", 4, NULL, NULL, 0, &count, &err), 0);
    assert_int_equal(count, 4);
    tare_tokenizer_close(&tok);
}

/* A quadratic way would need about 10^12 steps for this. */
static void test_long_run(void **state)
{
    (void)state;
    enum { n = 1 << 20 };
    struct tare_tokenizer tok = {0};
    struct tare_err err = {0};
    load(&tok);
    char *text = malloc(n);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        text[i] = "then"[i % 4];
    }
    size_t count = 0;
    clock_t start = clock();
    assert_int_equal(tare_tokenizer_encode(&tok, text, n, NULL, NULL, 0, &count, &err), 0);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20.0);
    assert_in_range(count, n / 64, n - 1);
    free(text);
    tare_tokenizer_close(&tok);
}

static const struct lie {
    const char *what;
    const char *text;
} lies[] = {
    {"a list", "[]"},
    {"empty object", "{}"},
    {"no type", "{" RULE SHA "\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"other type", "{\"type\":\"bpe\"," RULE SHA "\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"type is a number", "{\"type\":1," RULE SHA "\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"no cutting rule", "{" TYPE SHA "\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"other cutting rule", "{" TYPE SHA "\"pretokenizer\":\".\",\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"no sha", "{" TYPE RULE "\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"sha is empty", "{" TYPE RULE "\"sha\":\"\",\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"sha is not hexadecimal", "{" TYPE RULE "\"sha\":\"xy\",\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"sha is too long",
     "{" TYPE RULE "\"sha\":\"0123456789012345678901234567890123456789012345678901234567890123456789\","
     "\"bos\":0,\"vocab_size\":256,\"merges\":[]}"},
    {"no bos", "{" TYPE RULE SHA "\"vocab_size\":256,\"merges\":[]}"},
    {"bos outside the vocabulary", "{" TYPE RULE SHA "\"bos\":256,\"vocab_size\":256,\"merges\":[]}"},
    {"bos is negative", "{" TYPE RULE SHA "\"bos\":-1,\"vocab_size\":256,\"merges\":[]}"},
    {"no merges", "{" TYPE RULE SHA "\"bos\":0,\"vocab_size\":256}"},
    {"vocabulary is a string", FILE_OF("\"256\"", "[]")},
    {"vocabulary is a fraction", FILE_OF("256.5", "[]")},
    {"vocabulary below the bytes", FILE_OF("255", "[]")},
    {"vocabulary is huge", FILE_OF("1e12", "[]")},
    {"more ids than merges", FILE_OF("258", "[[1,2]]")},
    {"more merges than ids", FILE_OF("257", "[[1,2],[3,4]]")},
    {"merges is an object", FILE_OF("256", "{}")},
    {"merge is a number", FILE_OF("257", "[7]")},
    {"merge of one", FILE_OF("257", "[[1]]")},
    {"merge of three", FILE_OF("257", "[[1,2,3]]")},
    {"merge of strings", FILE_OF("257", "[[\"a\",\"b\"]]")},
    {"merge of a fraction", FILE_OF("257", "[[1,2.5]]")},
    {"merge of itself", FILE_OF("257", "[[1,256]]")},
    {"merge of a later one", FILE_OF("258", "[[1,257],[1,2]]")},
    {"merge of a negative id", FILE_OF("257", "[[-1,2]]")},
    {"merge of a huge id", FILE_OF("257", "[[1,1e18]]")},
    {"merge stands twice", FILE_OF("258", "[[1,2],[1,2]]")},
};

static void assert_refused(const char *text, const char *what, const char *says)
{
    struct tare_json *root = NULL;
    struct tare_tokenizer tok = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_json_parse(text, strlen(text), "test", &root, &err), 0);
    int rc = tare_tokenizer_build(&tok, root, "test", &err);
    tare_json_destroy(root);
    if (rc >= 0 || err.code != rc || err.msg[0] == '\0' || !strstr(err.msg, says)) {
        fail_msg("not refused with a reason: %s: %s", what, err.msg);
    }
    assert_null(tok.text);
}

static void test_refuses_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        assert_refused(lies[i].text, lies[i].what, "");
    }
    /* The limit on a token's length would catch this one too. */
    assert_refused(FILE_OF("257", "[[1,256]]"), "merge of itself", "an id of merge 0");
}

/* The table above would prove nothing if its frame were wrong. */
static void test_accepts_the_frame(void **state)
{
    (void)state;
    static const char text[] = FILE_OF("258", "[[97,98],[256,256]]");
    struct tare_json *root = NULL;
    struct tare_tokenizer tok = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_json_parse(text, strlen(text), "test", &root, &err), 0);
    assert_int_equal(tare_tokenizer_build(&tok, root, "test", &err), 0);
    tare_json_destroy(root);
    int32_t ids[ids_max];
    uint32_t ends[ids_max];
    assert_int_equal(encode(&tok, "ababab", 6, ids, ends), 2);
    assert_int_equal(ids[0], 257);
    assert_int_equal(ids[1], 256);
    assert_int_equal(ends[0], 4);
    tare_tokenizer_close(&tok);
}

/* Each merge doubles the one before: 2^20 bytes at the 20th, 2^768 at the last of a full file. */
static void test_refuses_doubling(void **state)
{
    (void)state;
    char text[2048];
    int n = snprintf(text, sizeof text, "{" TYPE RULE SHA "\"bos\":0,\"vocab_size\":296,\"merges\":[[97,97]");
    for (int i = 0; i < 39; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, ",[%d,%d]", 256 + i, 256 + i);
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "]}");
    assert_in_range(n, 1, sizeof text - 1);
    struct tare_json *root = NULL;
    struct tare_tokenizer tok = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_json_parse(text, (size_t)n, "test", &root, &err), 0);
    assert_int_equal(tare_tokenizer_build(&tok, root, "test", &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "2048 bytes"));
    tare_json_destroy(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_like_the_plain_way),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_cases_of_the_zoo),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_little_room),
        cmocka_unit_test(test_long_run),
        cmocka_unit_test(test_accepts_the_frame),
        cmocka_unit_test(test_refuses_lies),
        cmocka_unit_test(test_refuses_doubling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
