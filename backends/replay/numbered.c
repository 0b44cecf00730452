/* SPDX-License-Identifier: Apache-2.0 */
#include "numbered.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { request_bits = 20, max_doc_bits = 40 };
enum column { COLUMN_DOC, COLUMN_REQ, COLUMN_LOGLIK, COLUMN_GREEDY, N_COLUMNS, COLUMN_OTHER = N_COLUMNS };
enum { max_fields = 16 };

struct reading {
    const char *path;
    size_t line;
    enum column order[max_fields]; /* which field is which column */
    size_t n_fields;
};

static int bad(const struct reading *r, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_FORMAT, "replay %s: line %zu: %s", r->path, r->line, why);
}

static int read_header(struct reading *r, char *line, struct tare_err *err)
{
    static const char *const names[N_COLUMNS] = {"doc", "req", "loglikelihood", "greedy"};
    unsigned seen = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *field; (field = strsep(&line, "\t")) && r->n_fields < max_fields;) {
        int column = 0;
        while (column < N_COLUMNS && strcmp(field, names[column]) != 0) {
            column++;
        }
        r->order[r->n_fields++] = (enum column)column;
        seen |= 1U << column;
    }
    bool enough = (seen & 7U) == 7U;
    return enough ? 0 : bad(r, "the header has not doc, req and loglikelihood, with tabs between", err);
}

static bool take_number(const char *field, double *out)
{
    char *end = NULL;
    *out = strtod(field, &end);
    return end != field && *end == '\0';
}

static bool is_whole(double x, int bits)
{
    return x >= 0 && x < ldexp(1, bits) && floor(x) == x;
}

static int read_row(struct reading *r, char *line, struct tare_numbered_answer *out, struct tare_err *err)
{
    double values[N_COLUMNS + 1] = {0};
    size_t i = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *field; i < r->n_fields && (field = strsep(&line, "\t")); i++) {
        if (r->order[i] != COLUMN_OTHER && !take_number(field, &values[r->order[i]])) {
            return bad(r, "a field is no number", err);
        }
    }
    if (i < r->n_fields || line) {
        return bad(r, "has not as many fields as the header", err);
    }
    if (!is_whole(values[COLUMN_DOC], max_doc_bits) || !is_whole(values[COLUMN_REQ], request_bits) ||
        !isfinite(values[COLUMN_LOGLIK])) {
        return bad(r, "doc and req are no counting numbers, or loglikelihood is not finite", err);
    }
    *out = (struct tare_numbered_answer){.id = (uint64_t)values[COLUMN_DOC] << request_bits |
                                               (uint64_t)values[COLUMN_REQ],
                                         .loglik = values[COLUMN_LOGLIK],
                                         .greedy = values[COLUMN_GREEDY] != 0};
    return 0;
}

static int add(struct tare_numbered *n, const struct tare_numbered_answer *answer, struct tare_err *err)
{
    if (n->n == n->cap) {
        size_t cap = n->cap ? 2 * n->cap : 1024;
        struct tare_numbered_answer *all = realloc(n->all, cap * sizeof *all);
        if (!all) {
            return tare_err_set(err, TARE_E_NOMEM, "replay: out of memory");
        }
        n->all = all;
        n->cap = cap;
    }
    n->all[n->n++] = *answer;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct tare_numbered_answer *)a)->id,
             y = ((const struct tare_numbered_answer *)b)->id;
    return x < y ? -1 : x > y;
}

static int sort(struct reading *r, struct tare_numbered *n, struct tare_err *err)
{
    if (n->n == 0) {
        return tare_err_set(err, TARE_E_FORMAT, "replay %s: holds no answer", r->path);
    }
    qsort(n->all, n->n, sizeof *n->all, by_id);
    for (size_t i = 1; i < n->n; i++) {
        if (n->all[i].id == n->all[i - 1].id) {
            return tare_err_set(err, TARE_E_FORMAT, "replay %s: doc %llu, req %llu is answered twice",
                                r->path, (unsigned long long)(n->all[i].id >> request_bits),
                                (unsigned long long)(n->all[i].id & ((1U << request_bits) - 1)));
        }
    }
    return 0;
}

int tare_numbered_read(FILE *file, const char *path, struct tare_numbered *out, struct tare_err *err)
{
    struct reading r = {.path = path};
    struct tare_numbered n = {0};
    struct tare_numbered_answer answer;
    char *line = NULL;
    size_t cap = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &cap, file) > 0) {
        rc = ++r.line == 1 ? read_header(&r, line, err) : read_row(&r, line, &answer, err);
        rc = rc == 0 && r.line > 1 ? add(&n, &answer, err) : rc;
    }
    free(line);
    rc = rc == 0 && ferror(file) ? tare_err_set(err, TARE_E_IO, "replay %s: %s", path, strerror(errno)) : rc;
    rc = rc == 0 ? sort(&r, &n, err) : rc;
    if (rc < 0) {
        tare_numbered_free(&n);
        return rc;
    }
    *out = n;
    return 0;
}

void tare_numbered_free(struct tare_numbered *numbered)
{
    free(numbered->all);
    memset(numbered, 0, sizeof *numbered);
}

const struct tare_numbered_answer *tare_numbered_find(const struct tare_numbered *n, uint64_t id)
{
    const struct tare_numbered_answer key = {.id = id};
    return n->n ? bsearch(&key, n->all, n->n, sizeof *n->all, by_id) : NULL;
}
