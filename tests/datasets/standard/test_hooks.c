/* SPDX-License-Identifier: Apache-2.0 */
/* Records into documents: made cases, and the public sets where they lie beside the project. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/readers/reader.h"
#include "datasets/standard/hooks.h"
#include "datasets/standard/hooks/wikitext_marks.h"
#include "files.h"

enum { max_documents = 400 };

struct gathered {
    struct tare_documents_sink sink;
    struct tare_json *documents[max_documents];
    size_t n;
};

static int put(struct tare_documents_sink *sink, struct tare_json *document, struct tare_err *err)
{
    struct gathered *g = (struct gathered *)sink;
    (void)err;
    assert_true(g->n < max_documents);
    g->documents[g->n++] = document;
    return 0;
}

static struct gathered hooked(const char *hook_name, const char *path)
{
    struct gathered g = {.sink = {put}};
    const struct tare_hook *hook = tare_hook_find(hook_name);
    struct tare_reader *reader = NULL;
    const struct tare_json *record = NULL;
    struct tare_err err = {0};
    const struct tare_reader_options text = {.format = strcmp(hook_name, "wikitext") == 0 ? "text" : NULL};
    assert_non_null(hook);
    void *state = calloc(1, hook->state_size + 1);
    assert_int_equal(tare_reader_open(path, &text, &reader, &err), 0);
    while (tare_reader_next(reader, &record, &err) > 0) {
        assert_int_equal(hook->record(state, record, &g.sink, &err), 0);
    }
    assert_int_equal(hook->record(state, NULL, &g.sink, &err), 0);
    if (hook->close) {
        hook->close(state);
    }
    free(state);
    tare_reader_close(reader);
    return g;
}

static void done(struct gathered *g)
{
    while (g->n > 0) {
        tare_json_destroy(g->documents[--g->n]);
    }
}

static const char *text_of(const struct tare_json *doc, const char *key)
{
    return tare_json_str(tare_json_get(doc, key));
}

static void test_unknown(void **state)
{
    (void)state;
    assert_null(tare_hook_find("hellaswagg"));
}

static void test_hellaswag(void **state)
{
    (void)state;
    struct gathered g =
        hooked("hellaswag",
               put_file("h.jsonl",
                        "{\"activity_label\": \"Tea\", \"ctx_a\": \"[header] How to [title] Boil [x]  it\", "
                        "\"ctx_b\": \"tHE pot\", \"endings\": [\"[step] sings.\", \"a[b]c  d\", \"[open\"], "
                        "\"label\": \"2\"}\n"));
    assert_int_equal(g.n, 1);
    assert_string_equal(text_of(g.documents[0], "query"), "Tea: How to. Boil  it The pot");
    const struct tare_json *choice = tare_json_first(tare_json_get(g.documents[0], "choices"));
    assert_string_equal(tare_json_str(choice), " sings."); /* what a mark leaves stays */
    assert_string_equal(tare_json_str(tare_json_next(choice)), "ac d");
    assert_string_equal(tare_json_str(tare_json_next(tare_json_next(choice))), "[open");
    assert_int_equal(tare_json_num(tare_json_get(g.documents[0], "gold")), 2);
    done(&g);
}

static void test_truthfulqa(void **state)
{
    (void)state;
    struct gathered g = hooked(
        "truthfulqa", put_file("t.jsonl", "{\"question\": \"q\", \"mc1_targets\": {\"b\": 1, \"a\": 0}, "
                                          "\"mc2_targets\": {\"choices\": [\"c\"], \"labels\": [1]}}\n"));
    const struct tare_json *first = tare_json_get(g.documents[0], "mc1_targets");
    assert_string_equal(tare_json_str(tare_json_first(tare_json_get(first, "choices"))), "b");
    assert_int_equal(tare_json_num(tare_json_first(tare_json_get(first, "labels"))), 1);
    assert_int_equal(tare_json_size(tare_json_get(first, "choices")), 2);
    const struct tare_json *second = tare_json_get(g.documents[0], "mc2_targets");
    assert_string_equal(tare_json_str(tare_json_first(tare_json_get(second, "choices"))), "c");
    done(&g);
}

static void test_truthfulqa_gen(void **state)
{
    static const char *const good[] = {"Yes.", "It is.", "I have no comment."};
    (void)state;
    struct gathered g =
        hooked("truthfulqa_gen", put_file("t.csv", "Question,Correct Answers,Incorrect Answers\n"
                                                   "\" Is it? \",\"Yes; It is. ; \",No; Never\n"));
    assert_string_equal(text_of(g.documents[0], "question"), "Is it?");
    const struct tare_json *v = tare_json_first(tare_json_get(g.documents[0], "correct_answers"));
    for (size_t i = 0; i < 3; i++, v = tare_json_next(v)) {
        assert_string_equal(tare_json_str(v), good[i]);
    }
    assert_null(v);
    assert_int_equal(tare_json_size(tare_json_get(g.documents[0], "incorrect_answers")), 2);
    done(&g);
}

