/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops over channels that a compiler turns into vector code. Sums over time are made in the order of
 * time, so nothing depends on how wide the machine's registers are.
 */
#include "scan.h"

#include "wide.h"

#include <math.h>
#include <string.h>

float tare_scan_faded(double x)
{
    return fabs(x) < 1e-20 ? 0.0F : (float)x;
}

TARE_WIDE static void filter_row(float *restrict to, const float *restrict from, const float *restrict tap,
                                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += tap[i] * from[i];
    }
}

void tare_scan_fir(const struct tare_fir *fir, uint32_t n)
{
    size_t width = fir->width;
    for (uint32_t i = 0; i < n; i++) {
        float *to = fir->to + i * width;
        if (fir->bias) {
            memcpy(to, fir->bias, width * sizeof *to);
        } else {
            memset(to, 0, width * sizeof *to);
        }
        for (uint32_t j = 0; j < fir->m; j++) {
            filter_row(to, fir->from + (i + fir->m - 1 - j) * width, fir->taps + j * width, width);
        }
    }
}

TARE_WIDE static void retain(const struct tare_retain *r)
{
    size_t width = r->width;
    float *restrict out = r->out;
    const float *restrict v = r->v;
    for (size_t j = 0; j < width; j++) {
        out[j] = 0.0F;
    }
    float decay = r->decay;
    for (uint32_t a = 0; a < r->rows; a++) {
        float *restrict s = r->s + a * width;
        float k = r->k[a];
        float q = r->q[a];
        for (size_t j = 0; j < width; j++) {
            s[j] = decay * s[j] + k * v[j];
            out[j] += q * s[j];
        }
    }
}

void tare_scan_retain(const struct tare_retain *r)
{
    retain(r);
}

TARE_WIDE static void modes(const struct tare_modes *m)
{
    size_t width = m->width;
    float *restrict y = m->y;
    const float *restrict z = m->z;
    for (size_t j = 0; j < width; j++) {
        y[j] = m->skip * z[j];
    }
    for (uint32_t i = 0; i < m->n; i++) {
        float *restrict re = m->s + (size_t)2 * i * width;
        float *restrict im = re + width;
        float lr = m->lambda[2 * i];
        float li = m->lambda[2 * i + 1];
        float cr = m->c[2 * i];
        float ci = m->c[2 * i + 1];
        for (size_t j = 0; j < width; j++) {
            float r = lr * re[j] - li * im[j] + z[j];
            float s = lr * im[j] + li * re[j];
            re[j] = r;
            im[j] = s;
            y[j] += cr * r - ci * s;
        }
    }
}

void tare_scan_modes(const struct tare_modes *m)
{
    modes(m);
}

TARE_WIDE static void wkv_row(const struct tare_wkv *w, size_t at, uint32_t from, uint32_t to)
{
    const float *restrict decay = w->decay;
    const float *restrict bonus = w->bonus;
    const float *restrict r = w->r + at;
    const float *restrict k = w->k + at;
    const float *restrict v = w->v + at;
    float *restrict out = w->out + at;
    float *restrict num = w->num;
    float *restrict den = w->den;
    for (uint32_t c = from; c < to; c++) {
        float value = v[c];
        float e = bonus[c] * k[c];
        out[c] = r[c] * (num[c] + e * value) / (den[c] + e);
        num[c] = decay[c] * num[c] + k[c] * value;
        den[c] = decay[c] * den[c] + k[c];
    }
}

void tare_scan_wkv(const struct tare_wkv *w, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < w->n; i++) {
        wkv_row(w, (size_t)i * w->width, from, to);
    }
}

/* Four rows at a time, so that the sums are not read and written for each; both arrays stream. */
TARE_WIDE static void history(const struct tare_history *y, uint32_t from, uint32_t to)
{
    size_t width = y->width;
    float *restrict out = y->out;
    uint32_t t = 0;
    memset(out + from, 0, (to - from) * sizeof *out);
    for (; t + 4 <= y->terms; t += 4) {
        const float *restrict h = y->h + t * width;
        const float *restrict z = y->z - (t + 3) * width;
        for (size_t c = from; c < to; c++) {
            out[c] += (h[c] * z[c + 3 * width] + h[c + width] * z[c + 2 * width]) +
                      (h[c + 2 * width] * z[c + width] + h[c + 3 * width] * z[c]);
        }
    }
    for (; t < y->terms; t++) {
        const float *restrict h = y->h + t * width;
        const float *restrict z = y->z - t * width;
        for (size_t c = from; c < to; c++) {
            out[c] += h[c] * z[c];
        }
    }
}

void tare_scan_history(const struct tare_history *y, uint32_t from, uint32_t to)
{
    history(y, from, to);
}

TARE_WIDE static void selective(const struct tare_selective *m, uint32_t from, uint32_t to)
{
    float *restrict y = m->y;
    for (uint32_t c = from; c < to; c++) {
        y[c] = m->skip[c] * m->x[c];
    }
    for (uint32_t j = 0; j < m->n; j++) {
        float *restrict s = m->s + (size_t)j * m->width;
        const float *restrict fade = m->fade + (size_t)j * m->width;
        const float *restrict dx = m->dx;
        float b = m->b[j];
        float out = m->c[j];
        for (uint32_t c = from; c < to; c++) {
            s[c] = fade[c] * s[c] + b * dx[c];
            y[c] += out * s[c];
        }
    }
}

void tare_scan_selective(const struct tare_selective *s, uint32_t from, uint32_t to)
{
    selective(s, from, to);
}
