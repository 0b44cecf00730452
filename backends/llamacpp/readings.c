/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libllama says of its memory, and what the answers took inside it. Sizes come from its log (there
 * is no call), so they are reported and rounded to 0.01 MiB a buffer. llama_perf_context is a cross-check
 * of our own clock: upstream advises against it, and the first pass of a context is misjudged there.
 */
#include "llamacpp.h"

#include <math.h>
#include <string.h>

#define SCOPE "process"

static void put(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                const char *source, double value)
{
    const struct tare_reading reading = {
        .name = name, .unit = unit, .scope = SCOPE, .source = source, .kind = kind, .value = value};
    to->add(to, &reading);
}

static const struct {
    enum tare_llamacpp_buffer buffer;
    const char *name;
    const char *source;
} buffers[] = {
    {TARE_LLAMACPP_WEIGHTS, "weights_buffer_bytes",
     "libllama's log: model buffers as the file stores weights, mapped or read"},
    {TARE_LLAMACPP_REPACKED, "repacked_buffer_bytes",
     "libllama's log: model buffers in another layout, beside the mapped file"},
    {TARE_LLAMACPP_KV, "kv_buffer_bytes", "libllama's log: KV buffers, for the whole context"},
    {TARE_LLAMACPP_RECURRENT, "recurrent_buffer_bytes", "libllama's log: RS buffers"},
    {TARE_LLAMACPP_COMPUTE, "compute_buffer_bytes", "libllama's log: compute buffers"},
    {TARE_LLAMACPP_LORA, "lora_buffer_bytes", "libllama's log: LoRA buffers"},
};

/* A rounding to 0.01 MiB has a standard deviation of 0.01 / sqrt(12) MiB, a line. */
static void tell_buffer(struct tare_readings *to, size_t i, const struct tare_llamacpp_memory *m)
{
    int lines = m->lines[buffers[i].buffer];
    bool known = lines > 0 && m->bytes[buffers[i].buffer] > 0;
    const struct tare_reading reading = {.name = buffers[i].name,
                                         .unit = "B",
                                         .scope = SCOPE,
                                         .source = buffers[i].source,
                                         .kind = TARE_KIND_REPORTED,
                                         .absent = !known,
                                         .value = m->bytes[buffers[i].buffer],
                                         .why = lines > 0 ? "libllama's log says 0.00 MiB: less than its step"
                                                          : "libllama's log names no such buffer"};
    const struct tare_doubt doubt = {.u = 0.01 * 1024 * 1024 * sqrt(lines / 12.0), .gain = 0, .flags = ""};
    if (known) {
        to->add_doubted(to, &reading, &doubt);
    } else {
        to->add(to, &reading);
    }
}

static void tell_counters(const struct tare_llamacpp *n, struct tare_readings *to)
{
    const struct tare_llamacpp_counters *c = &n->counters;
    put(to, TARE_KIND_MEASURED, "llama_decode_time", "s", "clock around llama_decode and llama_synchronize",
        1e-9 * (double)c->decode_ns);
    put(to, TARE_KIND_COUNTED, "llama_decode_calls", "1", "calls of llama_decode", (double)c->decode_calls);
    put(to, TARE_KIND_COUNTED, "llama_decode_tok", "tok", "tokens fed to llama_decode",
        (double)c->decode_tok);
    put(to, TARE_KIND_COUNTED, "prefix_reuses", "1", "requests that kept the state of a shared prefix",
        (double)c->reuses);
    put(to, TARE_KIND_COUNTED, "prefix_reused_tok", "tok", "tokens that were kept and not fed again",
        (double)c->reused_tok);
    put(to, TARE_KIND_COUNTED, "kv_used_tok_max", "tok", "tokens in the longest state",
        (double)c->most_tokens);
}

static void tell_perf(const struct tare_llamacpp *n, struct tare_readings *to)
{
    static const char how[] = "llama_perf_context: a cross-check of llama_decode_time, no measure of ours";
    struct llama_perf_context_data p = llama_perf_context(n->context);
    put(to, TARE_KIND_REPORTED, "llama_perf_prompt_time", "s", how, 1e-3 * p.t_p_eval_ms);
    put(to, TARE_KIND_REPORTED, "llama_perf_eval_time", "s", how, 1e-3 * p.t_eval_ms);
}

void tare_llamacpp_readings(void *self, int measured, struct tare_readings *to)
{
    struct tare_llamacpp *n = self;
    if (measured) {
        tell_counters(n, to);
        tell_perf(n, to);
        return;
    }
    struct tare_llamacpp_memory memory = tare_llamacpp_log_memory();
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        tell_buffer(to, i, &memory);
    }
    memset(&n->counters, 0, sizeof n->counters);
    llama_perf_context_reset(n->context);
}
