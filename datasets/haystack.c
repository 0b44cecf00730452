/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences of a haystack; see haystack.h. Where needles go is the tasks' business. */
#include <stdlib.h>
#include <string.h>

#include "haystack.h"

#define SENTENCE(text)                            \
    {                                             \
        .data = (text), .n = sizeof(text "") - 1u \
    }

static const struct tare_bytes plain[] = {
    SENTENCE("The kettle is on the stove."),
    SENTENCE("Rain fell before noon."),
    SENTENCE("A door stands open at the end of the hall."),
    SENTENCE("The clock runs a little slow."),
    SENTENCE("Nobody has moved the chairs."),
    SENTENCE("The road bends past the mill."),
    SENTENCE("A cart waits by the gate."),
    SENTENCE("The lamp was left burning."),
    SENTENCE("There is dust on the shelf."),
    SENTENCE("The wind came round to the west."),
    SENTENCE("Someone swept the yard."),
    SENTENCE("The bread is still warm."),
    SENTENCE("The windows look out on the river."),
    SENTENCE("A dog sleeps under the table."),
    SENTENCE("The path is steep but short."),
    SENTENCE("Snow lay on the upper fields."),
    SENTENCE("The shop closes early."),
    SENTENCE("The ferry was late again."),
    SENTENCE("Two boats lie on the sand."),
    SENTENCE("The bell has not been rung."),
    SENTENCE("The garden needs water."),
    SENTENCE("A letter lies unopened."),
    SENTENCE("The stairs creak at night."),
    SENTENCE("The fire has burned low."),
    SENTENCE("Apples are stored in the loft."),
    SENTENCE("The market moves to the square."),
    SENTENCE("The ink has dried."),
    SENTENCE("The hedge was cut last week."),
    SENTENCE("A train passes in the distance."),
    SENTENCE("The key hangs on its nail."),
    SENTENCE("The well is deep and cold."),
    SENTENCE("Nothing else happened that day."),
};
enum { PLAIN = sizeof plain / sizeof plain[0] };

static bool is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool ends_sentence(struct tare_bytes text, size_t at)
{
    char c = text.data[at];
    if (c == '\n') {
        return at + 1 < text.n && text.data[at + 1] == '\n';
    }
    return (c == '.' || c == '!' || c == '?') && at + 1 < text.n && is_white(text.data[at + 1]);
}

/* Takes the next sentence off the front of *rest, without white space around it; empty at the end. */
static struct tare_bytes take_sentence(struct tare_bytes *rest)
{
    size_t begin = 0;
    while (begin < rest->n && is_white(rest->data[begin])) {
        begin++;
    }
    size_t end = begin;
    while (end < rest->n && !ends_sentence(*rest, end)) {
        end++;
    }
    end += end < rest->n && rest->data[end] != '\n';
    struct tare_bytes sentence = {.data = rest->data + begin, .n = end - begin};
    while (sentence.n > 0 && is_white(sentence.data[sentence.n - 1])) {
        sentence.n--;
    }
    rest->data += end;
    rest->n -= end;
    return sentence;
}

/* Counts the sentences, and lists them where `out` is given. */
static size_t find_sentences(const struct tare_documents *documents, const char *without,
                             struct tare_bytes *out)
{
    size_t n = 0;
    for (size_t i = 0; i < documents->n; i++) {
        struct tare_bytes rest = documents->docs[i];
        for (struct tare_bytes s = take_sentence(&rest); s.n > 0; s = take_sentence(&rest)) {
            if (memmem(s.data, s.n, without, strlen(without))) {
                continue;
            }
            if (out) {
                out[n] = s;
            }
            n++;
        }
    }
    return n;
}

int tare_haystack_open(struct tare_haystack *haystack, const char *path, const char *data_dir,
                       const char *without, const char *task, struct tare_err *err)
{
    struct tare_haystack opened = {0};
    int rc = tare_documents_open(&opened.documents, path, data_dir, err);
    if (rc) {
        return rc;
    }
    opened.n = find_sentences(&opened.documents, without, NULL);
    if (opened.n == 0) {
        tare_haystack_close(&opened);
        return tare_err_set(err, TARE_E_FORMAT, "task %s: %s has no sentence to hide anything among", task,
                            path ? path : "the shipped prose");
    }
    opened.sentences = calloc(opened.n, sizeof *opened.sentences);
    if (!opened.sentences) {
        tare_haystack_close(&opened);
        return tare_err_set(err, TARE_E_NOMEM, "task %s: no memory to list the sentences", task);
    }
    (void)find_sentences(&opened.documents, without, opened.sentences);
    *haystack = opened;
    return 0;
}

void tare_haystack_close(struct tare_haystack *haystack)
{
    free(haystack->sentences);
    tare_documents_close(&haystack->documents);
    memset(haystack, 0, sizeof *haystack);
}

struct tare_haystack_walk tare_haystack_walk(const struct tare_haystack *haystack, struct tare_rng *rng)
{
    uint64_t drawn = tare_rng_u64(rng);
    struct tare_haystack_walk walk = {.haystack = haystack};
    tare_rng_init(&walk.rng, drawn);
    walk.next = haystack->sentences ? tare_rng_below(&walk.rng, haystack->n) : 0;
    return walk;
}

struct tare_bytes tare_haystack_next(struct tare_haystack_walk *walk)
{
    const struct tare_haystack *haystack = walk->haystack;
    if (!haystack->sentences) {
        return plain[tare_rng_below(&walk->rng, PLAIN)];
    }
    struct tare_bytes sentence = haystack->sentences[walk->next];
    walk->next = walk->next + 1 < haystack->n ? walk->next + 1 : 0;
    return sentence;
}

void tare_haystack_put(struct tare_draft *draft, struct tare_bytes sentence)
{
    for (size_t i = 0; i < sentence.n; i++) {
        char c = sentence.data[i];
        tare_draft_putc(draft, is_white(c) ? ' ' : c);
    }
    tare_draft_putc(draft, ' ');
}
