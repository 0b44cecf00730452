/* SPDX-License-Identifier: Apache-2.0 */
/* Angles in double once, products in float32 after. */
#include "rope.h"

#include <math.h>
#include <stdlib.h>

#define ROPE_BASE 10000.0

struct rope {
    uint32_t half;
    float angles[]; /* [n_ctx][cosines of half, sines of half] */
};

int tare_rope_open(uint32_t n_ctx, uint32_t head_dim, void **out, struct tare_err *err)
{
    uint32_t half = head_dim / 2;
    struct rope *rope = malloc(sizeof *rope + (size_t)n_ctx * 2 * half * sizeof(float));
    if (!rope) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the angles of %u positions", n_ctx);
    }
    rope->half = half;
    for (uint32_t position = 0; position < n_ctx; position++) {
        float *cosine = rope->angles + (size_t)position * 2 * half;
        for (uint32_t i = 0; i < half; i++) {
            double angle = position * pow(ROPE_BASE, -2.0 * i / head_dim);
            cosine[i] = (float)cos(angle);
            cosine[half + i] = (float)sin(angle);
        }
    }
    *out = rope;
    return 0;
}

void tare_rope_close(void *rope)
{
    free(rope);
}

void tare_rope_rotate(const void *rope, float *x, uint32_t n_heads, uint32_t position)
{
    const struct rope *r = rope;
    uint32_t half = r->half;
    const float *cosine = r->angles + (size_t)position * 2 * half;
    const float *sine = cosine + half;
    for (uint32_t head = 0; head < n_heads; head++) {
        float *restrict a = x + (size_t)head * 2 * half;
        float *restrict b = a + half;
        for (uint32_t i = 0; i < half; i++) {
            float u = a[i];
            float v = b[i];
            a[i] = u * cosine[i] - v * sine[i];
            b[i] = v * cosine[i] + u * sine[i];
        }
    }
}
