/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round to nearest: every linear layer to codes of 2 to 8 bits, each number by itself, without any data.
 *
 * 8 bits by row and 4 bits by 32 columns, symmetric and with the search of scales, are the zoo's int8 and
 * int4 to the bit. A layer that would not get smaller stays as it is.
 */
#include "rounding.h"

#include <stddef.h>

#define USUAL_GROUP 32u

enum scheme { symmetric, asymmetric };

struct params {
    int64_t bits;
    int64_t group;
    int64_t scheme;
    bool search;
    bool embed;
};

static const char *const schemes[] = {"sym", "asym", NULL};

static const struct tare_opt options[] = {
    {.name = "bits",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, bits),
     .def = "8",
     .help = "of a code",
     .unit = "bit",
     .min = 2,
     .max = 8},
    {.name = "group",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, group),
     .def = "-1",
     .help =
         "columns that share a scale; 0: a whole row; -1: a row for 8 bits, else the largest divisor of the "
         "columns up to 32",
     .min = -1,
     .max = 65536},
    {.name = "scheme",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, scheme),
     .def = "sym",
     .help = "sym: codes around zero; asym: from the lowest to the highest number, with a zero point",
     .choices = schemes},
    {.name = "search",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, search),
     .def = "no",
     .help = "tries smaller scales and keeps that of the least squared error"},
    {.name = "embed",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, embed),
     .def = "yes",
     .help = "the embedding, which is also the head, becomes int8 by row"},
    TARE_OPT_END,
};

static int change(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    const struct params *p = ctx;
    struct tare_rounding how = {
        .bits = (uint32_t)p->bits, .asymmetric = p->scheme == asymmetric, .search = p->search};
    struct tare_linear made = tare_round_empty(w);
    if (p->group > 0) {
        how.group = (uint32_t)p->group;
    } else if (p->group < 0 && p->bits < 8) {
        how.group = tare_round_group_size(w->in, USUAL_GROUP);
    }
    bool is_zoo_int8 = p->bits == 8 && how.group == 0 && p->scheme == symmetric && !p->search;
    int rc = is_zoo_int8 ? tare_round_linear_int8(w, &made, err) : tare_round_linear(&how, w, &made, err);
    if (rc == 0) {
        tare_round_keep_smaller(w, &made);
    }
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    struct params p = *(const struct params *)params;
    int rc = tare_technique_each(treatment, change, &p, err);
    return rc == 0 && p.embed ? tare_round_embedding(treatment, err) : rc;
}

const struct tare_technique tare_technique_rtn = {
    .tag = "infer.compress.quant.weight",
    .method = "rtn",
    .summary = "weights rounded to the nearest of 2 to 8 bits, by row or by group",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
