/* SPDX-License-Identifier: Apache-2.0 */
/* Structs with their pointers left to the reader, each followed by its arrays. */
#include "verify/wire.h"

#include <stdlib.h>
#include <string.h>

void tare_wire_put(struct tare_buf *to, enum tare_wire_type type, const void *a, size_t n_a, const void *b,
                   size_t n_b)
{
    const struct tare_wire_head head = {(uint32_t)type, (uint32_t)(n_a + n_b)};
    tare_buf_add(to, &head, sizeof head);
    tare_buf_add(to, a, n_a);
    tare_buf_add(to, b, n_b);
}

/* A frame whose length is known at its end only. Returns where it begins. */
static size_t begin(struct tare_buf *to, enum tare_wire_type type)
{
    size_t at = to->used;
    tare_wire_put(to, type, NULL, 0, NULL, 0);
    return at;
}

static void end(struct tare_buf *to, size_t at)
{
    if (!to->failed) {
        uint32_t bytes = (uint32_t)(to->used - at - sizeof(struct tare_wire_head));
        memcpy(to->data + at + offsetof(struct tare_wire_head, bytes), &bytes, sizeof bytes);
    }
}

void tare_wire_put_asks(struct tare_buf *to, const struct tare_wire_ask *asks, uint32_t n)
{
    size_t at = begin(to, TARE_WIRE_ASK);
    tare_buf_add(to, &n, sizeof n);
    for (uint32_t i = 0; i < n; i++) {
        const struct tare_wire_ask *q = &asks[i];
        tare_buf_add(to, q, sizeof *q);
        tare_buf_add(to, q->tokens, q->n_tokens * sizeof *q->tokens);
        for (uint32_t s = 0; s < q->n_stops && s < TARE_WIRE_MOST_STOPS; s++) {
            tare_buf_add(to, q->stops[s].data, q->stops[s].n);
        }
    }
    end(to, at);
}

void tare_wire_put_answers(struct tare_buf *to, const struct tare_wire_printed *printed,
                           const struct tare_wire_answer *answers, uint32_t n)
{
    size_t at = begin(to, TARE_WIRE_ANSWERS);
    tare_buf_add(to, printed, sizeof *printed);
    for (uint32_t i = 0; i < n; i++) {
        const struct tare_wire_answer *a = &answers[i];
        tare_buf_add(to, a, sizeof *a);
        tare_buf_add(to, a->logprob, a->n * sizeof *a->logprob);
        tare_buf_add(to, a->argmax, a->n * sizeof *a->argmax);
        tare_buf_add(to, a->greedy, a->n * sizeof *a->greedy);
        tare_buf_add(to, a->tokens, a->n_tokens * sizeof *a->tokens);
        tare_buf_add(to, a->ends, a->n_tokens * sizeof *a->ends);
        tare_buf_add(to, a->text, a->n_bytes);
    }
    end(to, at);
}

void tare_wire_put_tokens(struct tare_buf *to, const struct tare_wire_printed *printed,
                          const struct tare_wire_tokens *tokens)
{
    size_t at = begin(to, TARE_WIRE_TOKENS);
    tare_buf_add(to, printed, sizeof *printed);
    tare_buf_add(to, tokens, sizeof *tokens);
    tare_buf_add(to, tokens->ids, tokens->n * sizeof *tokens->ids);
    tare_buf_add(to, tokens->ends, tokens->n * sizeof *tokens->ends);
    end(to, at);
}

/* A body on its way to its end. */
struct cursor {
    const char *at;
    size_t left;
    struct tare_arena *arena;
    bool short_of;  /* it ended too early */
    bool no_memory; /* the arena could not hold it */
};

static void take(struct cursor *c, void *out, size_t n)
{
    if (n > c->left) {
        c->short_of = true;
        c->left = 0;
        return;
    }
    memcpy(out, c->at, n);
    c->at += n;
    c->left -= n;
}

