/* SPDX-License-Identifier: Apache-2.0 */
#include "tensors.h"

#include <ggml.h>
#include <gguf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is(const char *name, const char *wanted)
{
    return strcmp(name, wanted) == 0;
}

void tare_llamacpp_tensors_add(struct tare_llamacpp_tensors *to, const char *name, const int64_t shape[4],
                               int64_t bytes, double used)
{
    int64_t n = shape[0] * shape[1] * shape[2] * shape[3];
    bool experts = strstr(name, "_exps.") != NULL;
    double share = experts ? used : 1.0;
    int64_t active = llround((double)n * share), active_bytes = llround((double)bytes * share);
    to->params += n;
    to->bytes += bytes;
    to->active += active;
    if (is(name, "token_embd.weight")) {
        to->embedding = n;
        to->embedding_bytes = bytes;
    } else if (is(name, "output.weight")) {
        to->head = n;
        to->head_bytes = bytes;
    } else if (shape[1] > 1 || shape[2] > 1) {
        to->matrix += active;
        to->matrix_bytes += active_bytes;
    } else {
        to->vector_bytes += bytes;
    }
}

void tare_llamacpp_tensors_end(struct tare_llamacpp_tensors *to)
{
    to->tied = to->head == 0;
    if (to->tied) {
        to->head = to->embedding;
        to->head_bytes = to->embedding_bytes;
    }
}

static int64_t key_u32(const struct gguf_context *file, const char *key)
{
    int64_t id = gguf_find_key(file, key);
    return id >= 0 && gguf_get_kv_type(file, id) == GGUF_TYPE_UINT32 ? (int64_t)gguf_get_val_u32(file, id)
                                                                     : -1;
}

/* Experts that a token goes to, of all; 1 without experts. */
static double used_share(const struct gguf_context *file)
{
    char key[160];
    int64_t id = gguf_find_key(file, "general.architecture");
    if (id < 0 || gguf_get_kv_type(file, id) != GGUF_TYPE_STRING) {
        return 1;
    }
    const char *arch = gguf_get_val_str(file, id);
    (void)snprintf(key, sizeof key, "%.100s.expert_count", arch);
    int64_t all = key_u32(file, key);
    (void)snprintf(key, sizeof key, "%.100s.expert_used_count", arch);
    int64_t used = key_u32(file, key);
    return all > 0 && used > 0 && used <= all ? (double)used / (double)all : 1;
}

static bool is_plain(enum ggml_type type)
{
    return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
}

void tare_llamacpp_tensors_read(struct tare_llamacpp_tensors *out, const char *path)
{
    struct gguf_context *file = gguf_init_from_file(path, (struct gguf_init_params){.no_alloc = true});
    memset(out, 0, sizeof *out);
    if (!file) {
        return;
    }
    double used = used_share(file);
    out->plain = true;
    for (int64_t i = 0; i < gguf_get_n_tensors(file); i++) {
        tare_llamacpp_tensors_add(out, gguf_get_tensor_name(file, i), gguf_get_tensor_ne(file, i),
                                  (int64_t)gguf_get_tensor_size(file, i), used);
        out->plain = out->plain && is_plain(gguf_get_tensor_type(file, i));
    }
    tare_llamacpp_tensors_end(out);
    out->known = gguf_find_key(file, "split.count") < 0;
    gguf_free(file);
}
