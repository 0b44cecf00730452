/* SPDX-License-Identifier: Apache-2.0 */
/* From lines to the whole result: its headline, its exit status, and the outputs. */
#include "cmd/check_output.h"

#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/table.h"
#include "store/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Texts that a result borrows. */
struct texts {
    char arms[TARE_CHECK_N_ARMS][512];
    char headline[512];
    char disturbances[320];
    char started[40], finished[40], version[32], machine[160];
    bool slow_build;
};

static int see_run(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct texts *t = ((void **)ctx)[0];
    const int64_t *run_id = ((void **)ctx)[1];
    (void)err;
    if (row->id == *run_id) {
        (void)snprintf(t->started, sizeof t->started, "%s", row->started_utc);
        (void)snprintf(t->finished, sizeof t->finished, "%s", row->finished_utc ? row->finished_utc : "");
        (void)snprintf(t->version, sizeof t->version, "%s", row->tare_version);
    }
    return 0;
}

static int see_environment(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    struct texts *t = ctx;
    (void)err;
    if (strcmp(key, "cpu.model") == 0 && value) {
        (void)snprintf(t->machine, sizeof t->machine, "%s", value);
    }
    bool sanitized = strcmp(key, "tare.sanitize") == 0 && value && strcmp(value, "none") != 0;
    bool debug = strcmp(key, "tare.buildtype") == 0 && value && strcmp(value, "debug") == 0;
    t->slow_build = t->slow_build || sanitized || debug;
    return 0;
}

/* Between two times of the store, such as 2026-01-31T12:00:00Z; NaN where one is missing. */
static double seconds_between(const char *from, const char *to)
{
    struct tm a = {0}, b = {0};
    return strptime(from, "%Y-%m-%dT%H:%M:%S", &a) && strptime(to, "%Y-%m-%dT%H:%M:%S", &b)
               ? difftime(timegm(&b), timegm(&a))
               : (double)NAN;
}

static void name_disturbances(tare_noise_set set, char *out, size_t n_out)
{
    out[0] = '\0';
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        const char *code = tare_noise_rules[i].code;
        if ((set >> i & 1) && !strstr(out, code) && strlen(out) + strlen(code) + 2 < n_out) {
            (void)snprintf(out + strlen(out), n_out - strlen(out), "%s%s", out[0] ? "," : "", code);
        }
    }
}

static int exit_of(const struct tare_gate_result *result)
{
    bool failed = false;
    for (size_t i = 0; i < result->n_lines; i++) {
        failed = failed || tare_gate_line_fails(&result->lines[i]);
    }
    return tare_gate_count(result, TARE_GATE_ERROR)     ? TARE_EXIT_CELL
           : result->unfit                              ? TARE_EXIT_ENVIRONMENT
           : failed                                     ? TARE_EXIT_GATE
           : tare_gate_count(result, TARE_GATE_INVALID) ? TARE_EXIT_INVALID
                                                        : TARE_EXIT_OK;
}

/* Every word with its count, and what comes of it. */
static void make_headline(const struct tare_gate_result *result, char *out, size_t n_out)
{
    static const char *const ends[] = {"nothing has failed",
                                       "the gate has failed",
                                       "",
                                       "an arm crashed or failed: nothing is decided for it",
                                       "values are not what their rule needs",
                                       "environment unfit: more than a fifth of the blocks was disturbed"};
    struct tare_buf buf;
    tare_buf_init(&buf, 4096);
    for (int word = 0; word < TARE_GATE_N_WORDS; word++) {
        size_t n = tare_gate_count(result, (enum tare_gate_word)word);
        if (n) {
            tare_buf_printf(&buf, "%s%zu %s", buf.used ? ", " : "", n,
                            tare_gate_word_text((enum tare_gate_word)word));
        }
    }
    bool open = result->exit_status == TARE_EXIT_OK && tare_gate_count(result, TARE_GATE_INCONCLUSIVE);
    (void)snprintf(out, n_out, "%s: %s%s", tare_buf_str(&buf), ends[result->exit_status],
                   open ? ", and not everything is decided" : "");
    tare_buf_fini(&buf);
}