/* n elements, copied into the arena; NULL when they are not there. */
static void *take_array(struct cursor *c, size_t n, size_t size)
{
    if (n > c->left / size) {
        c->short_of = true;
        c->left = 0;
        return NULL;
    }
    void *copy = tare_arena_copy(c->arena, c->at, n * size);
    c->no_memory = c->no_memory || !copy;
    c->at += n * size;
    c->left -= n * size;
    return copy;
}

static int judge(const struct cursor *c, struct tare_err *err)
{
    return c->no_memory ? tare_err_set(err, TARE_E_NOMEM, "out of memory")
           : c->short_of || c->left
               ? tare_err_set(err, TARE_E_FORMAT, "a frame between referee and backend is damaged")
               : 0;
}

int tare_wire_get_asks(const char *body, size_t n_body, struct tare_arena *arena, struct tare_wire_ask **out,
                       uint32_t *out_n, struct tare_err *err)
{
    struct cursor c = {.at = body, .left = n_body, .arena = arena};
    uint32_t n = 0;
    take(&c, &n, sizeof n);
    if (n > n_body / sizeof(struct tare_wire_ask)) {
        return tare_err_set(err, TARE_E_FORMAT, "a frame between referee and backend is damaged");
    }
    struct tare_wire_ask *asks = tare_arena_array(arena, n + (size_t)1, sizeof *asks);
    c.no_memory = !asks;
    for (uint32_t i = 0; asks && i < n && !c.short_of; i++) {
        take(&c, &asks[i], sizeof asks[i]);
        asks[i].tokens = c.short_of ? NULL : take_array(&c, asks[i].n_tokens, sizeof *asks[i].tokens);
        for (uint32_t s = 0; !c.short_of && s < asks[i].n_stops && s < TARE_WIRE_MOST_STOPS; s++) {
            asks[i].stops[s].data = take_array(&c, asks[i].stops[s].n, 1);
        }
    }
    *out = asks;
    *out_n = n;
    return judge(&c, err);
}

/* Text that others wrote, closed. */
static void close_text(char *text, size_t n)
{
    text[n - 1] = '\0';
}

int tare_wire_get_answers(const char *body, size_t n_body, struct tare_arena *arena,
                          struct tare_wire_printed *printed, struct tare_wire_answer *out, uint32_t n,
                          struct tare_err *err)
{
    struct cursor c = {.at = body, .left = n_body, .arena = arena};
    memset(printed, 0, sizeof *printed);
    take(&c, printed, sizeof *printed);
    close_text(printed->first, sizeof printed->first);
    for (uint32_t i = 0; i < n; i++) {
        struct tare_wire_answer *a = &out[i];
        memset(a, 0, sizeof *a);
        take(&c, a, sizeof *a);
        close_text(a->message, sizeof a->message);
        a->logprob = take_array(&c, a->n, sizeof *a->logprob);
        a->argmax = take_array(&c, a->n, sizeof *a->argmax);
        a->greedy = take_array(&c, a->n, sizeof *a->greedy);
        a->tokens = take_array(&c, a->n_tokens, sizeof *a->tokens);
        a->ends = take_array(&c, a->n_tokens, sizeof *a->ends);
        a->text = take_array(&c, a->n_bytes, 1);
    }
    return judge(&c, err);
}

int tare_wire_get_tokens(const char *body, size_t n_body, struct tare_arena *arena,
                         struct tare_wire_printed *printed, struct tare_wire_tokens *out,
                         struct tare_err *err)
{
    struct cursor c = {.at = body, .left = n_body, .arena = arena};
    memset(printed, 0, sizeof *printed);
    memset(out, 0, sizeof *out);
    take(&c, printed, sizeof *printed);
    take(&c, out, sizeof *out);
    close_text(printed->first, sizeof printed->first);
    close_text(out->message, sizeof out->message);
    out->ids = take_array(&c, out->n, sizeof *out->ids);
    out->ends = take_array(&c, out->n, sizeof *out->ends);
    return judge(&c, err);
}
