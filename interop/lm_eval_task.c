/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a task, one after the other. */
#include "interop/lm_eval_task.h"

#include "interop/lm_eval_task_lists.h"
#include "interop/yaml_tree.h"

#include "base/plain.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* What of ours does what the Python code of a task does; by the beginning of the task's name. */
static const struct {
    const char *task, *help;
} helps[] = {{"hellaswag", "\"hook\": \"hellaswag\""},
             {"wikitext", "\"hook\": \"wikitext\""},
             {"truthfulqa", "\"hook\": \"truthfulqa\""},
             {"winogrande", "\"contexts\", a context for each choice,"},
             {"copa", "a template for each choice"}};

static const char *help_of(const char *task)
{
    for (size_t i = 0; i < sizeof helps / sizeof *helps; i++) {
        if (strncmp(task, helps[i].task, strlen(helps[i].task)) == 0) {
            return helps[i].help;
        }
    }
    return NULL;
}

/* Appends "key: !function name" of everything below; keys of lists have no number. */
static void find_functions(const struct tare_json *v, const char *key, char *to, size_t n)
{
    const char *function = tare_json_str(tare_json_get(v, TARE_YAML_FUNCTION));
    if (function) {
        size_t used = strlen(to);
        (void)snprintf(to + used, n - used, "%s%.40s: !function %.60s", used > 0 ? ", " : "", key, function);
        return;
    }
    for (const struct tare_json *child = tare_json_first(v); child; child = tare_json_next(child)) {
        find_functions(child, tare_json_key(child) ? tare_json_key(child) : key, to, n);
    }
}

static int check_functions(const struct tare_lm_eval_task *t)
{
    const char *task = tare_json_str(tare_json_get(t->from, "task")), *help = help_of(task ? task : "");
    char found[250] = "";
    find_functions(t->from, "", found, sizeof found);
    if (!*found) {
        return 0;
    }
    return help ? tare_lm_eval_task_bad(
                      t, "Python code is not converted (%s); in a task file by hand %s may do the same",
                      found, help)
                : tare_lm_eval_task_bad(
                      t, "Python code is not converted (%s), and no hook of tare is known for it", found);
}

static const char *const converted[] = {
    "task", "dataset_path", "dataset_name", "dataset_kwargs", "training_split", "validation_split",
    "test_split", "fewshot_split", "doc_to_text", "doc_to_target", "doc_to_choice", "description",
    "target_delimiter", "fewshot_delimiter", "fewshot_config", "num_fewshot", "metric_list", "output_type",
    "generation_kwargs", "repeats", "filter_list", "metadata",
    /* left out */
    "tag", "task_alias", "group", "should_decontaminate", "doc_to_decontamination_query", "unsafe_code",
    /* always refused, but by their own words */
    "process_docs", "process_results", "custom_dataset", "class", "doc_to_image", "doc_to_audio",
    "use_prompt", "gen_prefix", "aggregate_metric_list", "group_alias", "recipe", "task_list", NULL};

static const char *const left_out[] = {
    "tag",         "task_alias", "group", "should_decontaminate", "doc_to_decontamination_query",
    "unsafe_code", NULL};

static const char *const refused[][2] = {
    {"process_docs", "documents are changed by hooks of tare only"},
    {"process_results", "results are graded by metrics of tare only"},
    {"custom_dataset", "data comes from files or generators of tare"},
    {"class", "a task in Python cannot be converted"},
    {"doc_to_image", "tasks are text only"},
    {"doc_to_audio", "tasks are text only"},
    {"use_prompt", "promptsource is not known here"},
    {"gen_prefix", "our tasks have none; write it at the end of the context"},
    {"recipe", "recipes are not known here"},
    {"task_list", "import each task by itself"},
    {"aggregate_metric_list", "a group of tasks; import each by itself"},
    {NULL, NULL}};

static void note(const struct tare_lm_eval_task *t, const char *text)
{
    tare_json_add_str(t->notes, NULL, text);
}

static int check_keys(const struct tare_lm_eval_task *t)
{
    char text[200] = "";
    int r = tare_lm_eval_task_known(t, t->from, "", converted);
    for (size_t i = 0; r == 0 && refused[i][0]; i++) {
        if (tare_lm_eval_task_get(t->from, refused[i][0])) {
            r = tare_lm_eval_task_bad(t, "%s: %s", refused[i][0], refused[i][1]);
        }
    }
    for (size_t i = 0; r == 0 && left_out[i]; i++) {
        if (tare_lm_eval_task_get(t->from, left_out[i])) {
            size_t used = strlen(text);
            (void)snprintf(text + used, sizeof text - used, "%s%s",
                           used ? ", " : "left out, as no score depends on it: ", left_out[i]);
        }
    }
    if (r == 0 && *text) {
        note(t, text);
    }
    const struct tare_json *repeats = tare_lm_eval_task_get(t->from, "repeats");
    int64_t n = 1;
    r = r == 0 && repeats ? tare_json_i64(repeats, "repeats", 1, 1000000, &n, t->err) : r;
    return r == 0 && n != 1 ? tare_lm_eval_task_bad(t, "repeats: only 1 is converted") : r;
}

