/* SPDX-License-Identifier: Apache-2.0 */
/* Which files, and their hashes. */
#include "cmd/artifacts.h"

#include "base/hash.h"
#include "base/opt.h"
#include "cmd/pinned.h"
#include "cmd/sums.h"
#include "core/builtin.h"
#include "core/spec.h"
#include "core/tag.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct linker {
    struct tare_store *store;
    int64_t cell_id;
    char *refused; /* of n_refused bytes: why a file cannot be used; "" so far */
    size_t n_refused;
    const struct tare_paths *paths;
    bool shipped; /* the task is one that tare ships: its data are what their source pins */
    struct tare_err *err;
};

/* Is the file what it is meant to be? The first that is not is remembered. A file is looked for under the
 * name it was given by: that is where its list lies. */
static bool is_meant(const struct linker *l, const char *role, const char *path, const char *sha256)
{
    struct tare_err fault = {0};
    int r = tare_sums_check(path, sha256, &fault);
    r = r == 0 && l->shipped && strcmp(role, "data") == 0 ? tare_pinned_check(l->paths, path, sha256, &fault)
                                                          : r;
    if (r == 0) {
        return true;
    }
    if (!l->refused[0]) {
        (void)snprintf(l->refused, l->n_refused, "%s", fault.msg);
    }
    return false;
}

static int link_known(const struct linker *l, const char *role, const char *given, const char *path,
                      const struct stat *st)
{
    int64_t mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    int64_t id = TARE_ABSENT;
    char sha256[TARE_SHA256_HEX] = {0};
    int r = tare_store_find_artifact(l->store, path, st->st_size, mtime_ns, &id, sha256, l->err);
    if (r == 0 && id == TARE_ABSENT) {
        r = tare_sha256_file(path, sha256, NULL, l->err);
        if (r == TARE_E_IO) {
            return 0; /* the worker will say what is wrong with it */
        }
        r = r == 0 ? tare_store_add_artifact(l->store, path, st->st_size, mtime_ns, sha256, &id, l->err) : r;
    }
    if (r == 0 && !is_meant(l, role, given, sha256)) {
        return 0; /* nothing will be measured with it */
    }
    return r == 0 ? tare_store_link_artifact(l->store, l->cell_id, role, id, l->err) : r;
}

/* Under its absolute path, for two runs may mean two files by one relative name. */
static int link_file(const struct linker *l, const char *role, const char *path)
{
    struct stat st;
    char *absolute = path ? realpath(path, NULL) : NULL;
    int r = 0;
    if (absolute && stat(absolute, &st) == 0 && S_ISREG(st.st_mode)) {
        r = link_known(l, role, path, absolute, &st);
    }
    free(absolute);
    return r;
}

/* The tokenizer that is named, or one that lies where model folders keep it. */
static int link_tokenizer(const struct linker *l, const struct tare_spec *spec)
{
    static const char *const places[] = {"tokenizer.json", "../data/tokenizer.json"};
    const char *named = tare_json_str(tare_json_get(spec->options, "tokenizer"));
    char path[TARE_PATH_MAX + 64], folder[TARE_PATH_MAX];
    if (named || !spec->model) {
        return link_file(l, "tokenizer", named);
    }
    (void)snprintf(folder, sizeof folder, "%s", spec->model);
    const char *dir = dirname(folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, places[i]);
        if (access(path, R_OK) == 0) {
            return link_file(l, "tokenizer", path);
        }
    }
    return 0;
}

static int link_param(void *ctx, const char *param, const char *path)
{
    return link_file(ctx, param, path);
}

static int link_sources(const struct linker *l, const struct tare_task *task, void *self)
{
    int r = 0;
    const char *path;
    for (size_t i = 0; r == 0 && task->source && (path = task->source(self, i)) != NULL; i++) {
        r = link_file(l, "data", path);
    }
    return r;
}

/* Opens the task, if it must be, only to learn which files it reads. */
static int link_data(const struct linker *l, const struct tare_spec *spec)
{
    const struct tare_task *task = NULL;
    int r = tare_find_task(spec->task, &task, l->err);
    if (r < 0 || !task->source) {
        return r;
    }
    void *self = calloc(1, task->priv_size + 1);
    struct tare_err ignored = {0};
    struct tare_rng seed;
    tare_rng_init(&seed, (uint64_t)spec->seed);
    if (!self) {
        return tare_err_set(l->err, TARE_E_NOMEM, "out of memory");
    }
    bool set = tare_opts_init(task->options, self, &ignored) == 0 &&
               tare_opts_from_json(task->options, self, spec->task_options, NULL, "task", &ignored) == 0;
    if (set && task->source_unopened) {
        r = link_sources(l, task, self);
    } else if (set && task->open(self, spec->data_dir, &seed, &ignored) == 0) {
        r = link_sources(l, task, self);
        task->close(self);
    }
    tare_opts_fini(task->options, self);
    free(self);
    return r;
}

static int link_all(const struct linker *l, const struct tare_spec *spec, const struct tare_paths *paths)
{
    int r = link_file(l, "tare", spec->exe ? spec->exe : paths->exe);
    r = r == 0 ? link_file(l, "backend", spec->backend) : r;
    r = r == 0 ? link_file(l, "model", spec->model) : r;
    r = r == 0 ? link_tokenizer(l, spec) : r;
    r = r == 0 && spec->technique ? tare_tag_files(spec->technique, link_param, (void *)(uintptr_t)l) : r;
    return r == 0 ? link_data(l, spec) : r;
}

/* A task file of tare's own: named by a name, and not by a path. */
static bool is_shipped(const struct tare_spec *spec)
{
    const struct tare_task *task = NULL;
    struct tare_err ignored = {0};
    return !strchr(spec->task, '/') && tare_find_task(spec->task, &task, &ignored) == 0 &&
           task->source_unopened;
}

int tare_artifacts_link(struct tare_store *store, int64_t cell_id, const char *text,
                        const struct tare_paths *paths, char *refused, size_t n_refused, struct tare_err *err)
{
    struct tare_spec spec;
    struct linker l = {.store = store,
                       .cell_id = cell_id,
                       .refused = refused,
                       .n_refused = n_refused,
                       .paths = paths,
                       .err = err};
    refused[0] = '\0';
    int r = tare_spec_parse(text, strlen(text), &spec, err);
    if (r < 0) {
        return r;
    }
    l.shipped = is_shipped(&spec);
    /* Where the worker will be: relative paths start there. A folder that is gone is the worker's to tell. */
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool moved = back >= 0 && spec.folder && chdir(spec.folder) == 0;
    r = link_all(&l, &spec, paths);
    if (moved && fchdir(back) != 0 && r == 0) {
        r = tare_err_set(err, TARE_E_IO, "the folder that tare was started in is gone: %s", strerror(errno));
    }
    if (back >= 0) {
        close(back);
    }
    tare_spec_fini(&spec);
    return r;
}
