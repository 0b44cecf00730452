/* SPDX-License-Identifier: Apache-2.0 */
/* Probing through `tare worker --probe`, and the checks that need it. */
#include "cmd/backends.h"

#include "base/opt.h"
#include "core/supervisor.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

int tare_backends_probe(const char *name, const struct tare_paths *paths, struct tare_json **out,
                        struct tare_err *err)
{
    char path[TARE_PATH_MAX], *text = NULL;
    int r = tare_paths_backend(paths, name, path, sizeof path, err);
    r = r == 0 ? tare_supervise_probe(paths->exe, "--probe", path, &text, err) : r;
    r = r == 0 ? tare_json_parse(text, strlen(text), path, out, err) : r;
    free(text);
    return r;
}

enum { max_options = 256, max_choices = 64 };

/* A backend's option table, made again from its description. Strings stay in the description. */
struct table {
    struct tare_opt options[max_options + 1];
    const char *choices[max_options][max_choices + 1];
    int64_t values[max_options]; /* what the options are parsed into: any member fits */
};

static enum tare_opt_type type_of(const char *name)
{
    int type = TARE_OPT_BYTES;
    while (type > TARE_OPT_BOOL && strcmp(tare_opt_type_name((enum tare_opt_type)type), name) != 0) {
        type--;
    }
    return (enum tare_opt_type)type;
}

/* A limit as the description has it; what does not fit is beyond every value. */
static int64_t limit_of(const struct tare_json *option, const char *key)
{
    double value = tare_json_num(tare_json_get(option, key));
    return value >= 9.2e18 ? INT64_MAX : value <= -9.2e18 ? INT64_MIN : (int64_t)value;
}

/* False if there are more than there is room for. */
static bool fill_choices(const struct tare_json *list, const char **to)
{
    size_t n = 0;
    const struct tare_json *v = tare_json_first(list);
    for (; v && n < max_choices; v = tare_json_next(v)) {
        to[n++] = tare_json_str(v);
    }
    return v == NULL;
}

static void fill_table(const struct tare_json *described, struct table *to)
{
    const struct tare_json *o = tare_json_first(tare_json_get(described, "options"));
    for (size_t n = 0; o && n < max_options; o = tare_json_next(o), n++) {
        const char *type = tare_json_str(tare_json_get(o, "type"));
        bool all = fill_choices(tare_json_get(o, "choices"), to->choices[n]); /* else its worker will look */
        to->options[n] = (struct tare_opt){.name = tare_json_str(tare_json_get(o, "name")),
                                           .type = all ? type_of(type ? type : "") : TARE_OPT_STR,
                                           .offset = offsetof(struct table, values) + n * sizeof *to->values,
                                           .min = limit_of(o, "min"),
                                           .max = limit_of(o, "max"),
                                           .choices = to->choices[n]};
    }
}

/* Parses the cell's options as its worker will, to refuse wrong ones before anything is written. */
static int check_options(const struct tare_json *described, const char *kind, const char *name,
                         const struct tare_json *options, struct tare_err *err)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    char what[96];
    (void)snprintf(what, sizeof what, "%s %.60s", kind, name);
    fill_table(described, table);
    int r = tare_opts_from_json(table->options, table, options, NULL, what, err);
    tare_opts_fini(table->options, table);
    free(table);
    return r;
}

/* Was this backend, with these very options, checked with an earlier cell? */
static bool seen(const struct tare_plan *plan, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (plan->cells[j].backend_options == plan->cells[i].backend_options &&
            strcmp(plan->cells[j].backend, plan->cells[i].backend) == 0) {
            return true;
        }
    }
    return false;
}

static bool same_backend(const struct tare_plan *plan, size_t i, const char *name)
{
    return !seen(plan, i) && strcmp(plan->cells[i].backend, name) == 0;
}

int tare_backends_check(const struct tare_plan *plan, const struct tare_paths *paths, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->n_cells; i++) {
        const char *name = plan->cells[i].backend;
        bool first = true;
        for (size_t j = 0; j < i && first; j++) {
            first = strcmp(plan->cells[j].backend, name) != 0;
        }
        struct tare_json *described = NULL;
        if (!first) {
            continue;
        }
        r = tare_backends_probe(name, paths, &described, err);
        for (size_t j = i; r == 0 && j < plan->n_cells; j++) {
            r = same_backend(plan, j, name)
                    ? check_options(described, "backend", name, plan->cells[j].backend_options, err)
                    : 0;
        }
        tare_json_destroy(described);
    }
    return r;
}

static int check_meter(const struct tare_paths *paths, const struct tare_json *entry, const char *path,
                       struct tare_err *err)
{
    char *text = NULL;
    struct tare_json *described = NULL;
    int r = tare_supervise_probe(paths->exe, "--probe-meter", path, &text, err);
    r = r == 0 ? tare_json_parse(text, strlen(text), path, &described, err) : r;
    r = r == 0 ? check_options(described, "meter", path, tare_json_get(entry, "options"), err) : r;
    tare_json_destroy(described);
    free(text);
    return r;
}

int tare_meters_probe(const struct tare_plan *plan, const struct tare_paths *paths, struct tare_err *err)
{
    int r = 0;
    const struct tare_json *list = tare_json_get(plan->json, "meters");
    for (const struct tare_json *v = tare_json_first(list); r == 0 && v; v = tare_json_next(v)) {
        const char *name = tare_json_str(tare_json_get(v, "meter"));
        r = name && strchr(name, '/') ? check_meter(paths, v, name, err) : 0;
    }
    return r;
}

static int is_object(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 3 && strcmp(e->d_name + n - 3, ".so") == 0;
}

static bool listed(const struct tare_json *list, const char *name)
{
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v)) {
        if (strcmp(tare_json_str(v), name) == 0) {
            return true;
        }
    }
    return false;
}

static void list_folder(const char *dir, struct tare_json *list)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_object, alphasort);
    for (int i = 0; i < n; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "%.*s", (int)(strlen(entries[i]->d_name) - 3), entries[i]->d_name);
        if (!listed(list, name)) {
            tare_json_add_str(list, NULL, name);
        }
        free(entries[i]);
    }
    free(entries);
}

int tare_backends_list(const struct tare_paths *paths, struct tare_json *list, struct tare_err *err)
{
    const char *path = getenv("TARE_BACKEND_PATH");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        char dir[TARE_PATH_MAX];
        if (n >= sizeof dir) {
            return tare_err_set(err, TARE_E_LIMIT, "TARE_BACKEND_PATH: a folder's name is too long");
        }
        (void)snprintf(dir, sizeof dir, "%.*s", (int)n, path);
        list_folder(dir, list);
        path += n + (path[n] == ':');
    }
    list_folder(paths->backends, list);
    return 0;
}