static void test_wikitext_pages(void **state)
{
    (void)state;
    struct gathered g =
        hooked("wikitext", put_file("w.raw", " \n = A = \n one , two \n = = a = = \n = B = \n three \n"));
    assert_int_equal(g.n, 2);
    assert_string_equal(text_of(g.documents[0], "page"), " = A =\none, two\n== a == ");
    assert_int_equal(tare_json_num(tare_json_get(g.documents[0], "bytes")),
                     (double)strlen(" = A = \n one , two \n = = a = = "));
    assert_int_equal(tare_json_num(tare_json_get(g.documents[0], "words")), 13);
    assert_string_equal(text_of(g.documents[1], "page"), " = B =\nthree\n");
    assert_int_equal(tare_json_num(tare_json_get(g.documents[1], "bytes")),
                     (double)strlen(" = B = \n three \n"));
    done(&g);
}

static void test_wikitext_marks(void **state)
{
    static const struct {
        const char *why, *text, *expected;
    } cases[] = {
        {"genitive", "boys ' toys", "boys' toys"},
        {"joined", "a @-@ b 1 @,@ 000 3 @.@ 5", "a-b 1,000 3.5"},
        {"punctuation", "a , b . c ! d ? e ; f : g", "a, b. c! d? e; f: g"},
        {"brackets", "( a ) [ b ] { c }", "(a) [b] {c}"},
        {"to the first that closes", "( a ( b ) c )", "(a ( b) c )"},
        {"quotes over lines", "\" a\nb \"", "\"a\nb\""},
        {"an opener alone", "( a", "( a"},
        {"nothing inside", "(  )", "()"},
        {"equal signs", "= = = = x = = = y = =", "==== x === y =="},
        {"a degree", "5 \xc2\xb0 C",
         "5\xc2\xb0"
         "C"},
        {"a number", "a N b", "a 1 b"},
        {"is", "it 's", "it's"},
        {"the slip", "x /' 5/ y", "x /'[0-9]/ y"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = NULL;
        struct tare_err err = {0};
        print_message("%s\n", cases[i].why);
        assert_int_equal(tare_wikitext_unmark(cases[i].text, &out, &err), 0);
        assert_string_equal(out, cases[i].expected);
        free(out);
    }
}

static const char *shared(const char *name)
{
    static char path[4096];
    const char *folder = getenv("TARE_SHARED");
    (void)snprintf(path, sizeof path, "%s/data/%s", folder ? folder : "", name);
    FILE *f = folder ? fopen(path, "r") : NULL;
    if (!f) {
        print_message("no reference data beside the project\n");
        skip();
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

/* 62 pages, 241335 words, 1290527 bytes. */
static void test_wikitext_2(void **state)
{
    double words = 0, bytes = 0;
    (void)state;
    struct gathered g = hooked("wikitext", shared("wikitext2/wiki.test.raw"));
    for (size_t i = 0; i < g.n; i++) {
        words += tare_json_num(tare_json_get(g.documents[i], "words"));
        bytes += tare_json_num(tare_json_get(g.documents[i], "bytes"));
    }
    assert_int_equal(g.n, 62);
    assert_int_equal((long long)words, 241335);
    assert_int_equal((long long)bytes, 1290527);
    done(&g);
}

static void check_hellaswag(const char *raw, const char *expected)
{
    char path[4096];
    struct tare_reader *reader = NULL;
    const struct tare_json *want = NULL;
    struct tare_err err = {0};
    (void)snprintf(path, sizeof path, "%s", shared(expected));
    struct gathered g = hooked("hellaswag", shared(raw));
    assert_int_equal(tare_reader_open(path, NULL, &reader, &err), 0);
    assert_true(g.n >= 10);
    for (size_t i = 0; i < g.n; i++) {
        assert_int_equal(tare_reader_next(reader, &want, &err), 1);
        assert_string_equal(text_of(g.documents[i], "query"), text_of(want, "query"));
        char *ours = NULL, *theirs = NULL;
        assert_int_equal(tare_json_print(tare_json_get(g.documents[i], "choices"), false, &ours, &err), 0);
        assert_int_equal(tare_json_print(tare_json_get(want, "choices"), false, &theirs, &err), 0);
        assert_string_equal(ours, theirs);
        assert_int_equal(tare_json_num(tare_json_get(g.documents[i], "gold")),
                         tare_json_num(tare_json_get(want, "gold")));
        free(ours);
        free(theirs);
    }
    tare_reader_close(reader);
    done(&g);
}

static void test_hellaswag_records(void **state)
{
    (void)state;
    check_hellaswag("hellaswag/hellaswag_val_raw_head10.jsonl",
                    "hellaswag/hellaswag_val_raw_head10.expected.jsonl");
    check_hellaswag("hellaswag/hellaswag_train_raw_olmes11.jsonl",
                    "hellaswag/hellaswag_train_raw_olmes11.expected.jsonl");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_files, remove_files)
    const struct CMUnitTest tests[] = {
        CASE(test_unknown),        CASE(test_hellaswag),         CASE(test_truthfulqa),
        CASE(test_truthfulqa_gen), CASE(test_wikitext_pages),    CASE(test_wikitext_marks),
        CASE(test_wikitext_2),     CASE(test_hellaswag_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
