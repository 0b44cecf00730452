/* SPDX-License-Identifier: Apache-2.0 */
#include "made_cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int column(void *ctx, int64_t repeat_id, enum tare_column wanted, double **out, size_t *out_n,
                  struct tare_err *err)
{
    const struct made_cell *c = ctx;
    (void)err;
    *out = NULL;
    *out_n = 0;
    for (size_t i = 0; i < c->n_columns; i++) {
        const struct made_column *k = &c->columns[i];
        if (k->repeat_id == repeat_id && k->column == wanted && k->n > 0) {
            *out = malloc(k->n * sizeof **out);
            assert_non_null(*out);
            memcpy(*out, k->values, k->n * sizeof **out);
            *out_n = k->n;
        }
    }
    return 0;
}

void made_cell_init(struct made_cell *c, size_t n)
{
    assert_true(n <= made_repeats);
    memset(c, 0, sizeof *c);
    c->e.repeats = c->repeats;
    c->e.n_repeats = n;
    c->e.readings = c->readings;
    c->e.column = column;
    c->e.ctx = c;
    c->e.valid = true;
    for (size_t i = 0; i < n; i++) {
        c->repeats[i] = (struct tare_evidence_repeat){
            .id = (int64_t)i + 1, .block = (int64_t)i, .attempts = 1, .started_s = 1000, .complete = true};
        c->repeats[i].sums.samples = c->repeats[i].sums.requests = 100;
        c->repeats[i].sums.window_ns = 1000000000;
    }
}

void made_cell_read(struct made_cell *c, int64_t repeat_id, const char *name, double value,
                    const char *absent)
{
    assert_true(c->e.n_readings < made_readings);
    c->readings[c->e.n_readings++] = (struct tare_evidence_reading){repeat_id,
                                                                    {.phase = "measure",
                                                                     .meter = "made",
                                                                     .name = name,
                                                                     .unit = "1",
                                                                     .kind = "measured",
                                                                     .scope = "node",
                                                                     .source = "made up",
                                                                     .value = absent ? (double)NAN : value,
                                                                     .absent = absent,
                                                                     .u = (double)NAN,
                                                                     .gain = (double)NAN,
                                                                     .flags = ""}};
}

void made_cell_column(struct made_cell *c, int64_t repeat_id, enum tare_column which, const double *values,
                      size_t n)
{
    assert_true(c->n_columns < sizeof c->columns / sizeof *c->columns);
    c->columns[c->n_columns++] = (struct made_column){repeat_id, which, n, values};
}

static int put(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct made_figures *f = (struct made_figures *)to;
    (void)err;
    assert_true(f->n < made_figures);
    assert_true(isnan(figure->value) == (figure->absent != NULL)); /* a value, or a reason */
    f->list[f->n++] = *figure;
    return 0;
}

void made_figures_init(struct made_figures *f)
{
    f->to.put = put;
    f->n = 0;
}

const struct tare_figure *made_figure(const struct made_figures *f, const char *name)
{
    const struct tare_figure *found = NULL;
    for (size_t i = 0; i < f->n; i++) {
        found = strcmp(f->list[i].name, name) == 0 ? &f->list[i] : found;
    }
    if (!found) {
        fail_msg("no figure is called %s", name);
    }
    return found;
}

bool made_flagged(const struct tare_figure *f, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = f->flags; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}
