/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, as a table of conditions. */
#include "core/verdict.h"

#include <stdio.h>
#include <string.h>

const char *tare_verdict_text(enum tare_verdict verdict)
{
    return verdict == TARE_VALID ? "VALID" : verdict == TARE_SKIPPED ? "SKIPPED" : "INVALID";
}

enum tare_verdict tare_verdict(const struct tare_verdict_facts *f, char *reasons, size_t n_reasons)
{
    bool complete =
        f->items > 0 && f->repeats > 0 && f->samples % f->repeats == 0 && f->samples / f->repeats == f->items;
    const struct {
        bool holds;
        const char *code;
    } rules[] = {{f->crash > 0, "CRASH"},     {f->timeout > 0, "TIMEOUT"},
                 {f->oom > 0, "OOM"},         {f->error > 0, "ERROR"},
                 {f->pending > 0, "PENDING"}, {f->failed_samples > 0, "FAILED_SAMPLES"},
                 {!complete, "INCOMPLETE"},   {f->files_changed, "FILES_CHANGED"}};
    if (n_reasons > 0) {
        reasons[0] = '\0';
    }
    if (f->skip > 0 && f->skip == f->repeats) {
        return TARE_SKIPPED;
    }
    size_t used = 0;
    bool valid = true;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        valid = valid && !rules[i].holds;
        if (rules[i].holds && used < n_reasons) {
            int n = snprintf(reasons + used, n_reasons - used, "%s%s", used ? "," : "", rules[i].code);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return valid ? TARE_VALID : TARE_INVALID;
}
