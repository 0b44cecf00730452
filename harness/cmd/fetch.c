/* SPDX-License-Identifier: Apache-2.0 */
/* `tare fetch`: the files of data sets, from the addresses that their sources name or from a folder. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/log.h"
#include "cmd/fetch_pick.h"
#include "cmd/fetch_show.h"
#include <tare/data_folder.h>
#include "core/interrupt.h"
#include "fetch/take.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { max_words = 1000 };

struct fetch_options {
    char *data, *from, *mirror, *ca_file;
    bool list, verify, dry_run, replace;
    int64_t connect, stall, tries;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct fetch_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, data), .help = "folder of the data; else $TARE_DATASETS, "
                                         "$XDG_DATA_HOME/tare/datasets, ~/.local/share/tare/datasets"},
    {MEMBER(TARE_OPT_BOOL, list), .help = "show sources with licence, size and what is there; take nothing"},
    {MEMBER(TARE_OPT_BOOL, verify), .help = "check size and SHA-256 of what is there; take nothing"},
    {MEMBER(TARE_OPT_BOOL, dry_run), .help = "show what would be taken; take nothing"},
    {MEMBER(TARE_OPT_STR, from), .help = "folder to take the files from, without the network"},
    {MEMBER(TARE_OPT_STR, mirror), .help = "address that is asked first, as ADDRESS/piqa/valid.jsonl"},
    {MEMBER(TARE_OPT_BOOL, replace), .help = "take the place of a file that is there with other bytes"},
    {MEMBER(TARE_OPT_NS, connect), .def = "20s", .help = "limit for a connection", .min = 1000000,
     .max = INT64_MAX / 4},
    {MEMBER(TARE_OPT_NS, stall), .def = "30s",
     .help = "limit for a line that brings under 100 bytes a second", .min = 1000000000,
     .max = INT64_MAX / 4},
    {MEMBER(TARE_OPT_I64, tries), .def = "3", .help = "how often an address is asked when the line breaks",
     .min = 1, .max = 100},
    {MEMBER(TARE_OPT_STR, ca_file), .help = "certificates (PEM) to trust instead of the system's"},
    TARE_OPT_END};

/* Standard error: a line that is written over on a terminal. */
struct screen {
    bool terminal, shown;
    int64_t due_ns, began_ns;
    const struct tare_source_file *file;
};

static void clear(struct screen *s)
{
    if (s->shown) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        s->shown = false;
    }
}

static void say(void *ctx, bool is_warning, const char *line)
{
    clear(ctx);
    tare_log(is_warning ? TARE_LOG_WARN : TARE_LOG_INFO, NULL, "%s", line);
}

static bool progress(void *ctx, const struct tare_source_file *file, int64_t done_bytes)
{
    static const int64_t every_ns = 200000000;
    struct screen *s = ctx;
    int64_t now_ns = tare_clock_ns();
    if (s->file != file) {
        s->file = file;
        s->began_ns = now_ns;
    }
    if (s->terminal && now_ns >= s->due_ns) {
        double share = file->bytes > 0 ? 100.0 * (double)done_bytes / (double)file->bytes : 100.0;
        (void)fprintf(stderr, "\r\033[K%5.1f %% of %" PRId64 " B, %.0f s: %s", share, file->bytes,
                      (double)(now_ns - s->began_ns) / 1e9, file->file);
        (void)fflush(stderr);
        s->shown = true;
        s->due_ns = now_ns + every_ns;
    }
    return tare_interrupted();
}

static int look_at_all(struct tare_picks *picks, const char *folder, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < picks->n_picks; i++) {
        r = tare_source_look(picks->picks[i].file, folder, &picks->picks[i].found, err);
    }
    return r;
}

/* Before anything of a source is taken. */
static void say_licence(const struct tare_source *s)
{
    tare_log(TARE_LOG_INFO, NULL, "%s: licence %s (%s)%s%s", s->name, s->licence, s->licence_from,
             s->licence_url ? " " : "", s->licence_url ? s->licence_url : "");
    tare_log(TARE_LOG_INFO, NULL, "%s: cite %s", s->name, s->cite);
}

static void note_failure(struct tare_pick *pick, const char *why)
{
    (void)snprintf(pick->failure, sizeof pick->failure, "%s", why);
    tare_log(TARE_LOG_ERROR, NULL, "%s", why);
}

