/* SPDX-License-Identifier: Apache-2.0 */
/* `tare selftest`: workloads of known cost, and the calibration certificate that comes of them. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/log.h"
#include "cmd/certificate.h"
#include "config.h"
#include "selftest/selftest.h"
#include "store/certificate.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

struct selftest_options {
    char *db;
    char *only;
    bool store;
    int64_t seed;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct selftest_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database that gets the certificate"},
    {MEMBER(TARE_OPT_STR, only),
     .help = "run only the checks that match this pattern; then no certificate is stored"},
    {MEMBER(TARE_OPT_BOOL, store), .def = "true", .help = "store the certificate"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .min = 0, .max = INT64_C(1) << 53,
     .help = "seed of what is drawn at random"},
    TARE_OPT_END};

/* Lines on their way into JSON, in order. */
struct collector {
    struct tare_check_sink sink;
    struct tare_json *lines;
    int64_t counts[TARE_CHECK_INFO + 1];
};

static int add_line(struct tare_check_sink *to, const struct tare_check_line *l, struct tare_err *err)
{
    struct collector *c = (struct collector *)to;
    enum tare_check_outcome outcome = tare_check_judge(l);
    struct tare_json *o = tare_json_add_object(c->lines, NULL);
    bool known = outcome != TARE_CHECK_ABSENT, judged = known && outcome != TARE_CHECK_INFO;
    c->counts[outcome]++;
    tare_json_add_str(o, "quantity", l->quantity);
    tare_json_add_str(o, "workload", l->workload);
    tare_json_add_str(o, "unit", l->unit);
    tare_json_add_f64(o, "truth", judged ? l->truth : (double)NAN);
    tare_json_add_f64(o, "reading", known ? l->reading : (double)NAN);
    tare_json_add_f64(o, "error", judged ? l->error : (double)NAN);
    tare_json_add_str(o, "error_unit", l->error_unit ? l->error_unit : l->unit);
    tare_json_add_f64(o, "target", judged ? l->target : (double)NAN);
    tare_json_add_str(o, "outcome", tare_check_outcome_text(outcome));
    tare_json_add_str(o, "note", l->absent ? l->absent : l->note);
    return o ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static int run_checks(const struct selftest_options *o, const struct tare_paths *paths, struct collector *to,
                      struct tare_err *err)
{
    const struct tare_check_context context = {.paths = paths, .seed = (uint64_t)o->seed, .to = &to->sink};
    int r = 0;
    size_t n = 0;
    for (size_t i = 0; r == 0 && tare_checks[i].name; i++) {
        if (!o->only || fnmatch(o->only, tare_checks[i].name, 0) == 0) {
            r = tare_checks[i].run(&context, err);
            n++;
        }
    }
    return r == 0 && n == 0
               ? tare_err_set(err, TARE_E_USAGE, "tare selftest: no check matches \"%.60s\"", o->only)
               : r;
}

static double number(const struct tare_json *line, const char *key)
{
    const struct tare_json *v = tare_json_get(line, key);
    return tare_json_type(v) == TARE_JSON_NUMBER ? tare_json_num(v) : (double)NAN;
}

static int store_lines(struct tare_store *store, int64_t id, const struct tare_json *lines,
                       struct tare_err *err)
{
    int64_t position = 0;
    int r = 0;
    for (const struct tare_json *v = tare_json_first(lines); r == 0 && v; v = tare_json_next(v)) {
        const struct tare_certificate_line line = {.quantity = tare_json_str(tare_json_get(v, "quantity")),
                                                   .workload = tare_json_str(tare_json_get(v, "workload")),
                                                   .unit = tare_json_str(tare_json_get(v, "unit")),
                                                   .truth = number(v, "truth"),
                                                   .reading = number(v, "reading"),
                                                   .error = number(v, "error"),
                                                   .target = number(v, "target"),
                                                   .error_unit =
                                                       tare_json_str(tare_json_get(v, "error_unit")),
                                                   .outcome = tare_json_str(tare_json_get(v, "outcome")),
                                                   .note = tare_json_str(tare_json_get(v, "note"))};
        r = tare_store_add_certificate_line(store, id, position++, &line, err);
    }
    return r;
}

static int store_certificate(const char *db, const struct tare_paths *paths, const struct tare_json *lines,
                             int64_t *out_id, struct tare_err *err)
{
    char now[32];
    struct tare_certified certified;
    struct tare_store *store = NULL;
    int r = tare_certified_find(paths, &certified, err);
    r = r == 0 ? tare_store_open(db, TARE_STORE_CREATE, &store, err) : r;
    if (r < 0) {
        return r;
    }
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    const struct tare_certificate_row row = {.made_utc = now,
                                             .tare_version = TARE_VERSION,
                                             .tare_sha256 = certified.tare_sha256,
                                             .machine = certified.machine};
    r = tare_store_begin(store, err);
    if (r == 0) {
        r = tare_store_add_certificate(store, &row, out_id, err);
        r = r == 0 ? store_lines(store, *out_id, lines, err) : r;
        if (r == 0) {
            r = tare_store_commit(store, err);
        } else {
            tare_store_rollback(store);
        }
    }
    r = r == 0 ? tare_store_checkpoint(store, err) : r;
    tare_store_close(store);
    return r;
}

static void print_number(struct tare_buf *to, double value, int width)
{
    if (isfinite(value)) {
        tare_buf_printf(to, " %*.*g", width, fabs(value) >= 1e5 ? 9 : 6, value);
    } else {
        tare_buf_printf(to, " %*s", width, "-");
    }
}

static void print_text(const struct tare_json *root, struct tare_buf *to)
{
    const struct tare_json *lines = tare_json_get(root, "lines");
    for (const struct tare_json *v = tare_json_first(lines); v; v = tare_json_next(v)) {
        const char *note = tare_json_str(tare_json_get(v, "note"));
        tare_buf_printf(to, "%-6s %-14s %s\n", tare_json_str(tare_json_get(v, "outcome")),
                        tare_json_str(tare_json_get(v, "quantity")),
                        tare_json_str(tare_json_get(v, "workload")));
        if (isfinite(number(v, "reading"))) {
            tare_buf_add_str(to, "       truth");
            print_number(to, number(v, "truth"), 14);
            tare_buf_add_str(to, "  reading");
            print_number(to, number(v, "reading"), 14);
            tare_buf_printf(to, " %s  error", tare_json_str(tare_json_get(v, "unit")));
            print_number(to, number(v, "error"), 12);
            tare_buf_add_str(to, "  target");
            print_number(to, number(v, "target"), 8);
            tare_buf_printf(to, " %s\n", tare_json_str(tare_json_get(v, "error_unit")));
        }
        if (note) {
            tare_buf_printf(to, "       %s\n", note);
        }
    }
    tare_buf_printf(to, "%.0f within target, %.0f beyond it, %.0f could not be checked here; %.1f s\n",
                    number(root, "passed"), number(root, "failed"), number(root, "absent"),
                    number(root, "seconds"));
    if (isfinite(number(root, "certificate"))) {
        tare_buf_printf(to, "certificate %.0f: runs in this database cite it\n", number(root, "certificate"));
    }
}

static int print(struct tare_json *root, bool json, struct tare_err *err)
{
    if (json) {
        return tare_print_json(root, err);
    }
    struct tare_buf text;
    tare_buf_init(&text, 1 << 20);
    print_text(root, &text);
    int r = tare_print_text(&text, err);
    tare_buf_fini(&text);
    tare_json_destroy(root);
    return r;
}

static int selftest(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct selftest_options *o = opts;
    struct tare_json *root = tare_json_new_object();
    struct collector c = {.sink = {add_line}, .lines = tare_json_add_array(root, "lines")};
    int64_t begin_ns = tare_clock_ns(), id = TARE_ABSENT;
    int r = run_checks(o, args->paths, &c, err);
    bool keep = o->store && !o->only;
    r = r == 0 && keep ? store_certificate(o->db, args->paths, c.lines, &id, err) : r;
    if (r < 0) {
        tare_json_destroy(root);
        return r;
    }
    tare_json_add_i64(root, "passed", c.counts[TARE_CHECK_PASS]);
    tare_json_add_i64(root, "failed", c.counts[TARE_CHECK_FAIL]);
    tare_json_add_i64(root, "absent", c.counts[TARE_CHECK_ABSENT]);
    tare_json_add_f64(root, "seconds", (double)(tare_clock_ns() - begin_ns) / 1e9);
    if (keep) {
        tare_json_add_i64(root, "certificate", id);
    }
    r = print(root, args->json, err);
    return r < 0 ? r : c.counts[TARE_CHECK_FAIL] ? TARE_EXIT_INVALID : TARE_EXIT_OK;
}

const struct tare_command tare_command_selftest = {
    .name = "selftest",
    .summary = "measure workloads of known cost, and certify this machine",
    .arguments = "",
    .text =
        "Runs workloads whose cost is known (delays, CPU time, memory, bytes, FLOPs, joules of a fake meter, "
        "percentiles of known distributions) through tare's own meters and says how far the readings are "
        "from "
        "the truth and how far they may be.\n\n"
        "The lines are stored as the calibration certificate of this machine and this executable; later runs "
        "in the same database cite it, and their reports say so. A line beyond its target makes the exit "
        "status 4. What cannot be checked here says why. Takes less than a minute; run it on a quiet "
        "machine.",
    .options_size = sizeof(struct selftest_options),
    .options = options,
    .run = selftest};
