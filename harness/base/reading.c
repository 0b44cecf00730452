/* SPDX-License-Identifier: Apache-2.0 */
/* Copies, and the contract of tare/meter.h as a list of questions. */
#include "base/reading.h"

#include <stdlib.h>
#include <string.h>

int tare_reading_copy(const struct tare_reading_record *from, struct tare_reading_record *to,
                      struct tare_err *err)
{
    const char *in[] = {from->phase, from->meter,  from->name,   from->unit, from->kind,
                        from->scope, from->source, from->absent, from->flags};
    const char **out[] = {&to->phase, &to->meter,  &to->name,   &to->unit, &to->kind,
                          &to->scope, &to->source, &to->absent, &to->flags};
    size_t total = 0;
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        total += in[i] ? strlen(in[i]) + 1 : 0;
    }
    char *block = malloc(total + 1);
    if (!block) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    *to = *from;
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        size_t n = in[i] ? strlen(in[i]) + 1 : 0;
        *out[i] = in[i] ? memcpy(block, in[i], n) : NULL;
        block += n;
    }
    return 0;
}

void tare_reading_free(struct tare_reading_record *record)
{
    free((char *)(uintptr_t)record->phase);
    record->phase = NULL;
}

struct tare_reading_record tare_reading_record_of(const char *phase, const char *meter,
                                                  const struct tare_reading *reading,
                                                  const struct tare_doubt *doubt)
{
    return (struct tare_reading_record){.phase = phase,
                                        .meter = meter,
                                        .name = reading->name,
                                        .unit = reading->unit,
                                        .kind = tare_kind_name((int)reading->kind),
                                        .scope = reading->scope,
                                        .source = reading->source,
                                        .value = reading->absent ? (double)NAN : reading->value,
                                        .absent = reading->absent ? reading->why : NULL,
                                        .u = doubt ? doubt->u : (double)NAN,
                                        .gain = doubt ? doubt->gain : (double)NAN,
                                        .flags = doubt && doubt->flags ? doubt->flags : ""};
}

bool tare_reading_is_name(const char *name)
{
    size_t n = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    return n > 0 && n <= 60 && name[n] == '\0';
}

const char *tare_reading_fault(const struct tare_reading *r)
{
    return !tare_reading_is_name(r->name) ? "a name that is not 1 to 60 of a-z, 0-9 and '_'"
           : !r->unit || !r->unit[0]      ? "no unit; \"1\" is that of a plain number"
           : !r->scope || !r->scope[0]    ? "no scope"
           : !r->source || !r->source[0]  ? "no source"
           : r->kind < TARE_KIND_MEASURED || r->kind > TARE_KIND_DECLARED ? "no kind"
           : r->absent && (!r->why || !r->why[0])                         ? "no reason why it is absent"
           : !r->absent && !isfinite(r->value)                            ? "a value that is no number"
                                                                          : NULL;
}
