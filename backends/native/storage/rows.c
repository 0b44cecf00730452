/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of products, and memory. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES 64u

void tare_storage_piece(const struct tare_exec *exec, const struct tare_linear *w,
                        const struct tare_product *p, uint32_t from, uint32_t to, tare_storage_gemv *gemv)
{
    const struct tare_packed *kernels = tare_packed_find(exec->kernels->name);
    for (uint32_t i = 0; i < p->n; i++) {
        gemv(kernels, w, p->to + (size_t)i * p->to_stride + from, from, to - from,
             p->from + (size_t)i * p->from_stride, p->add);
    }
}

int tare_storage_reserve(void **out, size_t bytes, const char *for_whom, struct tare_err *err)
{
    void *memory = NULL;
    size_t padded = bytes + TARE_PACKED_SLACK;
    if (padded < bytes || posix_memalign(&memory, ALIGN_BYTES, padded) != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the %zu bytes of %s", bytes, for_whom);
    }
    memset(memory, 0, padded);
    *out = memory;
    return 0;
}