static int fill(const struct tare_check_show *to, const struct tare_gate_rules *rules,
                const struct tare_check_state *state, struct texts *t, struct tare_gate_result *out,
                struct tare_err *err)
{
    int64_t run_id = to->run_id;
    void *both[] = {t, &run_id};
    int r = tare_query_runs(to->store, see_run, both, err);
    r = r == 0 ? tare_query_environment(to->store, run_id, see_environment, t, err) : r;
    if (r < 0) {
        return r;
    }
    name_disturbances(state->lines.disturbed, t->disturbances, sizeof t->disturbances);
    for (int arm = 0; arm < TARE_CHECK_N_ARMS; arm++) {
        tare_check_arm_text(rules, (enum tare_check_arm)arm, t->arms[arm], sizeof t->arms[arm]);
    }
    *out = (struct tare_gate_result){.name = rules->name,
                                     .base = t->arms[TARE_CHECK_BASE],
                                     .candidate = t->arms[TARE_CHECK_CANDIDATE],
                                     .rules_path = to->rules_path,
                                     .db = to->db,
                                     .run_id = run_id,
                                     .started_utc = t->started,
                                     .tare_version = t->version,
                                     .machine = t->machine,
                                     .seconds = seconds_between(t->started, t->finished),
                                     .lines = state->lines.list,
                                     .n_lines = state->lines.n,
                                     .blocks_run = state->lines.blocks_run,
                                     .blocks_voided = state->lines.blocks_voided,
                                     .stage = state->stage,
                                     .noise_flagged = rules->noise == TARE_GATE_FLAGS,
                                     .disturbances = t->disturbances,
                                     .unfit = state->unfit,
                                     .slow_build = t->slow_build,
                                     .headline = t->headline};
    out->exit_status = exit_of(out);
    make_headline(out, t->headline, sizeof t->headline);
    return 0;
}

/* To a file, or (NULL) standard output. */
static int write_text(const struct tare_gate_output *output, const struct tare_gate_result *result,
                      const char *path, struct tare_err *err)
{
    struct tare_buf buf;
    tare_buf_init(&buf, 64 << 20);
    int r = output->write(result, &buf, err);
    r = r == 0 ? tare_buf_check(&buf, path ? path : "standard output", err) : r;
    if (r == 0) {
        r = path ? tare_file_replace(path, tare_buf_str(&buf), buf.used, err) : tare_print_text(&buf, err);
    }
    tare_buf_fini(&buf);
    return r;
}

/* Every FORMAT=FILE; result NULL: only looks whether they are such. */
static int walk_outputs(const char *outputs, const struct tare_gate_result *result, struct tare_err *err)
{
    char *copy = outputs ? strdup(outputs) : NULL, *rest = copy;
    int r = outputs && !copy ? tare_err_set(err, TARE_E_NOMEM, "out of memory") : 0;
    for (char *line; r == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        const struct tare_gate_output *output = NULL;
        char *equals = strchr(line, '=');
        if (!equals || !equals[1]) {
            r = tare_err_set(err, TARE_E_USAGE, "--output %.200s: is not of the form FORMAT=FILE", line);
            break;
        }
        *equals = '\0';
        r = tare_gate_find_output(line, &output, err);
        r = r == 0 && result ? write_text(output, result, equals + 1, err) : r;
    }
    free(copy);
    return r;
}

int tare_check_outputs(const char *format, const char *outputs, struct tare_err *err)
{
    const struct tare_gate_output *output = NULL;
    int r = tare_gate_find_output(format, &output, err);
    return r == 0 ? walk_outputs(outputs, NULL, err) : r;
}

int tare_check_show(const struct tare_check_show *to, const struct tare_gate_rules *rules,
                    const struct tare_check_state *state, struct tare_err *err)
{
    struct texts texts = {0};
    struct tare_gate_result result;
    const struct tare_gate_output *output = NULL;
    int r = fill(to, rules, state, &texts, &result, err);
    r = r == 0 ? walk_outputs(to->outputs, &result, err) : r;
    r = r == 0 ? tare_gate_find_output(to->format, &output, err) : r;
    r = r == 0 ? write_text(output, &result, NULL, err) : r;
    return r == 0 ? result.exit_status : r;
}
