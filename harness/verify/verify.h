/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee: does a backend answer as its contract and arithmetic demand? Checks are written over requests
 * and answers alone; no backend is loaded in this process, so that none can harm what the checks say.
 *
 * A check is one file, check_NAME.c, that defines `const struct tare_verify_check tare_verify_check_NAME` and
 * stands in this folder's meson.build. It asks, compares, and leaves one result: passed, failed (what was
 * seen, what was expected, how far they may be apart, and where), or absent with the reason. A check that has
 * compared nothing is never "passed". A check asks for no more than the smallest thing that shows its fault.
 */
#ifndef TARE_VERIFY_H
#define TARE_VERIFY_H

#include "verify/session.h"

#include <tare/rng.h>

enum tare_verify_outcome { TARE_VERIFY_PASSED = 1, TARE_VERIFY_FAILED, TARE_VERIFY_ABSENT };
/* "pass", "FAIL", "absent". */
const char *tare_verify_outcome_text(enum tare_verify_outcome outcome);

struct tare_verify_result {
    enum tare_verify_outcome outcome;
    const char
        *cause; /* of a failure: the check's name, or "crash" or "hang" of the backend's process; NULL */
    uint32_t compared; /* numbers and facts that were held against each other */
    double difference; /* the largest between numbers; NaN: none were compared */
    double seen, expected, tolerance;
    const char *unit;
    char where[160]; /* of the largest difference */
    char note[400];  /* what is wrong, why it is absent, or how far a pass reaches; "" */
};

struct tare_verify_args {
    const char *exe;
    const char *spec;      /* of the backend: a cell's, as JSON */
    const char *reference; /* of the backend that it is held against; NULL: none */
    const char *reference_name;
    int64_t time_limit_ns;
    double tolerance_nats;
    int64_t most_context_tok; /* longest input that is tried */
    int64_t memory_requests;
    int64_t seed;
};

struct tare_verify_check;

/* What a check sees. */
struct tare_verify {
    const struct tare_verify_args *args;
    struct tare_verify_session session; /* of the backend */
    struct tare_rng rng;                /* of this check */
    struct tare_arena arena;            /* for the length of this check */
    struct tare_verify_result result;
    const struct tare_verify_check *check;
};

struct tare_verify_check {
    const char *name;
    const char *proves; /* one line */
    uint32_t needs;     /* capabilities without which it is absent */
    /* 0 or 1 (an answer failed, or the process is over: told already); negative: an error of ours. */
    int (*run)(struct tare_verify *v, struct tare_err *err);
};
/* Closed by NULL. */
extern const struct tare_verify_check *const tare_verify_checks[];

/* Runs the checks whose names match the pattern (NULL: all) and hands over each result. After three deaths of
 * the backend in a row the rest is absent. */
typedef int (*tare_verify_fn)(void *ctx, const struct tare_verify_check *check,
                              const struct tare_verify_result *result, struct tare_err *err);
struct tare_verify_facts {
    char *json; /* of the loaded model; NULL if it never was. free() it */
};
TARE_MUST_CHECK int tare_verify_run(const struct tare_verify_args *args, const char *only, tare_verify_fn fn,
                                    void *ctx, struct tare_verify_facts *facts, struct tare_err *err);

/* ---- for checks ---- */

/* Two numbers that must agree within the tolerance. One that is not finite agrees with nothing. */
TARE_PRINTF(4, 5)
void tare_verify_compare(struct tare_verify *v, double seen, double expected, const char *where, ...);
/* A fact that must hold; the first that does not is told. Returns ok. */
TARE_PRINTF(3, 4) bool tare_verify_require(struct tare_verify *v, bool ok, const char *otherwise, ...);
/* The check cannot be made. Returns 0. */
TARE_PRINTF(2, 3) int tare_verify_absent(struct tare_verify *v, const char *why, ...);
/* How far a pass reaches. */
TARE_PRINTF(2, 3) void tare_verify_note(struct tare_verify *v, const char *text, ...);

/* A sequence of tokens as the harness makes them: the beginning-of-sequence token, if the model has one, and
 * `n` tokens (that one counted) of a text drawn with `label`. tokens NULL on failure. */
struct tare_verify_tokens {
    int32_t *tokens;
    uint32_t n;
};
TARE_MUST_CHECK int tare_verify_draw(struct tare_verify *v, const char *label, uint32_t n,
                                     struct tare_verify_tokens *out, struct tare_err *err);
/* `a` up to `at`, then `b` from `at` on; of b's length. */
TARE_MUST_CHECK int tare_verify_join(struct tare_verify *v, struct tare_verify_tokens a, uint32_t at,
                                     struct tare_verify_tokens b, struct tare_verify_tokens *out,
                                     struct tare_err *err);
/* Has the model a beginning-of-sequence token? */
bool tare_verify_has_bos(const struct tare_verify *v);
/* Tokens that may be fed: the model's context, or the most that is tried; the larger is told to be cut. */
uint32_t tare_verify_context(const struct tare_verify *v, bool *out_cut);

/* Requests. 1: it failed, which is told already; what must succeed goes through these. */
struct tare_wire_ask tare_verify_score(struct tare_verify_tokens t, uint32_t first, uint32_t shared_prefix);
struct tare_wire_ask tare_verify_generate(struct tare_verify_tokens t, uint32_t max_output);
TARE_MUST_CHECK int tare_verify_ask(struct tare_verify *v, const struct tare_wire_ask *asks, uint32_t n,
                                    struct tare_wire_answer *answers, struct tare_err *err);
/* The same where a failure of the backend is what the check wants to see: only a death is told. */
TARE_MUST_CHECK int tare_verify_try(struct tare_verify *v, const struct tare_wire_ask *asks, uint32_t n,
                                    struct tare_wire_answer *answers, struct tare_err *err);
TARE_MUST_CHECK int tare_verify_tokenize(struct tare_verify *v, const char *text, size_t n,
                                         struct tare_wire_tokens *out, struct tare_err *err);
/* Is there a tokenizer, for the loaded model too? */
TARE_MUST_CHECK int tare_verify_has_tokenizer(struct tare_verify *v, bool *out, struct tare_err *err);
/* Do the ends ascend, and end where the text does? */
bool tare_verify_covers(const struct tare_wire_tokens *t, size_t n);
/* The next request goes to a process that has answered nothing before. */
TARE_MUST_CHECK int tare_verify_restart(struct tare_verify *v, struct tare_err *err);

/* Compares two answers to score requests position by position. `offset`: a's position 0 is b's `offset`; `n`
 * positions. */
void tare_verify_same_scores(struct tare_verify *v, const struct tare_wire_answer *a, uint32_t offset,
                             const struct tare_wire_answer *b, uint32_t n, const char *what);
/* Do scores depend on what stands before? Without that most faults cannot be seen. 1 if not, told as absent.
 */
TARE_MUST_CHECK int tare_verify_needs_context(struct tare_verify *v, struct tare_err *err);
/* Two greedy outputs of one prompt: equal, or parted where both tokens are as probable (within the
 * tolerance), which is said in the note. */
TARE_MUST_CHECK int tare_verify_same_output(struct tare_verify *v, struct tare_verify_tokens prompt,
                                            const struct tare_wire_answer *a,
                                            const struct tare_wire_answer *b, const char *what,
                                            struct tare_err *err);

#endif
