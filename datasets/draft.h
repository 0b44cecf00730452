/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One synthetic item while its generator writes it: text, graded spans and where the prompt ends.
 *
 * A refused allocation is remembered in `failed`, so a generator writes on without checks and its
 * caller looks once; that the item is not to be had from this attempt, in `refused`. It knows nothing of a
 * task's rules. Private to datasets/.
 */
#ifndef TARE_DATASETS_DRAFT_H
#define TARE_DATASETS_DRAFT_H

#include <tare/task.h>

/* Zero-initialise. Owns both arrays. */
struct tare_draft {
    char *text;
    size_t n;
    size_t cap;
    struct tare_span *spans;
    size_t n_spans;
    size_t cap_spans;
    size_t prompt_n; /* text[0 .. prompt_n) is the prompt, by which items are told apart */
    bool failed;     /* memory was refused */
    bool refused;    /* the generator wants another attempt */
};

/* Empties the draft and keeps its memory. */
void tare_draft_clear(struct tare_draft *draft);
void tare_draft_fini(struct tare_draft *draft);
void tare_draft_puts(struct tare_draft *draft, const char *text);
void tare_draft_put(struct tare_draft *draft, const char *bytes, size_t n);
void tare_draft_putc(struct tare_draft *draft, char c);
/* Takes back a space at the end, if there is one. */
void tare_draft_trim(struct tare_draft *draft);
/* Appends bytes that are graded together: one span. */
void tare_draft_grade(struct tare_draft *draft, const char *bytes, size_t n);
/* The prompt ends here. */
void tare_draft_end_prompt(struct tare_draft *draft);

#endif
