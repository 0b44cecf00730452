/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task file as a task: the items of its documents, and the numbers of its metrics.
 *
 * The object that the registry holds and an opened task know of each other by the path of the file alone,
 * which is the default of the option `definition`: so a worker opens what the plan named.
 */
#include <tare/data_folder.h>
#include <tare/standard.h>

#include "grade.h"
#include "prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { n_options = 9, path_bytes = 4096 };

/* What the registry holds. */
struct loaded {
    struct tare_task task; /* first: the registry's pointer is this one's */
    struct tare_definition *definition;
    struct tare_grading grading;
    struct tare_opt options[n_options];
};

/* What is opened. */
struct opened {
    char *definition_path;
    char *data;
    int64_t num_fewshot; /* -1: as the file says */
    int64_t fewshot_seed;
    int64_t limit; /* 0: all */
    char *split;
    char *perturb;
    double perturb_rate;
    struct tare_definition *definition;
    struct tare_grading grading;
    struct tare_prompts prompts;
    char folder[path_bytes];
    char sources[2 * TARE_N_SPLITS][path_bytes]; /* of each split its file and its labels; "": not read */
};

#define AT(member_) .offset = offsetof(struct opened, member_)
static const struct tare_opt option_list[n_options] = {
    {.name = "definition", .type = TARE_OPT_STR, AT(definition_path), .help = "the task file"},
    {.name = "data",
     .type = TARE_OPT_STR,
     AT(data),
     .help = "folder of the data files; unset: $TARE_DATASETS, or where tare fetch puts them"},
    {.name = "num_fewshot",
     .type = TARE_OPT_I64,
     AT(num_fewshot),
     .def = "-1",
     .min = -1,
     .max = 64,
     .help = "examples before each question; -1: as the task file says"},
    {.name = "fewshot_seed",
     .type = TARE_OPT_I64,
     AT(fewshot_seed),
     .def = "1234",
     .min = 0,
     .max = INT64_MAX,
     .help = "seed of the draw of examples, as lm-evaluation-harness has it"},
    {.name = "limit",
     .type = TARE_OPT_I64,
     AT(limit),
     .def = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "the first so many documents; 0: all"},
    {.name = "split",
     .type = TARE_OPT_STR,
     AT(split),
     .help = "documents of another split: test, validation, train"},
    {.name = "perturb",
     .type = TARE_OPT_STR,
     AT(perturb),
     .help = "perturb the texts that questions are made of: swap, delete, insert, keyboard, case, space, "
             "synonym"},
    {.name = "perturb_rate",
     .type = TARE_OPT_F64,
     AT(perturb_rate),
     .def = "0.1",
     .min = 0,
     .max = 1,
     .help = "share of words (or spaces) that are perturbed"},
    TARE_OPT_END,
};

static void close_task(void *self)
{
    struct opened *o = self;
    tare_prompts_free(&o->prompts);
    if (o->definition) {
        tare_grading_fini(&o->grading);
    }
    tare_definition_free(o->definition);
    o->definition = NULL;
}

/* The file's choices under what the options say. */
static int apply_options(struct opened *o, struct tare_err *err)
{
    static const char *const names[TARE_N_SPLITS] = {"test", "validation", "train"};
    struct tare_definition *d = o->definition;
    if (o->num_fewshot >= 0 && d->fewshot_forced && o->num_fewshot != d->num_fewshot) {
        return tare_err_set(err, TARE_E_USAGE, "task %s: num_fewshot is fixed to %lld by the task file",
                            d->name, (long long)d->num_fewshot);
    }
    d->num_fewshot = o->num_fewshot >= 0 ? o->num_fewshot : d->num_fewshot;
    for (int i = 0; o->split && i < TARE_N_SPLITS; i++) {
        if (strcmp(names[i], o->split) == 0 && d->splits[i].file) {
            d->split = (enum tare_split_name)i;
            return 0;
        }
    }
    return o->split ? tare_err_set(err, TARE_E_USAGE, "task %s: it has no split \"%.40s\"", d->name, o->split)
                    : 0;
}

static int name_source(const struct opened *o, const char *file, char *to, struct tare_err *err)
{
    int n = !file            ? 0
            : file[0] == '/' ? snprintf(to, path_bytes, "%s", file)
                             : snprintf(to, path_bytes, "%s/%s", o->folder, file);
    return n < path_bytes ? 0 : tare_err_set(err, TARE_E_USAGE, "%s: the path is too long", file);
}

static int name_sources(struct opened *o, struct tare_err *err)
{
    const struct tare_definition *d = o->definition;
    int r = tare_data_folder(o->data, o->folder, sizeof o->folder, err);
    for (int i = 0; r == 0 && i < TARE_N_SPLITS; i++) {
        const struct tare_split *split = &d->splits[i];
        bool shots = d->num_fewshot > 0 && !d->samples && i == (int)d->fewshot_split;
        bool used = split->file && (i == (int)d->split || shots);
        r = used ? name_source(o, split->file, o->sources[2 * i], err) : 0;
        r = r == 0 && used ? name_source(o, split->labels, o->sources[2 * i + 1], err) : r;
    }
    return r;
}

