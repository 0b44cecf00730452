/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's life: open, load, prepare, warm up, measure, end. */
#include "core/worker.h"

#include "base/clock.h"
#include "base/opt.h"
#include "core/answers.h"
#include "core/ask.h"
#include "core/builtin.h"
#include "core/instance.h"
#include "core/isolate.h"
#include "core/metering.h"
#include "core/opened_task.h"
#include "core/pack_item.h"
#include "core/plugin.h"
#include "core/stream_version.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct worker {
    struct tare_spec spec;
    struct tare_outbox outbox;
    struct tare_instance instance;
    struct tare_metering metering;
    int outside_fd;
    struct tare_opened_task opened;
    const struct tare_task *task; /* those of `opened` */
    void *task_self;
    struct tare_prepared prepared;
    struct tare_ask ask;
    struct tare_answers answers;      /* of a task that grades by itself */
    struct tare_sample first_failure; /* code 0: none */
    char failure[256];
    int64_t n_failed;
};

static int read_spec(struct worker *w, int fd, struct tare_err *err)
{
    struct tare_buf buf;
    tare_buf_init(&buf, 16 * 1024 * 1024);
    char chunk[4096];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)) {
        tare_buf_add(&buf, chunk, n > 0 ? (size_t)n : 0);
    }
    int r =
        n < 0 ? tare_err_set(err, TARE_E_IO, "cell: %s", strerror(errno)) : tare_buf_check(&buf, "cell", err);
    r = r == 0 ? tare_spec_parse(tare_buf_str(&buf), buf.used, &w->spec, err) : r;
    tare_buf_fini(&buf);
    return r;
}

/* The limit is on the address space, so that exceeding it is a refused allocation, not a kill. */
static int limit_memory(const struct tare_spec *spec, struct tare_err *err)
{
    if (spec->memory_limit_bytes == 0) {
        return 0;
    }
    struct rlimit limit = {(rlim_t)spec->memory_limit_bytes, (rlim_t)spec->memory_limit_bytes};
    return setrlimit(RLIMIT_AS, &limit) == 0
               ? 0
               : tare_err_set(err, TARE_E_ENVIRONMENT, "memory limit: %s", strerror(errno));
}

/* Relative paths in options mean what they meant where the run was started. */
static int enter_folder(const struct tare_spec *spec, struct tare_err *err)
{
    return !spec->folder || chdir(spec->folder) == 0
               ? 0
               : tare_err_set(err, TARE_E_IO, "folder of the run %s: %s", spec->folder, strerror(errno));
}

static void add_fact(struct worker *w, const char *name, int64_t value, const char *unit)
{
    struct tare_reading reading = {.name = name,
                                   .unit = unit,
                                   .scope = "model",
                                   .source = "backend's describe",
                                   .kind = TARE_KIND_COUNTED,
                                   .absent = value == TARE_UNKNOWN,
                                   .value = (double)value,
                                   .why = "the backend does not know"};
    tare_metering_add(&w->metering, TARE_PHASE_LOAD, "model", &reading);
}

static int send_facts(struct worker *w, struct tare_err *err)
{
    const struct tare_model_facts *f = &w->instance.facts;
    add_fact(w, "params_total", f->params_total, "1");
    add_fact(w, "params_active", f->params_active, "1");
    add_fact(w, "params_non_embedding", f->params_non_embedding, "1");
    add_fact(w, "params_non_zero", f->params_non_zero, "1");
    add_fact(w, "params_trainable", f->params_trainable, "1");
    add_fact(w, "stored_bytes", f->stored_bytes, "B");
    add_fact(w, "kv_bytes_per_token", f->kv_bytes_per_token, "B");
    add_fact(w, "state_bytes", f->state_bytes, "B");
    struct tare_json *json = tare_json_new_object();
    tare_instance_facts(&w->instance, json);
    char *text = NULL;
    int r = tare_json_print(json, false, &text, err);
    if (r == 0) {
        tare_outbox_put(&w->outbox, TARE_FRAME_FACTS, text, strlen(text), NULL, 0);
    }
    free(text);
    tare_json_destroy(json);
    return r;
}

static int load(struct worker *w, struct tare_err *err)
{
    (void)tare_metering_begin(&w->metering, TARE_PHASE_LOAD);
    int r = tare_instance_load(&w->instance, &w->spec, err);
    tare_metering_end(&w->metering, TARE_PHASE_LOAD, 0);
    r = r == 0 ? tare_instance_describe(&w->instance, err) : r;
    return r == 0 ? send_facts(w, err) : r;
}

