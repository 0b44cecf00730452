/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, and the two ways a template is used. */
#include "template.h"

#include "value.h"

#include <stdlib.h>
#include <string.h>

static int run_body(struct tare_tpl_run *run, const struct tare_tpl_node *node);

static bool prints_nothing(const struct tare_tpl_value *v)
{
    return v->type == TARE_TPL_V_UNDEFINED && v->n == 1;
}

static int print(struct tare_tpl_run *run, const struct tare_tpl_node *node)
{
    struct tare_tpl_value v;
    struct tare_bytes text;
    int r = tare_tpl_eval(run, node->a, &v);
    run->at = node->a->at;
    if (r == 0 && prints_nothing(&v)) {
        return 0;
    }
    r = r == 0 ? tare_tpl_need(run, &v) : r;
    r = r == 0 ? tare_tpl_str(run, &v, &text) : r;
    return r == 0 ? tare_tpl_append(run, &run->output, text) : r;
}

static int choose(struct tare_tpl_run *run, const struct tare_tpl_node *node)
{
    struct tare_tpl_value v;
    bool truth = false;
    int r = tare_tpl_eval(run, node->a, &v);
    r = r == 0 ? tare_tpl_truth(run, &v, &truth) : r;
    return r == 0 ? run_body(run, truth ? node->b : node->c) : r;
}

static void bind(struct tare_tpl_run *run, struct tare_tpl_binding *b, struct tare_bytes name,
                 const struct tare_tpl_value *value)
{
    *b = (struct tare_tpl_binding){.name = name, .value = *value, .next = run->variables};
    run->variables = b;
}

/* A variable of this round of the loop, or of the template, is changed; one from further out is hidden. */
static int set(struct tare_tpl_run *run, const struct tare_tpl_node *node)
{
    struct tare_tpl_value v;
    int r = tare_tpl_eval(run, node->a, &v);
    for (struct tare_tpl_binding *b = run->variables; r == 0 && b != run->outer; b = b->next) {
        r = tare_tpl_step(run, 1);
        if (b->name.n == node->text.n && memcmp(b->name.data, node->text.data, node->text.n) == 0) {
            b->value = v;
            return r;
        }
    }
    struct tare_tpl_binding *b = r == 0 ? tare_tpl_take(run, sizeof *b) : NULL;
    if (!b) {
        return r < 0 ? r : TARE_E_LIMIT;
    }
    bind(run, b, node->text, &v);
    return 0;
}

/* One round. What it sets is forgotten at its end. */
static int run_round(struct tare_tpl_run *run, const struct tare_tpl_node *node,
                     const struct tare_tpl_value *list, size_t i)
{
    static const struct tare_bytes name = {"loop", 4};
    struct tare_tpl_binding *variables = run->variables, *outer = run->outer, loop_binding, binding;
    const struct tare_tpl_value loop = {.type = TARE_TPL_V_LOOP, .integer = (int64_t)i, .n = list->n};
    run->outer = variables;
    bind(run, &loop_binding, name, &loop);
    bind(run, &binding, node->text, &list->items[i]);
    int r = run_body(run, node->b);
    run->variables = variables;
    run->outer = outer;
    return r;
}

static int loop(struct tare_tpl_run *run, const struct tare_tpl_node *node)
{
    struct tare_tpl_value v, list = {.n = 0};
    int r = tare_tpl_eval(run, node->a, &v);
    run->at = node->a->at;
    r = r == 0 ? tare_tpl_iterate(run, &v, &list) : r;
    for (size_t i = 0; r == 0 && i < list.n; i++) {
        r = tare_tpl_step(run, 1);
        r = r == 0 ? run_round(run, node, &list, i) : r;
    }
    return r == 0 && list.n == 0 ? run_body(run, node->c) : r;
}

static int run_statement(struct tare_tpl_run *run, const struct tare_tpl_node *node)
{
    run->at = node->at;
    switch (node->kind) {
    case TARE_TPL_TEXT:
        return tare_tpl_append(run, &run->output, node->text);
    case TARE_TPL_PRINT:
        return print(run, node);
    case TARE_TPL_IF:
        return choose(run, node);
    case TARE_TPL_FOR:
        return loop(run, node);
    default:
        return set(run, node);
    }
}

static int run_body(struct tare_tpl_run *run, const struct tare_tpl_node *node)
{
    int r = 0;
    for (; r == 0 && node; node = node->next) {
        r = tare_tpl_step(run, 1);
        r = r == 0 ? run_statement(run, node) : r;
    }
    return r;
}

static struct tare_tpl_run start(const struct tare_template *t, const struct tare_json *doc,
                                 struct tare_err *err)
{
    return (struct tare_tpl_run){
        .t = t, .doc = doc, .arena = {.limit_bytes = tare_tpl_max_memory_bytes}, .err = err};
}

static int check_doc(const struct tare_template *t, const struct tare_json *doc, struct tare_err *err)
{
    return tare_json_type(doc) == TARE_JSON_OBJECT
               ? 0
               : tare_err_set(err, TARE_E_FORMAT, "%.120s: the document is no JSON object", t->what);
}

int tare_template_render(const struct tare_template *t, const struct tare_json *doc, char **out,
                         struct tare_err *err)
{
    struct tare_tpl_run run = start(t, doc, err);
    int r = check_doc(t, doc, err);
    r = r == 0 ? tare_tpl_append(&run, &run.output, (struct tare_bytes){"", 0}) : r; /* never NULL */
    r = r == 0 ? run_body(&run, t->body) : r;
    tare_tpl_arena_fini(&run.arena);
    if (r == 0) {
        *out = run.output.data;
    } else {
        free(run.output.data);
    }
    return r;
}

/* The text as the only element of an array, so that both ways end alike. */
static int text_to_json(const struct tare_template *t, const struct tare_json *doc, struct tare_json *array,
                        struct tare_err *err)
{
    char *text = NULL;
    int r = tare_template_render(t, doc, &text, err);
    if (r == 0) {
        tare_json_add_str(array, NULL, text);
    }
    free(text);
    return r;
}

static int value_to_json(const struct tare_template *t, const struct tare_json *doc, struct tare_json *array,
                         struct tare_err *err)
{
    struct tare_tpl_run run = start(t, doc, err);
    struct tare_tpl_value v;
    int r = check_doc(t, doc, err);
    r = r == 0 ? tare_tpl_eval(&run, t->only, &v) : r;
    run.at = t->only->at;
    if (r == 0 && prints_nothing(&v)) {
        v = tare_tpl_string((struct tare_bytes){"", 0});
    }
    r = r == 0 ? tare_tpl_to_json(&run, &v, array) : r;
    tare_tpl_arena_fini(&run.arena);
    return r;
}

int tare_template_eval(const struct tare_template *t, const struct tare_json *doc, struct tare_json **out,
                       struct tare_err *err)
{
    struct tare_json *array = tare_json_new_array();
    int r = t->only ? value_to_json(t, doc, array, err) : text_to_json(t, doc, array, err);
    struct tare_json *value = r == 0 ? tare_json_detach(array, 0) : NULL;
    tare_json_destroy(array);
    if (r == 0 && !value) {
        return tare_err_set(err, TARE_E_NOMEM, "%.120s: out of memory", t->what);
    }
    if (r == 0) {
        *out = value;
    }
    return r;
}
