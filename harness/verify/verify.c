/* SPDX-License-Identifier: Apache-2.0 */
/* The list of checks, and what becomes of each. */
#include "verify/verify.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct tare_verify_check tare_verify_check_##name;
#include "tare_verify_checks.inc"
#undef X

#define X(name) &tare_verify_check_##name,
const struct tare_verify_check *const tare_verify_checks[] = {
#include "tare_verify_checks.inc"
    NULL};
#undef X

enum { most_deaths = 3 };

const char *tare_verify_outcome_text(enum tare_verify_outcome outcome)
{
    return outcome == TARE_VERIFY_PASSED ? "pass" : outcome == TARE_VERIFY_FAILED ? "FAIL" : "absent";
}

/* A capability that the check needs and the backend does not claim. */
static const char *lacks(uint32_t needs, uint32_t caps)
{
    static const char *const names[] = {"score",     "generate",   "logits", "tokenize",
                                        "technique", "concurrent", "sampled"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (needs & ~caps & (1U << i)) {
            return names[i];
        }
    }
    return NULL;
}

static int run_check(struct tare_verify *v, struct tare_err *err)
{
    int r = tare_verify_session_start(&v->session, err);
    if (r != 0) {
        return r;
    }
    const char *lacking = lacks(v->check->needs, v->session.hello.caps);
    if (lacking) {
        return tare_verify_absent(v, "the backend does not claim the capability %s", lacking);
    }
    return v->check->run(v, err);
}

/* What the check has left behind becomes its outcome. */
static void conclude(struct tare_verify *v, uint32_t deaths_before)
{
    struct tare_verify_result *q = &v->result;
    bool died = v->session.child.deaths > deaths_before && q->outcome != TARE_VERIFY_FAILED;
    if (died) {
        q->outcome = TARE_VERIFY_FAILED;
        (void)snprintf(q->note, sizeof q->note, "%s", v->session.child.died);
    } else if (q->outcome == 0 && q->difference > q->tolerance) {
        q->outcome = TARE_VERIFY_FAILED;
        (void)snprintf(q->note, sizeof q->note, "seen %.6g, expected %.6g: %.120s", q->seen, q->expected,
                       q->where);
    } else if (q->outcome == 0 && q->compared == 0) {
        q->outcome = TARE_VERIFY_ABSENT;
        (void)snprintf(q->note, sizeof q->note, "there was nothing to compare");
    } else if (q->outcome == 0) {
        q->outcome = TARE_VERIFY_PASSED;
    }
    bool late = strncmp(q->note, "timeout:", 8) == 0;
    q->cause = q->outcome != TARE_VERIFY_FAILED ? NULL : !died ? v->check->name : late ? "hang" : "crash";
}

static int one(struct tare_verify *v, uint32_t *deaths_in_a_row, tare_verify_fn fn, void *ctx,
               struct tare_err *err)
{
    struct tare_rng root;
    uint32_t deaths = v->session.child.deaths;
    tare_rng_init(&root, (uint64_t)v->args->seed);
    v->rng = tare_rng_split(&root, v->check->name, 0);
    v->result = (struct tare_verify_result){.difference = (double)NAN,
                                            .seen = (double)NAN,
                                            .expected = (double)NAN,
                                            .tolerance = v->args->tolerance_nats,
                                            .unit = "nats"};
    int r = *deaths_in_a_row < most_deaths
                ? run_check(v, err)
                : tare_verify_absent(v,
                                     "not run: the backend's process had died, or hung, in the %d checks "
                                     "before",
                                     most_deaths);
    if (r >= 0) {
        conclude(v, deaths);
        *deaths_in_a_row = *deaths_in_a_row >= most_deaths    ? most_deaths
                           : v->session.child.deaths > deaths ? *deaths_in_a_row + 1
                                                              : 0;
        r = fn(ctx, v->check, &v->result, err);
    }
    tare_arena_fini(&v->arena);
    return r;
}

/* A model that is not there is no fault of the backend's. */
static int load_first(struct tare_verify *v, struct tare_err *err)
{
    int r = tare_verify_session_start(&v->session, err);
    if (r == 1 && v->session.hello.code < 0) {
        return tare_err_set(err, v->session.hello.code, "%s", v->session.hello.message);
    }
    v->session.child.deaths = 0; /* the check that looks at it will find it again */
    return r < 0 ? r : 0;
}

int tare_verify_run(const struct tare_verify_args *args, const char *only, tare_verify_fn fn, void *ctx,
                    struct tare_verify_facts *facts, struct tare_err *err)
{
    struct tare_verify v = {
        .args = args,
        .session = {.child = {.exe = args->exe, .how = "--verify", .time_limit_ns = args->time_limit_ns},
                    .spec = strdup(args->spec)}};
    uint32_t deaths_in_a_row = 0;
    int r = v.session.spec ? load_first(&v, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    size_t n = 0;
    for (size_t i = 0; r >= 0 && tare_verify_checks[i]; i++) {
        v.check = tare_verify_checks[i];
        if (!only || fnmatch(only, v.check->name, 0) == 0) {
            r = one(&v, &deaths_in_a_row, fn, ctx, err);
            n++;
        }
    }
    if (r >= 0 && n == 0) {
        r = tare_err_set(err, TARE_E_USAGE, "tare verify: no check matches \"%.60s\"", only);
    }
    facts->json = v.session.facts;
    v.session.facts = NULL;
    tare_verify_session_fini(&v.session);
    return r < 0 ? r : 0;
}
