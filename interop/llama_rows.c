/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of llama-bench: to cells and figures, and from the cells of a measured run. */
#include "llama_rows.h"

#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct tare_interop_field model_fields[] = {
    {"model_size", "stored_bytes", "B", "model", 1},
    {"model_n_params", "params_total", "1", "model", 1},
};

/* By the kind of test. The rates are means over the repeats of each repeat's rate. */
static const struct tare_interop_field test_fields[3][4] = {
    {{"avg_ts", "prefill_throughput", "tok/s", "process", 1},
     {"stddev_ts", "prefill_throughput_stddev", "tok/s", "process", 1},
     {"avg_ns", "prefill_time_mean", "s", "process", 1e-9},
     {"stddev_ns", "prefill_time_stddev", "s", "process", 1e-9}},
    {{"avg_ts", "decode_throughput", "tok/s", "process", 1},
     {"stddev_ts", "decode_throughput_stddev", "tok/s", "process", 1},
     {"avg_ns", "decode_time_mean", "s", "process", 1e-9},
     {"stddev_ns", "decode_time_stddev", "s", "process", 1e-9}},
    {{"avg_ts", "token_throughput", "tok/s", "process", 1},
     {"stddev_ts", "token_throughput_stddev", "tok/s", "process", 1},
     {"avg_ns", "test_time_mean", "s", "process", 1e-9},
     {"stddev_ns", "test_time_stddev", "s", "process", 1e-9}},
};

bool tare_llama_looks(const char *head, size_t n)
{
    return tare_interop_has(head, n, "n_prompt") && tare_interop_has(head, n, "n_gen") &&
           tare_interop_has(head, n, "model_filename") && tare_interop_has(head, n, "build_commit");
}

/* The settings that tell one row of a file from another; later versions renamed some and left some out. */
static void put_settings(const struct tare_json *row, char *to, size_t n)
{
    static const char *const settings[][2] = {{"n_threads", "t"},  {"n_gpu_layers", "ngl"}, {"n_batch", "b"},
                                              {"n_ubatch", "ub"},  {"type_k", "ctk"},       {"type_v", "ctv"},
                                              {"flash_attn", "fa"}};
    size_t used = 0;
    to[0] = '\0';
    for (size_t i = 0; i < sizeof settings / sizeof *settings && used < n; i++) {
        const char *value = tare_interop_scalar(tare_json_get(row, settings[i][0]));
        if (value) {
            used +=
                (size_t)snprintf(to + used, n - used, "%s%s=%.20s", used ? " " : "", settings[i][1], value);
        }
    }
}

static void put_task(int64_t n_prompt, int64_t n_gen, int64_t n_depth, char *to, size_t n)
{
    char depth[32] = "";
    if (n_depth > 0) {
        (void)snprintf(depth, sizeof depth, " @ d%lld", (long long)n_depth);
    }
    if (n_gen == 0) {
        (void)snprintf(to, n, "pp%lld%s", (long long)n_prompt, depth);
    } else if (n_prompt == 0) {
        (void)snprintf(to, n, "tg%lld%s", (long long)n_gen, depth);
    } else {
        (void)snprintf(to, n, "pp%lld+tg%lld%s", (long long)n_prompt, (long long)n_gen, depth);
    }
}

static const char *model_of(const struct tare_json *row)
{
    const char *file = tare_interop_text(row, "model_filename"), *slash = strrchr(file, '/');
    return *file ? (slash ? slash + 1 : file) : tare_interop_text(row, "model_type");
}

static int put_facts(const struct tare_interop_in *in, const struct tare_json *row, struct tare_err *err)
{
    const char *commit = tare_interop_text(row, "build_commit");
    int r = in->sink->tool(in->sink->ctx, TARE_LLAMA_TOOL, *commit ? commit : NULL, err);
    static const char *const facts[][2] = {
        {"cpu_info", "cpu.model"}, {"gpu_info", "gpu.model"}, {"backends", "llama-bench.backends"}};
    for (size_t i = 0; r == 0 && i < sizeof facts / sizeof *facts; i++) {
        const char *value = tare_interop_text(row, facts[i][0]);
        r = *value ? in->sink->fact(in->sink->ctx, facts[i][1], value, err) : 0;
    }
    return r;
}

