/* SPDX-License-Identifier: Apache-2.0 */
/* `tare selftest`: workloads of known cost, and the calibration certificate that comes of them. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/log.h"
#include "cmd/certificate.h"
#include "cmd/certificate_lines.h"
#include "config.h"
#include "selftest/selftest.h"

#include <fnmatch.h>
#include <math.h>

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

static void print_number(struct tare_buf *to, double value, int width)
{
    if (isfinite(value)) {
        tare_buf_printf(to, " %*.*g", width, fabs(value) >= 1e5 ? 9 : 6, value);
    } else {
        tare_buf_printf(to, " %*s", width, "-");
    }
}

static void print_reading(const struct tare_json *v, struct tare_buf *to)
{
    if (isfinite(tare_certificate_number(v, "reading"))) {
        tare_buf_add_str(to, "       truth");
        print_number(to, tare_certificate_number(v, "truth"), 14);
        tare_buf_add_str(to, "  reading");
        print_number(to, tare_certificate_number(v, "reading"), 14);
        tare_buf_printf(to, " %s  error", tare_json_str(tare_json_get(v, "unit")));
        print_number(to, tare_certificate_number(v, "error"), 12);
        tare_buf_add_str(to, "  target");
        print_number(to, tare_certificate_number(v, "target"), 8);
        tare_buf_printf(to, " %s\n", tare_json_str(tare_json_get(v, "error_unit")));
    }
}

static const struct tare_certificate_kind of_the_machine = {
    .lines = "lines",
    .name = "quantity",
    .about = "workload",
    .truth = "truth",
    .reading = "reading",
    .error = "error",
    .target = "target",
    .error_unit = "error_unit",
    .counts = {"within target", "beyond it", "could not be checked here"},
    .cited = "runs in this database cite it",
    .numbers = print_reading};

static int store_certificate(const char *db, const struct tare_paths *paths, const struct tare_json *lines,
                             int64_t *out_id, struct tare_err *err)
{
    char now[32];
    struct tare_certified certified;
    int r = tare_certified_find(paths, &certified, err);
    if (r < 0) {
        return r;
    }
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    const struct tare_certificate_row row = {.made_utc = now,
                                             .tare_version = TARE_VERSION,
                                             .tare_sha256 = certified.tare_sha256,
                                             .machine = certified.machine};
    return tare_certificate_store(db, &row, &of_the_machine, lines, out_id, err);
}

static int selftest(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct selftest_options *o = opts;
    struct tare_json *root = tare_json_new_object();
    struct collector c = {.sink = {add_line}, .lines = tare_json_add_array(root, of_the_machine.lines)};
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
    r = tare_certificate_print(root, &of_the_machine, args->json, err);
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
