/* SPDX-License-Identifier: Apache-2.0 */
/* Of a task file only "sources" is read: which files its splits have. */
#include "cmd/fetch_pick.h"

#include "base/log.h"
#include "base/plain.h"
#include <tare/data_folder.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { task_limit_bytes = 8 << 20, max_picks = 100000 };

static int out_of_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "tare fetch: out of memory");
}

/* A source is loaded once. */
static int need_source(struct tare_picks *picks, const struct tare_paths *paths, const char *name,
                       const struct tare_source **out, struct tare_err *err)
{
    struct tare_source *source = NULL;
    for (size_t i = 0; i < picks->n_sources; i++) {
        if (strcmp(picks->sources[i]->name, name) == 0) {
            *out = picks->sources[i];
            return 0;
        }
    }
    int r = tare_source_load(paths, name, &source, err);
    if (r < 0) {
        return r;
    }
    struct tare_source **sources = realloc(picks->sources, (picks->n_sources + 1) * sizeof *picks->sources);
    if (!sources) {
        tare_source_destroy(source);
        return out_of_memory(err);
    }
    picks->sources = sources;
    sources[picks->n_sources++] = source;
    *out = source;
    return 0;
}

static int pick(struct tare_picks *picks, const struct tare_source *source,
                const struct tare_source_file *file, struct tare_err *err)
{
    picks->n_wanted++;
    for (size_t i = 0; i < picks->n_picks; i++) {
        if (picks->picks[i].file == file) {
            return 0;
        }
    }
    if (picks->n_picks == max_picks) {
        return tare_err_set(err, TARE_E_LIMIT, "tare fetch: over %d files", max_picks);
    }
    struct tare_pick *grown = realloc(picks->picks, (picks->n_picks + 1) * sizeof *grown);
    if (!grown) {
        return out_of_memory(err);
    }
    picks->picks = grown;
    memset(&grown[picks->n_picks], 0, sizeof *grown);
    grown[picks->n_picks].source = source;
    grown[picks->n_picks++].file = file;
    return 0;
}

static int pick_source(struct tare_picks *picks, const struct tare_source *source, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < source->n_files; i++) {
        r = pick(picks, source, &source->files[i], err);
    }
    return r;
}

/* "piqa/valid.jsonl" */
static int pick_file(struct tare_picks *picks, const struct tare_paths *paths, const char *word,
                     struct tare_err *err)
{
    char name[128];
    const struct tare_source *source = NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "/"), word);
    int r = need_source(picks, paths, name, &source, err);
    if (r < 0) {
        return r;
    }
    const struct tare_source_file *file = tare_source_find(source, word);
    if (!file) {
        r = tare_err_set(err, TARE_E_USAGE, "source %s has no file %.120s; 'tare fetch --list %s' shows them",
                         source->name, word, source->name);
        tare_plain_err(err);
        return r;
    }
    return pick(picks, source, file, err);
}

/* The files of one split of a task. One that no source has is told of, and the others are picked all the
 * same: few tasks need all of their splits. */
static int pick_split(struct tare_picks *picks, const struct tare_paths *paths, const char *path,
                      const struct tare_json *split, struct tare_err *err)
{
    static const char *const keys[] = {"file", "labels"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *file = tare_json_str(tare_json_get(split, keys[i]));
        struct tare_err why = {0};
        if (!file) {
            continue;
        }
        int r = tare_data_is_name(file) ? pick_file(picks, paths, file, &why) : TARE_E_USAGE;
        if (r < 0 && r != TARE_E_USAGE) {
            return tare_err_set(err, r, "%s", why.msg);
        }
        if (r < 0) {
            char line[400];
            (void)snprintf(line, sizeof line,
                           "%.150s: %.150s is no file of a source: it must be brought by hand", path, file);
            tare_plain_line(line);
            tare_log(TARE_LOG_WARN, NULL, "%s", line);
        }
    }
    return 0;
}

static int pick_task(struct tare_picks *picks, const struct tare_paths *paths, const char *path,
                     struct tare_err *err)
{
    struct tare_json *json = NULL;
    size_t n_before = picks->n_wanted;
    int r = tare_json_load(path, task_limit_bytes, &json, err);
    const struct tare_json *sources = tare_json_get(json, "sources");
    for (const struct tare_json *v = tare_json_first(sources); r == 0 && v; v = tare_json_next(v)) {
        r = pick_split(picks, paths, path, v, err);
    }
    if (r == 0 && picks->n_wanted == n_before) {
        r = tare_err_set(err, TARE_E_USAGE, "task file %.200s: no source has a file of its \"sources\"",
                         path);
    }
    tare_json_destroy(json);
    return r;
}

static bool is_task_path(const char *word)
{
    size_t n = strlen(word);
    return n > 5 && strcmp(word + n - 5, ".json") == 0 && access(word, F_OK) == 0;
}

int tare_picks_add(struct tare_picks *picks, const struct tare_paths *paths, const char *word,
                   struct tare_err *err)
{
    char path[TARE_PATH_MAX + 300];
    const struct tare_source *source = NULL;
    if (is_task_path(word)) {
        return pick_task(picks, paths, word, err);
    }
    if (tare_data_is_name(word)) {
        return pick_file(picks, paths, word, err);
    }
    int r = need_source(picks, paths, word, &source, err);
    if (r == 0) {
        return pick_source(picks, source, err);
    }
    (void)snprintf(path, sizeof path, "%s/tasks/%.200s.json", paths->data, word);
    return r == TARE_E_USAGE && !strchr(word, '/') && access(path, F_OK) == 0
               ? pick_task(picks, paths, path, err)
               : r;
}

int tare_picks_add_all(struct tare_picks *picks, const struct tare_paths *paths, struct tare_err *err)
{
    struct tare_json *names = tare_json_new_array();
    int r = tare_source_names(paths, names, err);
    for (const struct tare_json *v = tare_json_first(names); r == 0 && v; v = tare_json_next(v)) {
        const struct tare_source *source = NULL;
        r = need_source(picks, paths, tare_json_str(v), &source, err);
        r = r == 0 ? pick_source(picks, source, err) : r;
    }
    tare_json_destroy(names);
    return r;
}

static int compare(const void *va, const void *vb)
{
    const struct tare_pick *a = va, *b = vb;
    int by_name = strcmp(a->source->name, b->source->name);
    return by_name != 0 ? by_name : (a->file > b->file) - (a->file < b->file);
}

void tare_picks_sort(struct tare_picks *picks)
{
    if (picks->n_picks > 0) {
        qsort(picks->picks, picks->n_picks, sizeof *picks->picks, compare);
    }
}

void tare_picks_fini(struct tare_picks *picks)
{
    for (size_t i = 0; i < picks->n_sources; i++) {
        tare_source_destroy(picks->sources[i]);
    }
    free(picks->sources);
    free(picks->picks);
    memset(picks, 0, sizeof *picks);
}