/* What stops one file stops no other, but for these. */
static bool stops_all(int r)
{
    return r == TARE_E_INTERRUPTED || r == TARE_E_UNSUPPORTED || r == TARE_E_NOMEM;
}

/* Returns an exit status, or the error that stopped it. */
static int take_all(struct tare_picks *picks, struct tare_take *take, struct tare_err *err)
{
    int status = TARE_EXIT_OK;
    for (size_t i = 0; i < picks->n_picks; i++) {
        struct tare_pick *p = &picks->picks[i];
        struct tare_err why = {0};
        if (i == 0 || p->source != picks->picks[i - 1].source) {
            say_licence(p->source);
        }
        int r = tare_take_file(take, p->file, &p->from, &why);
        clear(take->ctx);
        if (stops_all(r)) {
            return tare_err_set(err, r, "%s", why.msg);
        }
        p->taken = r == 0;
        if (r < 0) {
            note_failure(p, why.msg);
            status = TARE_EXIT_ENVIRONMENT;
        }
        r = tare_source_look(p->file, take->folder, &p->found, &why);
        status = r < 0 ? TARE_EXIT_ENVIRONMENT : status;
    }
    return status;
}

/* What take_all would do with a file, as far as that can be known. */
static int plan_one(struct tare_pick *p, const struct tare_take *take, struct tare_buf *to)
{
    const char *refusal = tare_take_refusal(take, p->file);
    const char *from = take->from ? take->from : take->mirror;
    char why[512] = "";
    if (p->found.state == TARE_SOURCE_PRESENT) {
        tare_buf_printf(to, "%s: is there\n", p->file->file);
    } else if (p->found.state == TARE_SOURCE_CHANGED && !take->replace) {
        (void)snprintf(why, sizeof why,
                       "%s: it is there with other bytes than it must have; --replace takes its place",
                       p->file->file);
    } else if (refusal) {
        (void)snprintf(why, sizeof why, "%s cannot be taken: %s; %s", p->file->file, p->file->why, refusal);
    } else {
        tare_buf_printf(to, "%s: %" PRId64 " B from %s\n", p->file->file, p->file->bytes,
                        from ? from : tare_json_str(tare_json_first(p->file->urls)));
    }
    if (why[0]) {
        note_failure(p, why);
    }
    return why[0] ? TARE_EXIT_ENVIRONMENT : TARE_EXIT_OK;
}

static int plan_all(struct tare_picks *picks, const struct tare_take *take, struct tare_buf *to)
{
    int status = TARE_EXIT_OK;
    for (size_t i = 0; i < picks->n_picks; i++) {
        if (i == 0 || picks->picks[i].source != picks->picks[i - 1].source) {
            say_licence(picks->picks[i].source);
        }
        int s = plan_one(&picks->picks[i], take, to);
        status = s != TARE_EXIT_OK ? s : status;
    }
    return status;
}

/* Without names, what is absent is no fault; but nothing at all is. */
static int judge(const struct tare_picks *picks, bool named, const char *folder)
{
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < picks->n_picks; i++) {
        enum tare_source_state state = picks->picks[i].found.state;
        good += state == TARE_SOURCE_PRESENT;
        bad += state == TARE_SOURCE_CHANGED || (named && state != TARE_SOURCE_PRESENT);
    }
    if (bad > 0) {
        tare_log(TARE_LOG_ERROR, NULL, "%zu of %zu files in %s are not what they must be", bad, good + bad,
                 folder);
    } else if (good == 0) {
        tare_log(TARE_LOG_ERROR, NULL, "%s holds no file of a source, so nothing was verified", folder);
    }
    return bad > 0 || good == 0 ? TARE_EXIT_ENVIRONMENT : TARE_EXIT_OK;
}

/* Only what is there, unless names were given. */
static void drop_absent(struct tare_picks *picks)
{
    size_t n = 0;
    for (size_t i = 0; i < picks->n_picks; i++) {
        if (picks->picks[i].found.state != TARE_SOURCE_ABSENT) {
            picks->picks[n++] = picks->picks[i];
        }
    }
    picks->n_picks = n;
}

