/* SPDX-License-Identifier: Apache-2.0 */
/* Copies the plan's tree entry by entry; the tree itself can only be read and grown. */
#include "core/plan_set.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct assignment {
    char *what; /* owned; the others point into it */
    const char *option;
    const char *value;
    size_t met;
};

/* WHAT may hold dots, as "llama-0.25m" does: the option begins behind the last one before the '='. */
static int split(const char *text, struct assignment *out, struct tare_err *err)
{
    char *copy = strdup(text);
    char *equals = copy ? strchr(copy, '=') : NULL;
    if (equals) {
        *equals = '\0';
    }
    char *dot = equals ? strrchr(copy, '.') : NULL;
    if (!dot || dot == copy || !dot[1]) {
        free(copy);
        return copy ? tare_err_set(err, TARE_E_USAGE,
                                   "plan: set \"%.80s\": is not of the form TASK.OPTION=VALUE, such as "
                                   "text.path=FILE",
                                   text)
                    : tare_err_set(err, TARE_E_NOMEM, "plan: out of memory");
    }
    *dot = '\0';
    *out = (struct assignment){.what = copy, .option = dot + 1, .value = equals + 1};
    return 0;
}

/* "/x/llama-1m.safetensors" and "zoo:llama-1m" are called llama-1m, as their labels are. */
static bool path_matches(const char *what, const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : strncmp(path, "zoo:", 4) == 0 ? path + 4 : path;
    return fnmatch(what, name, 0) == 0;
}

static bool is_meant(const struct assignment *a, const struct tare_json *entry)
{
    static const char *const keys[] = {"task", "backend", "name"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = tare_json_str(tare_json_get(entry, keys[i]));
        if (value && fnmatch(a->what, value, 0) == 0) {
            return true;
        }
    }
    const char *path = tare_json_str(tare_json_get(entry, "path"));
    return path && !tare_json_get(entry, "name") && path_matches(a->what, path);
}

static void copy_members(struct tare_json *to, const struct tare_json *from, const char *without)
{
    for (const struct tare_json *v = tare_json_first(from); v; v = tare_json_next(v)) {
        const char *key = tare_json_key(v);
        if (key && without && strcmp(key, without) != 0) {
            tare_json_add_copy(to, key, v);
        }
    }
}

static void copy_entry(struct assignment *a, struct tare_json *list, const struct tare_json *entry)
{
    if (tare_json_type(entry) != TARE_JSON_OBJECT || !is_meant(a, entry)) {
        tare_json_add_copy(list, NULL, entry);
        return;
    }
    struct tare_json *copy = tare_json_add_object(list, NULL);
    copy_members(copy, entry, "options");
    struct tare_json *options = tare_json_add_object(copy, "options");
    copy_members(options, tare_json_get(entry, "options"), a->option);
    tare_json_add_str(options, a->option, a->value);
    a->met++;
}

int tare_plan_set(const struct tare_json *plan, const char *assignment, struct tare_json **out,
                  struct tare_err *err)
{
    struct assignment a = {0};
    int r = split(assignment, &a, err);
    if (r < 0) {
        return r;
    }
    struct tare_json *copy = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(plan); v; v = tare_json_next(v)) {
        bool axis = strcmp(tare_json_key(v), "tasks") == 0 || strcmp(tare_json_key(v), "models") == 0;
        if (!axis || tare_json_type(v) != TARE_JSON_ARRAY) {
            tare_json_add_copy(copy, tare_json_key(v), v);
            continue;
        }
        struct tare_json *list = tare_json_add_array(copy, tare_json_key(v));
        for (const struct tare_json *e = tare_json_first(v); e; e = tare_json_next(e)) {
            copy_entry(&a, list, e);
        }
    }
    if (a.met == 0) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "plan: set \"%.80s\": none of the plan's tasks and models is called %.40s",
                         assignment, a.what);
        tare_json_destroy(copy);
    } else {
        *out = copy;
    }
    free(a.what);
    return r;
}
