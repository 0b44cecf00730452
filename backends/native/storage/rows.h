/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What storages with kernels of packed.h share: their piece of a product, and memory of the right kind. It
 * knows no storage.
 */
#ifndef TARE_NATIVE_STORAGE_ROWS_H
#define TARE_NATIVE_STORAGE_ROWS_H

#include "kernels/packed.h"
#include "linear.h"

/* to[0 .. n) = rows row .. row+n-1 of W times x, or += with add. */
typedef void tare_storage_gemv(const struct tare_packed *kernels, const struct tare_linear *w, float *to,
                               uint32_t row, uint32_t n, const float *x, bool add);

/* Rows from .. to-1 of a product with few rows, vector after vector: the body of a storage's `piece`. */
void tare_storage_piece(const struct tare_exec *exec, const struct tare_linear *w,
                        const struct tare_product *p, uint32_t from, uint32_t to, tare_storage_gemv *gemv);

/* Zeroed memory aligned to 64 bytes with readable bytes behind it; `for_whom` is for the message. */
TARE_MUST_CHECK int tare_storage_reserve(void **out, size_t bytes, const char *for_whom,
                                         struct tare_err *err);

#endif
