/* SPDX-License-Identifier: Apache-2.0 */
/* The list that meson makes of the folder hooks/. */
#include "hooks.h"

#include <string.h>

#define X(name) extern const struct tare_hook tare_hook_##name;
#include "tare_hooks.inc"
#undef X

#define X(name) &tare_hook_##name,
static const struct tare_hook *const hooks[] = {
#include "tare_hooks.inc"
};
#undef X

const struct tare_hook *tare_hook_find(const char *name)
{
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        if (strcmp(hooks[i]->name, name) == 0) {
            return hooks[i];
        }
    }
    return NULL;
}
