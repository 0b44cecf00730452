/* SPDX-License-Identifier: Apache-2.0 */
/* `tare verify`: the referee's certificate of one backend with one model. */
#include "verify/verify.h"

#include "base/clock.h"
#include "cmd/backends.h"
#include "cmd/certificate_lines.h"
#include "cmd/cmd.h"
#include "cmd/plan_args.h"
#include "cmd/verify_store.h"
#include "core/interrupt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct verify_options {
    char *against;
    double tolerance;
    char *db;
    char *only;
    int64_t time_limit;
    int64_t context_limit;
    int64_t memory_requests;
    int64_t seed;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct verify_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, against),
     .help = "BACKEND[,path=FILE][,option=value...]: compare log-probabilities with this one's"},
    {MEMBER(TARE_OPT_F64, tolerance), .def = "2e-3", .min = 0, .max = 1000, .unit = "nats",
     .help = "how far two log-probabilities of the same token may be apart"},
    {MEMBER(TARE_OPT_STR, db), .help = "database that gets the certificate; without it none is stored"},
    {MEMBER(TARE_OPT_STR, only),
     .help = "run only the checks that match this pattern; then no certificate is stored"},
    {MEMBER(TARE_OPT_NS, time_limit), .def = "60s", .min = 1000000, .max = INT64_MAX, .unit = "ns",
     .help = "how long loading and each answer may take"},
    {MEMBER(TARE_OPT_I64, context_limit), .def = "4096", .min = 64, .max = 1 << 20, .unit = "tok",
     .help = "longest input that is tried"},
    {MEMBER(TARE_OPT_I64, memory_requests), .def = "1000", .min = 100, .max = 1000000,
     .help = "requests over which memory is watched"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .min = 0, .max = INT64_C(1) << 53, .help = "seed of the texts"},
    TARE_OPT_END};

/* Results on their way into JSON, in order. */
struct collector {
    struct tare_json *lines;
    int64_t counts[TARE_VERIFY_ABSENT + 1];
    const char *first; /* cause of the first failure; NULL: none */
};

