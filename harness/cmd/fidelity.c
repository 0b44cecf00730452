/* SPDX-License-Identifier: Apache-2.0 */
/* `tare fidelity`: how faithful a student is to its teacher, in lockstep. */
#include "cmd/cmd.h"

#include "base/hash.h"
#include "cmd/backends.h"
#include "cmd/fidelity_output.h"
#include "cmd/fidelity_store.h"
#include "cmd/plan_args.h"
#include "core/interrupt.h"
#include "core/spec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fidelity_options {
    char *teacher;
    char *teacher_technique;
    char *teacher_logits;
    char *student;
    char *student_technique;
    char *task;
    char *db;
    int64_t seed;
    int64_t time_limit;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct fidelity_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, teacher), .help = "BACKEND[,path=FILE][,option=value...]"},
    {MEMBER(TARE_OPT_STR, teacher_technique), .help = "TAG[,name=LABEL] that its backend applies to it"},
    {MEMBER(TARE_OPT_STR, teacher_logits),
     .help = "in place of a teacher: a file that llama-perplexity --kl-divergence-base has written"},
    {MEMBER(TARE_OPT_STR, student), .help = "BACKEND[,path=FILE][,option=value...]"},
    {MEMBER(TARE_OPT_STR, student_technique), .help = "TAG[,name=LABEL] that its backend applies to it"},
    {MEMBER(TARE_OPT_STR, task), .help = "TASK[,option=value...], text by default"},
    {MEMBER(TARE_OPT_STR, db), .help = "database that gets the figures; without it none is stored"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .min = 0, .max = INT64_C(1) << 53, .help = "seed of the items"},
    {MEMBER(TARE_OPT_NS, time_limit), .def = "60s", .min = 1000000, .max = INT64_MAX, .unit = "ns",
     .help = "how long loading and each answer may take"},
    TARE_OPT_END};

/* A side as a plan of one cell, and what it is called. */
struct named {
    struct tare_plan plan;
    bool planned;
    char name[512];
};

/* One entry of an axis, or several lines, which are a mistake. */
static int add_axis(struct tare_json *json, const char *key, const char *words, struct tare_err *err)
{
    if (words && strchr(words, '\n')) {
        return tare_err_set(err, TARE_E_USAGE, "tare fidelity: one of the %s on one line", key);
    }
    return words ? tare_plan_args_list(key, words, json, err) : 0;
}

static int make_plan(const struct fidelity_options *o, const char *model, const char *technique,
                     const struct tare_paths *paths, struct named *out, struct tare_err *err)
{
    struct tare_json *json = tare_json_new_object();
    char *text = NULL;
    tare_json_add_i64(json, "tare", 1);
    tare_json_add_i64(json, "seed", o->seed);
    int r = add_axis(json, "models", model, err);
    r = r == 0 ? add_axis(json, "techniques", technique, err) : r;
    r = r == 0 ? add_axis(json, "tasks", o->task && !o->teacher_logits ? o->task : "text", err) : r;
    r = r == 0 ? tare_json_print(json, false, &text, err) : r;
    r = r == 0 ? tare_plan_parse(text, strlen(text), "tare fidelity", NULL, paths, &out->plan, err) : r;
    out->planned = r == 0;
    r = r == 0 ? tare_backends_check(&out->plan, paths, err) : r;
    if (r == 0 && out->plan.n_cells != 1) {
        r = tare_err_set(err, TARE_E_USAGE, "tare fidelity: one model, one technique and one task, please");
    }
    (void)snprintf(out->name, sizeof out->name, "%s%s%s", model, technique ? " + " : "",
                   technique ? technique : "");
    free(text);
    tare_json_destroy(json);
    return r;
}

static int check_options(const struct fidelity_options *o, struct tare_err *err)
{
    if (!o->student || !o->teacher == !o->teacher_logits) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare fidelity: whom to compare? Such as --teacher native,path=zoo:llama-1m "
                            "--student native,path=zoo:llama-0.5m; --teacher-logits FILE may stand for a "
                            "teacher");
    }
    if (o->teacher_logits && (o->task || o->teacher_technique)) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "tare fidelity: a file of logits has its own text, and what it was made with cannot "
            "be changed: leave out --task and --teacher-technique");
    }
    return 0;
}

/* SHA-256 of the teacher's model, or of the file in its place; "" if it is none. */
static int hash_teacher(const struct fidelity_options *o, const struct named *teacher,
                        char out[TARE_SHA256_HEX], struct tare_err *err)
{
    struct tare_spec spec;
    struct stat st;
    out[0] = '\0';
    if (o->teacher_logits) {
        return tare_sha256_file(o->teacher_logits, out, NULL, err);
    }
    const char *text = teacher->plan.cells[0].spec;
    int r = tare_spec_parse(text, strlen(text), &spec, err);
    if (r == 0) {
        bool file = spec.model && stat(spec.model, &st) == 0 && S_ISREG(st.st_mode);
        r = file ? tare_sha256_file(spec.model, out, NULL, err) : 0;
        tare_spec_fini(&spec);
    }
    return r;
}

static int print(const struct tare_fidelity_report *report, bool json, struct tare_err *err)
{
    struct tare_buf text;
    if (json) {
        return tare_print_json(tare_fidelity_json(report), err);
    }
    tare_buf_init(&text, 1 << 20);
    tare_fidelity_text(report, &text);
    int r = tare_print_text(&text, err);
    tare_buf_fini(&text);
    return r;
}

