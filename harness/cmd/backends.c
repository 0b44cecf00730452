/* SPDX-License-Identifier: Apache-2.0 */
/* Probing through `tare worker --probe`, and the checks that need it. */
#include "cmd/backends.h"

#include "base/nearest.h"
#include "core/supervisor.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

int tare_backends_probe(const char *name, const struct tare_paths *paths, struct tare_json **out,
                        struct tare_err *err)
{
    char path[TARE_PATH_MAX], *text = NULL;
    int r = tare_paths_backend(paths, name, path, sizeof path, err);
    r = r == 0 ? tare_supervise_probe(paths->exe, path, &text, err) : r;
    r = r == 0 ? tare_json_parse(text, strlen(text), path, out, err) : r;
    free(text);
    return r;
}

static int check_key(const struct tare_json *described, const char *backend, const char *key,
                     struct tare_err *err)
{
    struct tare_nearest nearest = {.word = key};
    const struct tare_json *list = tare_json_get(described, "options");
    for (const struct tare_json *o = tare_json_first(list); o; o = tare_json_next(o)) {
        const char *name = tare_json_str(tare_json_get(o, "name"));
        if (name && strcmp(name, key) == 0) {
            return 0;
        }
        tare_nearest_offer(&nearest, name ? name : "");
    }
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE, "backend %s: unknown option \"%.60s\"%s%s%s", backend, key,
                        best ? "; did you mean \"" : "", best ? best : "", best ? "\"?" : "");
}

static int check_options(const struct tare_json *described, const struct tare_cell *cell,
                         struct tare_err *err)
{
    int r = 0;
    const struct tare_json *v = tare_json_first(cell->backend_options);
    for (; r == 0 && v; v = tare_json_next(v)) {
        r = check_key(described, cell->backend, tare_json_key(v), err);
    }
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
            r = same_backend(plan, j, name) ? check_options(described, &plan->cells[j], err) : 0;
        }
        tare_json_destroy(described);
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
