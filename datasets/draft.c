/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing text and span list behind the synthetic tasks.
 *
 * Both arrays double, and an item's text stays below 2^31 bytes, so that its offsets fit a span. It
 * does not decide what is written or kept.
 */
#include <stdlib.h>
#include <string.h>

#include "draft.h"

enum { FIRST_CAP = 256, TEXT_LIMIT = 0x7fffffff };

void tare_draft_clear(struct tare_draft *draft)
{
    draft->n = 0;
    draft->n_spans = 0;
    draft->prompt_n = 0;
    draft->refused = false;
}

void tare_draft_fini(struct tare_draft *draft)
{
    free(draft->text);
    free(draft->spans);
    memset(draft, 0, sizeof *draft);
}

static bool grow_text(struct tare_draft *draft, size_t more)
{
    size_t cap = draft->cap ? draft->cap : FIRST_CAP;
    while (cap < draft->n + more && cap <= TEXT_LIMIT / 2) {
        cap *= 2;
    }
    char *text = cap >= draft->n + more ? realloc(draft->text, cap) : NULL;
    if (!text) {
        draft->failed = true;
        return false;
    }
    draft->text = text;
    draft->cap = cap;
    return true;
}

static bool grow_spans(struct tare_draft *draft)
{
    size_t cap = draft->cap_spans ? 2 * draft->cap_spans : FIRST_CAP;
    struct tare_span *spans = realloc(draft->spans, cap * sizeof *spans);
    if (!spans) {
        draft->failed = true;
        return false;
    }
    draft->spans = spans;
    draft->cap_spans = cap;
    return true;
}

void tare_draft_put(struct tare_draft *draft, const char *bytes, size_t n)
{
    if (n == 0 || draft->failed || (draft->cap - draft->n < n && !grow_text(draft, n))) {
        return;
    }
    memcpy(draft->text + draft->n, bytes, n);
    draft->n += n;
}

void tare_draft_puts(struct tare_draft *draft, const char *text)
{
    tare_draft_put(draft, text, strlen(text));
}

void tare_draft_putc(struct tare_draft *draft, char c)
{
    tare_draft_put(draft, &c, 1);
}

void tare_draft_trim(struct tare_draft *draft)
{
    draft->n -= draft->n > 0 && draft->text[draft->n - 1] == ' ';
}

void tare_draft_grade(struct tare_draft *draft, const char *bytes, size_t n)
{
    size_t begin = draft->n;
    tare_draft_put(draft, bytes, n);
    if (draft->failed || (draft->n_spans == draft->cap_spans && !grow_spans(draft))) {
        return;
    }
    draft->spans[draft->n_spans++] =
        (struct tare_span){.begin = (uint32_t)begin, .end = (uint32_t)(begin + n)};
}

void tare_draft_end_prompt(struct tare_draft *draft)
{
    draft->prompt_n = draft->n;
}