int tare_llama_row(const struct tare_interop_in *in, const struct tare_json *row, struct tare_err *err)
{
    char task[96], scenario[240];
    int64_t n_prompt = tare_interop_count(row, "n_prompt"), n_gen = tare_interop_count(row, "n_gen");
    if (n_prompt == TARE_ABSENT || n_gen == TARE_ABSENT || (n_prompt == 0 && n_gen == 0)) {
        return tare_interop_fault(in, err, "n_prompt and n_gen have to be counts, one of them over 0");
    }
    size_t kind = n_gen == 0 ? 0 : n_prompt == 0 ? 1 : 2;
    put_task(n_prompt, n_gen, tare_interop_count(row, "n_depth"), task, sizeof task);
    put_settings(row, scenario, sizeof scenario);
    const struct tare_interop_cell cell = {.model = model_of(row), .task = task, .scenario = scenario};
    const struct tare_json *samples = tare_json_get(row, "samples_ns");
    int64_t n = samples ? (int64_t)tare_json_size(samples) : TARE_ABSENT;
    int r = put_facts(in, row, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    r = r == 0 ? tare_interop_map(in, row, test_fields[kind], 4, n, "repeats", err) : r;
    return r == 0 ? tare_interop_map(in, row, model_fields, 2, TARE_ABSENT, "", err) : r;
}

/* A row of a measured cell: n tokens in each of its repeats' items, which took a mean time. */
static int add_row(const struct tare_interop_run *run, const struct tare_interop_row *row, bool prompt,
                   tare_interop_record_fn fn, void *ctx, struct tare_err *err)
{
    struct tare_repeat_sums all = tare_interop_sums(row);
    int64_t tok = prompt ? all.prompt_tok : all.decode_tok;
    double *ns = calloc(row->n_repeats + 1, 2 * sizeof *ns), *ts = ns ? ns + row->n_repeats + 1 : NULL;
    if (!ns) {
        return tare_err_set(err, TARE_E_NOMEM, "export: out of memory");
    }
    struct tare_json *o = tare_json_new_object();
    double n_tok = (double)tok / (double)all.samples, mean, stddev;
    tare_json_add_str(o, "backends", row->backend);
    tare_json_add_str(o, "model_filename", row->model);
    tare_interop_add(o, "model_size", row, "stored_bytes", 1);
    tare_interop_add(o, "model_n_params", row, "params_total", 1);
    tare_json_add_f64(o, "n_prompt", prompt ? n_tok : 0);
    tare_json_add_f64(o, "n_gen", prompt ? 0 : n_tok);
    tare_json_add_i64(o, "n_depth", 0);
    tare_json_add_str(o, "test_time", run->started_utc);
    for (size_t i = 0; i < row->n_repeats; i++) {
        const struct tare_repeat_sums *s = &row->repeats[i];
        ns[i] = (double)(prompt ? s->busy_ns - s->decode_ns : s->decode_ns) / (double)s->samples;
        ts[i] = 1e9 * n_tok / ns[i];
    }
    tare_interop_moments(ns, row->n_repeats, &mean, &stddev);
    tare_json_add_i64(o, "avg_ns", llround(mean));
    if (isfinite(stddev)) {
        tare_json_add_i64(o, "stddev_ns", llround(stddev));
    }
    tare_interop_moments(ts, row->n_repeats, &mean, &stddev);
    tare_json_add_f64(o, "avg_ts", mean);
    if (isfinite(stddev)) {
        tare_json_add_f64(o, "stddev_ts", stddev);
    }
    struct tare_json *samples_ns = tare_json_add_array(o, "samples_ns"),
                     *samples_ts = tare_json_add_array(o, "samples_ts");
    for (size_t i = 0; i < row->n_repeats; i++) {
        tare_json_add_i64(samples_ns, NULL, llround(ns[i]));
        tare_json_add_f64(samples_ts, NULL, ts[i]);
    }
    char *text = NULL;
    int r = tare_json_print(o, false, &text, err);
    r = r == 0 ? fn(ctx, text, err) : r;
    free(text);
    tare_json_destroy(o);
    free(ns);
    return r;
}

/* Can the tokens of an item be stated as one whole number, and did every repeat take a time for them? */
static bool has_row(const struct tare_interop_row *row, bool prompt)
{
    if (!isfinite(tare_interop_figure(row, prompt ? "prefill_throughput" : "decode_throughput"))) {
        return false;
    }
    for (size_t i = 0; i < row->n_repeats; i++) {
        const struct tare_repeat_sums *s = &row->repeats[i];
        int64_t tok = prompt ? s->prompt_tok : s->decode_tok,
                ns = prompt ? s->busy_ns - s->decode_ns : s->decode_ns;
        if (s->samples <= 0 || tok <= 0 || tok % s->samples != 0 || ns <= 0 ||
            tok / s->samples != (prompt ? row->repeats[0].prompt_tok : row->repeats[0].decode_tok) /
                                    row->repeats[0].samples) {
            return false;
        }
    }
    return row->n_repeats > 0;
}

int tare_llama_rows(const struct tare_interop_run *run, tare_interop_record_fn fn, void *ctx,
                    struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < run->n_rows; i++) {
        const struct tare_interop_row *row = &run->rows[i];
        bool any = false;
        for (int prompt = 1; r == 0 && prompt >= 0; prompt--) {
            if (has_row(row, prompt == 1)) {
                any = true;
                r = add_row(run, row, prompt == 1, fn, ctx, err);
            }
        }
        if (!any) {
            tare_buf_printf(run->notes,
                            "%.80s on %.80s is left out: llama-bench times generation from prompts of one "
                            "length to one length\n",
                            row->model, row->task);
        }
    }
    return r;
}

