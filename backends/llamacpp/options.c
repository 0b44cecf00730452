/* SPDX-License-Identifier: Apache-2.0 */
/* The options and what their choices are called in libllama. */
#include "llamacpp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct tare_llamacpp, opt.member)

static const char *const load_modes[] = {"auto", "mmap", "none", "mlock", "mmap_mlock", "direct_io", NULL};
static const char *const flash[] = {"auto", "off", "on", NULL};
static const char *const cache_types[] = {"f16", "f32", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", NULL};
static const char *const bos[] = {"auto", "always", "never", NULL};

const struct tare_opt tare_llamacpp_options[] = {
    {.name = "threads",
     .type = TARE_OPT_I64,
     .offset = AT(threads),
     .def = "1",
     .help = "threads that generate",
     .min = 1,
     .max = GGML_MAX_N_THREADS},
    {.name = "threads_batch",
     .type = TARE_OPT_I64,
     .offset = AT(threads_batch),
     .def = "0",
     .help = "threads that take many tokens at once; 0: as threads",
     .min = 0,
     .max = GGML_MAX_N_THREADS},
    {.name = "n_ctx",
     .type = TARE_OPT_I64,
     .offset = AT(n_ctx),
     .def = "0",
     .unit = "tok",
     .help = "context; 0: what the model was trained for, at most 4096",
     .min = 0,
     .max = 1 << 26},
    {.name = "n_batch",
     .type = TARE_OPT_I64,
     .offset = AT(n_batch),
     .def = "512",
     .unit = "tok",
     .help = "tokens of one call; their rows of logits are kept together",
     .min = 1,
     .max = 1 << 20},
    {.name = "n_ubatch",
     .type = TARE_OPT_I64,
     .offset = AT(n_ubatch),
     .def = "512",
     .unit = "tok",
     .help = "tokens that go through a layer together",
     .min = 1,
     .max = 1 << 20},
    {.name = "load_mode",
     .type = TARE_OPT_CHOICE,
     .offset = AT(load_mode),
     .def = "auto",
     .help = "how weights come into memory",
     .choices = load_modes},
    {.name = "repack",
     .type = TARE_OPT_BOOL,
     .offset = AT(repack),
     .def = "yes",
     .help = "let ggml keep quantized weights a second time in the layout that its kernels like"},
    {.name = "flash_attn",
     .type = TARE_OPT_CHOICE,
     .offset = AT(flash_attn),
     .def = "auto",
     .help = "flash attention",
     .choices = flash},
    {.name = "type_k",
     .type = TARE_OPT_CHOICE,
     .offset = AT(type_k),
     .def = "f16",
     .help = "type of the cache of keys",
     .choices = cache_types},
    {.name = "type_v",
     .type = TARE_OPT_CHOICE,
     .offset = AT(type_v),
     .def = "f16",
     .help = "type of the cache of values; a quantized one needs flash attention",
     .choices = cache_types},
    {.name = "gpu_layers",
     .type = TARE_OPT_I64,
     .offset = AT(gpu_layers),
     .def = "-1",
     .help = "layers on devices other than the processor; -1: all",
     .min = -1,
     .max = 65536},
    {.name = "lora", .type = TARE_OPT_STR, .offset = AT(lora), .help = "LoRA adapter as GGUF: path[:scale]"},
    {.name = "bos",
     .type = TARE_OPT_CHOICE,
     .offset = AT(bos),
     .def = "auto",
     .help = "beginning-of-sequence token in front of inputs; auto: as the file says",
     .choices = bos},
    {.name = "reuse_prefix",
     .type = TARE_OPT_BOOL,
     .offset = AT(reuse_prefix),
     .def = "yes",
     .help = "keep the state of a prefix that a request shares with the one before it"},
    {.name = "ignore_eog",
     .type = TARE_OPT_BOOL,
     .offset = AT(ignore_eog),
     .def = "no",
     .help = "go on behind an end-of-generation token, for outputs of a fixed length"},
    TARE_OPT_END,
};

enum ggml_type tare_llamacpp_cache_type(int64_t choice)
{
    static const enum ggml_type types[] = {GGML_TYPE_F16,  GGML_TYPE_F32,  GGML_TYPE_BF16, GGML_TYPE_Q8_0,
                                           GGML_TYPE_Q5_1, GGML_TYPE_Q5_0, GGML_TYPE_Q4_1, GGML_TYPE_Q4_0};
    return types[choice];
}

enum llama_load_mode tare_llamacpp_load_mode(int64_t choice)
{
    static const enum llama_load_mode modes[] = {LLAMA_LOAD_MODE_AUTO,       LLAMA_LOAD_MODE_MMAP,
                                                 LLAMA_LOAD_MODE_NONE,       LLAMA_LOAD_MODE_MLOCK,
                                                 LLAMA_LOAD_MODE_MMAP_MLOCK, LLAMA_LOAD_MODE_DIRECT_IO};
    return modes[choice];
}

enum llama_flash_attn_type tare_llamacpp_flash(int64_t choice)
{
    static const enum llama_flash_attn_type types[] = {
        LLAMA_FLASH_ATTN_TYPE_AUTO, LLAMA_FLASH_ATTN_TYPE_DISABLED, LLAMA_FLASH_ATTN_TYPE_ENABLED};
    return types[choice];
}

int tare_llamacpp_split_lora(const char *text, char *path, size_t cap, float *scale, struct tare_err *err)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    float value = colon ? strtof(colon + 1, &end) : 1.0F;
    bool scaled = colon && end != colon + 1 && *end == '\0';
    size_t n = scaled ? (size_t)(colon - text) : strlen(text);
    if (n == 0 || n >= cap || (scaled && !isfinite(value))) {
        return tare_err_set(err, TARE_E_USAGE, "llamacpp: lora=%.200s is not path[:scale]", text);
    }
    memcpy(path, text, n);
    path[n] = '\0';
    *scale = scaled ? value : 1.0F;
    return 0;
}