static int open_task(struct worker *w, struct tare_err *err)
{
    const struct tare_task_wanted wanted = {.name = w->spec.task,
                                            .options = w->spec.task_options,
                                            .data_dir = w->spec.data_dir,
                                            .seed = w->spec.seed,
                                            .version = w->spec.task_version};
    int r = tare_opened_task_open(&wanted, &w->opened, err);
    w->task = w->opened.task;
    w->task_self = w->opened.self;
    return r;
}

/* What is asked, as a hash: of tasks whose data lie outside of tare. One that is taken up again is known by
 * it. */
static int send_prompts(struct worker *w, struct tare_err *err)
{
    char sha256[TARE_SHA256_HEX];
    if (!w->task->source_unopened) {
        return 0;
    }
    int r = tare_pack_items_hash(w->task, w->task_self, sha256, err);
    if (r == 0) {
        tare_outbox_put(&w->outbox, TARE_FRAME_PROMPTS, sha256, sizeof sha256 - 1, NULL, 0);
    }
    return r;
}

static int prepare(struct worker *w, struct tare_err *err)
{
    int r = open_task(w, err);
    if (r < 0) {
        return r;
    }
    struct tare_prepare_args args = {.ops = &w->instance.ops,
                                     .backend = w->instance.self,
                                     .facts = &w->instance.facts,
                                     .task = w->task,
                                     .task_self = w->task_self,
                                     .window_tok = w->spec.window_tok,
                                     .first_item = (size_t)w->spec.first_item,
                                     .lacks_why = w->instance.effective.why};
    r = tare_prepare(&args, &w->prepared, err);
    r = r < 0 ? r : tare_ask_init(&w->ask, &args, &w->prepared, err);
    r = r == 0 && w->task->grade ? tare_answers_init(&w->answers, &w->prepared, args.first_item, err) : r;
    if (r == 0) {
        int64_t items = (int64_t)w->prepared.count;
        tare_outbox_put(&w->outbox, TARE_FRAME_ITEMS, &items, sizeof items, NULL, 0);
    }
    return r == 0 ? send_prompts(w, err) : r;
}

/* Asks the last items, whose answers are dropped, so that caches of the first ones stay cold. */
static void warm_up(struct worker *w)
{
    (void)tare_metering_begin(&w->metering, TARE_PHASE_WARMUP);
    size_t first = (size_t)w->spec.first_item, n = w->prepared.count;
    for (int64_t i = 0; i < w->spec.warmup && n > first; i++) {
        size_t index = n - 1 - (size_t)i % (n - first);
        struct tare_sample dropped;
        (void)tare_ask_item(&w->ask, w->prepared.items[index], index, 0, &dropped);
    }
    tare_metering_end(&w->metering, TARE_PHASE_WARMUP, 0);
}

static void note_failure(struct worker *w, const struct tare_sample *sample)
{
    if (w->n_failed++ == 0) {
        w->first_failure = *sample;
        (void)snprintf(w->failure, sizeof w->failure, "%s", w->ask.message);
    }
}

/* What our own results stream took from the measured window. */
static void add_stream_reading(struct worker *w, const char *name, const char *unit, double value)
{
    struct tare_reading reading = {.name = name,
                                   .unit = unit,
                                   .scope = "process",
                                   .source = "harness",
                                   .kind = TARE_KIND_MEASURED,
                                   .value = value};
    tare_metering_add(&w->metering, TARE_PHASE_MEASURE, "harness", &reading);
}

static void measure(struct worker *w)
{
    int64_t origin_ns = tare_metering_begin(&w->metering, TARE_PHASE_MEASURE);
    int64_t now_ns = origin_ns;
    for (size_t i = (size_t)w->spec.first_item; i < w->prepared.count && !w->outbox.broken; i++) {
        struct tare_sample sample;
        now_ns = tare_ask_item(&w->ask, w->prepared.items[i], i, origin_ns, &sample);
        if (sample.code != 0) {
            note_failure(w, &sample);
        } else if (w->task->grade) {
            tare_answers_keep(&w->answers, &w->ask, &sample);
        }
        tare_outbox_put_sample(&w->outbox, &sample);
        tare_outbox_pump(&w->outbox, now_ns);
    }
    int64_t stalls = w->outbox.stalls, stall_ns = w->outbox.stall_ns;
    tare_metering_end(&w->metering, TARE_PHASE_MEASURE, now_ns);
    add_stream_reading(w, "stream_stalls", "1", (double)stalls);
    add_stream_reading(w, "stream_stall_time", "s", (double)stall_ns / 1e9);
}

