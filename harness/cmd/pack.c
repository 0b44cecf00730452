/* SPDX-License-Identifier: Apache-2.0 */
/* `tare pack`: a task as one file whose hash is the version of what it asks. */
#include "cmd/cmd.h"

#include "base/log.h"
#include "core/builtin.h"
#include "core/opened_task.h"
#include <tare/data_folder.h>
#include "core/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { max_packs = 1000 };

struct pack_options {
    char *output, *expect, *data;
    bool verify, render;
    int64_t seed;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct pack_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; without it only the hash is found"},
    {MEMBER(TARE_OPT_BOOL, verify),
     .help = "the words are packs; is each of their files what its manifest says?"},
    {MEMBER(TARE_OPT_BOOL, render), .help = "with --verify: does this tare ask the same, too?"},
    {MEMBER(TARE_OPT_STR, expect), .help = "hash that must come out"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .min = 0, .max = INT64_C(1) << 53,
     .help = "seed of the items, as of a plan"},
    {MEMBER(TARE_OPT_STR, data),
     .help = "folder of the data, as of 'tare fetch'; names in the pack start there"},
    TARE_OPT_END};

static int open_task(struct tare_opened_task *o, const struct tare_pack_recipe *recipe,
                     const struct tare_paths *paths, struct tare_err *err)
{
    const struct tare_task_wanted wanted = {
        .name = recipe->task, .options = recipe->options, .data_dir = paths->data, .seed = recipe->seed};
    return tare_opened_task_open(&wanted, o, err);
}

/* "TASK,option=value,..."; text is modified. */
static int parse_task(char *text, struct tare_json *task_options, const char **out_task, struct tare_err *err)
{
    char *save = NULL, *part = strtok_r(text, ",", &save);
    *out_task = part ? part : "";
    while ((part = strtok_r(NULL, ",", &save)) != NULL) {
        char *equals = strchr(part, '=');
        if (!equals) {
            return tare_err_set(err, TARE_E_USAGE, "tare pack: \"%.60s\" is not of the form option=value",
                                part);
        }
        *equals = '\0';
        tare_json_add_str(task_options, part, equals + 1);
    }
    return 0;
}

static int make(const struct tare_pack_recipe *recipe, const char *data, const struct tare_paths *paths,
                FILE *to, const char *what, struct tare_pack_made *out, struct tare_err *err)
{
    char folder[TARE_PATH_MAX];
    struct tare_opened_task opened = {.opened = false};
    int r = tare_data_folder(data, folder, sizeof folder, err);
    const char *const roots[] = {folder, paths->data, NULL};
    r = r == 0 ? open_task(&opened, recipe, paths, err) : r;
    const struct tare_pack_subject subject = {
        .task = opened.task, .self = opened.self, .roots = roots, .recipe = recipe};
    r = r == 0 ? tare_pack_make(&subject, to, what, out, err) : r;
    tare_opened_task_close(&opened);
    return r;
}

/* Through a file beside it, so that a failure leaves an old pack alone. */
static int make_file(const struct tare_pack_recipe *recipe, const struct pack_options *o,
                     const struct tare_paths *paths, struct tare_pack_made *out, struct tare_err *err)
{
    char path[TARE_PATH_MAX];
    if (snprintf(path, sizeof path, "%s.part", o->output) >= (int)sizeof path) {
        return tare_err_set(err, TARE_E_LIMIT, "path too long: %.200s", o->output);
    }
    FILE *to = fopen(path, "w+be");
    if (!to) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    int r = make(recipe, o->data, paths, to, o->output, out, err);
    if ((fflush(to) != 0 || fsync(fileno(to)) != 0) && r == 0) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    (void)fclose(to);
    if (r == 0 && rename(path, o->output) != 0) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", o->output, strerror(errno));
    }
    if (r < 0) {
        (void)unlink(path);
    }
    return r;
}

static void describe(const struct tare_pack_made *made, const char *task, double version,
                     struct tare_json *to)
{
    tare_json_add_str(to, "sha256", made->sha256);
    tare_json_add_str(to, "task", task);
    tare_json_add_i64(to, "version", (int64_t)version);
    tare_json_add_i64(to, "items", made->items);
    tare_json_add_i64(to, "files", made->files);
    tare_json_add_i64(to, "bytes", made->bytes);
}

static int check_hash(const char *expected, const char *found, const char *what, struct tare_err *err)
{
    return !expected || strcmp(expected, found) == 0
               ? 0
               : tare_err_set(err, TARE_E_ENVIRONMENT, "%.200s: its hash is %s where %.64s is expected", what,
                              found, expected);
}

static int make_one(char *word, const struct pack_options *o, const struct tare_paths *paths,
                    struct tare_json *list, struct tare_err *err)
{
    struct tare_json *task_options = tare_json_new_object();
    struct tare_pack_recipe recipe = {.seed = o->seed, .options = task_options};
    const struct tare_task *task = NULL;
    struct tare_pack_made made;
    int r = parse_task(word, task_options, &recipe.task, err);
    r = r == 0 ? tare_find_task(recipe.task, &task, err) : r;
    if (r == 0) {
        r = o->output ? make_file(&recipe, o, paths, &made, err)
                      : make(&recipe, o->data, paths, NULL, "", &made, err);
    }
    if (r == 0) {
        struct tare_json *row = tare_json_add_object(list, NULL);
        tare_json_add_str(row, "file", o->output);
        describe(&made, task->name, task->version, row);
        r = check_hash(o->expect, made.sha256, recipe.task, err);
    }
    tare_json_destroy(task_options);
    return r;
}

