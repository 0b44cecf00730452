/* SPDX-License-Identifier: Apache-2.0 */
/* The steps as a table or as JSON, and the answer with its bracket. */
#include "cmd/fit.h"

#include "cmd/cmd.h"

#include <math.h>

static const char *by_name(const struct tare_fit *fit)
{
    return fit->by == TARE_FIT_RLIMIT ? "rlimit" : "cgroup";
}

static const char *what_is_limited(const struct tare_fit *fit)
{
    return fit->by == TARE_FIT_RLIMIT ? "address space (RLIMIT_AS)" : "memory charged to a cgroup of its own";
}

/* What is said of a step: how it ended, or that it was too slow. */
static const char *verdict_of(const struct tare_fit_step *s)
{
    return s->keeps ? "keeps it" : s->outcome[0] == 'o' && s->outcome[1] == 'k' ? "too slow" : s->outcome;
}

static void add_number(struct tare_json *to, const char *key, double value)
{
    if (isfinite(value)) {
        tare_json_add_f64(to, key, value);
    } else {
        tare_json_add_null(to, key);
    }
}

static int print_json(const struct tare_fit *fit, const char *db, struct tare_err *err)
{
    struct tare_json *o = tare_json_new_object();
    tare_json_add_str(o, "db", db);
    tare_json_add_str(o, "by", by_name(fit));
    tare_json_add_f64(o, "keep", fit->keep);
    tare_json_add_f64(o, "resolution", fit->resolution);
    tare_json_add_i64(o, "works_at_bytes", fit->works_at_bytes);
    if (fit->fails_at_bytes) {
        tare_json_add_i64(o, "fails_at_bytes", fit->fails_at_bytes);
    } else {
        tare_json_add_null(o, "fails_at_bytes");
    }
    tare_json_add_bool(o, "unsure", fit->unsure);
    struct tare_json *list = tare_json_add_array(o, "steps");
    for (size_t i = 0; i < fit->n_steps; i++) {
        const struct tare_fit_step *s = &fit->steps[i];
        struct tare_json *step = tare_json_add_object(list, NULL);
        tare_json_add_i64(step, "run", s->run_id);
        if (s->limit_bytes) {
            tare_json_add_i64(step, "limit_bytes", s->limit_bytes);
        } else {
            tare_json_add_null(step, "limit_bytes");
        }
        tare_json_add_str(step, "outcome", s->outcome);
        tare_json_add_str(step, "message", s->message[0] ? s->message : NULL);
        add_number(step, "request_throughput", s->throughput);
        add_number(step, "low", s->low);
        add_number(step, "high", s->high);
        tare_json_add_bool(step, "keeps", s->keeps);
    }
    return tare_print_json(o, err);
}

static void add_step(struct tare_buf *to, const struct tare_fit *fit, const struct tare_fit_step *s)
{
    char limit[32] = "none", rate[32] = "-", share[32] = "-";
    if (s->limit_bytes) {
        (void)snprintf(limit, sizeof limit, "%.2f", (double)s->limit_bytes / (1 << 20));
    }
    if (isfinite(s->throughput)) {
        (void)snprintf(rate, sizeof rate, "%.4g", s->throughput);
        (void)snprintf(share, sizeof share, "%.1f", 100 * s->throughput / fit->steps[0].throughput);
    }
    tare_buf_printf(to, "%5lld %12s %12s %8s  %s\n", (long long)s->run_id, limit, rate, share, verdict_of(s));
}

static int print_text(const struct tare_fit *fit, const char *db, struct tare_err *err)
{
    struct tare_buf text;
    tare_buf_init(&text, 1 << 20);
    tare_buf_printf(&text, "%5s %12s %12s %8s\n", "run", "limit MiB", "request/s", "% kept");
    for (size_t i = 0; i < fit->n_steps; i++) {
        add_step(&text, fit, &fit->steps[i]);
    }
    tare_buf_printf(&text, "\n%.2f MiB of %s keep at least %.3g %% of the unlimited throughput",
                    (double)fit->works_at_bytes / (1 << 20), what_is_limited(fit), 100 * fit->keep);
    if (fit->fails_at_bytes) {
        tare_buf_printf(&text, "; bracket [fails at %.2f, works at %.2f] MiB.\n",
                        (double)fit->fails_at_bytes / (1 << 20), (double)fit->works_at_bytes / (1 << 20));
    } else {
        tare_buf_printf(&text, "; no limit that was tried fails.\n");
    }
    if (fit->unsure) {
        tare_buf_add_str(&text,
                         "UNSURE: without a limit the repeats differ by more than what may be lost; give "
                         "it more --repeats, or longer ones.\n");
    }
    tare_buf_printf(&text, "Every step is a run in %s.\n", db);
    int r = tare_print_text(&text, err);
    tare_buf_fini(&text);
    return r;
}

int tare_fit_print(const struct tare_fit *fit, const char *db, bool json, struct tare_err *err)
{
    return json ? print_json(fit, db, err) : print_text(fit, db, err);
}
