/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading of tokenizer.json: the bytes of every id and the hash table of the merges.
 *
 * The file is not trusted: a merge may name only ids that exist before it, no pair may stand twice,
 * and the bytes of an id are limited, because doubling merges would otherwise ask for 2^768 bytes.
 */
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX  ((size_t)16 << 20)
#define VOCAB_MAX       65536 /* ids are packed in pairs of 16 bits */
#define TOKEN_BYTES_MAX 1024u
#define NO_RANK         UINT32_MAX

static const char type_name[] = "tare-byte-bpe-1";
/* The cutting rule that bpe.c implements, in the notation of the file. */
static const char cutting_rule[] = " ?[A-Za-z\\x80-\\xff]+(?:'[A-Za-z\\x80-\\xff]+)*|[0-9]|\\n+|"
                                   " ?[^A-Za-z0-9\\x80-\\xff\\s\\x00]+|\\x00|\\s";

static uint32_t slot_of(const struct tare_tokenizer *tok, uint32_t pair)
{
    /* Multiplicative hash; the constant is 2^32 divided by the golden ratio, made odd. */
    uint32_t h = pair * UINT32_C(2654435769);
    return (h ^ h >> 15) & tok->mask;
}

uint32_t tare_tokenizer_rank(const struct tare_tokenizer *tok, uint32_t left, uint32_t right)
{
    uint32_t pair = left << 16 | right;
    for (uint32_t i = slot_of(tok, pair);; i = (i + 1) & tok->mask) {
        const struct tare_merge *m = &tok->merges[i];
        if (m->rank == NO_RANK || m->pair == pair) {
            return m->rank;
        }
    }
}

const char *tare_tokenizer_bytes(const struct tare_tokenizer *tok, uint32_t id, uint32_t *n)
{
    *n = tok->start[id + 1] - tok->start[id];
    return tok->text + tok->start[id];
}

static void insert_merge(struct tare_tokenizer *tok, uint32_t pair, uint32_t rank)
{
    uint32_t i = slot_of(tok, pair);
    while (tok->merges[i].rank != NO_RANK) {
        i = (i + 1) & tok->mask;
    }
    tok->merges[i] = (struct tare_merge){.pair = pair, .rank = rank};
}

/* Twice as many places as merges at least, so that a search always meets an empty one. */
static int make_tables(struct tare_tokenizer *tok, uint32_t n_merges, const char *what, struct tare_err *err)
{
    size_t places = 4;
    while (places < 2 * (size_t)n_merges) {
        places *= 2;
    }
    tok->mask = (uint32_t)(places - 1);
    tok->merges = malloc(places * sizeof *tok->merges);
    tok->start = calloc((size_t)tok->n_vocab + 1, sizeof *tok->start);
    if (!tok->merges || !tok->start) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for %u merges", what, n_merges);
    }
    memset(tok->merges, 0xff, places * sizeof *tok->merges);
    for (uint32_t i = 0; i < TARE_TOKENIZER_BYTES; i++) {
        tok->start[i + 1] = i + 1;
    }
    return 0;
}

/* Both parts of one merge, which may be any ids below `limit`. */
static int read_pair(const struct tare_json *merge, uint32_t index, uint32_t limit, const char *what,
                     uint32_t pair[2], struct tare_err *err)
{
    if (tare_json_type(merge) != TARE_JSON_ARRAY || tare_json_size(merge) != 2) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: merge %u is not a pair of ids", what, index);
    }
    const struct tare_json *part = tare_json_first(merge);
    for (int i = 0; i < 2; i++, part = tare_json_next(part)) {
        char label[120];
        int64_t id;
        (void)snprintf(label, sizeof label, "%.60s: an id of merge %u", what, index);
        int rc = tare_json_i64(part, label, 0, (int64_t)limit - 1, &id, err);
        if (rc < 0) {
            return rc;
        }
        pair[i] = (uint32_t)id;
    }
    return 0;
}

/* First pass: ranks and the length of every id. */
static int read_merges(struct tare_tokenizer *tok, const struct tare_json *merges, const char *what,
                       struct tare_err *err)
{
    uint32_t rank = 0;
    for (const struct tare_json *m = tare_json_first(merges); m; m = tare_json_next(m), rank++) {
        uint32_t id = TARE_TOKENIZER_BYTES + rank;
        uint32_t pair[2];
        int rc = read_pair(m, rank, id, what, pair, err);
        if (rc < 0) {
            return rc;
        }
        if (tare_tokenizer_rank(tok, pair[0], pair[1]) != NO_RANK) {
            return tare_err_set(err, TARE_E_FORMAT, "%s: merge %u repeats an earlier one", what, rank);
        }
        uint32_t length = 0;
        for (int i = 0; i < 2; i++) {
            length += tok->start[pair[i] + 1] - tok->start[pair[i]];
        }
        if (length > TOKEN_BYTES_MAX) {
            return tare_err_set(err, TARE_E_FORMAT, "%s: merge %u makes a token of %u bytes, more than %u",
                                what, rank, length, TOKEN_BYTES_MAX);
        }
        insert_merge(tok, pair[0] << 16 | pair[1], rank);
        tok->start[id + 1] = tok->start[id] + length;
    }
    return 0;
}

