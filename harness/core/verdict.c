/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, as a table of conditions. */
#include "core/verdict.h"

#include <stdio.h>
#include <string.h>

const char *tare_verdict_text(enum tare_verdict verdict)
{
    return verdict == TARE_VALID ? "VALID" : verdict == TARE_SKIPPED ? "SKIPPED" : "INVALID";
}

struct reasons {
    char *text;
    size_t n_text, used;
    bool full; /* one did not fit: none behind it is added, so that the list is a begin of the whole */
};

static void add_reason(struct reasons *to, const char *code)
{
    size_t n = strlen(code), comma = to->used > 0;
    to->full = to->full || to->used + comma + n >= to->n_text;
    if (!to->full) {
        (void)snprintf(to->text + to->used, to->n_text - to->used, "%s%s", comma ? "," : "", code);
        to->used += comma + n;
    }
}

/* The codes that void, each once. */
static bool add_noise(struct reasons *to, const struct tare_verdict_facts *f)
{
    bool voided = false;
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        const struct tare_noise_rule *rule = &tare_noise_rules[i];
        bool raised = f->disturbed >> i & 1, said = false;
        if (!raised || !(rule->always || (rule->voids && f->policy == TARE_NOISE_VOID))) {
            continue;
        }
        for (size_t j = 0; j < i; j++) { /* rules of a code void alike */
            said = said || ((f->disturbed >> j & 1) && strcmp(tare_noise_rules[j].code, rule->code) == 0);
        }
        voided = true;
        if (!said) {
            add_reason(to, rule->code);
        }
    }
    return voided;
}

enum tare_verdict tare_verdict(const struct tare_verdict_facts *f, char *reasons, size_t n_reasons)
{
    bool complete =
        f->items > 0 && f->repeats > 0 && f->samples % f->repeats == 0 && f->samples / f->repeats == f->items;
    const struct {
        bool holds;
        const char *code;
    } rules[] = {{f->crash > 0, "CRASH"},
                 {f->timeout > 0, "TIMEOUT"},
                 {f->oom > 0, "OOM"},
                 {f->error > 0, "ERROR"},
                 {f->pending > 0, "PENDING"},
                 {f->failed_samples > 0, "FAILED_SAMPLES"},
                 {!complete, "INCOMPLETE"},
                 {f->files_changed, "FILES_CHANGED"},
                 {f->broken_seals > 0, "SAMPLES_CHANGED"}};
    if (n_reasons > 0) {
        reasons[0] = '\0';
    }
    if (f->skip > 0 && f->skip == f->repeats) {
        return TARE_SKIPPED;
    }
    struct reasons to = {.text = reasons, .n_text = n_reasons};
    bool valid = true;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        valid = valid && !rules[i].holds;
        if (rules[i].holds) {
            add_reason(&to, rules[i].code);
        }
    }
    valid = !add_noise(&to, f) && valid;
    return valid ? TARE_VALID : TARE_INVALID;
}
