/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tensors of a GGUF file add up to, by their names and shapes. libllama tells totals only; sizes
 * of embedding, head and experts are needed for facts and for the account. A file in several parts is not
 * looked through.
 */
#ifndef TARE_LLAMACPP_TENSORS_H
#define TARE_LLAMACPP_TENSORS_H

#include <stdbool.h>
#include <stdint.h>

struct tare_llamacpp_tensors {
    bool known;
    bool tied;         /* the head is the embedding */
    bool plain;        /* all tensors are F32, F16 or BF16 */
    int64_t params;    /* all scalars */
    int64_t bytes;     /* all tensors as stored */
    int64_t embedding; /* scalars of the token embedding: looked up, not multiplied */
    int64_t embedding_bytes;
    int64_t head; /* scalars of the head */
    int64_t head_bytes;
    int64_t active;       /* scalars used for one token: of the experts the share that is routed to */
    int64_t matrix;       /* scalars of matrices between embedding and head, active ones */
    int64_t matrix_bytes; /* and what they are stored in */
    int64_t vector_bytes; /* norms, biases and the like */
};

/* Reads the head of the file; known stays false when that is not possible. */
void tare_llamacpp_tensors_read(struct tare_llamacpp_tensors *out, const char *path);
/* Adds one tensor; `used` is the share of experts that a token is routed to. */
void tare_llamacpp_tensors_add(struct tare_llamacpp_tensors *to, const char *name, const int64_t shape[4],
                               int64_t bytes, double used);
/* Behind the last one: a model without a head of its own uses its embedding. */
void tare_llamacpp_tensors_end(struct tare_llamacpp_tensors *to);

#endif
