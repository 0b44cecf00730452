/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoding: cut the bytes into pre-tokens, then merge pairs inside each of them.
 *
 * The pair of lowest rank merges first, its occurrences from left to right. A heap of (rank, position)
 * gives that order in n log n steps for a pre-token of n bytes, so a megabyte of letters without a
 * space is no trap. A merge only makes pairs of higher rank (an id's parts are older than it), hence
 * the heap never has to go back to an occurrence of a lower rank.
 */
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#define NONE      UINT32_MAX
#define SWALLOWED UINT32_MAX

enum byte_class { OTHER, LETTER, DIGIT, SPACE, NEWLINE, BLANK, NUL };

static enum byte_class class_of(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80) {
        return LETTER;
    }
    if (c >= '0' && c <= '9') {
        return DIGIT;
    }
    switch (c) {
    case ' ':
        return SPACE;
    case '\n':
        return NEWLINE;
    case '\t':
    case '\r':
    case '\f':
    case '\v':
        return BLANK;
    case '\0':
        return NUL;
    default:
        return OTHER;
    }
}

static size_t run_of(const unsigned char *s, size_t i, size_t n, enum byte_class class)
{
    while (i < n && class_of(s[i]) == class) {
        i++;
    }
    return i;
}

/* Letters and inner apostrophes from s[i], which is a letter. */
static size_t word_end(const unsigned char *s, size_t i, size_t n)
{
    i = run_of(s, i, n, LETTER);
    while (i + 1 < n && s[i] == '\'' && class_of(s[i + 1]) == LETTER) {
        i = run_of(s, i + 1, n, LETTER);
    }
    return i;
}

/* Length of the pre-token at the start of s, n > 0. */
static size_t cut(const unsigned char *s, size_t n)
{
    size_t i = s[0] == ' ' && n > 1 ? 1 : 0; /* the optional space, if something may follow it */
    switch (class_of(s[i])) {
    case LETTER:
        return word_end(s, i, n);
    case OTHER:
        return run_of(s, i, n, OTHER);
    case NEWLINE:
        return i == 0 ? run_of(s, 0, n, NEWLINE) : 1;
    default:
        return 1;
    }
}

static int grow(struct tare_bpe_work *w, size_t n, struct tare_err *err)
{
    if (n <= w->cap) {
        return 0;
    }
    size_t cap = w->cap ? w->cap : 64;
    while (cap < n) {
        cap *= 2;
    }
    struct tare_bpe_work made = {.cap = cap};
    made.id = calloc(cap, sizeof *made.id);
    made.next = calloc(cap, sizeof *made.next);
    made.prev = calloc(cap, sizeof *made.prev);
    made.heap = malloc(2 * cap * sizeof *made.heap); /* a merge takes one pair off and adds at most two */
    if (!made.id || !made.next || !made.prev || !made.heap) {
        tare_bpe_work_free(&made);
        return tare_err_set(err, TARE_E_NOMEM, "no memory to tokenize a run of %zu bytes", n);
    }
    tare_bpe_work_free(w);
    *w = made;
    return 0;
}

void tare_bpe_work_free(struct tare_bpe_work *work)
{
    free(work->id);
    free(work->next);
    free(work->prev);
    free(work->heap);
    memset(work, 0, sizeof *work);
}

static void heap_push(struct tare_bpe_work *w, uint64_t key)
{
    size_t i = w->n_heap++;
    while (i > 0 && w->heap[(i - 1) / 2] > key) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = key;
}

static uint64_t heap_pop(struct tare_bpe_work *w)
{
    uint64_t top = w->heap[0];
    uint64_t key = w->heap[--w->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= w->n_heap) {
            break;
        }
        if (child + 1 < w->n_heap && w->heap[child + 1] < w->heap[child]) {
            child++;
        }
        if (w->heap[child] >= key) {
            break;
        }
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = key;
    return top;
}

