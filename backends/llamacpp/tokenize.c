/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text into ids, with the proof that their pieces are the text. llama_tokenize gives no offsets: they are
 * the running length of the pieces, which holds only if all pieces together are the text's bytes, or
 * those behind one space that a SentencePiece vocabulary puts in front. Tokenizers that change text
 * (lower case, lost spaces, replaced bytes) fail here instead of getting invented offsets.
 */
#include "llamacpp.h"

#include <string.h>

enum { piece_bytes = 1024 };

static int differs(size_t at, struct tare_err *err)
{
    return tare_err_set(
        err, TARE_E_UNSUPPORTED,
        "llamacpp: the tokens of a text do not give its bytes back from byte %zu on: this model's "
        "tokenizer changes text, or takes no bytes that are not UTF-8",
        at);
}

/* Ends of ids in text, whose pieces begin with `ahead` bytes (0 or 1) that are not in it. Writes nothing
 * beyond n ids. *out_total: bytes of all pieces. */
static int walk(const struct llama_vocab *vocab, const char *text, size_t n_text, const int32_t *ids,
                size_t n, size_t ahead, uint32_t *ends, struct tare_err *err)
{
    char piece[piece_bytes];
    size_t at = 0; /* in the pieces */
    for (size_t i = 0; i < n; i++) {
        int32_t bytes = llama_token_to_piece(vocab, ids[i], piece, sizeof piece, 0, false);
        size_t skip = at == 0 && bytes > 0 ? ahead : 0;
        if (bytes < 0 || at + (size_t)bytes > n_text + ahead || (skip && piece[0] != ' ') ||
            memcmp(text + (at + skip - ahead), piece + skip, (size_t)bytes - skip) != 0) {
            return differs(at, err);
        }
        at += (size_t)bytes;
        ends[i] = (uint32_t)(at > ahead ? at - ahead : 0);
    }
    return at == n_text + ahead ? 0 : differs(at, err);
}

static size_t bytes_of(const struct llama_vocab *vocab, const int32_t *ids, size_t n)
{
    char piece[piece_bytes];
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bytes = llama_token_to_piece(vocab, ids[i], piece, sizeof piece, 0, false);
        sum += bytes > 0 ? (size_t)bytes : 0;
    }
    return sum;
}

int tare_llamacpp_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                           size_t cap, size_t *out_n, struct tare_err *err)
{
    const struct tare_llamacpp *n = self;
    if (n_text > INT32_MAX / 2 || llama_vocab_type(n->vocab) == LLAMA_VOCAB_TYPE_NONE) {
        return n_text > INT32_MAX / 2
                   ? tare_err_set(err, TARE_E_LIMIT, "llamacpp: a text of %zu bytes is too long; cut it",
                                  n_text)
                   : tare_err_set(err, TARE_E_UNSUPPORTED, "llamacpp: this model file holds no vocabulary");
    }
    int32_t room = cap > INT32_MAX ? INT32_MAX : (int32_t)cap;
    int32_t count = llama_tokenize(n->vocab, text, (int32_t)n_text, ids, room, false, false);
    if (count == INT32_MIN) {
        return tare_err_set(err, TARE_E_LIMIT, "llamacpp: a text of %zu bytes gives too many tokens", n_text);
    }
    if (count < 0) {
        *out_n = (size_t) - (int64_t)count; /* the caller comes again with more room */
        return 0;
    }
    size_t ahead = bytes_of(n->vocab, ids, (size_t)count) == n_text + 1;
    int rc = walk(n->vocab, text, n_text, ids, (size_t)count, ahead, ends, err);
    *out_n = rc == 0 ? (size_t)count : *out_n;
    return rc;
}
