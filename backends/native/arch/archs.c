/* SPDX-License-Identifier: Apache-2.0 */
/* The list of architectures, made from that in meson.build. */
#include "arch.h"

#include <string.h>

#define X(name) extern const struct tare_arch tare_arch_##name;
#include "native_archs.inc"
#undef X

static const struct tare_arch *const archs[] = {
#define X(name) &tare_arch_##name,
#include "native_archs.inc"
#undef X
};

const struct tare_arch *tare_arch_find(const char *name)
{
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++) {
        if (strcmp(archs[i]->name, name) == 0) {
            return archs[i];
        }
    }
    return NULL;
}

const char *tare_arch_names(void)
{
    static const char names[] = ""
#define X(name) ", " #name
#include "native_archs.inc"
#undef X
        ;
    return names + 2;
}
