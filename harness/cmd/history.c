/* SPDX-License-Identifier: Apache-2.0 */
/* `tare history`: change points and alarms over many runs. A report: it never fails a build. */
#include "cmd/cmd.h"

#include "cmd/history_plot.h"
#include "cmd/history_table.h"

#include <string.h>

struct history_options {
    char *db;
    char *csv;
    char *figure;
    char *series;
    double min_shift;
    double delta;
    char *format;
    char *output;
    char *plot;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct history_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .unit = TARE_OPT_REPEATABLE, .help = "a further database of the same history"},
    {MEMBER(TARE_OPT_STR, csv),
     .help = "a CSV file with a column value instead, and perhaps series, time, commit"},
    {MEMBER(TARE_OPT_STR, figure), .unit = TARE_OPT_REPEATABLE,
     .help = "figure to follow instead of the usual ones"},
    {MEMBER(TARE_OPT_STR, series), .help = "only series in whose name this text stands"},
    {MEMBER(TARE_OPT_F64, min_shift), .def = "0.01", .help = "smallest step that is a change, as a share"},
    {MEMBER(TARE_OPT_F64, delta), .def = "0.02", .help = "smallest step that raises an alarm, as a share"},
    {MEMBER(TARE_OPT_STR, format), .def = "term", .help = "any format of 'tare report'"},
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; standard output without it"},
    {MEMBER(TARE_OPT_STR, plot),
     .help = "also draw the one series into this file: .svg, .pdf, .png, .tex or .gp; see --series"},
    TARE_OPT_END};

/* The lines of a repeatable option, NULL-terminated, in the arena; NULL for none. */
static const char **lines_of(char *list, struct tare_arena *arena)
{
    size_t n = 2, used = 0;
    for (const char *c = list; c && *c; c++) {
        n += *c == '\n';
    }
    const char **lines = list ? tare_arena_array(arena, n, sizeof *lines) : NULL;
    for (char *rest = list, *line; lines && (line = strsep(&rest, "\n")) != NULL;) {
        lines[used++] = line;
        lines[used] = NULL;
    }
    return lines;
}

static int load(const struct history_options *o, const struct tare_command_args *args,
                struct tare_histories *h, struct tare_err *err)
{
    const char **wanted = lines_of(o->figure, &h->arena), **more = lines_of(o->db, &h->arena);
    int r = o->csv ? tare_history_add_csv(h, o->csv, err) : 0;
    bool default_db = !o->csv && args->n_words == 0 && !more;
    if (default_db) {
        r = tare_history_add_database(h, "tare.db", wanted, err);
    }
    for (int i = 0; r == 0 && i < args->n_words; i++) {
        r = tare_history_add_database(h, args->words[i], wanted, err);
    }
    for (size_t i = 0; r == 0 && more && more[i]; i++) {
        r = tare_history_add_database(h, more[i], wanted, err);
    }
    return r == 0 && h->n == 0
               ? tare_err_set(err, TARE_E_USAGE, "history: no session of a VALID cell has such a figure")
               : r;
}

/* Leaves the series that are asked for. */
static int pick(const struct history_options *o, struct tare_histories *h, struct tare_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (!o->series || strstr(h->list[i].key, o->series)) {
            struct tare_history_series swap = h->list[kept];
            h->list[kept++] = h->list[i];
            h->list[i] = swap; /* stays in the list's memory, whose owner frees each */
        }
    }
    if (kept == 0) {
        return tare_err_set(err, TARE_E_USAGE, "history: \"%.100s\" stands in the name of none of %zu series",
                            o->series, h->n);
    }
    return o->plot && kept > 1
               ? tare_err_set(
                     err, TARE_E_USAGE,
                     "history: a plot shows one series, and these are %zu: name one with --series, as "
                     "\"%.100s\"",
                     kept, h->list[0].key)
               : (int)kept;
}

static int judge_and_write(const struct history_options *o, bool json, struct tare_histories *h,
                           struct tare_err *err)
{
    struct tare_history_found *found = NULL;
    tare_history_order(h);
    int picked = pick(o, h, err);
    size_t n = picked < 0 ? 0 : (size_t)picked;
    int r = picked < 0 ? picked : tare_history_judge(h->list, n, o->min_shift, o->delta, &found, err);
    if (r == 0 && o->plot) {
        r = tare_history_plot_write(&found[0], o->plot, &h->arena, err);
    }
    if (r == 0) {
        r = tare_history_table_write(found, n, o->delta, json ? "json" : o->format, o->output, &h->arena,
                                     err);
    }
    tare_history_found_free(found, n);
    return r;
}

static int history(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct history_options *o = opts;
    struct tare_histories h = {.n = 0};
    int r = o->min_shift > 0 && o->delta > 0
                ? load(o, args, &h, err)
                : tare_err_set(err, TARE_E_USAGE, "history: --min-shift and --delta lie above 0");
    if (r == 0) {
        r = judge_and_write(o, args->json, &h, err);
    }
    tare_history_free(&h);
    return r;
}

const struct tare_command tare_command_history = {
    .name = "history",
    .summary = "change points and alarms over many runs",
    .arguments = "[DB]",
    .text =
        "Every run is a session with one value of each figure. Sessions on the same processor, microcode and "
        "kernel "
        "with the same model make a series. Its changes are found looking back; the newest session is held "
        "against those since the last change, and an alarm needs a second, independent session. Beside it "
        "stands "
        "how likely a 5 % or 10 % change would have been found.\n\n"
        "A history says what happened between sessions; it cannot tell a change of the code from one of the "
        "machine's "
        "state, and never fails a build: 'tare check' does.",
    .max_words = 1,
    .options_size = sizeof(struct history_options),
    .options = options,
    .run = history};
