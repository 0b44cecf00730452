/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"

#include "datasets/readers/reader.h"
#include "hooks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One record's way into the rendered documents. */
struct render {
    struct tare_documents_sink sink; /* first: a hook's calls find the rest through it */
    const struct tare_rendering *how;
    const struct tare_definition *d;
    struct tare_rendered_documents *out;
    const char *file;
    struct tare_text_ref preamble; /* of the document before: most are alike */
};

static int no_memory(const struct tare_definition *d, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "task %s: out of memory for its documents", d->name);
}

static int fault(const struct render *r, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_FORMAT, "task %s: %s: document %zu: %s", r->d->name, r->file, r->out->n,
                        why);
}

static bool grow(void **list, size_t n, size_t *cap, size_t size)
{
    if (n <= *cap) {
        return true;
    }
    size_t more = 2 * *cap > n ? 2 * *cap : n + 64;
    void *larger = realloc(*list, more * size);
    if (larger) {
        *list = larger;
        *cap = more;
    }
    return larger != NULL;
}

static int add_text(struct render *r, const char *text, size_t n, struct tare_text_ref *out,
                    struct tare_err *err)
{
    struct tare_rendered_documents *to = r->out;
    if (!grow((void **)&to->text, to->n_text + n + 1, &to->cap_text, 1)) {
        return no_memory(r->d, err);
    }
    memcpy(to->text + to->n_text, text, n);
    *out = (struct tare_text_ref){to->n_text, n};
    to->n_text += n;
    to->text[to->n_text] = '\0';
    return 0;
}

static int add_ref(struct render *r, const char *text, struct tare_err *err)
{
    struct tare_rendered_documents *to = r->out;
    struct tare_text_ref ref;
    int rc = add_text(r, text, strlen(text), &ref, err);
    if (rc == 0 && !grow((void **)&to->refs, to->n_refs + 1, &to->cap_refs, sizeof *to->refs)) {
        return no_memory(r->d, err);
    }
    if (rc == 0) {
        to->refs[to->n_refs++] = ref;
    }
    return rc;
}

static int render_text(struct render *r, const struct tare_template *t, const struct tare_json *doc,
                       struct tare_text_ref *out, struct tare_err *err)
{
    char *text = NULL;
    if (!t) {
        return add_text(r, "", 0, out, err);
    }
    int rc = tare_template_render(t, doc, &text, err);
    rc = rc == 0 ? add_text(r, text, strlen(text), out, err) : rc;
    free(text);
    return rc;
}

/* Every element of a list as text; a text alone is a list of one. */
static int add_list(struct render *r, const struct tare_json *value, struct tare_err *err)
{
    bool list = tare_json_type(value) == TARE_JSON_ARRAY;
    int rc = 0;
    for (const struct tare_json *v = list ? tare_json_first(value) : value; rc == 0 && v;
         v = list ? tare_json_next(v) : NULL) {
        const char *text = tare_json_str(v);
        char *printed = NULL;
        if (!text) { /* a number, as its digits */
            rc = tare_json_print(v, false, &printed, err);
            text = printed;
        }
        rc = rc == 0 ? add_ref(r, text, err) : rc;
        free(printed);
    }
    return rc;
}

static int eval_list(struct render *r, const struct tare_template *t, const struct tare_json *doc,
                     struct tare_err *err)
{
    struct tare_json *value = NULL;
    int rc = tare_template_eval(t, doc, &value, err);
    rc = rc == 0 ? add_list(r, value, err) : rc;
    tare_json_destroy(value);
    return rc;
}

static int render_choices(struct render *r, const struct tare_json *doc, struct tare_rendered *to,
                          struct tare_err *err)
{
    const struct tare_definition *d = r->d;
    int rc = 0;
    to->first_choice = r->out->n_refs;
    if (d->choices) {
        rc = eval_list(r, d->choices, doc, err);
    }
    for (size_t i = 0; rc == 0 && i < d->n_choice_list; i++) {
        char *text = NULL;
        rc = tare_template_render(d->choice_list[i], doc, &text, err);
        rc = rc == 0 ? add_ref(r, text, err) : rc;
        free(text);
    }
    to->n_choices = r->out->n_refs - to->first_choice;
    return rc;
}

