/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task swap: a sentence against itself with two neighbouring words swapped.
 *
 * Both choices hold the same bytes in another order, so their log-likelihoods are compared as they are.
 * A sentence is a capital, 40 to 160 bytes without a full stop, question or exclamation mark, and one of
 * these; it has at least eight words, and neither its first two nor its last two words move. Item i
 * draws from split(seed, "item", i).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "paragraphs.h"

enum {
    DRAWS = 10000,
    BODY_MIN = 40,
    BODY_MAX = 160,
    WORDS_MIN = 8,
    WORDS_MAX = BODY_MAX + 2,
    SENTENCES_MAX = 64
};

struct pair {
    struct tare_bytes choices[2]; /* one points into the documents, the other is `swapped` */
    char *swapped;
    size_t gold;
};

struct swap {
    char *path;
    int64_t items;
    struct tare_documents documents;
    struct pair *pairs;
};

static const struct tare_metric metrics[] = {
    {.name = "acc",
     .rule = TARE_METRIC_RATIO,
     .scale = 1.0,
     .unit = "1",
     .help = "share of the items whose sentence is likelier than its swapped form"},
    {0},
};

static const struct tare_opt options[] = {
    {.name = "path",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct swap, path),
     .help = "text file, documents apart by NUL bytes; unset: the shipped prose"},
    {.name = "items",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct swap, items),
     .def = "128",
     .help = "pairs to make",
     .min = 1,
     .max = 10000},
    TARE_OPT_END,
};

static bool ends_sentence(char c)
{
    return c == '.' || c == '!' || c == '?';
}

/* Bytes of the sentence that begins at text[at], 0 if none does. */
static size_t sentence_at(struct tare_bytes text, size_t at)
{
    if (text.data[at] < 'A' || text.data[at] > 'Z') {
        return 0;
    }
    size_t end = at + 1;
    while (end < text.n && end - at <= BODY_MAX && !ends_sentence(text.data[end])) {
        end++;
    }
    size_t body = end - at - 1;
    return end < text.n && ends_sentence(text.data[end]) && body >= BODY_MIN ? body + 2 : 0;
}

/* The sentences of a paragraph, from the left and without overlap, SENTENCES_MAX at most. */
static size_t find_sentences(struct tare_bytes paragraph, struct tare_bytes *out)
{
    size_t found = 0;
    for (size_t at = 0; at < paragraph.n && found < SENTENCES_MAX;) {
        size_t n = sentence_at(paragraph, at);
        if (n > 0) {
            out[found++] = (struct tare_bytes){.data = paragraph.data + at, .n = n};
        }
        at += n ? n : 1;
    }
    return found;
}

static size_t split_words(struct tare_bytes sentence, struct tare_bytes *words)
{
    size_t n = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= sentence.n; i++) {
        if (i == sentence.n || sentence.data[i] == ' ') {
            words[n++] = (struct tare_bytes){.data = sentence.data + begin, .n = i - begin};
            begin = i + 1;
        }
    }
    return n;
}

static bool is_word(struct tare_bytes word)
{
    for (size_t i = 0; i < word.n; i++) {
        if (!tare_is_letter(word.data[i])) {
            return false;
        }
    }
    return word.n > 0;
}

static bool same_word(struct tare_bytes a, struct tare_bytes b)
{
    return a.n == b.n && strncasecmp(a.data, b.data, a.n) == 0;
}

/* Writes the sentence with the neighbours first and second, one space apart, changed over. */
static void write_swapped(struct tare_bytes sentence, struct tare_bytes first, struct tare_bytes second,
                          char *out)
{
    size_t at = (size_t)(first.data - sentence.data);
    memcpy(out, sentence.data, sentence.n);
    memcpy(out + at, second.data, second.n);
    out[at + second.n] = ' ';
    memcpy(out + at + second.n + 1, first.data, first.n);
}

/* Draws a sentence and its swapped form, of the same length; false if this draw gave none. */
static bool draw_swap(const struct tare_paragraphs *paragraphs, struct tare_rng *rng,
                      struct tare_bytes *sentence, char *swapped)
{
    struct tare_bytes sentences[SENTENCES_MAX];
    struct tare_bytes words[WORDS_MAX];
    size_t group = tare_rng_below(rng, paragraphs->n_groups);
    size_t begin = paragraphs->first[group];
    size_t paragraph = begin + tare_rng_below(rng, paragraphs->first[group + 1] - begin);
    size_t n_sentences = find_sentences(paragraphs->all[paragraph], sentences);
    if (n_sentences == 0) {
        return false;
    }
    *sentence = sentences[tare_rng_below(rng, n_sentences)];
    size_t n_words = split_words(*sentence, words);
    if (n_words < WORDS_MIN) {
        return false;
    }
    size_t i = 2 + tare_rng_below(rng, n_words - 5);
    if (!is_word(words[i]) || !is_word(words[i + 1]) || same_word(words[i], words[i + 1])) {
        return false;
    }
    write_swapped(*sentence, words[i], words[i + 1], swapped);
    return true;
}

