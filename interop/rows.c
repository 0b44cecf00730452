/* SPDX-License-Identifier: Apache-2.0 */
/* What exporters need of a measured run: figures by name, sums, moments. */
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double tare_interop_figure(const struct tare_interop_row *row, const char *name)
{
    for (size_t i = 0; i < row->n_figures; i++) {
        if (strcmp(row->figures[i].name, name) == 0 && !row->figures[i].absent) {
            return row->figures[i].value;
        }
    }
    return (double)NAN;
}

void tare_interop_add(struct tare_json *to, const char *key, const struct tare_interop_row *row,
                      const char *figure, double scale)
{
    double value = tare_interop_figure(row, figure) * scale;
    if (isfinite(value)) {
        tare_json_add_f64(to, key, value);
    }
}

struct tare_repeat_sums tare_interop_sums(const struct tare_interop_row *row)
{
    struct tare_repeat_sums all = {0};
    for (size_t i = 0; i < row->n_repeats; i++) {
        const struct tare_repeat_sums *r = &row->repeats[i];
        all.samples += r->samples;
        all.requests += r->requests;
        all.prompt_tok += r->prompt_tok;
        all.output_tok += r->output_tok;
        all.window_ns += r->window_ns;
        all.busy_ns += r->busy_ns;
        all.decode_tok += r->decode_tok;
        all.decode_ns += r->decode_ns;
    }
    return all;
}

void tare_interop_moments(const double *values, size_t n, double *out_mean, double *out_stddev)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    double mean = n > 0 ? sum / (double)n : (double)NAN;
    for (size_t i = 0; i < n; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    *out_mean = mean;
    *out_stddev = n > 1 ? sqrt(squares / (double)(n - 1)) : (double)NAN;
}

int tare_interop_print(struct tare_json *json, bool indented, FILE *to, struct tare_err *err)
{
    char *text = NULL;
    int r = tare_json_print(json, indented, &text, err);
    if (r == 0) {
        (void)fputs(text, to);
        (void)fputc('\n', to);
    }
    free(text);
    tare_json_destroy(json);
    return r;
}

int tare_interop_one_row(const struct tare_interop_run *run, const char *format, struct tare_err *err)
{
    return run->n_rows == 1
               ? 0
               : tare_err_set(err, TARE_E_USAGE,
                              "%s holds one cell a file and run %lld has %zu that could be exported; choose "
                              "with --model and --task",
                              format, (long long)run->id, run->n_rows);
}
