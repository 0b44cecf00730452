/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tokenizer a model has, as a number: FNV-1a of 64 bits over its kind, its rule for cutting text and
 * the bytes of every piece in order of id. Merges are not seen through libllama and not in it.
 */
#include "llamacpp.h"

#include <inttypes.h>
#include <string.h>

static uint64_t add(uint64_t hash, const void *data, size_t n)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t add_number(uint64_t hash, int32_t number)
{
    const unsigned char bytes[4] = {(unsigned char)number, (unsigned char)(number >> 8),
                                    (unsigned char)(number >> 16), (unsigned char)(number >> 24)};
    return add(hash, bytes, sizeof bytes);
}

void tare_llamacpp_identity(const struct llama_model *model, char *out, size_t cap)
{
    static const char *const kinds[] = {"none", "spm", "bpe", "wpm", "ugm", "rwkv", "plamo2"};
    const struct llama_vocab *vocab = llama_model_get_vocab(model);
    uint32_t kind = (uint32_t)llama_vocab_type(vocab);
    char text[4096] = "";
    uint64_t hash = add_number(UINT64_C(0xcbf29ce484222325), (int32_t)kind);
    (void)llama_model_meta_val_str(model, "tokenizer.ggml.pre", text, sizeof text);
    hash = add(hash, text, strlen(text));
    for (int32_t id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        int32_t bytes = llama_token_to_piece(vocab, id, text, sizeof text, 0, true);
        hash = add_number(hash, bytes);
        hash = add(hash, text, bytes > 0 ? (size_t)bytes : 0);
    }
    (void)snprintf(out, cap, "gguf-%s-fnv1a:%016" PRIx64,
                   kind < sizeof kinds / sizeof *kinds ? kinds[kind] : "other", hash);
}
