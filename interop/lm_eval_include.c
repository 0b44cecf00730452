/* SPDX-License-Identifier: Apache-2.0 */
/* include: files are looked for beside the file that names them. */
#include "interop/lm_eval_task.h"

#include "interop/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_depth = 16, max_files = 64 };

/* The files that are being read, innermost first. */
struct chain {
    const char *path;
    const struct chain *outer;
    int depth;
    int *files; /* read so far, of all branches */
};

static int load(const struct chain *chain, struct tare_json **out, struct tare_err *err);

/* Those of `over`, and those of `base` that it does not have. */
static struct tare_json *merge(const struct tare_json *base, const struct tare_json *over)
{
    struct tare_json *merged = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(base); v; v = tare_json_next(v)) {
        if (!tare_json_get(over, tare_json_key(v))) {
            tare_json_add_copy(merged, tare_json_key(v), v);
        }
    }
    for (const struct tare_json *v = tare_json_first(over); v; v = tare_json_next(v)) {
        if (strcmp(tare_json_key(v), "include") != 0) {
            tare_json_add_copy(merged, tare_json_key(v), v);
        }
    }
    return merged;
}

static int resolve(const char *path, const char *name, char *to, size_t n, struct tare_err *err)
{
    const char *slash = strrchr(path, '/');
    int folder = slash && *name != '/' ? (int)(slash + 1 - path) : 0;
    int used = snprintf(to, n, "%.*s%s", folder, path, name);
    return used > 0 && (size_t)used < n
               ? 0
               : tare_err_set(err, TARE_E_LIMIT, "%.200s: include: the path is too long", path);
}

/* One included file, its keys put below those of *merged, which they do not win against. */
static int include_one(const struct chain *chain, const struct tare_json *name, struct tare_json **merged,
                       struct tare_err *err)
{
    char path[4096];
    struct tare_json *included = NULL;
    if (!tare_json_str(name)) {
        return tare_err_set(err, TARE_E_FORMAT, "%.200s: include: the name of a file is expected",
                            chain->path);
    }
    int r = resolve(chain->path, tare_json_str(name), path, sizeof path, err);
    const struct chain inner = {path, chain, chain->depth + 1, chain->files};
    r = r == 0 ? load(&inner, &included, err) : r;
    if (r == 0) {
        struct tare_json *both = merge(included, *merged);
        tare_json_destroy(*merged);
        *merged = both;
    }
    tare_json_destroy(included);
    return r;
}

static const struct tare_json *element(const struct tare_json *array, size_t i)
{
    const struct tare_json *v = tare_json_first(array);
    for (; i > 0; i--) {
        v = tare_json_next(v);
    }
    return v;
}

/* From the last to the first, so that a later one wins. */
static int include_all(const struct chain *chain, const struct tare_json *names, struct tare_json **merged,
                       struct tare_err *err)
{
    if (tare_json_type(names) != TARE_JSON_ARRAY) {
        return include_one(chain, names, merged, err);
    }
    int r = 0;
    for (size_t i = tare_json_size(names); r == 0 && i > 0; i--) {
        r = include_one(chain, element(names, i - 1), merged, err);
    }
    return r;
}

static int check_chain(const struct chain *chain, struct tare_err *err)
{
    for (const struct chain *c = chain->outer; c; c = c->outer) {
        if (strcmp(c->path, chain->path) == 0) {
            return tare_err_set(err, TARE_E_FORMAT, "%.200s: it includes itself", chain->path);
        }
    }
    if (chain->depth > max_depth || ++*chain->files > max_files) {
        return tare_err_set(err, TARE_E_LIMIT, "%.200s: includes are deeper than %d or more than %d files",
                            chain->path, max_depth, max_files);
    }
    return 0;
}

static int load(const struct chain *chain, struct tare_json **out, struct tare_err *err)
{
    struct tare_json *file = NULL;
    int r = check_chain(chain, err);
    r = r == 0 ? tare_yaml_load(chain->path, &file, err) : r;
    if (r == 0 && tare_json_type(file) != TARE_JSON_OBJECT) {
        r = tare_err_set(err, TARE_E_FORMAT, "%.200s: a task is a mapping, found %s", chain->path,
                         tare_json_type_name(tare_json_type(file)));
    }
    const struct tare_json *names = r == 0 ? tare_json_get(file, "include") : NULL;
    struct tare_json *merged = r == 0 ? merge(NULL, file) : NULL;
    r = names ? include_all(chain, names, &merged, err) : r;
    tare_json_destroy(file);
    if (r == 0) {
        *out = merged;
    } else {
        tare_json_destroy(merged);
    }
    return r;
}

int tare_lm_eval_task_load(const char *path, struct tare_json **out, struct tare_err *err)
{
    int files = 0;
    return load(&(struct chain){path, NULL, 0, &files}, out, err);
}
