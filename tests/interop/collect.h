/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that keeps what an importer hands over, and gives it to an exporter again. */
#ifndef TARE_TESTS_COLLECT_H
#define TARE_TESTS_COLLECT_H

#include "interop/interop.h"

enum { collect_max = 600 };

struct collected_cell {
    char model[120], task[120], scenario[300];
    bool invalid;
    size_t first, n; /* of its figures */
};

struct collected_figure {
    char name[120], unit[24], source[160], flags[320], scope[40];
    double value, low, high;
    int kind;
    int64_t n;
};

struct collected {
    char tool[80], version[80], format[40];
    char *envelope, *records[collect_max];
    size_t n_records, n_cells, n_figures;
    struct collected_cell cells[collect_max];
    struct collected_figure figures[collect_max];
    struct tare_buf notes;
};

/* Imports text; format NULL: it is recognised by its content and `name`. */
int collect_read(struct collected *to, const char *format, const char *name, const char *text, size_t n,
                 struct tare_err *err);
/* What the format gives back of it; free() *out. */
int collect_give_back(struct collected *from, const char *format, char **out, size_t *out_n,
                      struct tare_err *err);
void collect_fini(struct collected *c);
/* The figure of a cell; NULL if it has none of that name. */
const struct collected_figure *collect_figure(const struct collected *c, size_t cell, const char *name);

#endif