static double count_positions(const struct tare_lockstep_result *q)
{
    double n = 0;
    for (size_t i = 0; i < q->n_items; i++) {
        n += q->items[i].sums[TARE_SUM_POSITIONS];
    }
    return n;
}

static int keep(const struct fidelity_options *o, const struct tare_paths *paths, const struct named *student,
                struct tare_fidelity_report *report, struct tare_err *err)
{
    const struct tare_fidelity_stored stored = {.teacher = report->teacher,
                                                .teacher_sha256 = report->teacher_sha256,
                                                .teacher_facts = report->result->teacher_facts,
                                                .student = &student->plan.cells[0],
                                                .task = report->task,
                                                .seed = o->seed,
                                                .items = (int64_t)report->result->n_asked,
                                                .failed = report->result->n_failed > 0,
                                                .figures = report->figures};
    return tare_fidelity_store(o->db, paths, &stored, &report->run_id, err);
}

/* What the sums say, stored and printed. Returns the exit status. */
static int conclude(const struct fidelity_options *o, const struct tare_command_args *args,
                    const struct named *teacher, const struct named *student,
                    const struct tare_lockstep_result *result, struct tare_err *err)
{
    static struct tare_fidelity_figures figures; /* large, and there is one command a process */
    char sha256[TARE_SHA256_HEX], source[640];
    const char *name = o->teacher_logits ? o->teacher_logits : teacher->name;
    int r = hash_teacher(o, teacher, sha256, err);
    (void)snprintf(source, sizeof source, "lockstep against %.512s%s%s", name, sha256[0] ? ", sha256 " : "",
                   sha256);
    const struct tare_fidelity_about about = {.source = source,
                                              .unit = o->teacher_logits ? "chunks" : "items",
                                              .n_vocab = result->n_vocab,
                                              .rounded = o->teacher_logits != NULL,
                                              .partial = result->n_failed > 0};
    r = r == 0 ? tare_fidelity_figures(result->items, result->n_items, &about, &figures, err) : r;
    struct tare_fidelity_report report = {.teacher = name,
                                          .student = student->name,
                                          .task =
                                              o->teacher_logits ? "logits-file" : student->plan.cells[0].task,
                                          .teacher_sha256 = sha256[0] ? sha256 : NULL,
                                          .unit = about.unit,
                                          .positions = count_positions(result),
                                          .result = result,
                                          .figures = &figures,
                                          .run_id = -1};
    r = r == 0 && o->db ? keep(o, args->paths, student, &report, err) : r;
    r = r == 0 ? print(&report, args->json, err) : r;
    return r < 0 ? r : result->n_failed || !figures.n ? TARE_EXIT_CELL : TARE_EXIT_OK;
}

static int compare(const struct fidelity_options *o, const struct tare_command_args *args,
                   const struct named *teacher, const struct named *student, struct tare_err *err)
{
    struct tare_lockstep_result result;
    const struct tare_lockstep_args with = {.exe = args->paths->exe,
                                            .teacher = teacher->planned ? teacher->plan.cells[0].spec : NULL,
                                            .teacher_logits = o->teacher_logits,
                                            .student = student->plan.cells[0].spec,
                                            .time_limit_ns = o->time_limit};
    tare_interrupt_catch();
    int r = tare_lockstep_run(&with, &result, err);
    if (r < 0) {
        return r;
    }
    r = conclude(o, args, teacher, student, &result, err);
    tare_lockstep_result_fini(&result);
    return r;
}

static int fidelity(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct fidelity_options *o = opts;
    struct named teacher = {.planned = false}, student = {.planned = false};
    int r = check_options(o, err);
    r = r == 0 && o->teacher ? make_plan(o, o->teacher, o->teacher_technique, args->paths, &teacher, err) : r;
    r = r == 0 ? make_plan(o, o->student, o->student_technique, args->paths, &student, err) : r;
    r = r == 0 ? compare(o, args, &teacher, &student, err) : r;
    if (teacher.planned) {
        tare_plan_fini(&teacher.plan);
    }
    if (student.planned) {
        tare_plan_fini(&student.plan);
    }
    return r;
}

const struct tare_command tare_command_fidelity = {
    .name = "fidelity",
    .summary = "how faithful a student is to its teacher, position by position",
    .arguments = "",
    .text =
        "Loads both models, each in a process of its own, and has them answer the same texts in lockstep: at "
        "each "
        "position the two distributions over the whole vocabulary are held against each other and then "
        "forgotten. Divergences both ways, loyalty, agreement on the most probable tokens, ranks, the paired "
        "difference of log-perplexities, all of it by the teacher's entropy, too; for items with choices "
        "which "
        "are picked, and for items that are generated where two greedy texts part.\n\n"
        "Both backends must have the capability \"logits\", and make the same tokens of every text. Values "
        "are "
        "means over positions; intervals are over items, for positions of one text depend on each other. "
        "docs/fidelity.md says what each figure means and what can make it wrong.\n\n"
        "The exit status is 3 if an item failed: it is in no figure, then, and the figures are flagged.",
    .options_size = sizeof(struct fidelity_options),
    .options = options,
    .run = fidelity};