static int add_line(void *ctx, const struct tare_verify_check *check, const struct tare_verify_result *q,
                    struct tare_err *err)
{
    struct collector *c = ctx;
    struct tare_json *o = tare_json_add_object(c->lines, NULL);
    bool known = q->outcome != TARE_VERIFY_ABSENT;
    c->counts[q->outcome]++;
    c->first = !c->first && q->cause ? q->cause : c->first;
    tare_json_add_str(o, "check", check->name);
    tare_json_add_str(o, "outcome", tare_verify_outcome_text(q->outcome));
    tare_json_add_str(o, "cause", q->cause);
    tare_json_add_str(o, "proves", check->proves);
    tare_json_add_i64(o, "compared", q->compared);
    tare_json_add_f64(o, "seen", known ? q->seen : (double)NAN);
    tare_json_add_f64(o, "expected", known ? q->expected : (double)NAN);
    tare_json_add_f64(o, "difference", known ? q->difference : (double)NAN);
    tare_json_add_f64(o, "tolerance", known && !isnan(q->difference) ? q->tolerance : (double)NAN);
    tare_json_add_str(o, "unit", q->unit);
    tare_json_add_str(o, "where", known && q->where[0] ? q->where : NULL);
    tare_json_add_str(o, "note", q->note[0] ? q->note : NULL);
    return o ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

/* "native,path=zoo:llama-1m,threads=2" as the spec of a cell, and what its parts are. */
static int make_plan(const char *words, const struct tare_paths *paths, struct tare_plan *out,
                     struct tare_err *err)
{
    struct tare_json *json = tare_json_new_object();
    char *text = NULL;
    tare_json_add_i64(json, "tare", 1);
    struct tare_json *task = tare_json_add_object(tare_json_add_array(json, "tasks"), NULL);
    tare_json_add_str(task, "task", "recall");
    int r = strchr(words, '\n') ? tare_err_set(err, TARE_E_USAGE, "tare verify: one backend on one line")
                                : tare_plan_args_list("models", words, json, err);
    r = r == 0 ? tare_json_print(json, false, &text, err) : r;
    r = r == 0 ? tare_plan_parse(text, strlen(text), "tare verify", NULL, paths, out, err) : r;
    if (r == 0) {
        r = tare_backends_check(out, paths, err);
        if (r < 0) {
            tare_plan_fini(out);
        }
    }
    free(text);
    tare_json_destroy(json);
    return r;
}

static void print_difference(const struct tare_json *v, struct tare_buf *to)
{
    double difference = tare_certificate_number(v, "difference");
    if (!isnan(difference)) {
        tare_buf_printf(to, "       largest difference %.3g of %.3g %s: %s\n", difference,
                        tare_certificate_number(v, "tolerance"), tare_json_str(tare_json_get(v, "unit")),
                        tare_json_str(tare_json_get(v, "where")));
    }
}

static const struct tare_certificate_kind of_a_backend = {
    .lines = "checks",
    .name = "check",
    .about = "proves",
    .truth = "expected",
    .reading = "seen",
    .error = "difference",
    .target = "tolerance",
    .error_unit = "unit",
    .where = "where",
    .counts = {"passed", "failed", "not applicable"},
    .cited = "reports of cells with this backend, model and options show it",
    .numbers = print_difference};

static void add_parts(const struct tare_verify_facts *facts, struct tare_json *root)
{
    struct tare_json *json = NULL;
    struct tare_err ignored = {0};
    if (facts->json && tare_json_parse(facts->json, strlen(facts->json), "facts", &json, &ignored) == 0) {
        tare_json_add_copy(root, "model", json);
    } else {
        tare_json_add_null(root, "model");
    }
    tare_json_destroy(json);
}

/* Both plans live: specs are borrowed from them. */
static int verify_with(const struct verify_options *o, const struct tare_command_args *args,
                       const struct tare_verify_args *with, struct tare_json *root, struct collector *c,
                       struct tare_err *err)
{
    struct tare_verify_facts facts = {NULL};
    int64_t begin_ns = tare_clock_ns(), id = TARE_UNKNOWN;
    bool keep = o->db && !o->only;
    int r = tare_verify_run(with, o->only, add_line, c, &facts, err);
    if (r == 0 && keep) {
        const struct tare_verify_certificate certificate = {.backend = args->words[0],
                                                            .spec = with->spec,
                                                            .facts = facts.json,
                                                            .reference = with->reference_name,
                                                            .kind = &of_a_backend,
                                                            .lines = c->lines};
        r = tare_verify_store(o->db, args->paths, &certificate, &id, err);
    }
    tare_json_add_i64(root, "passed", c->counts[TARE_VERIFY_PASSED]);
    tare_json_add_i64(root, "failed", c->counts[TARE_VERIFY_FAILED]);
    tare_json_add_i64(root, "absent", c->counts[TARE_VERIFY_ABSENT]);
    tare_json_add_str(root, "fault", c->first);
    tare_json_add_f64(root, "seconds", (double)(tare_clock_ns() - begin_ns) / 1e9);
    if (r == 0 && keep) {
        tare_json_add_i64(root, "certificate", id);
    }
    add_parts(&facts, root);
    free(facts.json);
    return r;
}

static int run_referee(const struct verify_options *o, const struct tare_command_args *args,
                       struct tare_json *root, struct collector *c, struct tare_err *err)
{
    struct tare_plan own = {.n_cells = 0}, reference = {.n_cells = 0};
    int r = make_plan(args->words[0], args->paths, &own, err);
    if (r < 0) {
        return r;
    }
    r = o->against ? make_plan(o->against, args->paths, &reference, err) : 0;
    if (r == 0 && own.n_cells > 0) {
        const struct tare_verify_args with = {.exe = args->paths->exe,
                                              .spec = own.cells[0].spec,
                                              .reference = reference.n_cells ? reference.cells[0].spec : NULL,
                                              .reference_name = o->against,
                                              .time_limit_ns = o->time_limit,
                                              .tolerance_nats = o->tolerance,
                                              .most_context_tok = o->context_limit,
                                              .memory_requests = o->memory_requests,
                                              .seed = o->seed};
        r = verify_with(o, args, &with, root, c, err);
        if (o->against) {
            tare_plan_fini(&reference);
        }
    }
    tare_plan_fini(&own);
    return r;
}

static int verify(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct verify_options *o = opts;
    if (args->n_words != 1) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "tare verify: which backend? Such as native,path=zoo:llama-1m; 'tare list backends' "
            "shows them");
    }
    tare_interrupt_catch();
    struct tare_json *root = tare_json_new_object();
    tare_json_add_str(root, "backend", args->words[0]);
    tare_json_add_str(root, "against", o->against);
    tare_json_add_f64(root, "tolerance_nats", o->tolerance);
    tare_json_add_i64(root, "seed", o->seed);
    struct collector c = {.lines = tare_json_add_array(root, of_a_backend.lines)};
    int r = run_referee(o, args, root, &c, err);
    if (r < 0) {
        tare_json_destroy(root);
        return r;
    }
    r = tare_certificate_print(root, &of_a_backend, args->json, err);
    return r < 0 ? r : c.counts[TARE_VERIFY_FAILED] ? TARE_EXIT_GATE : TARE_EXIT_OK;
}

const struct tare_command tare_command_verify = {
    .name = "verify",
    .summary = "the referee: does a backend answer as it must?",
    .arguments = "BACKEND[,path=FILE][,option=value...]",
    .text =
        "Loads the backend in a process of its own and asks it what must have one answer: the same request "
        "alone "
        "and amid others, scored whole and in parts, near and beyond the end of the context, generated twice "
        "and "
        "with other threads. Each check has passed, has failed (with what was seen, what was expected, and "
        "where), "
        "or is absent with the reason; nothing that was not run has passed.\n\n"
        "With --against the log-probabilities of every token are compared with another backend's: only that "
        "sees a "
        "fault which is the same in all answers. A backend that crashes, hangs or prints is a result, "
        "too.\n\n"
        "With --db the results are stored as a certificate of this shared object, model and options on this "
        "machine, and reports of cells with these show it. The exit status is 0 if no check failed and 1 if "
        "one "
        "did.",
    .max_words = 1,
    .options_size = sizeof(struct verify_options),
    .options = options,
    .run = verify};