/* The text at a key; NULL if there is none, an error if it is something else. */
static int text_at(const struct tare_lm_eval_task *t, const char *key, const char **out)
{
    const struct tare_json *v = tare_lm_eval_task_get(t->from, key);
    *out = tare_json_str(v);
    return !v || *out ? 0
                      : tare_lm_eval_task_bad(t, "%s: text is expected, found %s", key,
                                              tare_json_type_name(tare_json_type(v)));
}

/* Theirs is a decimal, ours a whole number. */
static void add_version(const struct tare_lm_eval_task *t)
{
    const struct tare_json *version = tare_lm_eval_task_get(tare_json_get(t->from, "metadata"), "version");
    double given = tare_json_num(version), whole = given > 0.0 && given < 1e6 ? floor(given) : 0.0;
    tare_json_add_i64(t->to, "version", (int64_t)whole);
    if (tare_json_type(version) != TARE_JSON_NUMBER) {
        note(t, "version: the file has none; it is 0");
    } else if (whole < given || whole > given) {
        note(t, "version: ours is a whole number, what theirs has behind the point is lost");
    }
}

static int add_name(const struct tare_lm_eval_task *t)
{
    const char *name = NULL;
    char about[300];
    int r = text_at(t, "task", &name);
    if (r == 0 && (!name || !*name)) {
        return tare_lm_eval_task_bad(t, "task: the task has no name; is this a part that others include?");
    }
    if (r < 0) {
        return r;
    }
    const char *slash = strrchr(t->what, '/');
    (void)snprintf(about, sizeof about, "imported from %.200s of lm-evaluation-harness",
                   slash ? slash + 1 : t->what);
    tare_json_add_i64(t->to, "tare_task", 1);
    tare_json_add_str(t->to, "name", name);
    add_version(t);
    tare_json_add_str(t->to, "description", about);
    tare_json_add_null(t->to, "licence");
    note(t, "licence: the file does not say; look it up where the data comes from");
    return 0;
}

/* The data of one split: where data_files says, else DATASET[/NAME]/SPLIT.jsonl. */
static int add_source(const struct tare_lm_eval_task *t, struct tare_json *sources, const char *role,
                      const char *split)
{
    const char *path = NULL, *name = NULL, *file = NULL;
    char made[600], text[800];
    int r = text_at(t, "dataset_path", &path);
    r = r == 0 ? text_at(t, "dataset_name", &name) : r;
    if (r == 0 && (!path || !*path)) {
        return tare_lm_eval_task_bad(t, "dataset_path: the task has no data");
    }
    if (r < 0) {
        return r;
    }
    const struct tare_json *files =
        tare_lm_eval_task_get(tare_json_get(t->from, "dataset_kwargs"), "data_files");
    file = tare_json_str(files) ? tare_json_str(files) : tare_json_str(tare_json_get(files, split));
    if (files && !file) {
        return tare_lm_eval_task_bad(t, "dataset_kwargs: data_files has no file for split '%.60s'", split);
    }
    const char *last = strrchr(path, '/');
    (void)snprintf(made, sizeof made, "%.200s%s%.100s/%.100s.jsonl", last ? last + 1 : path, name ? "/" : "",
                   name ? name : "", split);
    tare_json_add_str(tare_json_add_object(sources, role), "file", file ? file : made);
    (void)snprintf(text, sizeof text, "sources: %s is read from %.600s (%.100s, split %.60s)", role,
                   file ? file : made, path, split);
    note(t, text);
    return 0;
}

static const char *const roles[][2] = {
    {"train", "training_split"}, {"validation", "validation_split"}, {"test", "test_split"}};

/* A few-shot split that is none of the three takes the place of one that the task does not have. */
static int add_fewshot_source(const struct tare_lm_eval_task *t, struct tare_json *sources, const char *split,
                              const char **role)
{
    *role = !tare_json_get(sources, "train")        ? "train"
            : !tare_json_get(sources, "validation") ? "validation"
                                                    : NULL;
    return *role ? add_source(t, sources, *role, split)
                 : tare_lm_eval_task_bad(t, "fewshot_split: a fourth split '%.60s' is not converted", split);
}

