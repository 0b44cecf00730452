/* SPDX-License-Identifier: Apache-2.0 */
/* `tare list`: what this tare knows: backends, tasks, meters, formats of its own and of others, models of the
 * zoo, plans, views, scores, plots. */
#include "cmd/cmd.h"

#include "cmd/backends.h"
#include "cmd/plans.h"
#include "cmd/plot.h"
#include "cmd/score.h"
#include "cmd/zoo.h"
#include "core/builtin.h"
#include "core/task_files.h"
#include "interop/interop.h"
#include "reports/view/view.h"

#include <stdlib.h>
#include <string.h>

static int add_backends(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    struct tare_json *names = tare_json_new_array();
    int r = tare_backends_list(paths, names, err);
    for (const struct tare_json *v = tare_json_first(names); r == 0 && v; v = tare_json_next(v)) {
        struct tare_json *described = NULL;
        struct tare_err fault = {0};
        if (tare_backends_probe(tare_json_str(v), paths, &described, &fault) == 0) {
            tare_json_add_copy(to, NULL, described);
        } else { /* listed all the same, with what is wrong with it */
            struct tare_json *o = tare_json_add_object(to, NULL);
            tare_json_add_str(o, "name", tare_json_str(v));
            tare_json_add_bool(o, "available", false);
            tare_json_add_str(o, "why", fault.msg);
        }
        tare_json_destroy(described);
    }
    tare_json_destroy(names);
    return r;
}

static void add_task(const struct tare_task *t, struct tare_json *to)
{
    struct tare_json *o = tare_json_add_object(to, NULL);
    tare_json_add_str(o, "name", t->name);
    tare_json_add_str(o, "summary", t->summary);
    tare_json_add_i64(o, "version", t->version);
    struct tare_json *metrics = tare_json_add_array(o, "metrics");
    for (const struct tare_metric *m = t->metrics; m && m->name; m++) {
        tare_json_add_str(metrics, NULL, m->name);
    }
    tare_opts_describe(t->options, tare_json_add_array(o, "options"));
}

/* One that cannot be used is listed with the reason. */
static int add_task_file(void *ctx, const char *name, struct tare_err *err)
{
    const struct tare_task *task = NULL;
    struct tare_err fault = {0};
    (void)err;
    if (tare_find_task(name, &task, &fault) < 0) {
        struct tare_json *o = tare_json_add_object(ctx, NULL);
        tare_json_add_str(o, "name", name);
        tare_json_add_bool(o, "available", false);
        tare_json_add_str(o, "why", fault.msg);
        return 0;
    }
    add_task(task, ctx);
    return 0;
}

static int add_tasks(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    for (size_t i = 0; tare_builtin_tasks[i]; i++) {
        add_task(tare_builtin_tasks[i], to);
    }
    return tare_task_files_walk(add_task_file, to, err);
}

static int add_meters(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    (void)err;
    for (size_t i = 0; tare_builtin_meters[i]; i++) {
        const struct tare_meter *m = tare_builtin_meters[i];
        char why[256] = "";
        bool works = !m->probe || m->probe(why, sizeof why) >= 0;
        struct tare_json *o = tare_json_add_object(to, NULL);
        tare_json_add_str(o, "name", m->name);
        tare_json_add_str(o, "summary", m->summary);
        tare_json_add_bool(o, "available", works);
        tare_json_add_str(o, "why", works ? NULL : why);
    }
    return 0;
}

static int add_formats(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    (void)err;
    for (size_t i = 0; tare_builtin_formats[i]; i++) {
        struct tare_json *o = tare_json_add_object(to, NULL);
        tare_json_add_str(o, "name", tare_builtin_formats[i]->name);
        tare_json_add_str(o, "summary", tare_builtin_formats[i]->summary);
        tare_json_add_str(o, "media_type", tare_builtin_formats[i]->media_type);
    }
    return 0;
}

