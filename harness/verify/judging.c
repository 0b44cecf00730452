/* SPDX-License-Identifier: Apache-2.0 */
/* How checks hold things against each other, and what of it is kept. */
#include "verify/verify.h"

#include <math.h>
#include <string.h>

void tare_verify_compare(struct tare_verify *v, double seen, double expected, const char *where, ...)
{
    struct tare_verify_result *q = &v->result;
    double difference = fabs(seen - expected);
    difference = isfinite(difference) ? difference : (double)INFINITY;
    q->compared++;
    if (!isnan(q->difference) && difference <= q->difference) {
        return;
    }
    va_list args;
    va_start(args, where);
    (void)vsnprintf(q->where, sizeof q->where, where, args);
    va_end(args);
    q->difference = difference;
    q->seen = seen;
    q->expected = expected;
}

bool tare_verify_require(struct tare_verify *v, bool ok, const char *otherwise, ...)
{
    struct tare_verify_result *q = &v->result;
    q->compared++;
    if (!ok && q->outcome != TARE_VERIFY_FAILED) {
        va_list args;
        va_start(args, otherwise);
        (void)vsnprintf(q->note, sizeof q->note, otherwise, args);
        va_end(args);
        q->outcome = TARE_VERIFY_FAILED;
    }
    return ok;
}

int tare_verify_absent(struct tare_verify *v, const char *why, ...)
{
    struct tare_verify_result *q = &v->result;
    if (q->outcome != TARE_VERIFY_FAILED) { /* a fault that was seen stays one */
        va_list args;
        va_start(args, why);
        (void)vsnprintf(q->note, sizeof q->note, why, args);
        va_end(args);
        q->outcome = TARE_VERIFY_ABSENT;
    }
    return 0;
}

void tare_verify_note(struct tare_verify *v, const char *text, ...)
{
    struct tare_verify_result *q = &v->result;
    if (q->outcome == 0) {
        va_list args;
        va_start(args, text);
        (void)vsnprintf(q->note, sizeof q->note, text, args);
        va_end(args);
    }
}

void tare_verify_same_scores(struct tare_verify *v, const struct tare_wire_answer *a, uint32_t offset,
                             const struct tare_wire_answer *b, uint32_t n, const char *what)
{
    if (!tare_verify_require(v, n <= a->n && offset + n <= b->n, "%s: %u and %u positions were answered",
                             what, a->n, b->n)) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        tare_verify_compare(v, a->logprob[i], b->logprob[offset + i], "%s, answer %u of %u", what, i + 1, n);
    }
}
