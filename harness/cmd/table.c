/* SPDX-License-Identifier: Apache-2.0 */
/* Lets a view build the table of a run and a format write it. */
#include "cmd/table.h"

#include "base/buf.h"
#include "cmd/load.h"
#include "cmd/pictures.h"
#include "cmd/recompute.h"
#include "core/builtin.h"
#include "reports/view/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int write_all(const char *path, const void *data, size_t n, struct tare_err *err)
{
    FILE *to = fopen(path, "we");
    bool ok = to && fwrite(data, 1, n, to) == n;
    ok = to && fclose(to) == 0 && ok;
    return ok ? 0 : tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
}

/* A device or a pipe is written to, and never replaced: the root user's /dev/null must stay what it is. */
static bool is_replaceable(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* Through a temporary file beside the target, so that a failure leaves the old one alone. */
int tare_file_replace(const char *path, const void *data, size_t n, struct tare_err *err)
{
    struct tare_buf temporary;
    if (!is_replaceable(path)) {
        return write_all(path, data, n, err);
    }
    tare_buf_init(&temporary, 4096);
    tare_buf_printf(&temporary, "%s.tmp", path);
    int r = tare_buf_check(&temporary, path, err);
    r = r == 0 ? write_all(tare_buf_str(&temporary), data, n, err) : r;
    if (r == 0 && rename(tare_buf_str(&temporary), path) != 0) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    if (r < 0 && temporary.used > 0) {
        (void)remove(tare_buf_str(&temporary));
    }
    tare_buf_fini(&temporary);
    return r;
}

static int write_file(const struct tare_table *table, const struct tare_format *format, const char *path,
                      struct tare_err *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    int r = to ? format->write(table, to, err) : tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", path);
    if (to && fclose(to) != 0 && r == 0) {
        r = tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", path);
    }
    r = r == 0 ? tare_file_replace(path, text, n, err) : r;
    free(text);
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

static int print_view(const struct tare_report_input *input, const struct tare_view *view, const char *format,
                      const char *path, struct tare_err *err)
{
    struct tare_survey survey;
    struct tare_pictures pictures = {.n = 0};
    int r = tare_survey_view(input, view, &survey, err);
    if (r < 0) {
        return r;
    }
    if (strcmp(format, "html") == 0) { /* the one that can hold them */
        r = tare_pictures_add(input, view, &survey.table, &pictures, err);
    }
    r = r == 0 ? tare_table_write(&survey.table, format, path, err) : r;
    tare_pictures_fini(&pictures);
    tare_survey_fini(&survey);
    return r;
}

int tare_table_print(struct tare_store *store, int64_t run_id, const char *view, const char *format_name,
                     const char *path, bool recompute, struct tare_err *err)
{
    const struct tare_format *format = NULL;
    struct tare_loaded *loaded = NULL;
    struct tare_view shown = {0};
    int r = tare_view_find(view, &shown, err);
    r = r == 0 ? tare_find_format(format_name, &format, err) : r;
    r = r == 0 ? tare_load(store, run_id, &loaded, err) : r;
    r = r == 0 && recompute ? tare_recompute_percentiles(loaded, err) : r;
    r = r == 0 ? print_view(tare_loaded_input(loaded), &shown, format_name, path, err) : r;
    tare_loaded_free(loaded);
    tare_view_fini(&shown);
    return r;
}
