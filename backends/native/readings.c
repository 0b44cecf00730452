/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peaks of memory come from /proc/self/status, which counts whole pages. A peak before the application
 * hides a lower one in it; then nothing is claimed.
 */
#include "readings.h"

#include "kernels/packed.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCOPE "process"

double tare_seconds_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "VmHWM:     1234 kB" as bytes; -1 when there is no such line. */
static int64_t status_bytes(const char *key)
{
    char line[256];
    size_t n = strlen(key);
    int64_t bytes = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && bytes < 0 && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, n) == 0 && line[n] == ':') {
            bytes = strtoll(line + n + 1, NULL, 10) * 1024;
        }
    }
    if (f) {
        (void)fclose(f);
    }
    return bytes;
}

void tare_applied_begin(struct tare_applied *applied)
{
    *applied = (struct tare_applied){.asked = true,
                                     .rss_bytes = status_bytes("VmRSS"),
                                     .peak_bytes = status_bytes("VmHWM"),
                                     .growth_bytes = -1};
    applied->time_s = tare_seconds_now();
}

void tare_applied_end(struct tare_applied *applied, int64_t calibration_tok)
{
    applied->time_s = tare_seconds_now() - applied->time_s;
    applied->calibration_tok = calibration_tok;
    int64_t peak = status_bytes("VmHWM");
    if (applied->rss_bytes >= 0 && peak > applied->peak_bytes) {
        applied->growth_bytes = peak - applied->rss_bytes;
    }
}

void tare_reading_put(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                      const char *source, double value)
{
    const struct tare_reading reading = {
        .name = name, .unit = unit, .scope = SCOPE, .source = source, .kind = kind, .value = value};
    to->add(to, &reading);
}

void tare_reading_absent(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                         const char *source, const char *why)
{
    const struct tare_reading reading = {.name = name,
                                         .unit = unit,
                                         .scope = SCOPE,
                                         .source = source,
                                         .kind = kind,
                                         .absent = true,
                                         .why = why};
    to->add(to, &reading);
}

void tare_reading_ratio(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                        const char *source, double above, double below, const char *why)
{
    if (below > 0) {
        tare_reading_put(to, kind, name, unit, source, above / below);
    } else {
        tare_reading_absent(to, kind, name, unit, source, why);
    }
}

static void tell_application(struct tare_readings *to, const struct tare_applied *a)
{
    tare_reading_put(to, TARE_KIND_MEASURED, "apply_time", "s", "clock around the techniques", a->time_s);
    tare_reading_put(to, TARE_KIND_COUNTED, "calibration_tok", "tok",
                     "tokens of calibration text that were fed", (double)a->calibration_tok);
    if (a->growth_bytes >= 0) {
        tare_reading_put(to, TARE_KIND_MEASURED, "apply_peak_bytes", "B",
                         "/proc/self/status: VmHWM after applying less VmRSS before",
                         (double)a->growth_bytes);
    } else {
        tare_reading_absent(to, TARE_KIND_MEASURED, "apply_peak_bytes", "B",
                            "/proc/self/status: VmHWM after applying less VmRSS before",
                            "applying took no more memory than the process had had at a time before, or "
                            "/proc is not there");
    }
}

void tare_readings_of_load(struct tare_readings *to, const struct tare_applied *applied,
                           const struct tare_model *model)
{
    struct tare_linear_facts facts;
    tare_model_facts(model, &facts);
    if (applied->asked) {
        tell_application(to, applied);
    }
    tare_reading_put(
        to, TARE_KIND_COUNTED, "weights_stored_bytes", "B",
        "weights of the model as stored, with scales, masks and indices; no draft model, no exit maps",
        (double)facts.stored_bytes);
    tare_reading_put(to, TARE_KIND_COUNTED, "weights_resident_bytes", "B",
                     "weights of the model as this engine holds them; no draft model, no exit maps",
                     (double)facts.resident_bytes);
    static const char trained[] = "train_tokens of the model file";
    if (model->config.train_tok > 0) {
        tare_reading_put(to, TARE_KIND_REPORTED, "train_tok", "tok", trained,
                         (double)model->config.train_tok);
    } else {
        tare_reading_absent(to, TARE_KIND_REPORTED, "train_tok", "tok", trained, "the file does not say");
    }
}

void tare_readings_of_session(struct tare_readings *to, const struct tare_session *session)
{
    struct tare_linear_facts facts;
    char how[160];
    (void)snprintf(
        how, sizeof how,
        "matrices of all layers as this engine multiplies them, without the head; kernels %s, packed %s",
        session->engine.exec.kernels->name, tare_packed_find(session->engine.exec.kernels->name)->name);
    tare_model_facts(session->engine.model, &facts);
    tare_reading_put(to, TARE_KIND_COUNTED, "state_bytes_max", "B",
                     "state of the longest sequence, all layers",
                     (double)tare_engine_state_bytes(&session->engine, session->most_tokens));
    tare_reading_put(to, TARE_KIND_COUNTED, "weight_flops_per_tok", "FLOP",
                     "matrices of all layers, zeros of sparse storage left out, without the head",
                     (double)facts.flops);
    tare_reading_put(to, TARE_KIND_COUNTED, "weight_flops_executed_per_tok", "FLOP", how,
                     (double)facts.executed_flops);
}