static int check_sources(const struct opened *o, struct tare_err *err)
{
    for (int i = 0; i < 2 * TARE_N_SPLITS; i++) {
        if (o->sources[i][0] && access(o->sources[i], R_OK) != 0) {
            return tare_err_set(
                err, TARE_E_IO,
                "task %s: %s cannot be read (%s); 'tare fetch %s' gets what may be downloaded, and "
                "the option data names another folder",
                o->definition->name, o->sources[i], strerror(errno), o->definition->name);
        }
    }
    return 0;
}

static int make_prompts(struct opened *o, const struct tare_rng *seed, struct tare_err *err)
{
    struct tare_rendering how = {.definition = o->definition,
                                 .folder = o->folder,
                                 .limit = o->limit ? (size_t)o->limit : SIZE_MAX,
                                 .keep = tare_grading_needs_documents(&o->grading)};
    int r = tare_perturbing_init(o->perturb, o->perturb_rate, seed, &how.perturbing, err);
    r = r == 0 ? tare_prompts_make(&how, (uint64_t)o->fewshot_seed, &o->prompts, err) : r;
    o->prompts.alone = r == 0 && tare_grading_needs_alone(&o->grading);
    return r;
}

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    struct opened *o = self;
    (void)data_dir;
    int r = tare_definition_load(o->definition_path, &o->definition, err);
    if (r < 0) {
        return r;
    }
    r = tare_grading_init(o->definition, &o->grading, err);
    if (r < 0) {
        tare_definition_free(o->definition);
        o->definition = NULL;
        return r;
    }
    r = apply_options(o, err);
    r = r == 0 ? name_sources(o, err) : r;
    r = r == 0 ? check_sources(o, err) : r;
    r = r == 0 ? make_prompts(o, seed, err) : r;
    if (r < 0) {
        close_task(self);
    }
    return r;
}

static size_t count(void *self)
{
    return ((const struct opened *)self)->prompts.documents.n;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    struct opened *o = self;
    return tare_prompts_item(&o->prompts, index, out, err);
}

static int grade(void *self, size_t index, const struct tare_answer *answers, size_t n, double *scores,
                 struct tare_err *err)
{
    const struct opened *o = self;
    return tare_grading_score(&o->grading, &o->prompts.documents, index, answers, n, scores, err);
}

/* Of a task that is not opened: the task file is read once more, and no data. */
static void name_unopened(struct opened *o)
{
    struct tare_err ignored = {0};
    if (!o->definition && tare_definition_load(o->definition_path, &o->definition, &ignored) == 0) {
        if (apply_options(o, &ignored) < 0 || name_sources(o, &ignored) < 0) {
            memset(o->sources, 0, sizeof o->sources);
        }
        tare_definition_free(o->definition);
        o->definition = NULL;
    }
}

/* The task file first, then the data. */
static const char *source(void *self, size_t i)
{
    struct opened *o = self;
    if (i == 0) {
        name_unopened(o);
        return o->definition_path;
    }
    for (size_t s = 0, seen = 0; s < 2 * TARE_N_SPLITS; s++) {
        seen += o->sources[s][0] != '\0';
        if (seen == i && o->sources[s][0]) {
            return o->sources[s];
        }
    }
    return NULL;
}

static void describe(struct loaded *l)
{
    const char *summary = tare_json_str(tare_json_get(l->definition->json, "description"));
    memcpy(l->options, option_list, sizeof option_list);
    l->options[0].def = l->definition->path;
    l->task = (struct tare_task){.header = TARE_TASK_HEADER,
                                 .name = l->definition->name,
                                 .summary = summary ? summary : "a task out of a file",
                                 .version = (uint32_t)l->definition->version,
                                 .priv_size = sizeof(struct opened),
                                 .options = l->options,
                                 .metrics = l->grading.metrics,
                                 .norm = TARE_NORM_NONE,
                                 .open = open_task,
                                 .count = count,
                                 .item = item,
                                 .source = source,
                                 .source_unopened = true,
                                 .close = close_task,
                                 .convention = TARE_CONVENTION_LM_EVAL,
                                 .columns = (const char *const *)l->grading.columns,
                                 .grade = grade};
}

int tare_standard_load(const char *path, const struct tare_task **out, struct tare_err *err)
{
    struct loaded *l = calloc(1, sizeof *l);
    if (!l) {
        return tare_err_set(err, TARE_E_NOMEM, "task file %s: out of memory", path);
    }
    int r = tare_definition_load(path, &l->definition, err);
    r = r == 0 ? tare_grading_init(l->definition, &l->grading, err) : r;
    if (r < 0) {
        tare_definition_free(l->definition);
        free(l);
        return r;
    }
    describe(l);
    *out = &l->task;
    return 0;
}

void tare_standard_free(const struct tare_task *task)
{
    struct loaded *l = (struct loaded *)(uintptr_t)task;
    if (l) {
        tare_grading_fini(&l->grading);
        tare_definition_free(l->definition);
        free(l);
    }
}
