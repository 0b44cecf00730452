/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of the safetensors container: which tensors a file holds and where their bytes lie.
 *
 * The whole file is read into memory and checked before anything is handed out: every view returned
 * here lies inside the file, has the size that its shape and type demand, and shares no byte with
 * another tensor. It interprets no tensor and knows no model; see model.h. It never writes files.
 */
#ifndef TARE_NATIVE_SAFETENSORS_H
#define TARE_NATIVE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>
#include <tare/json.h>

enum tare_dtype {
    TARE_DTYPE_BOOL = 1,
    TARE_DTYPE_U8,
    TARE_DTYPE_I8,
    TARE_DTYPE_I16,
    TARE_DTYPE_U16,
    TARE_DTYPE_F16,
    TARE_DTYPE_BF16,
    TARE_DTYPE_I32,
    TARE_DTYPE_U32,
    TARE_DTYPE_F32,
    TARE_DTYPE_I64,
    TARE_DTYPE_U64,
    TARE_DTYPE_F64
};

#define TARE_TENSOR_RANK_MAX 8

/* Borrowed from the file that holds it. */
struct tare_tensor {
    const char *name;
    enum tare_dtype dtype;
    uint32_t rank;
    uint64_t shape[TARE_TENSOR_RANK_MAX];
    uint64_t n_elements;
    uint64_t n_bytes;
    const unsigned char *data; /* little-endian, row-major */
};

struct tare_safetensors {
    unsigned char *file; /* owned when opened from a path, else NULL */
    struct tare_json *header;
    const struct tare_json *metadata; /* object of strings in the header, or NULL if it has none */
    struct tare_tensor *tensors;      /* in file order */
    size_t n_tensors;
    uint64_t data_bytes; /* of all tensors together */
};

/* Views bytes[0 .. n), which must outlive *st. `what` names the source in messages. */
TARE_MUST_CHECK int tare_safetensors_parse(struct tare_safetensors *st, const unsigned char *bytes, size_t n,
                                           const char *what, struct tare_err *err);
/* Reads a regular file. */
TARE_MUST_CHECK int tare_safetensors_open(struct tare_safetensors *st, const char *path,
                                          struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_safetensors_close(struct tare_safetensors *st);

/* NULL if there is none of that name. */
const struct tare_tensor *tare_safetensors_find(const struct tare_safetensors *st, const char *name);
/* The value of a metadata key, or NULL. */
const char *tare_safetensors_meta(const struct tare_safetensors *st, const char *key);
/* "F16" and so on. */
const char *tare_dtype_name(enum tare_dtype dtype);

#endif
