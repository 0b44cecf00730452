/* SPDX-License-Identifier: Apache-2.0 */
/* `tare report`: the table of a stored run, in any format. */
#include "cmd/cmd.h"

#include "cmd/table.h"
#include "store/query.h"

struct report_options {
    char *db;
    int64_t run;
    char *view;
    char *format;
    char *output;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct report_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database to read"},
    {MEMBER(TARE_OPT_I64, run), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "number of the run; 0: the newest"},
    {MEMBER(TARE_OPT_STR, view), .def = "survey", .help = "survey: a row a model; full: a row a figure"},
    {MEMBER(TARE_OPT_STR, format), .def = "md", .help = "md, term, html, latex, csv or json"},
    {MEMBER(TARE_OPT_STR, output), .help = "file to write; standard output without it"},
    TARE_OPT_END};

static int report(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct report_options *o = opts;
    struct tare_store *store = NULL;
    int64_t run_id = o->run;
    int r = tare_store_open(args->n_words ? args->words[0] : o->db, TARE_STORE_READ, &store, err);
    if (r < 0) {
        return r;
    }
    r = run_id ? 0 : tare_query_last_run(store, &run_id, err);
    r = r == 0 ? tare_table_print(store, run_id, o->view, args->json ? "json" : o->format, o->output, err)
               : r;
    tare_store_close(store);
    return r;
}

const struct tare_command tare_command_report = {
    .name = "report",
    .summary = "print the table of a stored run",
    .arguments = "[DB]",
    .text = "Prints figures as they were derived; nothing is measured again. Invalid cells show why, not a "
            "number. "
            "The view 'full' has every figure of every cell, with source, scope, n, interval and flags.",
    .max_words = 1,
    .options_size = sizeof(struct report_options),
    .options = options,
    .run = report};
