/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters that tokens cut in pieces. Which bytes a token stands for is learnt from the tokenizer; what the
 * backend says it generated must be those bytes, also where a token ends within a character.
 */
#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>

enum { most_ids = 1 << 20, n_prompts = 4, n_output = 48 };

/* The latin letters twice over, other scripts, an emoji of several code points, all of printable ASCII. */
static const char text[] =
    "x "
    "\xc3\xa0\xc3\xa1\xc3\xa2\xc3\xa3\xc3\xa4\xc3\xa5\xc3\xa6\xc3\xa7\xc3\xa8\xc3\xa9\xc3\xaa\xc3\xab\xc3\xac"
    "\xc3\xad\xc3\xae\xc3\xaf\xc3\xb0\xc3\xb1\xc3\xb2\xc3\xb3\xc3\xb4\xc3\xb5\xc3\xb6\xc3\xb8\xc3\xb9\xc3\xba"
    "\xc3\xbb\xc3\xbc\xc3\xbd\xc3\xbe\xc3\xbf \xd0\x96\xd1\x83\xd0\xba \xe6\xbc\xa2\xe5\xad\x97 \xe0\xa4\x95"
    "\xe0\xa5\x8d\xe0\xa4\xb7 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80 \xe2\x82\xac \n"
    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz\t{|}~";

/* What each id was seen to stand for; n 0: not seen; n SIZE_MAX: for different things. */
struct piece {
    const char *data;
    size_t n;
};

static void learn(struct piece *pieces, const struct tare_wire_tokens *t, const char *from)
{
    /* The first token may have lost the blank that a tokenizer puts before a text. */
    for (uint32_t i = 1; i < t->n; i++) {
        struct piece seen = {from + t->ends[i - 1], t->ends[i] - t->ends[i - 1]};
        if (t->ids[i] < 0 || t->ids[i] >= most_ids || seen.n == 0) {
            continue;
        }
        struct piece *p = &pieces[t->ids[i]];
        bool same = p->n == seen.n && memcmp(p->data, seen.data, seen.n) == 0;
        *p = p->n == 0 ? seen : same ? *p : (struct piece){"", SIZE_MAX};
    }
}

/* The longest part of the output whose ids are all known, held against what the backend said. */
static void hold(struct tare_verify *v, const struct piece *pieces, const struct tare_wire_answer *a,
                 uint32_t *out_known)
{
    size_t at = 0;
    for (uint32_t i = 0; i < a->n_tokens; i++) {
        int32_t id = a->tokens[i];
        const struct piece *p = id >= 0 && id < most_ids ? &pieces[id] : NULL;
        if (!p || p->n == 0 || p->n == SIZE_MAX) {
            return;
        }
        size_t left = a->n_bytes > at ? a->n_bytes - at : 0;
        bool held_back = i + 1 == a->n_tokens && left < p->n; /* of a character that may not have ended */
        if (!held_back &&
            !tare_verify_require(v, left >= p->n && memcmp(a->text + at, p->data, p->n) == 0,
                                 "generated token %u is %d, which in a text stands for the byte%s "
                                 "%02x%s; the output has %02x there (byte %zu)",
                                 i + 1, id, p->n > 1 ? "s" : "", (unsigned char)p->data[0],
                                 p->n > 1 ? "..." : "", left ? (unsigned char)a->text[at] : 0, at)) {
            return;
        }
        at += p->n;
        ++*out_known;
    }
}

/* Tokens of the output itself teach more ids; a tokenizer that refuses it, for its last character may be cut,
 * teaches nothing. */
static int learn_output(struct tare_verify *v, struct piece *pieces, const struct tare_wire_answer *a,
                        struct tare_err *err)
{
    struct tare_wire_tokens tokens;
    int r = a->n_bytes
                ? tare_verify_session_tokenize(&v->session, a->text, a->n_bytes, &v->arena, &tokens, err)
                : 2;
    if (r == 0 && tokens.code == 0 && tare_verify_covers(&tokens, a->n_bytes)) {
        learn(pieces, &tokens, a->text);
    }
    return r == 2 ? 0 : r;
}

static int generate(struct tare_verify *v, struct piece *pieces, uint32_t *out_known, struct tare_err *err)
{
    struct tare_wire_answer answers[n_prompts];
    int r = 0;
    for (int i = 0; r == 0 && i < n_prompts; i++) {
        struct tare_verify_tokens t = {NULL, 0};
        char label[16];
        (void)snprintf(label, sizeof label, "text %d", i);
        r = tare_verify_draw(v, label, 12, &t, err);
        const struct tare_wire_ask ask = tare_verify_generate(t, n_output);
        r = r == 0 ? tare_verify_ask(v, &ask, 1, &answers[i], err) : r;
        r = r == 0 ? learn_output(v, pieces, &answers[i], err) : r;
    }
    for (int i = 0; r == 0 && i < n_prompts; i++) {
        hold(v, pieces, &answers[i], out_known);
    }
    return r;
}

static int run(struct tare_verify *v, struct tare_err *err)
{
    struct tare_wire_tokens tokens;
    uint32_t known = 0;
    struct piece *pieces = calloc(most_ids, sizeof *pieces);
    int r = pieces ? tare_verify_tokenize(v, text, sizeof text - 1, &tokens, err)
                   : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        learn(pieces, &tokens, text);
    }
    if (r == 0 && (v->session.hello.caps & TARE_CAP_GENERATE)) {
        r = generate(v, pieces, &known, err);
        tare_verify_note(v, "tokens cover the text's bytes; the bytes of %u generated tokens were known",
                         known);
    }
    free(pieces);
    return r;
}

const struct tare_verify_check tare_verify_check_utf8 = {
    .name = "utf8",
    .proves = "characters cut by tokens keep their bytes, in texts and in what is generated",
    .needs = TARE_CAP_TOKENIZE,
    .run = run};