/* Second pass: spell every id. */
static int spell_ids(struct tare_tokenizer *tok, const struct tare_json *merges, const char *what,
                     struct tare_err *err)
{
    tok->text = malloc(tok->start[tok->n_vocab]);
    if (!tok->text) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for the tokens' bytes", what);
    }
    for (uint32_t i = 0; i < TARE_TOKENIZER_BYTES; i++) {
        tok->text[i] = (char)i;
    }
    uint32_t at = TARE_TOKENIZER_BYTES;
    for (const struct tare_json *m = tare_json_first(merges); m; m = tare_json_next(m)) {
        for (const struct tare_json *part = tare_json_first(m); part; part = tare_json_next(part)) {
            uint32_t n;
            const char *bytes = tare_tokenizer_bytes(tok, (uint32_t)tare_json_num(part), &n);
            memcpy(tok->text + at, bytes, n);
            at += n;
        }
    }
    return 0;
}

/* Lower-case hexadecimal, as the models' metadata repeats it. */
static int read_sha(struct tare_tokenizer *tok, const struct tare_json *root, const char *what,
                    struct tare_err *err)
{
    const char *sha = tare_json_str(tare_json_get(root, "sha"));
    size_t n = sha ? strlen(sha) : 0;
    if (n == 0 || n >= sizeof tok->sha || strspn(sha, "0123456789abcdef") != n) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: 'sha' is not a string of 1 to %zu hexadecimal digits",
                            what, sizeof tok->sha - 1);
    }
    memcpy(tok->sha, sha, n + 1);
    return 0;
}

static int read_facts(struct tare_tokenizer *tok, const struct tare_json *root, const char *what,
                      struct tare_err *err)
{
    const char *type = tare_json_str(tare_json_get(root, "type"));
    if (!type || strcmp(type, type_name) != 0) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: not a tokenizer of type '%s'", what, type_name);
    }
    const char *rule = tare_json_str(tare_json_get(root, "pretokenizer"));
    if (!rule || strcmp(rule, cutting_rule) != 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "%s: 'pretokenizer' is not the rule of type '%s'", what,
                            type_name);
    }
    char label[120];
    int64_t n_vocab;
    int64_t bos;
    (void)snprintf(label, sizeof label, "%.60s: 'vocab_size'", what);
    int rc = tare_json_i64(tare_json_get(root, "vocab_size"), label, TARE_TOKENIZER_BYTES, VOCAB_MAX,
                           &n_vocab, err);
    if (rc < 0) {
        return rc;
    }
    (void)snprintf(label, sizeof label, "%.60s: 'bos'", what);
    rc = tare_json_i64(tare_json_get(root, "bos"), label, 0, n_vocab - 1, &bos, err);
    if (rc < 0) {
        return rc;
    }
    tok->n_vocab = (uint32_t)n_vocab;
    tok->bos = (int32_t)bos;
    return read_sha(tok, root, what, err);
}

static int build_tables(struct tare_tokenizer *tok, const struct tare_json *root, const char *what,
                        struct tare_err *err)
{
    const struct tare_json *merges = tare_json_get(root, "merges");
    uint32_t n_merges = tok->n_vocab - TARE_TOKENIZER_BYTES;
    if (tare_json_type(merges) != TARE_JSON_ARRAY || tare_json_size(merges) != n_merges) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%s: 'merges' is not a list of %u pairs, as 'vocab_size' says", what, n_merges);
    }
    int rc = make_tables(tok, n_merges, what, err);
    if (rc == 0) {
        rc = read_merges(tok, merges, what, err);
    }
    return rc < 0 ? rc : spell_ids(tok, merges, what, err);
}

int tare_tokenizer_build(struct tare_tokenizer *tok, const struct tare_json *root, const char *what,
                         struct tare_err *err)
{
    if (tare_json_type(root) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: not a JSON object", what);
    }
    struct tare_tokenizer made = {0};
    int rc = read_facts(&made, root, what, err);
    if (rc == 0) {
        rc = build_tables(&made, root, what, err);
    }
    if (rc < 0) {
        tare_tokenizer_close(&made);
        return rc;
    }
    *tok = made;
    return 0;
}

int tare_tokenizer_load(struct tare_tokenizer *tok, const char *path, struct tare_err *err)
{
    struct tare_json *root = NULL;
    int rc = tare_json_load(path, FILE_BYTES_MAX, &root, err);
    if (rc < 0) {
        return rc;
    }
    rc = tare_tokenizer_build(tok, root, path, err);
    tare_json_destroy(root);
    return rc;
}

void tare_tokenizer_close(struct tare_tokenizer *tok)
{
    free(tok->start);
    free(tok->text);
    free(tok->merges);
    tare_bpe_work_free(&tok->work);
    memset(tok, 0, sizeof *tok);
}