/* Sources by their role; the split that is asked is the test, else the validation. */
static int add_sources(const struct tare_lm_eval_task *t)
{
    struct tare_json *sources = tare_json_add_object(t->to, "sources");
    const char *fewshot = NULL, *fewshot_role = NULL, *asked = NULL;
    int r = text_at(t, "fewshot_split", &fewshot);
    for (size_t i = 0; r == 0 && i < sizeof roles / sizeof *roles; i++) {
        const char *split = NULL;
        r = text_at(t, roles[i][1], &split);
        if (r < 0 || !split) {
            continue;
        }
        fewshot_role = fewshot && strcmp(fewshot, split) == 0 ? roles[i][0] : fewshot_role;
        asked = i > 0 ? roles[i][0] : asked;
        r = add_source(t, sources, roles[i][0], split);
    }
    r = r == 0 && fewshot && !fewshot_role ? add_fewshot_source(t, sources, fewshot, &fewshot_role) : r;
    if (r == 0 && !asked) {
        return tare_lm_eval_task_bad(t, "neither test_split nor validation_split: nothing would be asked");
    }
    tare_json_add_str(t->to, "split", asked);
    if (fewshot_role) {
        tare_json_add_str(t->to, "fewshot_split", fewshot_role);
    }
    return r;
}

static int check_dataset(const struct tare_lm_eval_task *t)
{
    static const char *const words[] = {"trust_remote_code", "data_files", NULL};
    return tare_lm_eval_task_known(t, tare_lm_eval_task_get(t->from, "dataset_kwargs"), "dataset_kwargs",
                                   words);
}

static int check_fewshot(const struct tare_lm_eval_task *t, const struct tare_json *config)
{
    static const char *const words[] = {"sampler", "samples", NULL};
    const struct tare_json *samples = tare_lm_eval_task_get(config, "samples");
    const char *sampler = tare_json_str(tare_lm_eval_task_get(config, "sampler"));
    int r = tare_lm_eval_task_known(t, config, "fewshot_config", words);
    if (r == 0 && sampler && strcmp(sampler, "first_n") != 0 && strcmp(sampler, "default") != 0) {
        return tare_lm_eval_task_bad(t, "fewshot_config: sampler '%.60s' is not converted", sampler);
    }
    if (r == 0 && samples && tare_json_type(samples) != TARE_JSON_ARRAY) {
        return tare_lm_eval_task_bad(t, "fewshot_config: samples is a list of documents");
    }
    return r;
}

static int add_fewshot(const struct tare_lm_eval_task *t)
{
    const struct tare_json *config = tare_lm_eval_task_get(t->from, "fewshot_config");
    const struct tare_json *n = tare_lm_eval_task_get(t->from, "num_fewshot");
    const struct tare_json *samples = tare_lm_eval_task_get(config, "samples");
    const char *sampler = tare_json_str(tare_lm_eval_task_get(config, "sampler"));
    int64_t shots = 0;
    int r = check_fewshot(t, config);
    r = r == 0 && n ? tare_json_i64(n, "num_fewshot", 0, 1000, &shots, t->err) : r;
    tare_json_add_i64(t->to, "num_fewshot", shots);
    tare_json_add_str(t->to, "fewshot", sampler && strcmp(sampler, "first_n") == 0 ? "first" : "random");
    if (n && shots == 0) {
        tare_json_add_bool(t->to, "fewshot_forced", true); /* no command line changes it */
    }
    if (samples) {
        tare_json_add_copy(t->to, "samples", samples);
    }
    return r;
}

static bool is_identifier(const char *text)
{
    if (isdigit((unsigned char)*text) || !*text) {
        return false;
    }
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && *text != '_' && (unsigned char)*text < 0x80) {
            return false;
        }
    }
    return true;
}

/* lm-evaluation-harness takes a text that is the name of a column for that column. */
static int add_template(const struct tare_lm_eval_task *t, const char *key, const char *to, const char *text)
{
    char column[300];
    bool is_template = strstr(text, "{{") || strstr(text, "{%") || strstr(text, "{#");
    if (is_identifier(text) && strlen(text) < 250) {
        (void)snprintf(column, sizeof column, "{{%s}}", text);
        tare_json_add_str(t->to, to, column);
        return 0;
    }
    if (!is_template && text[strspn(text, " \t\n")] != '\0') {
        return tare_lm_eval_task_bad(
            t,
            "%s: '%.60s' may be a column or plain text; put it into a template, as in "
            "{{ 'text' }}",
            key, text);
    }
    tare_json_add_str(t->to, to, text);
    return 0;
}

static int add_doc_to(const struct tare_lm_eval_task *t, const char *key, const char *to)
{
    char room[64];
    const char *text = NULL;
    const struct tare_json *v = tare_json_get(t->from, key);
    if (!v || tare_json_type(v) == TARE_JSON_NULL) {
        return tare_lm_eval_task_bad(t, "%s: the task has none", key);
    }
    int r = tare_lm_eval_task_str(t, v, key, room, &text);
    if (r == 0 && tare_json_type(v) == TARE_JSON_STRING) {
        return add_template(t, key, to, text);
    }
    if (r == 0) {
        tare_json_add_str(t->to, to, text); /* a constant index */
    }
    return r;
}