/* Rank of the pair that starts at a position. */
static uint32_t rank_at(const struct tare_tokenizer *tok, uint32_t at)
{
    const struct tare_bpe_work *w = &tok->work;
    if (w->id[at] == SWALLOWED || w->next[at] == NONE) {
        return NONE;
    }
    return tare_tokenizer_rank(tok, w->id[at], w->id[w->next[at]]);
}

static void push_pair(struct tare_tokenizer *tok, uint32_t at)
{
    uint32_t rank = rank_at(tok, at);
    if (rank != NONE) {
        heap_push(&tok->work, (uint64_t)rank << 32 | at);
    }
}

static void merge_at(struct tare_tokenizer *tok, uint32_t at, uint32_t rank)
{
    struct tare_bpe_work *w = &tok->work;
    uint32_t gone = w->next[at];
    w->id[at] = TARE_TOKENIZER_BYTES + rank;
    w->id[gone] = SWALLOWED;
    w->next[at] = w->next[gone];
    if (w->next[at] != NONE) {
        w->prev[w->next[at]] = at;
    }
    push_pair(tok, at);
    if (w->prev[at] != NONE) {
        push_pair(tok, w->prev[at]);
    }
}

/* Leaves the symbols of one pre-token as a list from position 0 on. */
static void merge_pretoken(struct tare_tokenizer *tok, const unsigned char *s, uint32_t n)
{
    struct tare_bpe_work *w = &tok->work;
    w->n_heap = 0;
    for (uint32_t i = 0; i < n; i++) {
        w->id[i] = s[i];
        w->prev[i] = i == 0 ? NONE : i - 1;
        w->next[i] = i + 1 == n ? NONE : i + 1;
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        push_pair(tok, i);
    }
    while (w->n_heap > 0) {
        uint64_t top = heap_pop(w);
        uint32_t at = (uint32_t)top;
        uint32_t rank = (uint32_t)(top >> 32);
        if (rank_at(tok, at) == rank) { /* else an earlier merge has taken one of the two */
            merge_at(tok, at, rank);
        }
    }
}

static size_t longest_pretoken(const unsigned char *s, size_t n_text)
{
    size_t longest = 0;
    for (size_t at = 0; at < n_text;) {
        size_t n = cut(s + at, n_text - at);
        longest = n > longest ? n : longest;
        at += n;
    }
    return longest;
}

/* Where the ids go. */
struct output {
    int32_t *ids;
    uint32_t *ends;
    size_t cap;
    size_t n;
};

static void emit_pretoken(const struct tare_bpe_work *w, size_t from, size_t n, struct output *out)
{
    for (uint32_t at = 0; at != NONE; at = w->next[at], out->n++) {
        if (out->n >= out->cap) {
            continue;
        }
        out->ids[out->n] = (int32_t)w->id[at];
        out->ends[out->n] = (uint32_t)(from + (w->next[at] == NONE ? n : w->next[at]));
    }
}

int tare_tokenizer_encode(struct tare_tokenizer *tok, const char *text, size_t n_text, int32_t *ids,
                          uint32_t *ends, size_t cap, size_t *out_n, struct tare_err *err)
{
    if (n_text >= UINT32_MAX) {
        return tare_err_set(err, TARE_E_LIMIT, "a text of %zu bytes is too long to tokenize; cut it", n_text);
    }
    const unsigned char *s = (const unsigned char *)text;
    struct output out = {.ids = ids, .ends = ends, .cap = cap};
    int rc = grow(&tok->work, longest_pretoken(s, n_text), err);
    if (rc < 0) {
        return rc;
    }
    for (size_t at = 0; at < n_text;) {
        size_t n = cut(s + at, n_text - at);
        merge_pretoken(tok, s + at, (uint32_t)n);
        emit_pretoken(&tok->work, at, n, &out);
        at += n;
    }
    *out_n = out.n;
    return 0;
}