static int add_interop(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    (void)err;
    for (size_t i = 0; tare_interop_formats[i]; i++) {
        const struct tare_interop_format *f = tare_interop_formats[i];
        struct tare_json *o = tare_json_add_object(to, NULL);
        tare_json_add_str(o, "name", f->name);
        tare_json_add_str(o, "summary", f->summary);
        tare_json_add_str(o, "tool", f->tool);
        tare_json_add_bool(o, "imports", f->read != NULL);
        tare_json_add_bool(o, "gives_back", f->give_back != NULL);
        tare_json_add_bool(o, "exports_measured", f->write != NULL);
    }
    return 0;
}

static int add_zoo(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)err;
    tare_zoo_list(paths, to);
    return 0;
}

static int add_plans(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    return tare_plans_list(to, err);
}

static int add_views(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    return tare_view_list(to, err);
}

static int add_plots(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    (void)err;
    tare_plot_list(to);
    return 0;
}

static int add_scores(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    (void)paths;
    (void)err;
    tare_score_list(to);
    return 0;
}

static void print_kind(const struct tare_json *kind, struct tare_buf *to)
{
    int width = 14;
    for (const struct tare_json *o = tare_json_first(kind); o; o = tare_json_next(o)) {
        const char *name = tare_json_str(tare_json_get(o, "name"));
        width = name && strlen(name) < 60 && (int)strlen(name) > width ? (int)strlen(name) : width;
    }
    tare_buf_printf(to, "%s:\n", tare_json_key(kind));
    for (const struct tare_json *o = tare_json_first(kind); o; o = tare_json_next(o)) {
        const char *name = tare_json_str(tare_json_get(o, "name"));
        const char *summary = tare_json_str(tare_json_get(o, "summary"));
        const char *why = tare_json_str(tare_json_get(o, "why"));
        tare_buf_printf(to, "  %-*s %s%s%s\n", width, name ? name : "?", summary ? summary : "",
                        why ? "  -- not available: " : "", why ? why : "");
    }
}

static const struct {
    const char *name;
    int (*add)(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err);
} kinds[] = {{"backends", add_backends}, {"tasks", add_tasks},   {"meters", add_meters},
             {"formats", add_formats},   {"models", add_zoo},    {"plans", add_plans},
             {"views", add_views},       {"scores", add_scores}, {"plots", add_plots},
             {"interop", add_interop}};

/* One kind by name, or all of them. */
static int collect(const char *only, const struct tare_paths *paths, struct tare_json *root,
                   struct tare_err *err)
{
    int r = 0;
    bool known = false;
    for (size_t i = 0; r == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if (!only || strcmp(only, kinds[i].name) == 0) {
            known = true;
            r = kinds[i].add(paths, tare_json_add_array(root, kinds[i].name), err);
        }
    }
    if (r == 0 && !known) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "tare list: \"%.40s\" is none of backends, tasks, meters, formats, models, plans, "
                         "views, scores, plots, interop",
                         only);
    }
    return r;
}

static int list(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object();
    (void)opts;
    int r = collect(args->n_words ? args->words[0] : NULL, args->paths, root, err);
    if (r == 0 && args->json) {
        return tare_print_json(root, err);
    }
    struct tare_buf text;
    tare_buf_init(&text, 1 << 22);
    for (const struct tare_json *kind = tare_json_first(root); kind; kind = tare_json_next(kind)) {
        print_kind(kind, &text);
    }
    r = r == 0 ? tare_print_text(&text, err) : r;
    tare_buf_fini(&text);
    tare_json_destroy(root);
    return r;
}

const struct tare_command tare_command_list = {
    .name = "list",
    .summary = "show backends, tasks, meters, formats, shipped models, plans, views, scores, plots and files "
               "of other programs",
    .arguments = "[KIND]",
    .text = "With --json it also shows every option with its type, default, unit and limits. A backend that "
            "cannot "
            "be used is listed with the reason.",
    .max_words = 1,
    .run = list};
