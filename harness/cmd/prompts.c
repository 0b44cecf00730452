/* SPDX-License-Identifier: Apache-2.0 */
/* `tare prompts`: what a task asks, before any model sees it. */
#include "cmd/prompts.h"

#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/plan_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct prompts_options {
    int64_t first;
    int64_t count;
    char *hash;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct prompts_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_I64, first), .def = "0", .min = 0, .max = INT64_MAX, .help = "number of the first item"},
    {MEMBER(TARE_OPT_I64, count), .def = "0", .min = 0, .max = INT64_MAX, .help = "how many items; 0: all"},
    {MEMBER(TARE_OPT_STR, hash),
     .help =
         "print a hash of all requests instead: \"lm-eval-0.3\" for the list that its version 0.3 hashed"},
    TARE_OPT_END};

/* A plan's entry of a task, out of what the command line says. */
static int read_entry(const char *text, struct tare_json **out, struct tare_err *err)
{
    struct tare_json *list = tare_json_new_object();
    int r = tare_plan_args_list("tasks", text, list, err);
    if (r < 0) {
        tare_json_destroy(list);
        return r;
    }
    *out = list;
    return 0;
}

static int open_task(const char *text, const struct tare_paths *paths, struct tare_opened_task *out,
                     struct tare_err *err)
{
    struct tare_json *list = NULL;
    int r = read_entry(text, &list, err);
    if (r < 0) {
        return r;
    }
    const struct tare_json *entry = tare_json_first(tare_json_get(list, "tasks"));
    const char *name = tare_json_str(tare_json_get(entry, "task"));
    const struct tare_task_wanted wanted = {.name = name ? name : "",
                                            .options = tare_json_get(entry, "options"),
                                            .data_dir = paths->data,
                                            .seed = 1};
    r = tare_opened_task_open(&wanted, out, err);
    tare_json_destroy(list);
    return r;
}

static void add_bytes(struct tare_json *to, const char *key, struct tare_bytes text)
{
    char *copy = malloc(text.n + 1); /* the text does not end in a NUL */
    if (copy) {
        memcpy(copy, text.n ? text.data : "", text.n);
        copy[text.n] = '\0';
    }
    tare_json_add_str(to, key, copy);
    free(copy);
}

static struct tare_json *request_of(const struct tare_item *item, size_t index, size_t i)
{
    struct tare_json *o = tare_json_new_object();
    tare_json_add_i64(o, "item", (int64_t)index);
    tare_json_add_i64(o, "request", (int64_t)i);
    if (item->kind == TARE_ITEM_TOKENS) {
        tare_json_add_i64(o, "prompt_tok", item->n_tokens);
        return o;
    }
    bool choice = item->kind == TARE_ITEM_CHOICE;
    add_bytes(o, choice || item->kind == TARE_ITEM_GENERATE ? "context" : "text",
              choice && item->contexts ? item->contexts[i] : item->text);
    if (choice) {
        add_bytes(o, "continuation", item->choices[i]);
        tare_json_add_bool(o, "gold", i == item->gold);
    }
    return o;
}

static int print_line(const struct tare_json *o, struct tare_err *err)
{
    char *text = NULL;
    int r = tare_json_print(o, false, &text, err);
    if (r == 0 && (fputs(text, stdout) == EOF || putchar('\n') == EOF)) {
        r = tare_err_set(err, TARE_E_IO, "standard output cannot be written");
    }
    free(text);
    return r;
}

/* One request a line, or into the list. */
static int print_item(const struct tare_opened_task *task, size_t index, struct tare_json *list,
                      struct tare_err *err)
{
    struct tare_item item = {0};
    int r = task->task->item(task->self, index, &item, err);
    size_t n = item.kind == TARE_ITEM_CHOICE ? item.n_choices : 1;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct tare_json *o = request_of(&item, index, i);
        if (list) {
            tare_json_add_copy(list, NULL, o);
        } else {
            r = print_line(o, err);
        }
        tare_json_destroy(o);
    }
    return r;
}

static int print_hash(const struct tare_opened_task *task, const char *form, bool json, struct tare_err *err)
{
    char sha256[65];
    if (strcmp(form, "lm-eval-0.3") != 0) {
        return tare_err_set(err, TARE_E_USAGE, "--hash %.40s: unknown; there is lm-eval-0.3", form);
    }
    int r = tare_prompts_hash_v03(task, sha256, err);
    if (r == 0 && json) {
        struct tare_json *o = tare_json_new_object();
        tare_json_add_str(o, "task", task->task->name);
        tare_json_add_str(o, "sha256", sha256);
        return tare_print_json(o, err);
    }
    if (r == 0 && puts(sha256) == EOF) {
        return tare_err_set(err, TARE_E_IO, "standard output cannot be written");
    }
    return r;
}

static int print_items(const struct tare_opened_task *task, const struct prompts_options *o, bool json,
                       struct tare_err *err)
{
    size_t n = task->task->count(task->self), first = (size_t)o->first < n ? (size_t)o->first : n;
    size_t end = o->count > 0 && (size_t)o->count < n - first ? first + (size_t)o->count : n;
    struct tare_json *all = json ? tare_json_new_object() : NULL;
    struct tare_json *list = json ? tare_json_add_array(all, "requests") : NULL;
    int r = 0;
    for (size_t i = first; r == 0 && i < end; i++) {
        r = print_item(task, i, list, err);
    }
    if (r == 0 && json) {
        return tare_print_json(all, err);
    }
    tare_json_destroy(all);
    return r;
}

static int run(const void *given, const struct tare_command_args *args, struct tare_err *err)
{
    const struct prompts_options *o = given;
    struct tare_opened_task task = {0};
    if (args->n_words != 1) {
        return tare_err_set(err, TARE_E_USAGE, "name one task; 'tare list tasks' shows them");
    }
    int r = open_task(args->words[0], args->paths, &task, err);
    if (r == 0 && o->hash) {
        r = print_hash(&task, o->hash, args->json, err);
    } else if (r == 0) {
        r = print_items(&task, o, args->json, err);
    }
    tare_opened_task_close(&task);
    return r;
}

extern const struct tare_command tare_command_prompts;
const struct tare_command tare_command_prompts = {
    .name = "prompts",
    .summary = "print what a task asks, one request a line",
    .arguments = "TASK[,option=value...]",
    .text =
        "Opens the task without a model and prints its requests as JSON lines: item, request, context and "
        "continuation, or text. What a run asks with the same options and seed 1 is exactly this, before a "
        "model's "
        "tokenizer sees it.",
    .max_words = 1,
    .options_size = sizeof(struct prompts_options),
    .options = options,
    .run = run};
