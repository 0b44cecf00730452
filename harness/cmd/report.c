/* SPDX-License-Identifier: Apache-2.0 */
/* `tare report`: the table of a stored run, in any format. */
#include "cmd/cmd.h"

#include "base/buf.h"
#include "cmd/plot.h"
#include "cmd/score.h"
#include "cmd/table.h"
#include "reports/view/view.h"
#include "store/query.h"

#include <string.h>

struct report_options {
    char *db;
    int64_t run;
    char *view;
    char *print_view;
    char *score;
    char *set;
    char *plot;
    char *format;
    char *output;
    bool recompute;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct report_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database to read"},
    {MEMBER(TARE_OPT_I64, run), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "number of the run; 0: the newest"},
    {MEMBER(TARE_OPT_STR, view), .def = "survey",
     .help = "name of a view ('tare list views'), or a JSON file"},
    {MEMBER(TARE_OPT_STR, print_view), .help = "print the JSON of this view, to be copied, and nothing else"},
    {MEMBER(TARE_OPT_STR, score), .help = "a score instead of a view; 'tare list scores' shows them"},
    {MEMBER(TARE_OPT_STR, set), .unit = TARE_OPT_REPEATABLE, .help = "KEY=VALUE: an option of the score"},
    {MEMBER(TARE_OPT_STR, plot),
     .help = "a plot instead of a table: a name of 'tare list plots', with options as NAME{key=value,...}"},
    {MEMBER(TARE_OPT_STR, format), .def = "md",
     .help = "md, term, html, latex, csv or json; of plots svg, pdf, png, tikz or script"},
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; standard output without it"},
    {MEMBER(TARE_OPT_BOOL, recompute), .help = "take latency percentiles anew from every stored sample"},
    TARE_OPT_END};

static int print_view(const char *name, struct tare_err *err)
{
    const char *text = tare_view_text(name);
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 20);
    if (text) {
        tare_buf_add_str(&buf, text);
    }
    int r = text ? tare_print_text(&buf, err)
                 : tare_err_set(err, TARE_E_USAGE,
                                "no view is called \"%.60s\": 'tare list views' shows them", name);
    tare_buf_fini(&buf);
    return r;
}

static int print(const struct report_options *o, struct tare_store *store, int64_t run_id, const char *format,
                 struct tare_err *err)
{
    if (o->plot) {
        return tare_plot_print(store, run_id, o->plot, o->format, o->output, err);
    }
    return o->score ? tare_score_print(store, run_id, o->score, o->set, format, o->output, err)
                    : tare_table_print(store, run_id, o->view, format, o->output, o->recompute, err);
}

static int report(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct report_options *o = opts;
    struct tare_store *store = NULL;
    int64_t run_id = o->run;
    if (o->plot && args->json) {
        return tare_err_set(err, TARE_E_USAGE, "a plot is no JSON: --format script has its data");
    }
    if (o->print_view) {
        return print_view(o->print_view, err);
    }
    /* Stored figures need no look at every sample; whatever may read samples does. */
    bool pictures = strcmp(o->format, "html") == 0;
    enum tare_store_mode mode = o->score || o->plot || pictures ? TARE_STORE_READ : TARE_STORE_FIGURES;
    int r = tare_store_open(args->n_words ? args->words[0] : o->db, mode, &store, err);
    if (r < 0) {
        return r;
    }
    r = run_id ? 0 : tare_query_last_run(store, &run_id, err);
    r = r == 0 ? print(o, store, run_id, args->json ? "json" : o->format, err) : r;
    tare_store_close(store);
    return r;
}

const struct tare_command tare_command_report = {
    .name = "report",
    .summary = "print the table of a stored run",
    .arguments = "[DB]",
    .text =
        "Prints figures as they were derived; nothing is measured again. Invalid cells show why, not a "
        "number. "
        "The view 'full' has every figure of every cell, with source, scope, n, interval and flags. A view "
        "is a "
        "JSON file: --print-view NAME gives one to start from, --view FILE.json uses it. With --score the "
        "table "
        "is that of a published rule over all cells instead: 'tare list scores'. With --plot a picture is "
        "drawn: 'tare list plots'.",
    .max_words = 1,
    .options_size = sizeof(struct report_options),
    .options = options,
    .run = report};
