/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HellaSwag: the bracketed marks of its WikiHow half are taken out of context and endings.
 *
 * In this order: strip; " [title]" becomes ". "; "[...]" within a line is deleted, the shortest first; every
 * two blanks become one, in one pass. What an ending began with may leave a blank there: it stays.
 */
#include "datasets/standard/hooks.h"
#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

/* Replaces each `from` by `to`, which is no longer, in place and in one pass. */
static void replace(char *text, const char *from, const char *to)
{
    size_t n_from = strlen(from), n_to = strlen(to);
    char *out = text;
    while (*text) {
        if (strncmp(text, from, n_from) == 0) {
            memcpy(out, to, n_to);
            out += n_to;
            text += n_from;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

static void drop_brackets(char *text)
{
    char *out = text;
    while (*text) {
        size_t n = *text == '[' ? strcspn(text, "]\n") : 0;
        if (n > 0 && text[n] == ']') {
            text += n + 1;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

static char *preprocessed(const char *text)
{
    struct tare_bytes inner = tare_unicode_strip((struct tare_bytes){text, strlen(text)});
    char *copy = strndup(inner.data, inner.n);
    if (copy) {
        replace(copy, " [title]", ". ");
        drop_brackets(copy);
        replace(copy, "  ", " ");
    }
    return copy;
}

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "hook hellaswag: out of memory");
}

static int add_query(const struct tare_json *record, struct tare_json *to, struct tare_err *err)
{
    const char *label = tare_json_str(tare_json_get(record, "activity_label"));
    const char *a = tare_json_str(tare_json_get(record, "ctx_a"));
    const char *b = tare_json_str(tare_json_get(record, "ctx_b"));
    char *capital = NULL;
    size_t n = 0;
    if (!label || !a || !b) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "hook hellaswag: a record lacks activity_label, ctx_a or ctx_b");
    }
    int r = tare_unicode_capitalize((struct tare_bytes){b, strlen(b)}, &capital, &n, err);
    size_t room = strlen(label) + strlen(a) + n + 4;
    char *joined = r == 0 ? malloc(room) : NULL;
    if (joined) {
        (void)snprintf(joined, room, "%s: %s %s", label, a, capital);
    }
    char *query = joined ? preprocessed(joined) : NULL;
    tare_json_add_str(to, "query", query);
    r = r == 0 && !query ? no_memory(err) : r;
    free(capital);
    free(joined);
    free(query);
    return r;
}

static int add_choices(const struct tare_json *record, struct tare_json *to, struct tare_err *err)
{
    struct tare_json *choices = tare_json_add_array(to, "choices");
    for (const struct tare_json *v = tare_json_first(tare_json_get(record, "endings")); v;
         v = tare_json_next(v)) {
        const char *text = tare_json_str(v);
        char *choice = preprocessed(text ? text : "");
        if (!choice) {
            return no_memory(err);
        }
        tare_json_add_str(choices, NULL, choice);
        free(choice);
    }
    return 0;
}

/* The label is a number, or its digits; a test set has none. */
static void add_gold(const struct tare_json *record, struct tare_json *to)
{
    const struct tare_json *label = tare_json_get(record, "label");
    const char *text = tare_json_str(label);
    tare_json_add_i64(to, "gold", text ? strtol(text, NULL, 10) : (int64_t)tare_json_num(label));
}

static int record(void *state, const struct tare_json *raw, struct tare_documents_sink *to,
                  struct tare_err *err)
{
    (void)state;
    if (!raw) {
        return 0;
    }
    struct tare_json *doc = tare_json_new_object();
    int r = add_query(raw, doc, err);
    r = r == 0 ? add_choices(raw, doc, err) : r;
    if (r < 0) {
        tare_json_destroy(doc);
        return r;
    }
    add_gold(raw, doc);
    return to->put(to, doc, err);
}

extern const struct tare_hook tare_hook_hellaswag;
const struct tare_hook tare_hook_hellaswag = {.name = "hellaswag",
                                              .summary =
                                                  "marks of WikiHow taken out; gives query, choices, gold",
                                              .record = record};
