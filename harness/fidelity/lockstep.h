/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two models answer the same requests, position by position: each in a process of its own, which loads its
 * backend, cuts the task's items into requests as a cell's worker does, and sends one row of logits after the
 * other. Both must make the same token ids of every item, of a vocabulary of one size; else the whole is
 * refused, for rows of two vocabularies have nothing to do with each other. The teacher may be a file of
 * llama-perplexity instead, which has its own ids.
 *
 * Memory, here: two rows of floats and two of doubles (24 bytes a token of the vocabulary), the ids of one
 * request of each side, and the sums of every item. No row is ever written to a file. In either process: what
 * its backend takes, and the ids of all items.
 *
 * A side that dies, hangs or fails costs the item that it was at; it is started anew and the next item is
 * asked. After three deaths in a row the rest is given up. What was complete before that is kept.
 */
#ifndef TARE_FIDELITY_LOCKSTEP_H
#define TARE_FIDELITY_LOCKSTEP_H

#include "fidelity/sums.h"

struct tare_lockstep_args {
    const char *exe;            /* tare, whose worker holds the models */
    const char *teacher;        /* spec of a cell, as JSON; NULL with teacher_logits */
    const char *teacher_logits; /* path; NULL: none */
    const char *student;        /* spec of a cell; the task's options are the teacher's, too */
    int64_t time_limit_ns;      /* of loading, and of the wait for every row */
};

struct tare_lockstep_result {
    struct tare_fidelity_item *items; /* those that are whole, in order; owned */
    size_t n_items;
    size_t n_asked;      /* items of the task, or chunks of the file */
    size_t n_failed;     /* n_asked - n_items */
    size_t first_failed; /* its number */
    char failure[320];   /* of that one; "" for none */
    int64_t n_vocab;
    int64_t n_ctx;                                /* that both were asked by; TARE_UNKNOWN */
    char *teacher_facts, *student_facts;          /* JSON of what was loaded, NULL for a file; owned */
    int64_t teacher_rss_bytes, student_rss_bytes; /* at most; -1: unknown */
    uint32_t teacher_deaths, student_deaths;
};

/* Fails where nothing can be compared: a model that does not load, ids that differ, a capability that lacks.
 */
TARE_MUST_CHECK int tare_lockstep_run(const struct tare_lockstep_args *args, struct tare_lockstep_result *out,
                                      struct tare_err *err);
void tare_lockstep_result_fini(struct tare_lockstep_result *result);

#endif