/* Asking the same swap twice would count one answer as two. */
static bool is_new(const struct pair *pairs, size_t n, const char *swapped, size_t swapped_n)
{
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].choices[0].n == swapped_n && memcmp(pairs[i].swapped, swapped, swapped_n) == 0) {
            return false;
        }
    }
    return true;
}

static int make_pair(struct swap *swap, const struct tare_paragraphs *paragraphs, const struct tare_rng *seed,
                     size_t index, struct tare_err *err)
{
    struct tare_rng rng = tare_rng_split(seed, "item", index);
    struct tare_bytes sentence = {0};
    char swapped[BODY_MAX + 2];
    int draws = 0;
    while (!draw_swap(paragraphs, &rng, &sentence, swapped) ||
           !is_new(swap->pairs, index, swapped, sentence.n)) {
        if (++draws == DRAWS) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "task swap: the text gave only %zu different pairs of %lld; ask for fewer items "
                "or choose a longer text",
                index, (long long)swap->items);
        }
    }
    struct pair *pair = &swap->pairs[index];
    pair->swapped = malloc(sentence.n);
    if (!pair->swapped) {
        return tare_err_set(err, TARE_E_NOMEM, "task swap: no memory for %zu bytes", sentence.n);
    }
    memcpy(pair->swapped, swapped, sentence.n);
    pair->gold = tare_rng_below(&rng, 2);
    pair->choices[pair->gold] = sentence;
    pair->choices[1 - pair->gold] = (struct tare_bytes){.data = pair->swapped, .n = sentence.n};
    return 0;
}

static int make_pairs(struct swap *swap, const struct tare_rng *seed, struct tare_err *err)
{
    struct tare_paragraphs paragraphs = {0};
    int rc = tare_paragraphs_open(&paragraphs, &swap->documents, 1, "swap", err);
    if (rc) {
        return rc;
    }
    swap->pairs = calloc((size_t)swap->items, sizeof *swap->pairs);
    if (!swap->pairs) {
        rc = tare_err_set(err, TARE_E_NOMEM, "task swap: no memory for %lld items", (long long)swap->items);
    }
    for (size_t i = 0; rc == 0 && i < (size_t)swap->items; i++) {
        rc = make_pair(swap, &paragraphs, seed, i, err);
    }
    tare_paragraphs_close(&paragraphs);
    return rc;
}

static void close_task(void *self)
{
    struct swap *swap = self;
    for (int64_t i = 0; swap->pairs && i < swap->items; i++) {
        free(swap->pairs[i].swapped);
    }
    free(swap->pairs);
    swap->pairs = NULL;
    tare_documents_close(&swap->documents);
}

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    struct swap *swap = self;
    int rc = tare_documents_open(&swap->documents, swap->path, data_dir, err);
    if (rc == 0) {
        rc = make_pairs(swap, seed, err);
    }
    if (rc) {
        close_task(self);
    }
    return rc;
}

static size_t count(void *self)
{
    return (size_t)((const struct swap *)self)->items;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct swap *swap = self;
    if (index >= count(self)) {
        return tare_err_set(err, TARE_E_USAGE, "task swap: there is no item %zu", index);
    }
    *out = (struct tare_item){.kind = TARE_ITEM_CHOICE,
                              .text = {.data = "", .n = 0},
                              .choices = swap->pairs[index].choices,
                              .n_choices = 2,
                              .gold = swap->pairs[index].gold};
    return 0;
}

static const char *source(void *self, size_t i)
{
    return tare_documents_source(&((const struct swap *)self)->documents, i);
}

const struct tare_task tare_task_swap = {
    .header = TARE_TASK_HEADER,
    .name = "swap",
    .summary = "tell a sentence from itself with two words swapped",
    .version = 1,
    .priv_size = sizeof(struct swap),
    .options = options,
    .metrics = metrics,
    .norm = TARE_NORM_NONE,
    .open = open_task,
    .count = count,
    .item = item,
    .source = source,
    .close = close_task,
};
