/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a plot of a run and has it drawn into a file. */
#include "cmd/plot.h"

#include "base/buf.h"
#include "base/opt.h"
#include "cmd/load.h"
#include "cmd/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int find_format(const char *name, enum tare_plot_format *out, struct tare_err *err)
{
    for (int i = 0; tare_plot_format_names[i]; i++) {
        if (strcmp(tare_plot_format_names[i], name) == 0) {
            *out = (enum tare_plot_format)i;
            return 0;
        }
    }
    if (strcmp(name, "md") == 0) { /* nobody asked for a format */
        *out = TARE_PLOT_SVG;
        return 0;
    }
    return tare_err_set(err, TARE_E_USAGE, "format \"%.40s\": a plot is svg, pdf, png, tikz or script", name);
}

int tare_plot_write(const struct tare_plot *plot, const char *format_name, const char *path,
                    struct tare_err *err)
{
    enum tare_plot_format format = TARE_PLOT_SVG;
    char *data = NULL;
    size_t n = 0;
    int r = find_format(format_name, &format, err);
    if (r == 0 && !path && (format == TARE_PLOT_PDF || format == TARE_PLOT_PNG) && isatty(STDOUT_FILENO)) {
        r = tare_err_set(err, TARE_E_USAGE, "a %s is nothing for a terminal: give --output FILE",
                         format_name);
    }
    r = r == 0 ? tare_plot_render(plot, format, &data, &n, err) : r;
    if (r == 0 && path) {
        r = tare_file_replace(path, data, n, err);
    } else if (r == 0 && (fwrite(data, 1, n, stdout) != n || fflush(stdout) != 0)) {
        r = tare_err_set(err, TARE_E_IO, "standard output could not be written");
    }
    free(data);
    return r;
}

int tare_plot_print(struct tare_store *store, int64_t run_id, const char *what, const char *format,
                    const char *path, struct tare_err *err)
{
    struct tare_loaded *loaded = NULL;
    struct tare_plot plot = {0};
    enum tare_plot_format known = TARE_PLOT_SVG;
    int r = find_format(format, &known, err);
    r = r == 0 ? tare_load(store, run_id, &loaded, err) : r;
    r = r == 0 ? tare_plot_build(tare_loaded_input(loaded), what, &plot, err) : r;
    r = r == 0 ? tare_plot_write(&plot, format, path, err) : r;
    tare_plot_fini(&plot);
    tare_loaded_free(loaded);
    return r;
}

void tare_plot_list(struct tare_json *to)
{
    for (size_t i = 0; tare_plot_kinds[i]; i++) {
        struct tare_json *o = tare_json_add_object(to, NULL);
        tare_json_add_str(o, "name", tare_plot_kinds[i]->name);
        tare_json_add_str(o, "summary", tare_plot_kinds[i]->summary);
        struct tare_json *options = tare_json_add_array(o, "options");
        if (tare_plot_kinds[i]->options) {
            tare_opts_describe(tare_plot_kinds[i]->options, options);
        }
    }
}
