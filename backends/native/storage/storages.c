/* SPDX-License-Identifier: Apache-2.0 */
/* The list of storages, made from that in meson.build. */
#include "storages.h"

#include <stddef.h>

const struct tare_storage *const tare_storages[] = {
#define X(name) &tare_stored_##name,
#include "native_storages.inc"
#undef X
    NULL,
};
