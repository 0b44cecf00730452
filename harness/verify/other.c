/* SPDX-License-Identifier: Apache-2.0 */
/* A session of its own, for one list of requests. */
#include "verify/other.h"

#include <stdlib.h>
#include <string.h>

int tare_verify_spec_with(const char *spec, const char *option, int64_t value, char **out,
                          struct tare_err *err)
{
    struct tare_json *from = NULL, *to = tare_json_new_object();
    int r = tare_json_parse(spec, strlen(spec), "spec", &from, err);
    for (const struct tare_json *m = r == 0 ? tare_json_first(from) : NULL; m; m = tare_json_next(m)) {
        if (strcmp(tare_json_key(m), "options") != 0) {
            tare_json_add_copy(to, tare_json_key(m), m);
        }
    }
    struct tare_json *options = tare_json_add_object(to, "options");
    const struct tare_json *old = r == 0 ? tare_json_get(from, "options") : NULL;
    for (const struct tare_json *m = tare_json_first(old); m; m = tare_json_next(m)) {
        if (strcmp(tare_json_key(m), option) != 0) {
            tare_json_add_copy(options, tare_json_key(m), m);
        }
    }
    tare_json_add_i64(options, option, value);
    r = r == 0 ? tare_json_print(to, false, out, err) : r;
    tare_json_destroy(from);
    tare_json_destroy(to);
    return r;
}

int tare_verify_other_ask(struct tare_verify *v, const char *spec, const struct tare_wire_ask *asks,
                          uint32_t n, struct tare_wire_answer *answers, char *why, size_t n_why,
                          struct tare_err *err)
{
    struct tare_verify_session other = {
        .child = {.exe = v->args->exe, .how = "--verify", .time_limit_ns = v->args->time_limit_ns},
        .spec = strdup(spec)};
    int r = other.spec ? tare_verify_session_stop(&v->session, err)
                       : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (uint32_t i = 0; r == 0 && i < n; i++) {
        r = tare_verify_session_ask(&other, &asks[i], 1, &v->arena, &answers[i], err);
        if (r == 0 && answers[i].code < 0) {
            (void)snprintf(why, n_why, "%s", answers[i].message);
            r = 2;
        } else if (r == 1) {
            (void)snprintf(why, n_why, "%s", other.child.died);
        }
    }
    tare_verify_session_fini(&other);
    return r > 0 ? 1 : r;
}

int tare_verify_other_tokenize(struct tare_verify *v, const char *spec, const char *text, size_t n,
                               struct tare_wire_hello *hello, struct tare_wire_tokens *out, char *why,
                               size_t n_why, struct tare_err *err)
{
    struct tare_verify_session other = {
        .child = {.exe = v->args->exe, .how = "--verify", .time_limit_ns = v->args->time_limit_ns},
        .spec = strdup(spec)};
    memset(out, 0, sizeof *out);
    int r = other.spec ? tare_verify_session_stop(&v->session, err)
                       : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    r = r == 0 ? tare_verify_session_start(&other, err) : r;
    *hello = other.hello;
    if (r == 0 && (hello->caps & TARE_CAP_TOKENIZE)) {
        r = tare_verify_session_tokenize(&other, text, n, &v->arena, out, err);
        out->n = r == 0 && out->code == 0 ? out->n : 0;
    }
    (void)snprintf(why, n_why, "%s", other.child.died);
    tare_verify_session_fini(&other);
    return r;
}

bool tare_verify_has_option(const struct tare_verify *v, const char *name)
{
    struct tare_json *facts = NULL;
    struct tare_err ignored = {0};
    bool has = v->session.facts &&
               tare_json_parse(v->session.facts, strlen(v->session.facts), "facts", &facts, &ignored) == 0 &&
               tare_json_get(tare_json_get(facts, "options"), name);
    tare_json_destroy(facts);
    return has;
}
