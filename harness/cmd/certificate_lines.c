/* SPDX-License-Identifier: Apache-2.0 */
/* Both ways out of a certificate go by the keys of its kind. */
#include "cmd/certificate_lines.h"

#include "cmd/cmd.h"

#include <math.h>
#include <stdio.h>

enum { text_most_bytes = 1 << 20 };

double tare_certificate_number(const struct tare_json *of, const char *key)
{
    const struct tare_json *v = tare_json_get(of, key);
    return tare_json_type(v) == TARE_JSON_NUMBER ? tare_json_num(v) : (double)NAN;
}

static const char *text_of(const struct tare_json *of, const char *key)
{
    return key ? tare_json_str(tare_json_get(of, key)) : NULL;
}

static void print_line(const struct tare_json *v, const struct tare_certificate_kind *kind,
                       struct tare_buf *to)
{
    const char *note = text_of(v, "note");
    tare_buf_printf(to, "%-6s %-14s %s\n", text_of(v, "outcome"), text_of(v, kind->name),
                    text_of(v, kind->about));
    kind->numbers(v, to);
    if (note) {
        tare_buf_printf(to, "       %s\n", note);
    }
}

static void print_end(const struct tare_json *root, const struct tare_certificate_kind *kind,
                      struct tare_buf *to)
{
    double failed = tare_certificate_number(root, "failed"),
           certificate = tare_certificate_number(root, "certificate");
    const char *fault = text_of(root, "fault");
    tare_buf_printf(to, "%.0f %s, %.0f %s, %.0f %s; %.1f s\n", tare_certificate_number(root, "passed"),
                    kind->counts[0], failed, kind->counts[1], tare_certificate_number(root, "absent"),
                    kind->counts[2], tare_certificate_number(root, "seconds"));
    if (fault && failed > 1) {
        tare_buf_printf(to, "the first, %s, names the fault; those behind it may follow from it\n", fault);
    }
    if (isfinite(certificate)) {
        tare_buf_printf(to, "certificate %.0f: %s\n", certificate, kind->cited);
    }
}

static void print_text(const struct tare_json *root, const struct tare_certificate_kind *kind,
                       struct tare_buf *to)
{
    const char *backend = text_of(root, "backend");
    if (backend) {
        tare_buf_printf(to, "%s\n", backend);
    }
    for (const struct tare_json *v = tare_json_first(tare_json_get(root, kind->lines)); v;
         v = tare_json_next(v)) {
        print_line(v, kind, to);
    }
    print_end(root, kind, to);
}

int tare_certificate_print(struct tare_json *root, const struct tare_certificate_kind *kind, bool json,
                           struct tare_err *err)
{
    struct tare_buf text;
    if (json) {
        return tare_print_json(root, err);
    }
    tare_buf_init(&text, text_most_bytes);
    print_text(root, kind, &text);
    int r = tare_print_text(&text, err);
    tare_buf_fini(&text);
    tare_json_destroy(root);
    return r;
}

static int add_line(struct tare_store *store, int64_t id, int64_t position,
                    const struct tare_certificate_kind *kind, const struct tare_json *v, struct tare_err *err)
{
    const char *note = text_of(v, "note"), *where = text_of(v, kind->where);
    char both[640];
    (void)snprintf(both, sizeof both, "%.400s%s%.200s", note ? note : "", note && where ? "; at: " : "",
                   where ? where : "");
    const struct tare_certificate_line line = {.quantity = text_of(v, kind->name),
                                               .workload = text_of(v, kind->about),
                                               .unit = text_of(v, "unit"),
                                               .truth = tare_certificate_number(v, kind->truth),
                                               .reading = tare_certificate_number(v, kind->reading),
                                               .error = tare_certificate_number(v, kind->error),
                                               .target = tare_certificate_number(v, kind->target),
                                               .error_unit = text_of(v, kind->error_unit),
                                               .outcome = text_of(v, "outcome"),
                                               .note = where ? both : note};
    return tare_store_add_certificate_line(store, id, position, &line, err);
}

static int add_all(struct tare_store *store, const struct tare_certificate_row *row,
                   const struct tare_certificate_kind *kind, const struct tare_json *lines, int64_t *out_id,
                   struct tare_err *err)
{
    int64_t position = 0;
    int r = tare_store_begin(store, err);
    if (r < 0) {
        return r;
    }
    r = tare_store_add_certificate(store, row, out_id, err);
    for (const struct tare_json *v = tare_json_first(lines); r == 0 && v; v = tare_json_next(v)) {
        r = add_line(store, *out_id, position++, kind, v, err);
    }
    if (r == 0) {
        return tare_store_commit(store, err);
    }
    tare_store_rollback(store);
    return r;
}

int tare_certificate_store(const char *db, const struct tare_certificate_row *row,
                           const struct tare_certificate_kind *kind, const struct tare_json *lines,
                           int64_t *out_id, struct tare_err *err)
{
    struct tare_store *store = NULL;
    int r = tare_store_open(db, TARE_STORE_CREATE, &store, err);
    if (r < 0) {
        return r;
    }
    r = add_all(store, row, kind, lines, out_id, err);
    r = r == 0 ? tare_store_checkpoint(store, err) : r;
    tare_store_close(store);
    return r;
}
