/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokenizer reader: one that is accepted turns any bytes into ids of its vocabulary that spell
 * those very bytes. The seeds are a tokenizer of four merges, made here, and the zoo's.
 */
#include "fuzz.h"

#include "backends/tokenizer/tokenizer.h"

#include <string.h>

static const char small[] =
    "{\"type\": \"tare-byte-bpe-1\", \"vocab_size\": 260, \"bos\": 0, \"pretokenizer\": \" "
    "?[A-Za-z\\\\x80-\\\\xff]+(?:'[A-Za-z\\\\x80-\\\\xff]+)*|[0-9]|\\\\n+| "
    "?[^A-Za-z0-9\\\\x80-\\\\xff\\\\s\\\\x00]+|\\\\x00|\\\\s\", \"sha\": \"00\", \"merges\": [[97, 98], "
    "[256, 99], [257, "
    "257], [32, 97]]}";

static const char *const words[] = {
    "[256, 257]", "[97, 98],",     "[[",          "256",  "65535", "65536",    "-1",    "1e300",
    "4294967393", "\"merges\": [", "\"bos\": 7,", "null", "\"\"",  "\"sha\":", "258.5", NULL};

static void check_encoding(struct tare_tokenizer *tok, struct tare_rng *rng)
{
    static const char letters[] = "abcabcab 'a0\n\xff";
    char text[64], spelt[2048];
    int32_t ids[64];
    uint32_t ends[64];
    size_t n_text = (size_t)tare_rng_below(rng, sizeof text), n = 0, at = 0;
    struct tare_err err = {0};
    for (size_t i = 0; i < n_text; i++) {
        text[i] = letters[tare_rng_below(rng, sizeof letters)];
    }
    fuzz_check(tare_tokenizer_encode(tok, text, n_text, ids, ends, 64, &n, &err) == 0, err.msg);
    fuzz_check(n <= n_text, "more tokens than bytes");
    for (size_t i = 0; i < n; i++) {
        uint32_t n_bytes = 0;
        fuzz_check(ids[i] >= 0 && (uint32_t)ids[i] < tok->n_vocab, "an id beyond the vocabulary");
        const char *bytes = tare_tokenizer_bytes(tok, (uint32_t)ids[i], &n_bytes);
        fuzz_check(n_bytes > 0 && at + n_bytes <= n_text, "tokens of more bytes than the text");
        memcpy(spelt + at, bytes, n_bytes);
        at += n_bytes;
        fuzz_check(ends[i] == at, "an end that is not where the token ends");
    }
    fuzz_check(at == n_text && memcmp(spelt, text, at) == 0, "the tokens spell another text");
}

static int read_tokenizer(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_tokenizer tok, before;
    struct tare_json *json = NULL;
    memset(&tok, 0x5a, sizeof tok);
    before = tok;
    int r = tare_json_parse(data, n, "fuzz", &json, err);
    r = r == 0 ? tare_tokenizer_build(&tok, json, "fuzz", err) : r;
    tare_json_destroy(json);
    if (r < 0) {
        fuzz_check(memcmp(&tok, &before, sizeof tok) == 0, "a failure touched the tokenizer");
        return r;
    }
    fuzz_check(tok.bos >= 0 && (uint32_t)tok.bos < tok.n_vocab, "a beginning that is no id");
    check_encoding(&tok, rng);
    tare_tokenizer_close(&tok);
    return r;
}

int main(void)
{
    struct fuzz_seed seeds[] = {FUZZ_TEXT(small), fuzz_file("TARE_ZOO", "tokenizer.json")};
    size_t n = seeds[1].data ? 2 : 1; /* the small one has all there is, only less of it */
    int status = fuzz_main(&(struct fuzz_target){"tokenizer", seeds, n, words, 30000, read_tokenizer});
    fuzz_file_free(&seeds[1]);
    return status;
}
