/* SPDX-License-Identifier: Apache-2.0 */
/* Loads, converts, tries every template, writes. */
#include "cmd/import_task.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/plain.h"
#include "cmd/table.h"
#include "datasets/template/template.h"
#include "interop/lm_eval_task.h"

#include <stdlib.h>
#include <string.h>

/* Only what our templates know: better here than in the first run. */
static int try_template(const struct tare_json *text, const char *path, const char *key, struct tare_err *err)
{
    char what[300];
    struct tare_template *t = NULL;
    (void)snprintf(what, sizeof what, "%.200s: %s", path, key);
    int r = tare_template_parse(tare_json_str(text), what, &t, err);
    tare_template_destroy(t);
    return r;
}

static int try_templates(const struct tare_json *task, const char *path, struct tare_err *err)
{
    static const char *const keys[] = {"context", "choices", "target", "preamble"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof keys / sizeof *keys; i++) {
        const struct tare_json *v = tare_json_get(task, keys[i]);
        r = tare_json_str(v) ? try_template(v, path, keys[i], err) : 0;
        for (const struct tare_json *child = tare_json_first(v); r == 0 && child;
             child = tare_json_next(child)) {
            r = try_template(child, path, keys[i], err);
        }
    }
    return r;
}

static int write_task(const struct tare_json *task, const char *output, struct tare_err *err)
{
    char *text = NULL;
    struct tare_buf buf;
    int r = tare_json_print(task, true, &text, err);
    if (r < 0) {
        return r;
    }
    tare_buf_init(&buf, SIZE_MAX / 2);
    tare_buf_printf(&buf, "%s\n", text);
    free(text);
    r = tare_buf_check(&buf, "the task", err);
    if (r == 0 && output) {
        r = tare_file_replace(output, tare_buf_str(&buf), buf.used, err);
    } else if (r == 0 && (fwrite(buf.data, 1, buf.used, stdout) != buf.used || fflush(stdout) != 0)) {
        r = tare_err_set(err, TARE_E_IO, "standard output: cannot be written");
    }
    tare_buf_fini(&buf);
    return r;
}

static void print_notes(const struct tare_json *notes)
{
    for (const struct tare_json *v = tare_json_first(notes); v; v = tare_json_next(v)) {
        char line[900];
        (void)snprintf(line, sizeof line, "%s", tare_json_str(v));
        tare_plain_line(line);
        tare_log(TARE_LOG_WARN, NULL, "%s", line);
    }
}

int tare_import_task(const char *path, const char *output, struct tare_err *err)
{
    struct tare_json *yaml = NULL, *task = NULL, *notes = tare_json_new_array();
    int r = tare_lm_eval_task_load(path, &yaml, err);
    r = r == 0 ? tare_lm_eval_task_convert(yaml, path, &task, notes, err) : r;
    r = r == 0 ? try_templates(task, path, err) : r;
    r = r == 0 ? write_task(task, output, err) : r;
    if (r == 0) {
        print_notes(notes);
    }
    tare_json_destroy(yaml);
    tare_json_destroy(task);
    tare_json_destroy(notes);
    /* A bad file is not a failed cell, which is what these codes mean to a run. */
    return r == TARE_E_FORMAT || r == TARE_E_LIMIT ? TARE_E_ENVIRONMENT : r;
}
