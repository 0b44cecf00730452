/* SPDX-License-Identifier: Apache-2.0 */
/* `tare compare`: two systems of a run, or two runs, on the work that they share. */
#include "cmd/cmd.h"

#include "base/buf.h"
#include "cmd/compare_rows.h"
#include "cmd/load.h"
#include "cmd/table.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct compare_options {
    char *db;
    int64_t run;
    char *task;
    char *figure;
    double alpha;
    double margin;
    double quality_margin;
    char *format;
    char *output;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct compare_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database that holds both systems"},
    {MEMBER(TARE_OPT_I64, run), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "number of the run; 0: the newest"},
    {MEMBER(TARE_OPT_STR, task), .help = "only tasks that match this shell pattern"},
    {MEMBER(TARE_OPT_STR, figure), .unit = TARE_OPT_REPEATABLE,
     .help = "figure to compare instead of the usual ones"},
    {MEMBER(TARE_OPT_F64, alpha), .def = "0.05", .help = "error of the whole table (false discovery rate)"},
    {MEMBER(TARE_OPT_F64, margin), .def = "0.02", .help = "resources within this share are equivalent"},
    {MEMBER(TARE_OPT_F64, quality_margin), .def = "0.01",
     .help = "quality within this is equivalent: absolute for shares of right answers, relative for others"},
    {MEMBER(TARE_OPT_STR, format), .def = "term", .help = "any format of 'tare report'"},
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; standard output without it"},
    TARE_OPT_END};

/* A side with what it was opened from. */
struct opened {
    struct tare_store *store; /* NULL: the other side's */
    struct tare_loaded *loaded;
    struct tare_compare_side side;
    char *word; /* what the side's names point into */
};

static void close_side(struct opened *o)
{
    tare_loaded_free(o->loaded);
    tare_store_close(o->store);
    free(o->word);
}

static int open_run(const char *path, int64_t run, struct opened *o, struct tare_err *err)
{
    int r = tare_store_open(path, TARE_STORE_READ, &o->store, err);
    o->side.run_id = run;
    r = r == 0 && run == 0 ? tare_query_last_run(o->store, &o->side.run_id, err) : r;
    r = r == 0 ? tare_load(o->store, o->side.run_id, &o->loaded, err) : r;
    if (r == 0) {
        o->side.store = o->store;
        o->side.input = tare_loaded_input(o->loaded);
    }
    return r;
}

/* "FILE" or "FILE:RUN". */
static int open_word(const char *word, struct opened *o, struct tare_err *err)
{
    o->word = strdup(word);
    if (!o->word) {
        return tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
    }
    char *colon = access(word, F_OK) == 0 ? NULL : strrchr(o->word, ':');
    int64_t run = 0;
    if (colon) {
        *colon = 0;
        run = strtoll(colon + 1, NULL, 10);
    }
    return open_run(o->word, run, o, err);
}

static bool is_file(const char *word)
{
    const char *colon = strrchr(word, ':');
    char path[4096];
    size_t n = colon ? (size_t)(colon - word) : 0;
    if (access(word, F_OK) == 0) {
        return true;
    }
    if (n == 0 || n >= sizeof path || strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return false;
    }
    memcpy(path, word, n);
    path[n] = 0;
    return access(path, F_OK) == 0;
}

static int unknown_system(const char *word, const struct tare_report_input *in, struct tare_err *err)
{
    struct tare_buf known;
    tare_buf_init(&known, 400);
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        bool again = i > 0 && strcmp(c->model, in->cells[i - 1].model) == 0 &&
                     strcmp(c->technique, in->cells[i - 1].technique) == 0;
        if (!again) {
            tare_buf_printf(&known, "%s%s/%s", known.used ? ", " : "", c->model, c->technique);
        }
    }
    int r = tare_err_set(err, TARE_E_USAGE,
                         "compare: \"%.80s\" is neither a file nor a system of the run; it has %s", word,
                         tare_buf_str(&known));
    tare_buf_fini(&known);
    return r;
}

/* "MODEL" (untreated, or with the one technique that it has) or "MODEL/TECHNIQUE" of the run of `from`. */
static int pick_system(const char *word, const struct opened *from, struct opened *o, struct tare_err *err)
{
    const struct tare_report_input *in = from->side.input;
    const struct tare_report_cell *found = NULL;
    size_t n = strcspn(word, "/");
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        bool model = strlen(c->model) == n && memcmp(c->model, word, n) == 0;
        bool technique = !word[n] || strcmp(word + n + 1, c->technique) == 0;
        bool closer = !found || (!word[n] && strcmp(c->technique, "baseline") == 0);
        found = model && technique && closer ? c : found;
    }
    if (!found) {
        return unknown_system(word, in, err);
    }
    o->side = from->side;
    o->side.model = found->model;
    o->side.technique = found->technique;
    return 0;
}

