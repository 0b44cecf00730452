/* SPDX-License-Identifier: Apache-2.0 */
/* Lets a view build the table of a run and a format write it. */
#include "cmd/table.h"

#include "base/buf.h"
#include "cmd/load.h"
#include "cmd/recompute.h"
#include "core/builtin.h"
#include "reports/view/survey.h"

#include <errno.h>
#include <string.h>

/* Through a temporary file beside the target, so that a failure leaves the old one alone. */
static int write_file(const struct tare_table *table, const struct tare_format *format, const char *path,
                      struct tare_err *err)
{
    struct tare_buf temporary;
    tare_buf_init(&temporary, 4096);
    tare_buf_printf(&temporary, "%s.tmp", path);
    int r = tare_buf_check(&temporary, path, err);
    FILE *to = r == 0 ? fopen(tare_buf_str(&temporary), "we") : NULL;
    if (r == 0 && !to) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    if (to) {
        r = format->write(table, to, err);
        if (fclose(to) != 0 && r == 0) {
            r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
        if (r == 0 && rename(tare_buf_str(&temporary), path) != 0) {
            r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
        if (r < 0) {
            (void)remove(tare_buf_str(&temporary));
        }
    }
    tare_buf_fini(&temporary);
    return r;
}

int tare_table_put(const struct tare_table *table, const char *format_name, const char *path,
                   struct tare_err *err)
{
    const struct tare_format *format = NULL;
    int r = tare_find_format(format_name, &format, err);
    return r < 0 ? r : path ? write_file(table, format, path, err) : format->write(table, stdout, err);
}

int tare_table_print(struct tare_store *store, int64_t run_id, const char *view, const char *format_name,
                     const char *path, bool recompute, struct tare_err *err)
{
    const struct tare_format *format = NULL;
    struct tare_loaded *loaded = NULL;
    struct tare_survey survey;
    struct tare_view shown = {0};
    int r = tare_view_find(view, &shown, err);
    r = r == 0 ? tare_find_format(format_name, &format, err) : r;
    r = r == 0 ? tare_load(store, run_id, &loaded, err) : r;
    r = r == 0 && recompute ? tare_recompute_percentiles(loaded, err) : r;
    r = r == 0 ? tare_survey_view(tare_loaded_input(loaded), &shown, &survey, err) : r;
    if (r == 0) {
        r = path ? write_file(&survey.table, format, path, err) : format->write(&survey.table, stdout, err);
        tare_survey_fini(&survey);
    }
    tare_loaded_free(loaded);
    tare_view_fini(&shown);
    return r;
}

int tare_table_write(const struct tare_table *table, const char *format_name, const char *path,
                     struct tare_err *err)
{
    const struct tare_format *format = NULL;
    int r = tare_find_format(format_name, &format, err);
    if (r < 0) {
        return r;
    }
    return path ? write_file(table, format, path, err) : format->write(table, stdout, err);
}
