/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, arrays and lists within objects: to records, and back. */
#include "records.h"

#include "values.h"

#include <stdlib.h>
#include <string.h>

static int read_object(const struct tare_interop_in *in, const struct tare_json *object,
                       tare_interop_object_fn fn, struct tare_err *err)
{
    if (tare_json_type(object) != TARE_JSON_OBJECT) {
        return tare_interop_fault(in, err, "a record has to be an object, found %s",
                                  tare_json_type_name(tare_json_type(object)));
    }
    in->reader->record++;
    int r = tare_interop_record(in, object, err);
    return r == 0 ? fn(in, object, err) : r;
}

static int read_line(const struct tare_interop_in *in, const char *text, size_t n, tare_interop_object_fn fn,
                     struct tare_err *err)
{
    struct tare_json *object = NULL;
    int r = tare_interop_json(in, text, n, &object, err);
    r = r == 0 ? read_object(in, object, fn, err) : r;
    tare_json_destroy(object);
    return r;
}

int tare_interop_read_lines(const struct tare_interop_in *in, bool with_log, tare_interop_object_fn fn,
                            struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0, found = 0;
    int r;
    while ((r = tare_interop_line(in->reader, &text, &n, err)) == 1) {
        char first = tare_interop_first(text, n);
        if (first == '\0' || (with_log && first != '{')) {
            continue;
        }
        r = read_line(in, text, n, fn, err);
        if (r < 0) {
            return r;
        }
        found++;
    }
    return r == 0 && found == 0 ? tare_interop_fault(in, err, "there is no record in it") : r;
}

/* The value around the list, with the list left empty and its name. */
static int put_envelope(const struct tare_interop_in *in, const struct tare_json *around, const char *key,
                        struct tare_err *err)
{
    char *text = NULL;
    struct tare_json *envelope = tare_json_new_object();
    tare_json_add_str(envelope, "list", key);
    struct tare_json *to = tare_json_add_object(envelope, "around");
    for (const struct tare_json *v = key ? tare_json_first(around) : NULL; v; v = tare_json_next(v)) {
        if (strcmp(tare_json_key(v), key) == 0) {
            (void)tare_json_add_array(to, key);
        } else {
            tare_json_add_copy(to, tare_json_key(v), v);
        }
    }
    int r = tare_json_print(envelope, false, &text, err);
    r = r == 0 ? in->sink->envelope(in->sink->ctx, text, err) : r;
    free(text);
    tare_json_destroy(envelope);
    return r;
}

int tare_interop_read_list(const struct tare_interop_in *in, const struct tare_json *around, const char *key,
                           tare_interop_object_fn fn, struct tare_err *err)
{
    const struct tare_json *list = key ? tare_json_get(around, key) : around;
    if (tare_json_type(list) != TARE_JSON_ARRAY) {
        return tare_interop_fault(in, err, "%s has to be an array", key ? key : "the file");
    }
    if (tare_json_size(list) == 0) {
        return tare_interop_fault(in, err, "there is no record in %s", key ? key : "it");
    }
    int r = put_envelope(in, around, key, err);
    for (const struct tare_json *v = tare_json_first(list); r == 0 && v; v = tare_json_next(v)) {
        r = read_object(in, v, fn, err);
    }
    return r;
}

struct printer {
    FILE *to;
    const char *between;
    size_t n;
    bool indented;
};

static int print_record(void *ctx, const char *json, struct tare_err *err)
{
    struct printer *p = ctx;
    (void)fputs(p->n++ > 0 ? p->between : "", p->to);
    if (!p->indented) {
        (void)fputs(json, p->to);
        return 0;
    }
    struct tare_json *tree = NULL;
    char *text = NULL;
    int r = tare_json_parse_exact(json, strlen(json), "stored record", &tree, err);
    r = r == 0 ? tare_json_print(tree, true, &text, err) : r;
    (void)fputs(r == 0 ? text : "", p->to);
    free(text);
    tare_json_destroy(tree);
    return r;
}

static int print_lines(const struct tare_interop_stored *stored, bool indented, FILE *to,
                       struct tare_err *err)
{
    struct printer p = {.to = to, .between = "\n", .indented = indented};
    int r = stored->each(stored->ctx, print_record, &p, err);
    (void)fputc('\n', to);
    return r;
}

static int print_array(const struct tare_interop_stored *stored, const char *indent, FILE *to,
                       struct tare_err *err)
{
    char between[32];
    (void)snprintf(between, sizeof between, ",\n%s  ", indent);
    struct printer p = {.to = to, .between = between};
    (void)fprintf(to, "[\n%s  ", indent);
    int r = stored->each(stored->ctx, print_record, &p, err);
    (void)fprintf(to, "\n%s]", indent);
    return r;
}

/* One member of the envelope: "key": value, or the records. */
static int print_member(const struct tare_interop_stored *stored, const struct tare_json *member, bool hole,
                        FILE *to, struct tare_err *err)
{
    char *value = NULL, *name = NULL;
    struct tare_json *key = tare_json_new_array();
    tare_json_add_str(key, NULL, tare_json_key(member));
    int r = tare_json_print(key, false, &name, err);
    tare_json_destroy(key);
    if (r == 0) { /* ["name"] without its brackets */
        (void)fprintf(to, "\n  %.*s: ", (int)strlen(name) - 2, name + 1);
    }
    if (r == 0 && hole) {
        r = print_array(stored, "  ", to, err);
    } else if (r == 0) {
        r = tare_json_print(member, false, &value, err);
        (void)fputs(r == 0 ? value : "", to);
    }
    free(name);
    free(value);
    return r;
}

static int print_object(const struct tare_interop_stored *stored, const struct tare_json *around,
                        const char *list, FILE *to, struct tare_err *err)
{
    int r = 0;
    (void)fputc('{', to);
    for (const struct tare_json *v = tare_json_first(around); r == 0 && v; v = tare_json_next(v)) {
        r = print_member(stored, v, strcmp(tare_json_key(v), list) == 0, to, err);
        (void)fputs(tare_json_next(v) ? "," : "", to);
    }
    (void)fputs("\n}\n", to);
    return r;
}

int tare_interop_give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    struct tare_json *envelope = NULL;
    if (!stored->envelope) {
        return print_lines(stored, false, to, err);
    }
    int r =
        tare_json_parse_exact(stored->envelope, strlen(stored->envelope), "stored envelope", &envelope, err);
    const char *list = tare_json_str(tare_json_get(envelope, "list"));
    if (r == 0 && list) {
        r = print_object(stored, tare_json_get(envelope, "around"), list, to, err);
    } else if (r == 0) {
        r = print_array(stored, "", to, err);
        (void)fputc('\n', to);
    }
    tare_json_destroy(envelope);
    return r;
}

int tare_interop_give_back_one(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return print_lines(stored, true, to, err);
}
