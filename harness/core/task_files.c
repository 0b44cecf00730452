/* SPDX-License-Identifier: Apache-2.0 */
#include "core/task_files.h"

#include "core/paths.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <tare/standard.h>
#include <unistd.h>

enum { max_names = 4096 };

/* What was read so far: tasks are constant, and figures and plans keep pointers to them. */
static struct {
    const struct tare_task **tasks;
    char **paths;
    size_t n;
} kept;

static int keep(const char *path, const struct tare_task *task, struct tare_err *err)
{
    const struct tare_task **tasks = realloc(kept.tasks, (kept.n + 1) * sizeof *tasks);
    kept.tasks = tasks ? tasks : kept.tasks;
    char **paths = tasks ? realloc(kept.paths, (kept.n + 1) * sizeof *paths) : NULL;
    kept.paths = paths ? paths : kept.paths;
    char *copy = paths ? strdup(path) : NULL;
    if (!copy) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    kept.tasks[kept.n] = task;
    kept.paths[kept.n++] = copy;
    return 0;
}

static int load(const char *path, const struct tare_task **out, struct tare_err *err)
{
    for (size_t i = 0; i < kept.n; i++) {
        if (strcmp(kept.paths[i], path) == 0) {
            *out = kept.tasks[i];
            return 1;
        }
    }
    const struct tare_task *task = NULL;
    int r = tare_standard_load(path, &task, err);
    r = r == 0 ? keep(path, task, err) : r;
    if (r < 0) {
        tare_standard_free(task);
        return r;
    }
    *out = task;
    return 1;
}

/* A name in words, with none of the signs of a path. */
static bool is_name(const char *name)
{
    return *name && !strchr(name, '/') && name[0] != '.';
}

int tare_task_file_find(const char *name, const struct tare_task **out, struct tare_err *err)
{
    struct tare_paths paths;
    char path[TARE_PATH_MAX + 300];
    if (!is_name(name)) {
        return strchr(name, '/') ? load(name, out, err) : 0;
    }
    int r = tare_paths_find(&paths, err);
    if (r < 0) {
        return r;
    }
    (void)snprintf(path, sizeof path, "%s/tasks/%.250s.json", paths.data, name);
    return access(path, F_OK) == 0 ? load(path, out, err) : 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the folder's files without their ending; they belong to the caller. */
static size_t list_names(DIR *folder, char **names)
{
    static const char ending[] = ".json";
    size_t n = 0;
    for (const struct dirent *e; n < max_names && (e = readdir(folder));) {
        size_t length = strlen(e->d_name);
        bool fits = length > sizeof ending - 1 && e->d_name[0] != '.' &&
                    strcmp(e->d_name + length - (sizeof ending - 1), ending) == 0;
        names[n] = fits ? strndup(e->d_name, length - (sizeof ending - 1)) : NULL;
        n += names[n] != NULL;
    }
    qsort(names, n, sizeof *names, compare);
    return n;
}

int tare_task_files_walk(int (*each)(void *ctx, const char *name, struct tare_err *err), void *ctx,
                         struct tare_err *err)
{
    struct tare_paths paths;
    char path[TARE_PATH_MAX + 16];
    int r = tare_paths_find(&paths, err);
    if (r < 0) {
        return r;
    }
    (void)snprintf(path, sizeof path, "%s/tasks", paths.data);
    char **names = calloc(max_names + 1, sizeof *names);
    DIR *folder = names ? opendir(path) : NULL;
    size_t n = folder ? list_names(folder, names) : 0;
    r = names ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        r = r == 0 ? each(ctx, names[i], err) : r;
        free(names[i]);
    }
    if (folder) {
        (void)closedir(folder);
    }
    free(names);
    return r;
}
