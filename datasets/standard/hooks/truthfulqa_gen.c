/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TruthfulQA's questions to be answered freely: lists of true and of false answers.
 *
 * From the CSV, whose answers stand in one field with "; " between, or from records that have lists already.
 * Answers are stripped, empty ones dropped, and end with a period; "I have no comment." is always among the
 * true ones.
 */
#include "datasets/standard/hooks.h"
#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

static const char no_comment[] = "I have no comment.";

/* true: it is the answer that is always true. */
static int add_answer(struct tare_json *to, struct tare_bytes raw, bool *is_no_comment, struct tare_err *err)
{
    struct tare_bytes text = tare_unicode_strip(raw);
    if (text.n == 0) {
        return 0;
    }
    char *answer = malloc(text.n + 2);
    if (!answer) {
        return tare_err_set(err, TARE_E_NOMEM, "hook truthfulqa_gen: out of memory");
    }
    memcpy(answer, text.data, text.n);
    memcpy(answer + text.n, text.data[text.n - 1] == '.' ? "" : ".", text.data[text.n - 1] == '.' ? 1 : 2);
    *is_no_comment = *is_no_comment || strcmp(answer, no_comment) == 0;
    tare_json_add_str(to, NULL, answer);
    free(answer);
    return 0;
}

static int add_split(struct tare_json *to, const char *text, bool *is_no_comment, struct tare_err *err)
{
    int r = 0;
    while (r == 0 && text) {
        const char *end = strstr(text, "; ");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        r = add_answer(to, (struct tare_bytes){text, n}, is_no_comment, err);
        text = end ? end + 2 : NULL;
    }
    return r;
}

static int add_answers(const struct tare_json *raw, struct tare_json *to, bool *is_no_comment,
                       struct tare_err *err)
{
    int r = tare_json_str(raw) ? add_split(to, tare_json_str(raw), is_no_comment, err) : 0;
    bool list = tare_json_type(raw) == TARE_JSON_ARRAY;
    for (const struct tare_json *v = list ? tare_json_first(raw) : NULL; r == 0 && v; v = tare_json_next(v)) {
        const char *text = tare_json_str(v);
        r = text ? add_answer(to, (struct tare_bytes){text, strlen(text)}, is_no_comment, err) : 0;
    }
    return r;
}

static const struct tare_json *field(const struct tare_json *raw, const char *csv, const char *json)
{
    const struct tare_json *found = tare_json_get(raw, csv);
    return found ? found : tare_json_get(raw, json);
}

static int record(void *state, const struct tare_json *raw, struct tare_documents_sink *to,
                  struct tare_err *err)
{
    bool said = false, ignored = false;
    (void)state;
    if (!raw) {
        return 0;
    }
    const char *question = tare_json_str(field(raw, "Question", "question"));
    if (!question) {
        return tare_err_set(err, TARE_E_FORMAT, "hook truthfulqa_gen: a record has no question");
    }
    struct tare_bytes inner = tare_unicode_strip((struct tare_bytes){question, strlen(question)});
    char *copy = strndup(inner.data, inner.n);
    struct tare_json *doc = tare_json_new_object();
    tare_json_add_str(doc, "question", copy);
    free(copy);
    struct tare_json *good = tare_json_add_array(doc, "correct_answers");
    int r = add_answers(field(raw, "Correct Answers", "correct_answers"), good, &said, err);
    if (!said) {
        tare_json_add_str(good, NULL, no_comment);
    }
    struct tare_json *wrong = tare_json_add_array(doc, "incorrect_answers");
    r = r == 0 ? add_answers(field(raw, "Incorrect Answers", "incorrect_answers"), wrong, &ignored, err) : r;
    if (r < 0) {
        tare_json_destroy(doc);
        return r;
    }
    return to->put(to, doc, err);
}

extern const struct tare_hook tare_hook_truthfulqa_gen;
const struct tare_hook tare_hook_truthfulqa_gen = {
    .name = "truthfulqa_gen", .summary = "lists of true and false answers", .record = record};
