/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The footnote of a column's header: how its quantities came to be. What all cells share is said once;
 * what differs between cells is listed in the order of the rows. It computes nothing.
 */
#include "table.h"

#include <inttypes.h>
#include <string.h>

/* One thing that can be said of a quantity. */
struct facet {
    const char *lead;
    bool (*has)(const struct tare_quantity *q);
    bool (*same)(const struct tare_quantity *a, const struct tare_quantity *b);
    void (*put)(FILE *to, const struct tare_table *table, size_t column, const struct tare_quantity *q);
};

static bool same_text(const char *a, const char *b)
{
    return strcmp(tare_text_or_empty(a), tare_text_or_empty(b)) == 0;
}

static bool has_scope(const struct tare_quantity *q)
{
    return *tare_text_or_empty(q->scope) != '\0';
}

static bool same_scope(const struct tare_quantity *a, const struct tare_quantity *b)
{
    return same_text(a->scope, b->scope);
}

static void put_scope(FILE *to, const struct tare_table *table, size_t column, const struct tare_quantity *q)
{
    (void)table, (void)column;
    (void)fputs(q->scope, to);
}

/* Of every quantity: where it comes from is said even when nobody wrote it down. */
static bool has_source(const struct tare_quantity *q)
{
    return q->kind != 0;
}

static bool same_source(const struct tare_quantity *a, const struct tare_quantity *b)
{
    return same_text(a->source, b->source);
}

static void put_source(FILE *to, const struct tare_table *table, size_t column, const struct tare_quantity *q)
{
    (void)table, (void)column;
    (void)fputs(*tare_text_or_empty(q->source) ? q->source : "not recorded", to);
}

static bool has_interval(const struct tare_quantity *q)
{
    return q->has_interval;
}

static bool same_interval(const struct tare_quantity *a, const struct tare_quantity *b)
{
    return same_text(a->method, b->method) && !(a->level < b->level) && !(a->level > b->level);
}

static void put_interval(FILE *to, const struct tare_table *table, size_t column,
                         const struct tare_quantity *q)
{
    (void)table, (void)column;
    if (q->exact) {
        (void)fputs("none needed: ", to);
    } else if (q->level > 0 && q->level < 1) {
        (void)fprintf(to, "%.6g %% by ", q->level * 100);
    } else {
        (void)fputs("without a stated level by ", to);
    }
    (void)fputs(*tare_text_or_empty(q->method) ? q->method : "a method not recorded", to);
}

static bool has_n(const struct tare_quantity *q)
{
    return q->n > 0;
}

static bool same_n_what(const struct tare_quantity *a, const struct tare_quantity *b)
{
    return same_text(a->n_what, b->n_what);
}

/* The range of n over the cells that count the same thing. */
static void put_n(FILE *to, const struct tare_table *table, size_t column, const struct tare_quantity *q)
{
    int64_t min = q->n, max = q->n;
    struct tare_quantity other;
    for (size_t row = 0; row < table->n_rows; row++) {
        if (tare_table_quantity(table, row, column, &other) && has_n(&other) && same_n_what(q, &other)) {
            min = other.n < min ? other.n : min;
            max = other.n > max ? other.n : max;
        }
    }
    (void)fprintf(to, "%" PRId64, min);
    if (max > min) {
        (void)fprintf(to, " to %" PRId64, max);
    }
    if (*tare_text_or_empty(q->n_what)) {
        (void)fprintf(to, " %s", q->n_what);
    }
}

static bool said_above(const struct tare_table *table, size_t end, size_t column, const struct facet *facet,
                       const struct tare_quantity *q)
{
    struct tare_quantity above;
    for (size_t row = 0; row < end; row++) {
        if (tare_table_quantity(table, row, column, &above) && facet->has(&above) && facet->same(&above, q)) {
            return true;
        }
    }
    return false;
}

static void put_facet(FILE *to, const struct tare_table *table, size_t column, const struct facet *facet)
{
    const char *lead = facet->lead;
    struct tare_quantity q;
    for (size_t row = 0; row < table->n_rows; row++) {
        if (tare_table_quantity(table, row, column, &q) && facet->has(&q) &&
            !said_above(table, row, column, facet, &q)) {
            (void)fputs(lead, to);
            facet->put(to, table, column, &q);
            lead = ", ";
        }
    }
}

static void put_kind(FILE *to, unsigned kinds)
{
    for (int kind = TARE_KIND_MEASURED; kind <= TARE_KIND_DECLARED; kind++) {
        if (kinds == 1u << kind) {
            (void)fputs(tare_kind_name(kind), to);
            return;
        }
    }
    (void)fputs("of several kinds, as marked", to);
}

void tare_column_describe(FILE *to, const struct tare_table *table, size_t column)
{
    static const struct facet facets[] = {
        {"; scope ", has_scope, same_scope, put_scope},
        {"; source ", has_source, same_source, put_source},
        {"; intervals ", has_interval, same_interval, put_interval},
        {"; n = ", has_n, same_n_what, put_n},
    };
    put_kind(to, tare_table_kinds(table, column));
    for (size_t i = 0; i < sizeof facets / sizeof *facets; i++) {
        put_facet(to, table, column, &facets[i]);
    }
}