/* What stands before the choices: the part of a question that may be perturbed. */
static int render_contexts(struct render *r, const struct tare_json *doc, struct tare_rendered *to,
                           struct tare_err *err)
{
    struct tare_json *perturbed = NULL;
    int rc = r->how->perturbing.rate > 0
                 ? tare_perturbed_document(&r->how->perturbing, doc, r->out->n, &perturbed, err)
                 : 0;
    const struct tare_json *seen = perturbed ? perturbed : doc;
    rc = rc == 0 ? render_text(r, r->d->context, seen, &to->context, err) : rc;
    to->first_context = r->out->n_refs;
    rc = rc == 0 && r->d->contexts ? eval_list(r, r->d->contexts, seen, err) : rc;
    to->n_contexts = r->out->n_refs - to->first_context;
    tare_json_destroy(perturbed);
    return rc;
}

/* Digits alone, and few enough to be exact. */
static bool is_number(const char *text, int64_t *out)
{
    enum { most_digits = 15 };
    size_t n = strspn(text, "0123456789");
    *out = n > 0 && n <= most_digits ? strtoll(text, NULL, 10) : -1;
    return n > 0 && n <= most_digits && text[n] == '\0';
}

/* Where `text` is among the choices, -1 for nowhere. */
static int64_t index_of(const struct render *r, const struct tare_rendered *to, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < to->n_choices; i++) {
        struct tare_text_ref ref = r->out->refs[to->first_choice + i];
        if (ref.n == n && memcmp(r->out->text + ref.begin, text, n) == 0) {
            return (int64_t)i;
        }
    }
    return -1;
}

/* The right choice: an index, which digits alone are too, or the text of a choice. A shot shows the choice's
 * text. */
static int set_gold(struct render *r, const struct tare_json *value, struct tare_rendered *to,
                    struct tare_err *err)
{
    const char *text = tare_json_str(value);
    bool number = tare_json_type(value) == TARE_JSON_NUMBER;
    to->gold = number ? (int64_t)tare_json_num(value) : -1;
    if (text) {
        int64_t index = 0;
        to->gold = is_number(text, &index) ? index : index_of(r, to, text);
    }
    if (!text && !number) {
        return fault(r, "\"target\" gives neither an index nor a text", err);
    }
    if (to->gold < 0 || (uint64_t)to->gold >= to->n_choices) {
        to->gold = -1;
        return add_text(r, text ? text : "", text ? strlen(text) : 0, &to->target, err);
    }
    to->target = r->out->refs[to->first_choice + (size_t)to->gold];
    return 0;
}

static int render_target(struct render *r, const struct tare_json *doc, struct tare_rendered *to,
                         struct tare_err *err)
{
    struct tare_json *value = NULL;
    int rc = tare_template_eval(r->d->target, doc, &value, err);
    if (rc == 0 && r->d->output == TARE_OUTPUT_MULTIPLE_CHOICE) {
        rc = set_gold(r, value, to, err);
    } else if (rc == 0) {
        to->gold = 0;
        to->first_gold = r->out->n_refs;
        rc = add_list(r, value, err);
        to->n_golds = r->out->n_refs - to->first_gold;
        if (rc == 0 && to->n_golds == 0) {
            rc = fault(r, "\"target\" gives nothing", err);
        }
        to->target = rc == 0 ? r->out->refs[to->first_gold] : to->target;
    }
    tare_json_destroy(value);
    return rc;
}