static int work(struct tare_picks *picks, const struct fetch_options *o, bool named, const char *folder,
                struct tare_buf *text, struct tare_err *err)
{
    struct screen screen = {.terminal = isatty(STDERR_FILENO) != 0};
    struct tare_take take = {.folder = folder,
                             .from = o->from,
                             .mirror = o->mirror,
                             .ca_file = o->ca_file,
                             .connect_ns = o->connect,
                             .stall_ns = o->stall,
                             .tries = o->tries,
                             .pause_ns = 1000000000,
                             .replace = o->replace,
                             .ctx = &screen,
                             .say = say,
                             .progress = progress};
    int r = look_at_all(picks, folder, err);
    if (r < 0) {
        return r;
    }
    if (o->list) {
        tare_buf_printf(text, "data in %s\n", folder);
        tare_fetch_list(picks, named, text);
        return TARE_EXIT_OK;
    }
    if (o->verify) {
        if (!named) {
            drop_absent(picks);
        }
        tare_fetch_states(picks, text);
        return judge(picks, named, folder);
    }
    if (o->dry_run) {
        return plan_all(picks, &take, text);
    }
    tare_interrupt_catch();
    r = take_all(picks, &take, err);
    tare_fetch_done(picks, text);
    return r;
}

static int check_usage(const struct fetch_options *o, int n_words, struct tare_err *err)
{
    if (o->list + o->verify + o->dry_run > 1) {
        return tare_err_set(err, TARE_E_USAGE, "tare fetch: one of --list, --verify and --dry-run at a time");
    }
    if (o->from && o->mirror) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare fetch: --from takes files from a folder only; leave --mirror out");
    }
    if (n_words == 0 && !o->list && !o->verify) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare fetch: name a task or a source; 'tare fetch --list' shows them");
    }
    return o->mirror ? tare_url_check(o->mirror, TARE_URL_MIRROR, err) : 0;
}

static int pick_words(struct tare_picks *picks, const struct tare_command_args *args, struct tare_err *err)
{
    int r = args->n_words == 0 ? tare_picks_add_all(picks, args->paths, err) : 0;
    for (int i = 0; r == 0 && i < args->n_words; i++) {
        r = tare_picks_add(picks, args->paths, args->words[i], err);
    }
    tare_picks_sort(picks);
    /* A broken source is no failed cell, which is what this code means to a run. */
    return r == TARE_E_FORMAT || r == TARE_E_LIMIT ? TARE_E_ENVIRONMENT : r;
}

static int fetch(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct fetch_options *o = opts;
    struct tare_picks picks = {0};
    char folder[TARE_PATH_MAX];
    int r = check_usage(o, args->n_words, err);
    r = r == 0 ? tare_data_folder(o->data, folder, sizeof folder, err) : r;
    r = r == 0 ? pick_words(&picks, args, err) : r;
    struct tare_buf text;
    tare_buf_init(&text, 64 << 20);
    int status = r == 0 ? work(&picks, o, args->n_words > 0, folder, &text, err) : r;
    if (status >= 0) {
        r = args->json ? tare_print_json(tare_fetch_json(&picks, folder), err) : tare_print_text(&text, err);
    } else if (status == TARE_E_UNSUPPORTED) { /* of this build or machine, not of a cell */
        status = TARE_E_ENVIRONMENT;
    }
    tare_buf_fini(&text);
    tare_picks_fini(&picks);
    return r < 0 && status >= 0 ? r : status;
}

const struct tare_command tare_command_fetch = {
    .name = "fetch",
    .summary = "take the files of data sets, checked by size and SHA-256",
    .arguments = "[TASK|SOURCE|FILE]...",
    .text =
        "A source (datasets/sources/NAME.json) pins each file of a data set by size and SHA-256 and names "
        "its "
        "licence, which is shown before anything is taken, and addresses. A word is a source, one of its "
        "files "
        "(piqa/valid.jsonl), a task or the path of a task file. A file comes into place whole and right, or "
        "not at all; what came of a download that broke is gone on with by the next. Files whose SHA-256 is "
        "not "
        "known are refused.\n\n"
        "Addresses are https (http where a source says so, whose bytes are pinned all the same); "
        "certificates are "
        "always verified, redirects stay on their host, and the proxy is the environment's (https_proxy, "
        "http_proxy, all_proxy, no_proxy). This is the only command that goes online by itself.\n\n"
        "Exit status: 5 if a file could not be taken or, with --verify, is not what it must be.",
    .max_words = max_words,
    .options_size = sizeof(struct fetch_options),
    .options = options,
    .run = fetch};
