/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend counts itself, and what the library says of its memory: bytes of the session's arena on
 * the processor, weights included as far as they were copied into it. */
#include "onnx.h"

#include <stdlib.h>

static void put(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                const char *source, double value)
{
    const struct tare_reading reading = {
        .name = name, .unit = unit, .scope = "process", .source = source, .kind = kind, .value = value};
    to->add(to, &reading);
}

static void put_absent(struct tare_readings *to, const char *name, const char *source, const char *why)
{
    const struct tare_reading reading = {.name = name,
                                         .unit = "B",
                                         .scope = "process",
                                         .source = source,
                                         .kind = TARE_KIND_REPORTED,
                                         .absent = true,
                                         .why = why};
    to->add(to, &reading);
}

static void put_stat(struct tare_readings *to, const struct tare_ort *ort,
                     const struct OrtKeyValuePairs *stats, const char *key, const char *name,
                     const char *source)
{
    const char *text = stats ? ort->GetKeyValue(stats, key) : NULL;
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : -1;
    if (text && *text && *end == '\0' && value >= 0) {
        put(to, TARE_KIND_REPORTED, name, "B", source, (double)value);
    } else {
        put_absent(to, name, source,
                   ort->AllocatorGetStats ? "this session has no arena, or it keeps no counts"
                                          : "ONNX Runtime before 1.23 cannot be asked");
    }
}

static void put_memory(const struct tare_onnx_runtime *rt, struct tare_readings *to)
{
    const struct tare_ort *ort = &rt->ort;
    struct OrtKeyValuePairs *stats = NULL;
    if (rt->arena && !tare_ort_ok(ort, ort->AllocatorGetStats(rt->arena, &stats))) {
        stats = NULL;
    }
    put_stat(to, ort, stats, "TotalAllocated", "ort_arena_bytes", "AllocatorGetStats: TotalAllocated");
    put_stat(to, ort, stats, "MaxInUse", "ort_arena_peak_bytes", "AllocatorGetStats: MaxInUse");
    if (stats) {
        ort->ReleaseKeyValuePairs(stats);
    }
}

void tare_onnx_readings(struct tare_onnx *o, struct tare_readings *to)
{
    const struct tare_onnx_sequence *s = &o->sequence;
    put(to, TARE_KIND_COUNTED, "state_bytes_max", "B", "keys and values of the longest sequence, all layers",
        (double)(tare_onnx_graph_token_bytes(&o->graph) * s->most_tokens));
    put(to, TARE_KIND_COUNTED, "prefix_reused_tok", "tok", "tokens whose keys and values were kept",
        (double)s->reused_tok);
    put(to, TARE_KIND_COUNTED, "ort_warnings", "1",
        "warnings and errors in the library's log since it was opened",
        (double)tare_onnx_runtime_warnings(&o->runtime));
    put_memory(&o->runtime, to);
}
