/* SPDX-License-Identifier: Apache-2.0 */
/* Public sets as they are published: as many records as their list says, which is read by the reader itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/readers/reader.h"

static const struct special {
    const char *place; /* the begin of "name/file" */
    struct tare_reader_options options;
} specials[] = {
    {"bbh/", {.pointer = "/examples"}},
    {"listops/", {.columns = "label,expression"}},
    {"mmlu/hendrycks_layout/", {.columns = "question,A,B,C,D,answer"}},
    {"piqa/valid-labels.lst", {.format = "text"}},
    {"wikitext2/wiki.", {.format = "text"}},
};

/* Files whose rows are not the reader's records. */
static const char *const others[] = {
    "advglue/", "squad_xquad_en/", "hellaswag/hellaswag_val_text.every10th.txt", "tinyshakespeare/", "books/",
};

static const char *field(const struct tare_json *record, const char *key)
{
    const char *text = tare_json_str(tare_json_get(record, key));
    assert_non_null(text);
    return text;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_other(const char *place)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (begins(place, others[i])) {
            return true;
        }
    }
    return false;
}

static const struct tare_reader_options *options_of(const char *place)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        if (begins(place, specials[i].place)) {
            return &specials[i].options;
        }
    }
    return NULL;
}

/* Every record of the file; `check` may look at them. */
static size_t count(const char *path, const struct tare_reader_options *options,
                    void (*check)(const struct tare_json *))
{
    struct tare_err err = {0};
    struct tare_reader *reader = NULL;
    const struct tare_json *record = NULL;
    size_t n = 0;
    if (tare_reader_open(path, options, &reader, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    int r;
    while ((r = tare_reader_next(reader, &record, &err)) > 0) {
        n++;
        if (check) {
            check(record);
        }
    }
    if (r < 0) {
        fail_msg("%s", err.msg);
    }
    tare_reader_close(reader);
    return n;
}

/* In this set the first choice of mc1_targets is the right one, which only holds if keys keep their order. */
static void check_truthfulqa(const struct tare_json *record)
{
    const struct tare_json *first = tare_json_first(tare_json_get(record, "mc1_targets"));
    assert_non_null(first);
    assert_string_equal(tare_json_number_text(first), "1");
    for (const struct tare_json *next = tare_json_next(first); next; next = tare_json_next(next)) {
        assert_string_equal(tare_json_number_text(next), "0");
    }
}

static const char *folder;
static size_t n_files;

static void check_entry(const struct tare_json *entry)
{
    char place[512], path[1024];
    (void)snprintf(place, sizeof place, "%s/%s", field(entry, "name"), field(entry, "file"));
    (void)snprintf(path, sizeof path, "%s/data/%s", folder, place);
    if (is_other(place)) {
        return;
    }
    size_t n = count(path, options_of(place), begins(place, "truthfulqa/mc_task") ? check_truthfulqa : NULL);
    if (n != strtoul(field(entry, "rows"), NULL, 10)) {
        fail_msg("%s: %zu records", place, n);
    }
    n_files++;
}

static void test_every_set(void **state)
{
    (void)state;
    char path[1024];
    folder = getenv("TARE_SHARED");
    if (!folder) {
        print_message("skipped: TARE_SHARED names no folder of reference data\n");
        skip();
    }
    (void)snprintf(path, sizeof path, "%s/data/MANIFEST.tsv", folder);
    assert_true(count(path, NULL, check_entry) > 70);
    assert_true(n_files > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
