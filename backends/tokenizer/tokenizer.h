/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte-level BPE tokenizer of the zoo (file type `tare-byte-bpe-1`).
 *
 * Ids 0 .. 255 are the bytes, id 256 + i is merge i. Text is any sequence of bytes; nothing is
 * normalised and no token is added in front. Loading is in tokenizer.c, encoding in bpe.c. It knows no
 * other kind of tokenizer and refuses a file whose cutting rule is not the one built in.
 */
#ifndef TARE_TOKENIZER_TOKENIZER_H
#define TARE_TOKENIZER_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>
#include <tare/json.h>

#define TARE_TOKENIZER_BYTES 256u /* ids that stand for one byte */

/* A merge in the hash table; rank UINT32_MAX marks an empty place. */
struct tare_merge {
    uint32_t pair; /* left id << 16 | right id */
    uint32_t rank;
};

/* Work memory of the encoder for one pre-token, grown on demand. */
struct tare_bpe_work {
    uint32_t *id;   /* symbol that starts at a position, or a mark for "swallowed" */
    uint32_t *next; /* position of the symbol behind it */
    uint32_t *prev;
    uint64_t *heap; /* rank << 32 | position; smallest first */
    size_t cap;     /* positions */
    size_t n_heap;
};

struct tare_tokenizer {
    uint32_t n_vocab;
    int32_t bos;
    char sha[65];
    uint32_t *start; /* n_vocab + 1 offsets into text: bytes of id i are text[start[i] .. start[i+1]) */
    char *text;
    struct tare_merge *merges; /* open addressing, mask + 1 places */
    uint32_t mask;
    struct tare_bpe_work work;
};

TARE_MUST_CHECK int tare_tokenizer_load(struct tare_tokenizer *tok, const char *path, struct tare_err *err);
/* The same from a tree, which is only read; `what` names the source in messages. */
TARE_MUST_CHECK int tare_tokenizer_build(struct tare_tokenizer *tok, const struct tare_json *root,
                                         const char *what, struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_tokenizer_close(struct tare_tokenizer *tok);

/* As tare_backend.tokenize: at most cap ids and end offsets are written, *out_n gets the full count. */
TARE_MUST_CHECK int tare_tokenizer_encode(struct tare_tokenizer *tok, const char *text, size_t n_text,
                                          int32_t *ids, uint32_t *ends, size_t cap, size_t *out_n,
                                          struct tare_err *err);
/* Rank of the merge of two ids, or UINT32_MAX if they do not merge. */
uint32_t tare_tokenizer_rank(const struct tare_tokenizer *tok, uint32_t left, uint32_t right);
/* The bytes of an id below n_vocab. */
const char *tare_tokenizer_bytes(const struct tare_tokenizer *tok, uint32_t id, uint32_t *n);

void tare_bpe_work_free(struct tare_bpe_work *work);

#endif
