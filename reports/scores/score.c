/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a score, reads its options and runs it. */
#include "score.h"

#include "base/nearest.h"
#include "base/opt.h"

#include <stdlib.h>

#define X(name) extern const struct tare_score tare_score_##name;
#include "tare_scores.inc"
#undef X

const struct tare_score *const tare_scores[] = {
#define X(name) &tare_score_##name,
#include "tare_scores.inc"
#undef X
    NULL};

static bool same_name(const char *known, const char *asked)
{
    while (*known && (*known == *asked || (*known == '-' && *asked == '_'))) {
        known++;
        asked++;
    }
    return *known == *asked;
}

int tare_find_score(const char *name, const struct tare_score **out, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    for (size_t i = 0; tare_scores[i]; i++) {
        if (same_name(tare_scores[i]->name, name)) {
            *out = tare_scores[i];
            return 0;
        }
        tare_nearest_offer(&nearest, tare_scores[i]->name);
    }
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE, "score \"%.40s\": unknown%s%s%s; 'tare list scores' shows them",
                        name, best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

/* One "key=value", cut in place. */
static int set_one(const struct tare_score *score, void *options, char *line, struct tare_err *err)
{
    char what[64];
    (void)snprintf(what, sizeof what, "score %s", score->name);
    char *equals = strchr(line, '=');
    if (!equals) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"%.60s\" is not of the form key=value", what, line);
    }
    *equals = '\0';
    return tare_opts_set(score->options, options, line, equals + 1, what, err);
}

static int set_all(const struct tare_score *score, void *options, const char *settings, struct tare_err *err)
{
    int r = tare_opts_init(score->options, options, err);
    char *lines = strdup(settings ? settings : ""), *rest = NULL;
    if (r == 0 && !lines) {
        r = tare_err_set(err, TARE_E_NOMEM, "score %s: out of memory", score->name);
    }
    for (char *line = lines ? strtok_r(lines, "\n", &rest) : NULL; r == 0 && line;
         line = strtok_r(NULL, "\n", &rest)) {
        r = set_one(score, options, line, err);
    }
    free(lines);
    return r;
}

int tare_score_build(const struct tare_score *score, const struct tare_report_input *input,
                     const char *settings, struct tare_score_out *out, struct tare_err *err)
{
    struct tare_score_out made;
    memset(&made, 0, sizeof made);
    void *options = calloc(1, score->options_size + 1);
    int r = options ? set_all(score, options, settings, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score %s: out of memory", score->name);
    r = r == 0 ? score->build(input, options, &made, err) : r;
    if (options) {
        tare_opts_fini(score->options, options);
    }
    free(options);
    if (r < 0) {
        tare_score_fini(&made);
        return r;
    }
    *out = made;
    return 0;
}

void tare_score_fini(struct tare_score_out *out)
{
    tare_arena_fini(&out->arena);
    memset(out, 0, sizeof *out);
}