/* The task's own numbers of every item that was answered; nothing is timed any more. */
static int grade(struct worker *w, struct tare_err *err)
{
    double scores[TARE_MAX_COLUMNS];
    size_t n_columns = 0;
    int r = 0;
    while (w->task->grade && n_columns < TARE_MAX_COLUMNS && w->task->columns[n_columns]) {
        n_columns++;
    }
    for (size_t i = (size_t)w->spec.first_item; r == 0 && n_columns > 0 && i < w->prepared.count; i++) {
        size_t n = 0;
        int64_t item = (int64_t)i;
        const struct tare_answer *answers = tare_answers_of(&w->answers, i, &n);
        if (answers) {
            r = w->task->grade(w->task_self, i, answers, n, scores, err);
            tare_outbox_put(&w->outbox, TARE_FRAME_SCORES, &item, sizeof item, scores,
                            n_columns * sizeof *scores);
        }
    }
    return r;
}

/* Counts of the phase sustain, which has no samples. */
struct passes {
    int64_t passes, items, requests, prompt_tok, output_tok, correct;
};

/* Every item once more; its answer is counted and dropped. */
static int64_t pass(struct worker *w, struct passes *to)
{
    int64_t now_ns = tare_clock_ns();
    for (size_t i = (size_t)w->spec.first_item; i < w->prepared.count; i++) {
        struct tare_sample s;
        now_ns = tare_ask_item(&w->ask, w->prepared.items[i], i, now_ns, &s);
        if (s.code != 0) {
            note_failure(w, &s);
        }
        to->items++;
        to->requests += s.n_requests;
        to->prompt_tok += s.prompt_tok;
        to->output_tok += s.output_tok;
        to->correct += s.exact == 1;
    }
    to->passes++;
    return now_ns;
}

static void add_count(struct worker *w, const char *name, const char *unit, int64_t value)
{
    const struct tare_reading reading = {.name = name,
                                         .unit = unit,
                                         .scope = "process",
                                         .source = "harness, whole passes over the items",
                                         .kind = TARE_KIND_COUNTED,
                                         .value = (double)value};
    tare_metering_add(&w->metering, TARE_PHASE_SUSTAIN, "harness", &reading);
}

/* The same work again until a slow meter has seen enough of it. The supervisor is told between passes only:
 * a window for energy has no time stamps to disturb. */
static void sustain(struct worker *w)
{
    struct passes p = {0};
    if (w->spec.sustain_ns == 0 || w->n_failed > 0 || w->spec.first_item > 0 || w->prepared.count == 0) {
        return;
    }
    int64_t begin_ns = tare_metering_begin(&w->metering, TARE_PHASE_SUSTAIN), now_ns = begin_ns;
    while (now_ns - begin_ns < w->spec.sustain_ns && !w->outbox.broken && w->n_failed == 0) {
        now_ns = pass(w, &p);
    }
    tare_metering_end(&w->metering, TARE_PHASE_SUSTAIN, now_ns);
    add_count(w, "sustain_passes", "1", p.passes);
    add_count(w, "sustain_items", "1", p.items);
    add_count(w, "sustain_requests", "request", p.requests);
    add_count(w, "sustain_prompt_tok", "tok", p.prompt_tok);
    add_count(w, "sustain_output_tok", "tok", p.output_tok);
    add_count(w, "sustain_correct", "1", p.correct);
}

static int ask_backend(struct worker *w, enum tare_phase_name phase, struct tare_err *err)
{
    return tare_metering_ask_backend(&w->metering, phase, &w->instance.ops, w->instance.self, err);
}

static int failure(const struct worker *w, struct tare_err *err)
{
    if (w->n_failed == 0) {
        return 0;
    }
    /* Only a lack that shows before measuring skips a cell; one that shows later is a failure. */
    int code = w->first_failure.code == TARE_E_UNSUPPORTED ? TARE_E_BACKEND : w->first_failure.code;
    return tare_err_set(err, code, "%lld of %zu items failed, the first is item %lld: %s",
                        (long long)w->n_failed, w->prepared.count, (long long)w->first_failure.item,
                        w->failure);
}

static int open_meters(struct worker *w, struct tare_err *err)
{
    const struct tare_metering_args args = {.outbox = &w->outbox,
                                            .outside_fd = w->outside_fd,
                                            .off = w->spec.metering == TARE_METERING_NONE,
                                            .elsewhere = w->instance.ops.caps & TARE_CAP_ELSEWHERE,
                                            .choices = tare_json_get(w->spec.meters, "meters")};
    return tare_metering_open(&w->metering, &args, err);
}

