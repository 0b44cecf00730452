/* SPDX-License-Identifier: Apache-2.0 */
/* How a value came to be. A table or a ranking never mixes kinds without saying so. */
#ifndef TARE_KIND_H
#define TARE_KIND_H

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a value came to be, strongest first. A derived figure takes the weakest kind of its inputs. */
enum tare_kind {
    TARE_KIND_MEASURED = 1, /* clock, counter, sensor */
    TARE_KIND_COUNTED,      /* exact arithmetic on shapes, bytes, tokens, outcomes */
    TARE_KIND_REPORTED,     /* a provider says so */
    TARE_KIND_MODELLED,     /* constant, price list, regression */
    TARE_KIND_DECLARED      /* the user says so */
};

static inline const char *tare_kind_name(int kind)
{
    static const char *const names[] = {"", "measured", "counted", "reported", "modelled", "declared"};
    return kind >= 1 && kind <= 5 ? names[kind] : "unknown";
}

/* The kind of that name; TARE_KIND_DECLARED, the weakest, for an unknown one. */
static inline int tare_kind_of(const char *name)
{
    int kind = TARE_KIND_MEASURED;
    while (kind < TARE_KIND_DECLARED && strcmp(tare_kind_name(kind), name) != 0) {
        kind++;
    }
    return kind;
}

#ifdef __cplusplus
}
#endif
#endif