/* Choices of a list are texts, not templates. */
static int add_choice(const struct tare_lm_eval_task *t, const struct tare_json *v, struct tare_json *list)
{
    char room[64];
    const char *text = NULL;
    int r = tare_lm_eval_task_str(t, v, "doc_to_choice", room, &text);
    if (r == 0 && (strstr(text, "{{") || strstr(text, "{%") || strstr(text, "{#"))) {
        return tare_lm_eval_task_bad(
            t, "doc_to_choice: '%.60s' is plain text there and would be a template here", text);
    }
    if (r == 0) {
        tare_json_add_str(list, NULL, text);
    }
    return r;
}

static int add_choices(const struct tare_lm_eval_task *t)
{
    const struct tare_json *given = tare_lm_eval_task_get(t->from, "doc_to_choice");
    if (!given) {
        return 0;
    }
    if (tare_json_str(given)) {
        return add_template(t, "doc_to_choice", "choices", tare_json_str(given));
    }
    struct tare_json *list = tare_json_add_array(t->to, "choices");
    int r = tare_json_size(given) > 0
                ? 0
                : tare_lm_eval_task_bad(t, "doc_to_choice: a text or a list is expected");
    for (const struct tare_json *v = tare_json_first(given); r == 0 && v; v = tare_json_next(v)) {
        r = add_choice(t, v, list);
    }
    return r;
}

static int add_texts(const struct tare_lm_eval_task *t)
{
    const char *target = NULL, *fewshot = NULL, *preamble = NULL;
    int r = text_at(t, "target_delimiter", &target);
    r = r == 0 ? text_at(t, "fewshot_delimiter", &fewshot) : r;
    r = r == 0 ? text_at(t, "description", &preamble) : r;
    tare_json_add_str(t->to, "target_delimiter", target ? target : " ");
    tare_json_add_str(t->to, "fewshot_delimiter", fewshot ? fewshot : "\n\n");
    tare_json_add_str(t->to, "preamble", preamble ? preamble : "");
    return r;
}

static int add_output(const struct tare_lm_eval_task *t)
{
    static const char *const kinds[] = {"multiple_choice", "loglikelihood", "loglikelihood_rolling",
                                        "generate_until"};
    const char *output = NULL;
    int r = text_at(t, "output_type", &output);
    output = output ? output : "generate_until";
    for (size_t i = 0; r == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i], output) == 0) {
            tare_json_add_str(t->to, "output", output);
            tare_json_add_null(t->to, "hook");
            return 0;
        }
    }
    return r < 0 ? r : tare_lm_eval_task_bad(t, "output_type: '%.60s' is not known", output);
}

static int add_context(const struct tare_lm_eval_task *t)
{
    return add_doc_to(t, "doc_to_text", "context");
}

static int add_target(const struct tare_lm_eval_task *t)
{
    return add_doc_to(t, "doc_to_target", "target");
}

/* What depends on the kind of output. */
static int add_by_output(const struct tare_lm_eval_task *t)
{
    const char *output = tare_json_str(tare_json_get(t->to, "output"));
    int r = 0;
    if (strcmp(output, "generate_until") == 0) {
        r = tare_lm_eval_task_generation(t, tare_json_str(tare_json_get(t->to, "fewshot_delimiter")));
    } else if (tare_lm_eval_task_get(t->from, "generation_kwargs")) {
        note(t, "left out, as nothing is generated: generation_kwargs");
    }
    if (r == 0 && strcmp(output, "multiple_choice") == 0 && !tare_json_get(t->to, "choices")) {
        return tare_lm_eval_task_bad(t, "doc_to_choice: a multiple_choice task needs it");
    }
    r = r == 0 ? tare_lm_eval_task_filters(t) : r;
    return r == 0 ? tare_lm_eval_task_metrics(t, output) : r;
}

static int convert(const struct tare_lm_eval_task *t)
{
    static int (*const steps[])(const struct tare_lm_eval_task *t) = {
        check_functions, check_keys,  add_name,    check_dataset, add_sources, add_fewshot,
        add_output,      add_context, add_choices, add_target,    add_texts,   add_by_output};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof steps / sizeof *steps; i++) {
        r = steps[i](t);
    }
    return r;
}

int tare_lm_eval_task_convert(const struct tare_json *yaml, const char *what, struct tare_json **out,
                              struct tare_json *notes, struct tare_err *err)
{
    const struct tare_lm_eval_task t = {
        .from = yaml, .to = tare_json_new_object(), .notes = notes, .what = what, .err = err};
    int r = convert(&t);
    if (r == 0) {
        *out = t.to;
    } else {
        tare_json_destroy(t.to);
        tare_plain_err(err); /* it may quote the file */
    }
    return r;
}
