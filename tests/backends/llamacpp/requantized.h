/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GGUF file of float32 weights, written once more with its matrices rounded to blocks of 32 codes: as the
 * blocks, and as the floats that these blocks stand for. The equations are written out here and owe nothing
 * to ggml, which has to read the same numbers out of the blocks.
 */
#ifndef TARE_TEST_LLAMACPP_REQUANTIZED_H
#define TARE_TEST_LLAMACPP_REQUANTIZED_H

#include <stdint.h>

/* Codes of a block of 32 weights x, and their scale d as a half in front of them. */
enum requantized_codes {
    REQUANTIZED_Q8_0, /* d = max |x| / 127, x = d q, a byte a code: 34 bytes a block */
    REQUANTIZED_Q4_0  /* d = (the largest x) / -8, x = d (q - 8), half a byte a code: 18 bytes */
};

enum requantized_form {
    REQUANTIZED_BLOCKS, /* of Q4_0 the first 16 codes in the low halves of bytes, the others in the high */
    REQUANTIZED_FLOATS, /* d q, in float32 */
    REQUANTIZED_WRONG   /* blocks with the codes in another order */
};

/* Writes the file of that form to `to`. Returns the bytes of all its tensors, as their shapes make them; an
 * input that is no such file fails the test. */
int64_t requantized_write(const char *from, enum requantized_codes codes, enum requantized_form form,
                          const char *to);

#endif
