/* SPDX-License-Identifier: Apache-2.0 */
/* By unit, name and source of a figure: all derivations go through here, and none need know. */
#include "elsewhere.h"

#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Its value goes by a number of tokens. */
static bool by_tokens(const struct tare_figure *f)
{
    return strstr(f->unit, "tok") || begins(f->name, "tpot_") || begins(f->name, "decode_speedup") ||
           begins(f->name, "prefill_speedup");
}

/* Something that a meter saw of this process or machine, or the time in which no model was loaded. Bytes on
 * the wire are as much the server's as ours; a speed-up is a ratio of times. */
static bool of_the_client(const struct tare_figure *f)
{
    bool is_time = strcmp(f->scope, "request") == 0 || begins(f->source, "CLOCK_MONOTONIC") ||
                   strstr(f->name, "speedup");
    return strcmp(f->name, "load_time") == 0 ||
           (f->kind == TARE_KIND_MEASURED && !is_time && !begins(f->name, "net_"));
}

static int put(struct tare_figures *sink, const struct tare_figure *figure, struct tare_err *err)
{
    struct tare_figures *to = ((struct tare_elsewhere *)sink)->to;
    struct tare_figure f = *figure;
    if (of_the_client(&f)) {
        tare_figure_flag(&f, "ELSEWHERE");
    }
    if (by_tokens(&f) && f.kind < TARE_KIND_REPORTED) {
        f.kind = TARE_KIND_REPORTED;
        f.source = begins(f.source, "CLOCK_MONOTONIC") ? "CLOCK_MONOTONIC, tokens as the server reports them"
                                                       : f.source;
    }
    return to->put(to, &f, err);
}

struct tare_figures *tare_elsewhere_around(struct tare_elsewhere *around, const struct tare_evidence *e,
                                           struct tare_figures *to)
{
    *around = (struct tare_elsewhere){{put}, to};
    return e->elsewhere ? &around->sink : to;
}