static int open_sides(const struct compare_options *o, char **words, struct opened *run, struct opened *a,
                      struct opened *b, struct tare_err *err)
{
    if (is_file(words[0]) && is_file(words[1])) {
        int r = open_word(words[0], a, err);
        return r == 0 ? open_word(words[1], b, err) : r;
    }
    int r = open_run(o->db, o->run, run, err);
    r = r == 0 ? pick_system(words[0], run, a, err) : r;
    return r == 0 ? pick_system(words[1], run, b, err) : r;
}

/* The names of the option, which are joined by newlines; NULL if none. Cuts the text up. */
static const char **split_figures(char *text, struct tare_arena *arena)
{
    size_t n = 1, used = 0;
    for (const char *c = text; c && *c; c++) {
        n += *c == '\n';
    }
    const char **names = text ? tare_arena_array(arena, n + 1, sizeof *names) : NULL;
    if (names) {
        for (char *name = strtok(text, "\n"); name; name = strtok(NULL, "\n")) {
            names[used++] = name;
        }
        names[used] = NULL;
    }
    return names;
}

static const char *caption(const struct opened *a, const struct opened *b, struct tare_arena *arena)
{
    struct tare_buf text;
    tare_buf_init(&text, 8192);
    tare_buf_add_str(&text, a->side.input->caption);
    if (a->side.input != b->side.input) {
        tare_buf_printf(&text, " B: %s", b->side.input->caption);
    }
    const char *copy = tare_arena_copy(arena, tare_buf_str(&text), text.used + 1);
    tare_buf_fini(&text);
    return copy;
}

static const char *name_of(const struct opened *o, const char *word)
{
    return o->side.model ? word : o->word;
}

static int print(const struct compare_options *o, const struct tare_command_args *args,
                 const struct opened *a, const struct opened *b, struct tare_compare_rows *rows,
                 struct tare_err *err)
{
    struct tare_compare_options how = {o->alpha, o->margin, o->quality_margin};
    struct tare_compare_result *results = tare_arena_array(&rows->arena, rows->n + 1, sizeof *results);
    struct tare_table table;
    const char *text = caption(a, b, &rows->arena);
    int r = results && text ? 0 : tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
    r = r == 0 ? tare_compare_decide(rows->rows, rows->n, &how, results, err) : r;
    r = r == 0 ? tare_compare_table(rows->rows, results, rows->n, &how, name_of(a, args->words[0]),
                                    name_of(b, args->words[1]), text, &rows->arena, &table, err)
               : r;
    return r == 0 ? tare_table_write(&table, args->json ? "json" : o->format, o->output, err) : r;
}

static int check(const struct compare_options *o, const struct tare_command_args *args, struct tare_err *err)
{
    if (args->n_words != 2) {
        return tare_err_set(err, TARE_E_USAGE, "compare: give two systems of a run, or two databases");
    }
    if (!(o->alpha > 0 && o->alpha < 0.5) || !(o->margin > 0 && o->margin < 1) ||
        !(o->quality_margin > 0 && o->quality_margin < 1)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "compare: --alpha lies between 0 and 0.5, margins between 0 and 1");
    }
    return 0;
}

static int compare(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct compare_options *o = opts;
    struct opened run = {0}, a = {0}, b = {0};
    struct tare_compare_rows rows = {0};
    struct tare_arena names = {0};
    int r = check(o, args, err);
    r = r == 0 ? open_sides(o, args->words, &run, &a, &b, err) : r;
    r = r == 0
            ? tare_compare_rows_load(&a.side, &b.side, o->task, split_figures(o->figure, &names), &rows, err)
            : r;
    if (r == 0) {
        r = print(o, args, &a, &b, &rows, err);
        tare_compare_rows_fini(&rows);
    }
    tare_arena_fini(&names);
    close_side(&a);
    close_side(&b);
    close_side(&run);
    return r;
}

const struct tare_command tare_command_compare = {
    .name = "compare",
    .summary = "say what B is against A, and what remains undecided",
    .arguments = "A B",
    .text =
        "A and B are systems of one run (MODEL, or MODEL/TECHNIQUE as the table shows them), or two "
        "databases (FILE, "
        "or FILE:RUN), whose systems of the same name are compared.\n\n"
        "Times and resources are paired by block, as ratios on the log scale: Hodges-Lehmann estimate, exact "
        "signed-rank interval. Quality is paired by item: McNemar's exact test and flips, or the ratio of "
        "sums. "
        "Equivalence is shown by two one-sided tests within the margin. P values of the table are adjusted "
        "together. "
        "The words are better, worse, equivalent and undecided; what would decide is printed beside the "
        "last.\n\n"
        "Two runs are two sessions: their times are shown, and no word is said of them.",
    .max_words = 2,
    .options_size = sizeof(struct compare_options),
    .options = options,
    .run = compare};
