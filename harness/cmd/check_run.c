/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of blocks, and what is looked at between them. */
#include "cmd/check_run.h"

#include "base/log.h"
#include "cmd/record.h"

#include <string.h>

#define VOIDED_LIMIT 0.2

void tare_check_state_fini(struct tare_check_state *state)
{
    tare_check_lines_fini(&state->lines);
    tare_check_values_fini(&state->values);
    memset(state, 0, sizeof *state);
}

static int decide(struct tare_store *store, int64_t run_id, const struct tare_gate_rules *rules, int stage,
                  struct tare_check_state *state, struct tare_err *err)
{
    struct tare_check_state seen = {.stage = stage};
    int r = tare_check_load(store, run_id, rules, &seen.values, err);
    r = r == 0 ? tare_check_decide(&seen.values, store, stage, &seen.lines, err) : r;
    if (r < 0) {
        tare_check_state_fini(&seen);
        return r;
    }
    seen.unfit = seen.lines.blocks_run >= rules->blocks &&
                 (double)seen.lines.blocks_voided > VOIDED_LIMIT * (double)seen.lines.blocks_run;
    tare_check_state_fini(state);
    *state = seen;
    return 0;
}

/* Blocks of the gate that are run so far; the run's own are runs_per_block times as many. */
static int run_batch(struct tare_execute_args *to, const struct tare_plan *plan,
                     const struct tare_gate_rules *rules, int64_t *done, int64_t n, struct tare_err *err)
{
    int64_t runs = rules->runs_per_block;
    int r = *done == 0 ? tare_record_begin(to, plan, n * runs, err)
                       : tare_record_more(to, plan, *done * runs, n * runs, err);
    r = r == 0 ? tare_execute(to, err) : r;
    to->resumed = true; /* from now on a setting of the machine that has changed is told */
    *done += n;
    return r;
}

/* Until the stage has its blocks, at most `blocks` of them anew. */
static int run_stage(struct tare_execute_args *to, const struct tare_plan *plan,
                     const struct tare_gate_rules *rules, int64_t *done, struct tare_check_state *state,
                     int stage, struct tare_err *err)
{
    int64_t limit = rules->blocks * (stage + 1);
    int r = decide(to->store, to->run_id, rules, stage, state, err);
    while (r == 0 && !state->unfit && !state->lines.failed_cell && state->lines.blocks_left > 0 &&
           *done < limit) {
        int64_t left = state->lines.blocks_left;
        int64_t before = *done;
        r = run_batch(to, plan, rules, done, left < limit - *done ? left : limit - *done, err);
        r = r == 0 ? decide(to->store, to->run_id, rules, stage, state, err) : r;
        if (r == 0 && state->lines.blocks_left > 0) {
            tare_log(TARE_LOG_INFO, NULL,
                     "%lld of %lld blocks were disturbed or incomplete and are run again",
                     (long long)state->lines.blocks_left, (long long)(*done - before));
        }
    }
    return r;
}

int tare_check_run(struct tare_execute_args *to, const struct tare_plan *plan,
                   const struct tare_gate_rules *rules, struct tare_check_state *out, struct tare_err *err)
{
    struct tare_check_state state = {0};
    struct tare_judged judged;
    int64_t done = 0;
    int r = run_batch(to, plan, rules, &done, 1, err);
    r = r == 0 ? run_stage(to, plan, rules, &done, &state, 1, err) : r;
    if (r == 0 && !state.unfit && !state.lines.failed_cell && state.lines.suspicious) {
        tare_log(TARE_LOG_INFO, NULL, "stage 1 looks like a change: %lld more blocks decide",
                 (long long)rules->blocks);
        r = run_stage(to, plan, rules, &done, &state, 2, err);
    }
    r = r == 0 ? tare_record_end(to, &judged, err) : r;
    if (r < 0) {
        tare_check_state_fini(&state);
        return r;
    }
    *out = state;
    return 0;
}

int tare_check_look(struct tare_store *store, int64_t run_id, const struct tare_gate_rules *rules,
                    struct tare_check_state *out, struct tare_err *err)
{
    struct tare_check_state state = {0};
    int r = decide(store, run_id, rules, 1, &state, err);
    if (r == 0 && !state.unfit && state.lines.suspicious) {
        r = decide(store, run_id, rules, 2, &state, err);
    }
    if (r < 0) {
        tare_check_state_fini(&state);
        return r;
    }
    *out = state;
    return 0;
}