static int each_measured(void *ctx, tare_interop_record_fn fn, void *fn_ctx, struct tare_err *err)
{
    return tare_llama_rows(ctx, fn, fn_ctx, err);
}

struct tare_interop_stored tare_llama_as_stored(const struct tare_interop_run *run)
{
    return (struct tare_interop_stored){.format = TARE_LLAMA_FAMILY,
                                        .each = each_measured,
                                        .ctx = (void *)(uintptr_t)run,
                                        .notes = run->notes};
}

enum field_type { field_as_is, field_number, field_bool };

/* Of the fields that llama-bench writes as something else than text. flash_attn and load_mode changed their
 * type between versions: what is text there stays what it is. */
static enum field_type type_of(const char *name)
{
    static const char *const numbers[] = {
        "build_number",   "n_batch",       "n_ubatch",  "n_threads", "poll",      "model_size",
        "model_n_params", "n_gpu_layers",  "main_gpu",  "n_prompt",  "n_gen",     "n_depth",
        "avg_ns",         "stddev_ns",     "avg_ts",    "stddev_ts", "n_cpu_moe", "fit_target",
        "fit_min_ctx",    "no_op_offload", "flash_attn"};
    static const char *const bools[] = {"f16_kv",        "no_kv_offload", "cpu_strict", "use_mmap",
                                        "use_direct_io", "embeddings",    "no_host"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i]) == 0) {
            return field_number;
        }
    }
    for (size_t i = 0; i < sizeof bools / sizeof *bools; i++) {
        if (strcmp(name, bools[i]) == 0) {
            return field_bool;
        }
    }
    return field_as_is;
}

int tare_llama_typed(const char *json, char **out, struct tare_err *err)
{
    struct tare_json *row = NULL, *typed = tare_json_new_object();
    double ignored;
    int r = tare_json_parse_exact(json, strlen(json), "stored record", &row, err);
    for (const struct tare_json *v = tare_json_first(row); v; v = tare_json_next(v)) {
        const char *name = tare_json_key(v), *text = tare_json_str(v);
        enum field_type type = text ? type_of(name) : field_as_is;
        if (type == field_number && tare_interop_parse(text, &ignored)) {
            tare_json_add_number_text(typed, name, text);
        } else if (type == field_bool && (strcmp(text, "0") == 0 || strcmp(text, "1") == 0)) {
            tare_json_add_bool(typed, name, *text == '1');
        } else {
            tare_json_add_copy(typed, name, v);
        }
    }
    r = r == 0 ? tare_json_print(typed, false, out, err) : r;
    tare_json_destroy(typed);
    tare_json_destroy(row);
    return r;
}

struct typed {
    const struct tare_interop_stored *stored;
    tare_interop_record_fn fn;
    void *ctx;
};

static int pass_typed(void *ctx, const char *json, struct tare_err *err)
{
    const struct typed *t = ctx;
    char *text = NULL;
    int r = tare_llama_typed(json, &text, err);
    r = r == 0 ? t->fn(t->ctx, text, err) : r;
    free(text);
    return r;
}

static int each_typed(void *ctx, tare_interop_record_fn fn, void *fn_ctx, struct tare_err *err)
{
    const struct tare_interop_stored *stored = ctx;
    struct typed t = {.stored = stored, .fn = fn, .ctx = fn_ctx};
    return stored->each(stored->ctx, pass_typed, &t, err);
}

int tare_llama_give_back_json(const struct tare_interop_stored *stored, bool lines, FILE *to,
                              struct tare_err *err)
{
    struct tare_interop_stored typed = {.format = stored->format,
                                        .envelope = lines ? NULL : "{\"list\":null}",
                                        .each = each_typed,
                                        .ctx = (void *)(uintptr_t)stored,
                                        .notes = stored->notes};
    return tare_interop_give_back(&typed, to, err);
}