/* Makes the items anew, out of this tare and its data. */
static int render(const struct tare_pack_read *read, const char *path, const struct pack_options *o,
                  const struct tare_paths *paths, struct tare_err *err)
{
    struct tare_pack_made made;
    struct tare_pack_recipe recipe = {.task = tare_json_str(tare_json_get(read->recipe, "task")),
                                      .options = tare_json_get(read->recipe, "options")};
    int r =
        tare_json_i64(tare_json_get(read->recipe, "seed"), "seed", 0, INT64_C(1) << 53, &recipe.seed, err);
    if (r == 0 && !recipe.task) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: its recipe names no task", path);
    }
    r = r == 0 ? make(&recipe, o->data, paths, NULL, "", &made, err) : r;
    return r == 0 && strcmp(made.sha256, read->made.sha256) != 0
               ? tare_err_set(err, TARE_E_ENVIRONMENT,
                              "%.150s: this tare makes another pack of its recipe: %s where %s is there",
                              path, made.sha256, read->made.sha256)
               : r;
}

static int verify_one(const char *path, const struct pack_options *o, const struct tare_paths *paths,
                      struct tare_json *list, struct tare_err *err)
{
    struct tare_pack_read read = {.recipe = NULL};
    FILE *from = fopen(path, "rbe");
    if (!from) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    int r = tare_pack_read(from, path, &read, err);
    (void)fclose(from);
    if (r < 0) {
        return r;
    }
    struct tare_json *row = tare_json_add_object(list, NULL);
    tare_json_add_str(row, "file", path);
    describe(&read.made, tare_json_str(tare_json_get(read.manifest, "task")),
             tare_json_num(tare_json_get(read.manifest, "version")), row);
    r = check_hash(o->expect, read.made.sha256, path, err);
    r = r == 0 && o->render ? render(&read, path, o, paths, err) : r;
    tare_pack_read_fini(&read);
    return r;
}

static void print_rows(const struct tare_json *list, struct tare_buf *to)
{
    for (const struct tare_json *row = tare_json_first(list); row; row = tare_json_next(row)) {
        const char *file = tare_json_str(tare_json_get(row, "file"));
        tare_buf_printf(
            to, "%s  %s%s%s version %.0f: %.0f items, %.0f files, %.0f B\n",
            tare_json_str(tare_json_get(row, "sha256")), file ? file : "", file ? ": " : "",
            tare_json_str(tare_json_get(row, "task")), tare_json_num(tare_json_get(row, "version")),
            tare_json_num(tare_json_get(row, "items")), tare_json_num(tare_json_get(row, "files")),
            tare_json_num(tare_json_get(row, "bytes")));
    }
}

static int check_usage(const struct pack_options *o, int n_words, struct tare_err *err)
{
    if (n_words == 0 || (n_words > 1 && (!o->verify || o->expect))) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare pack: name one task, or with --verify packs (one if there is --expect)");
    }
    if (o->verify ? o->output != NULL : o->render) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare pack: --output belongs to making a pack, --render to --verify");
    }
    return 0;
}

static int pack(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct pack_options *o = opts;
    struct tare_json *list = tare_json_new_array();
    int r = check_usage(o, args->n_words, err);
    for (int i = 0; r == 0 && i < args->n_words; i++) {
        r = o->verify ? verify_one(args->words[i], o, args->paths, list, err)
                      : make_one(args->words[i], o, args->paths, list, err);
    }
    if (r == 0 && args->json) {
        return tare_print_json(list, err);
    }
    struct tare_buf text;
    tare_buf_init(&text, 1 << 22);
    print_rows(list, &text);
    r = r == 0 ? tare_print_text(&text, err) : r;
    tare_buf_fini(&text);
    tare_json_destroy(list);
    /* No cell has failed, which is what these codes mean to a run. */
    return r == TARE_E_FORMAT || r == TARE_E_LIMIT || r == TARE_E_UNSUPPORTED ? TARE_E_ENVIRONMENT : r;
}

const struct tare_command tare_command_pack = {
    .name = "pack",
    .summary = "a task as one file whose hash is the version of what it asks",
    .arguments = "TASK[,option=value...] | --verify PACK...",
    .text =
        "A pack is a tar with the files that a task's items are read from, the items as they are asked, and "
        "a "
        "manifest with the SHA-256 of each. The SHA-256 of the manifest is the pack's hash: equal hash, "
        "equal "
        "questions in the same order. Neither paths nor times nor this tare's version are in it.\n\n"
        "--verify reads packs through and holds every file against the manifest; with --render the items are "
        "made anew by this tare, out of its own data, and must have the same hash.\n\n"
        "A pack holds the data itself, whose licence goes with it.\n\n"
        "Exit status: 5 if a pack is damaged or another one than was expected.",
    .max_words = max_packs,
    .options_size = sizeof(struct pack_options),
    .options = options,
    .run = pack};
