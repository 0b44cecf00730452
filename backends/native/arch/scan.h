/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops of recurrences: one step after the other in time, all channels of a step at once.
 *
 * Rows lie one behind the other without gaps. Pure functions on the caller's memory; arrays that are
 * written do not overlap others.
 */
#ifndef TARE_NATIVE_ARCH_SCAN_H
#define TARE_NATIVE_ARCH_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* x as float32, but 0 where it is below 1e-20: too small to be seen in any sum, and the products of such
 * numbers would be denormal, which costs a hundred times an ordinary product. For tables of what fades. */
float tare_scan_faded(double x);

/* A short filter over time: to[i] = bias + sum over j < m of taps[j] * from[i + m - 1 - j], for rows of
 * `width` numbers, taps[m, width]; bias NULL: 0. from has m - 1 rows of the past before row 0's own. */
struct tare_fir {
    float *to;
    const float *from;
    const float *taps;
    const float *bias;
    uint32_t m;
    uint32_t width;
};
void tare_scan_fir(const struct tare_fir *fir, uint32_t n);

/* One step of a matrix memory: s[rows, width] = decay s + k v^T, out = q^T s. */
struct tare_retain {
    float *s;
    float *out; /* [width] */
    const float *q;
    const float *k; /* [rows] */
    const float *v; /* [width] */
    float decay;
    uint32_t rows;
    uint32_t width;
};
void tare_scan_retain(const struct tare_retain *r);

/* One step of n complex memories of the same input: s_i = lambda_i s_i + z, y = skip z + sum of
 * Re(c_i s_i). */
struct tare_modes {
    float *s;            /* [n][re, im][width] */
    float *y;            /* [width] */
    const float *z;      /* [width] */
    const float *lambda; /* [n][re, im] */
    const float *c;      /* [n][re, im] */
    float skip;
    uint32_t n;
    uint32_t width;
};
void tare_scan_modes(const struct tare_modes *m);

/* RWKV's weighted mean over time for channels from .. to-1 of rows of `width`:
 * out = r (num + b k v) / (den + b k), then num = decay num + k v, den = decay den + k. */
struct tare_wkv {
    float *out;
    const float *r;
    const float *k; /* exponentials of the keys */
    const float *v;
    float *num;
    float *den;
    const float *decay;
    const float *bonus; /* e^bonus */
    uint32_t n;
    uint32_t width;
};
void tare_scan_wkv(const struct tare_wkv *w, uint32_t from, uint32_t to);

/* Causal sum: to[c] = sum over t < terms of h[t * width + c] * z[c - t * width], for channels from .. to-1;
 * z points at the newest row. */
struct tare_history {
    float *out;
    const float *h;
    const float *z;
    uint32_t terms;
    uint32_t width;
};
void tare_scan_history(const struct tare_history *y, uint32_t from, uint32_t to);

/* One step of Mamba's selective recurrence for channels from .. to-1 of `width`:
 * s[j] = fade[j] s[j] + b[j] dx, y = skip x + sum over j < n of c[j] s[j]. */
struct tare_selective {
    float *s;          /* [n, width] */
    float *y;          /* [width] */
    const float *fade; /* [n, width] */
    const float *b;    /* [n] */
    const float *c;    /* [n] */
    const float *dx;   /* [width] */
    const float *x;    /* [width] */
    const float *skip; /* [width] */
    uint32_t n;
    uint32_t width;
};
void tare_scan_selective(const struct tare_selective *s, uint32_t from, uint32_t to);

#endif