static int render_preamble(struct render *r, const struct tare_json *doc, struct tare_rendered *to,
                           struct tare_err *err)
{
    size_t begin = r->out->n_text;
    int rc = render_text(r, r->d->preamble, doc, &to->preamble, err);
    const char *text = r->out->text;
    if (rc == 0 && r->out->n > 0 && r->preamble.n == to->preamble.n &&
        memcmp(text + r->preamble.begin, text + begin, to->preamble.n) == 0) {
        r->out->n_text = begin;
        to->preamble = r->preamble;
    }
    r->preamble = to->preamble;
    return rc;
}

/* FNV-1a of the document's JSON: equal documents are found by it. */
static int hash_document(const struct tare_json *doc, uint64_t *out, struct tare_err *err)
{
    char *text = NULL;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    int rc = tare_json_print(doc, false, &text, err);
    for (const char *c = text; rc == 0 && *c; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    free(text);
    *out = h;
    return rc;
}

static int render_document(struct render *r, const struct tare_json *doc, struct tare_rendered *to,
                           struct tare_err *err)
{
    int rc = hash_document(doc, &to->hash, err);
    rc = rc == 0 ? render_preamble(r, doc, to, err) : rc;
    rc = rc == 0 ? render_contexts(r, doc, to, err) : rc;
    rc = rc == 0 ? render_choices(r, doc, to, err) : rc;
    rc = rc == 0 ? render_target(r, doc, to, err) : rc;
    if (rc == 0 && to->n_contexts > 0 && to->n_contexts != to->n_choices) {
        return fault(r, "\"contexts\" and \"choices\" are not as many", err);
    }
    to->words = (int64_t)tare_json_num(tare_json_get(doc, "words"));
    to->bytes = (int64_t)tare_json_num(tare_json_get(doc, "bytes"));
    return rc;
}

static int put(struct tare_documents_sink *sink, struct tare_json *document, struct tare_err *err)
{
    struct render *r = (struct render *)sink;
    struct tare_rendered_documents *out = r->out;
    struct tare_rendered to = {.gold = -1};
    int rc = 0;
    if (out->n < r->how->limit) {
        rc = grow((void **)&out->all, out->n + 1, &out->cap, sizeof *out->all)
                 ? render_document(r, document, &to, err)
                 : no_memory(r->d, err);
        if (rc == 0) {
            to.document = r->how->keep ? document : NULL;
            out->all[out->n++] = to;
        }
    }
    if (rc < 0 || !to.document) {
        tare_json_destroy(document);
    }
    return rc;
}

/* The record as it is, with its label where labels lie in a file of their own. */
static int plain_record(struct render *r, const struct tare_json *record, const char *label,
                        struct tare_err *err)
{
    struct tare_json *copy = tare_json_new_object();
    int64_t number = 0;
    for (const struct tare_json *v = tare_json_first(record); v; v = tare_json_next(v)) {
        tare_json_add_copy(copy, tare_json_key(v), v);
    }
    if (label && is_number(label, &number)) {
        tare_json_add_i64(copy, "label", number);
    } else if (label) {
        tare_json_add_str(copy, "label", label);
    }
    return copy ? put(&r->sink, copy, err) : no_memory(r->d, err);
}

static int full_path(const struct tare_rendering *how, const char *file, char *out, size_t n_out,
                     struct tare_err *err)
{
    bool absolute = file[0] == '/';
    int n = snprintf(out, n_out, "%s%s%s", absolute ? "" : how->folder, absolute ? "" : "/", file);
    return n > 0 && (size_t)n < n_out ? 0 : tare_err_set(err, TARE_E_USAGE, "%s: the path is too long", file);
}

static int open_reader(const struct render *r, const char *file, const struct tare_reader_options *options,
                       struct tare_reader **out, struct tare_err *err)
{
    char path[4096];
    int rc = full_path(r->how, file, path, sizeof path, err);
    return rc == 0 ? tare_reader_open(path, options, out, err) : rc;
}

/* The line of the labels' file that belongs to the next record. */
static int next_label(const struct render *r, struct tare_reader *labels, const char **out,
                      struct tare_err *err)
{
    const struct tare_json *line = NULL;
    if (!labels) {
        *out = NULL;
        return 0;
    }
    int rc = tare_reader_next(labels, &line, err);
    if (rc == 0) {
        return fault(r, "there are fewer labels than records", err);
    }
    *out = rc > 0 ? tare_json_str(tare_json_get(line, "text")) : NULL;
    return rc < 0 ? rc : 0;
}

static int read_all(struct render *r, struct tare_reader *reader, struct tare_reader *labels,
                    const struct tare_hook *hook, void *state, struct tare_err *err)
{
    const struct tare_json *record = NULL;
    const char *label = NULL;
    int rc = 1;
    while (r->out->n < r->how->limit && (rc = tare_reader_next(reader, &record, err)) > 0) {
        rc = next_label(r, labels, &label, err);
        rc = rc < 0 ? rc
             : hook ? hook->record(state, record, &r->sink, err)
                    : plain_record(r, record, label, err);
        if (rc < 0) {
            return rc;
        }
    }
    return rc == 0 && hook ? hook->record(state, NULL, &r->sink, err) : rc < 0 ? rc : 0;
}

static int render_split(struct render *r, const struct tare_split *split, struct tare_err *err)
{
    const struct tare_hook *hook = r->d->hook ? tare_hook_find(r->d->hook) : NULL;
    struct tare_reader_options lines = {.format = "text"};
    struct tare_reader_options options = {
        .format = split->format, .pointer = split->pointer, .columns = split->columns};
    struct tare_reader *reader = NULL, *labels = NULL;
    if (r->d->hook && !hook) {
        return tare_err_set(err, TARE_E_FORMAT, "task file %s: there is no hook \"%s\"", r->d->path,
                            r->d->hook);
    }
    void *state = calloc(1, (hook ? hook->state_size : 0) + 1);
    int rc = state ? open_reader(r, split->file, &options, &reader, err) : no_memory(r->d, err);
    rc = rc == 0 && split->labels ? open_reader(r, split->labels, &lines, &labels, err) : rc;
    rc = rc == 0 ? read_all(r, reader, labels, hook, state, err) : rc;
    if (hook && hook->close && state) {
        hook->close(state);
    }
    free(state);
    tare_reader_close(reader);
    tare_reader_close(labels);
    return rc;
}

int tare_documents_render(const struct tare_rendering *rendering, enum tare_split_name split,
                          struct tare_rendered_documents *out, struct tare_err *err)
{
    struct tare_rendered_documents documents = {0};
    struct render r = {.sink = {put},
                       .how = rendering,
                       .d = rendering->definition,
                       .out = &documents,
                       .file = rendering->definition->splits[split].file};
    int rc = render_split(&r, &rendering->definition->splits[split], err);
    if (rc < 0) {
        tare_documents_free(&documents);
        return rc;
    }
    *out = documents;
    return 0;
}

int tare_documents_render_samples(const struct tare_rendering *rendering, struct tare_rendered_documents *out,
                                  struct tare_err *err)
{
    struct tare_rendered_documents documents = {0};
    struct render r = {.sink = {put},
                       .how = rendering,
                       .d = rendering->definition,
                       .out = &documents,
                       .file = "\"samples\" of the task file"};
    int rc = 0;
    for (const struct tare_json *v = tare_json_first(rendering->definition->samples); rc == 0 && v;
         v = tare_json_next(v)) {
        rc = plain_record(&r, v, NULL, err);
    }
    if (rc < 0) {
        tare_documents_free(&documents);
        return rc;
    }
    *out = documents;
    return 0;
}

void tare_documents_free(struct tare_rendered_documents *documents)
{
    for (size_t i = 0; i < documents->n; i++) {
        tare_json_destroy(documents->all[i].document);
    }
    free(documents->all);
    free(documents->text);
    free(documents->refs);
    memset(documents, 0, sizeof *documents);
}

struct tare_bytes tare_documents_text(const struct tare_rendered_documents *documents,
                                      struct tare_text_ref ref)
{
    return (struct tare_bytes){.data = documents->text + ref.begin, .n = ref.n};
}
