/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and lists what the build has embedded. A plan says of itself what it is, in "about". */
#include "cmd/plans.h"

#include "builtin_plans.h"

#include <string.h>

enum { n_plans = sizeof builtin_plans / sizeof *builtin_plans };

/* "zoo" is the plan of "zoo.json". */
static bool is_called(const char *file, const char *name)
{
    size_t n = strlen(name);
    return strncmp(file, name, n) == 0 && strcmp(file + n, ".json") == 0;
}

const char *tare_plans_find(const char *name)
{
    for (size_t i = 0; i < n_plans; i++) {
        if (!name || is_called(builtin_plans[i].name, name)) {
            return builtin_plans[i].text;
        }
    }
    return NULL;
}

int tare_plans_list(struct tare_json *to, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n_plans; i++) {
        const char *file = builtin_plans[i].name;
        struct tare_json *plan = NULL;
        char name[64];
        r = tare_json_parse(builtin_plans[i].text, strlen(builtin_plans[i].text), file, &plan, err);
        (void)snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - sizeof ".json" + 1), file);
        struct tare_json *o = tare_json_add_object(to, NULL);
        tare_json_add_str(o, "name", name);
        tare_json_add_str(o, "summary", tare_json_str(tare_json_get(plan, "about")));
        tare_json_destroy(plan);
    }
    return r;
}