static int run(struct worker *w, int spec_fd, struct tare_err *err)
{
    int r = read_spec(w, spec_fd, err);
    r = r < 0 ? r : tare_isolate(&w->spec, err); /* before anything can start a thread */
    r = r < 0 ? r : enter_folder(&w->spec, err);
    r = r < 0 ? r : limit_memory(&w->spec, err);
    r = r < 0 ? r : tare_instance_open(&w->instance, &w->spec, err);
    r = r < 0 ? r : open_meters(w, err);
    r = r < 0 ? r : load(w, err);
    r = r < 0 ? r : prepare(w, err);
    if (r < 0) {
        return r;
    }
    warm_up(w);
    r = ask_backend(w, TARE_PHASE_LOAD, err);
    if (r < 0) {
        return r;
    }
    measure(w);
    r = ask_backend(w, TARE_PHASE_MEASURE, err);
    r = r == 0 ? grade(w, err) : r;
    if (r == 0) {
        sustain(w);
    }
    return w->n_failed > 0 ? failure(w, err) : r;
}

static void finish(struct worker *w, int r, const struct tare_err *err)
{
    struct tare_end_frame end;
    memset(&end, 0, sizeof end);
    end.code = r;
    if (r < 0) {
        memcpy(end.message, err->msg, sizeof end.message);
    }
    tare_outbox_put(&w->outbox, TARE_FRAME_END, &end, sizeof end, NULL, 0);
    tare_outbox_flush(&w->outbox);
    tare_answers_fini(&w->answers);
    tare_ask_fini(&w->ask);
    tare_prepared_fini(&w->prepared);
    tare_opened_task_close(&w->opened);
    tare_metering_close(&w->metering);
    tare_instance_close(&w->instance);
    tare_spec_fini(&w->spec);
    tare_outbox_fini(&w->outbox);
}

void tare_worker_quiet_libraries(void)
{
    static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        (void)setenv(variables[i], "1", 0);
    }
}

int tare_worker_run(int spec_fd, int out_fd, int outside_fd, struct tare_err *err)
{
    /* A worker without its supervisor measures for nobody. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN); /* a terminal sends it to both: the supervisor decides */
    tare_worker_quiet_libraries();
    struct worker w;
    memset(&w, 0, sizeof w);
    int r = tare_outbox_init(&w.outbox, out_fd, err);
    if (r < 0) {
        return r;
    }
    w.outside_fd = outside_fd;
    r = run(&w, spec_fd, err);
    finish(&w, r, err);
    return r;
}

static void add_caps(uint32_t caps, struct tare_json *array)
{
    static const char *const names[] = {"score",      "generate", "logits",    "tokenize", "technique",
                                        "concurrent", "sampled",  "text_only", "elsewhere"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (caps & (1U << i)) {
            tare_json_add_str(array, NULL, names[i]);
        }
    }
}

int tare_worker_probe(const char *path, struct tare_json *out, struct tare_err *err)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct tare_backend ops;
    int r = tare_backend_open(path, &ops, err);
    if (r < 0) {
        return r;
    }
    char why[256] = "";
    bool works = !ops.probe || ops.probe(why, sizeof why) >= 0;
    why[sizeof why - 1] = '\0';
    tare_json_add_str(out, "name", ops.name);
    tare_json_add_str(out, "summary", ops.summary);
    tare_json_add_str(out, "version", ops.version);
    tare_json_add_str(out, "path", path);
    tare_json_add_i64(out, "stream_version", TARE_STREAM_VERSION);
    tare_json_add_bool(out, "available", works);
    tare_json_add_str(out, "why", works ? NULL : why);
    add_caps(ops.caps, tare_json_add_array(out, "capabilities"));
    tare_opts_describe(ops.options, tare_json_add_array(out, "options"));
    return 0;
}

int tare_worker_probe_meter(const char *path, struct tare_json *out, struct tare_err *err)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct tare_meter ops;
    int r = tare_meter_load(path, &ops, err);
    if (r < 0) {
        return r;
    }
    tare_json_add_str(out, "name", ops.name);
    tare_json_add_str(out, "summary", ops.summary);
    tare_json_add_str(out, "place", tare_meter_place_text(ops.place));
    tare_json_add_str(out, "path", path);
    tare_opts_describe(ops.options, tare_json_add_array(out, "options"));
    return 0;
}
