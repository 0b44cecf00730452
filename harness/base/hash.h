/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (libcrypto's) of memory, files and streams, as 64 lower-case hexadecimal digits. */
#ifndef TARE_BASE_HASH_H
#define TARE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

#define TARE_SHA256_HEX 65

TARE_MUST_CHECK int tare_sha256(const void *data, size_t n, char out[TARE_SHA256_HEX], struct tare_err *err);
/* Streams the file; *out_bytes gets its length (may be NULL). */
TARE_MUST_CHECK int tare_sha256_file(const char *path, char out[TARE_SHA256_HEX], int64_t *out_bytes,
                                     struct tare_err *err);

/* Piece by piece. A hasher that could not be made, or failed, swallows what it is given; the end tells. */
struct tare_hasher;
struct tare_hasher *tare_hasher_begin(void);
void tare_hasher_add(struct tare_hasher *hasher, const void *data, size_t n);
/* Frees it. */
TARE_MUST_CHECK int tare_hasher_end(struct tare_hasher *hasher, char out[TARE_SHA256_HEX],
                                    struct tare_err *err);

#endif
