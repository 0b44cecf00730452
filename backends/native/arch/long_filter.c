/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generation in double, once; spectra kept. Plans are estimated and not measured, so that a build gives
 * the same bits every time.
 */
#include "long_filter.h"

#include "scan.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS       8u  /* channels that are transformed at a time at most, each with its own memory */
#define GRAIN       32u /* channels of a sum that a thread takes at least */
#define FFT_IN_SUMS 4   /* what a transform costs, in multiply-adds of the sum per point and level */

static const double two_pi = 6.283185307179586;

struct filter {
    float *h;                /* [n_ctx, channels] */
    fftwf_complex *spectrum; /* [channels, n_ctx + 1], scaled for a round trip */
};

struct tare_filters {
    uint32_t n_layers;
    uint32_t n_ctx;
    uint32_t channels;
    fftwf_plan forward; /* of 2 n_ctx numbers */
    fftwf_plan backward;
    struct filter layers[];
};

/* Numbers of one transform, and of the spectrum behind them, in multiples of a cache line. */
static size_t time_floats(uint32_t n_ctx)
{
    return ((size_t)2 * n_ctx + 15) / 16 * 16;
}

static size_t slot_floats(uint32_t n_ctx)
{
    return time_floats(n_ctx) + ((size_t)2 * (n_ctx + 1) + 15) / 16 * 16;
}

size_t tare_filters_floats(uint32_t n_ctx)
{
    return SLOTS * slot_floats(n_ctx);
}

static int make_plans(struct tare_filters *f, struct tare_err *err)
{
    void *memory = NULL;
    int length = (int)(2 * f->n_ctx);
    if (posix_memalign(&memory, 64, slot_floats(f->n_ctx) * sizeof(float)) != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for transforms of %d numbers", length);
    }
    float *time = memory;
    fftwf_complex *spectrum = (fftwf_complex *)(void *)(time + time_floats(f->n_ctx));
    f->forward = fftwf_plan_dft_r2c_1d(length, time, spectrum, FFTW_ESTIMATE);
    f->backward = fftwf_plan_dft_c2r_1d(length, spectrum, time, FFTW_ESTIMATE);
    free(memory);
    if (!f->forward || !f->backward) {
        return tare_err_set(err, TARE_E_NOMEM, "FFTW has no plan for %d numbers", length);
    }
    return 0;
}

int tare_filters_create(struct tare_filters **out, uint32_t n_layers, uint32_t n_ctx, uint32_t channels,
                        struct tare_err *err)
{
    struct tare_filters *f = calloc(1, sizeof *f + n_layers * sizeof f->layers[0]);
    if (!f) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the filters of %u layers", n_layers);
    }
    f->n_layers = n_layers;
    f->n_ctx = n_ctx;
    f->channels = channels;
    int rc = make_plans(f, err);
    if (rc < 0) {
        tare_filters_destroy(f);
        return rc;
    }
    *out = f;
    return 0;
}

void tare_filters_destroy(struct tare_filters *filters)
{
    if (!filters) {
        return;
    }
    for (uint32_t i = 0; i < filters->n_layers; i++) {
        free(filters->layers[i].h);
        free(filters->layers[i].spectrum);
    }
    if (filters->forward) {
        fftwf_destroy_plan(filters->forward);
    }
    if (filters->backward) {
        fftwf_destroy_plan(filters->backward);
    }
    free(filters);
}

/* to = sin(W from + b) */
static void sine_layer(const float *w, const float *b, const double *from, uint32_t in, double *to,
                       uint32_t out)
{
    for (uint32_t o = 0; o < out; o++) {
        double sum = (double)b[o];
        for (uint32_t i = 0; i < in; i++) {
            sum += (double)w[(size_t)o * in + i] * from[i];
        }
        to[o] = sin(sum);
    }
}

/* The filters of all channels at one distance; room for 1 + 2 bands + 2 width numbers. */
static void generate_row(const struct tare_filters *f, const struct tare_filter_net *net, uint32_t tau,
                         double *room, float *to)
{
    double at = (double)tau / f->n_ctx;
    double *first = room + 1 + 2 * net->bands;
    double *second = first + net->width;
    room[0] = at;
    for (uint32_t k = 0; k < net->bands; k++) {
        room[1 + 2 * k] = cos(two_pi * (k + 1) * at);
        room[2 + 2 * k] = sin(two_pi * (k + 1) * at);
    }
    sine_layer(net->w0, net->b0, room, 1 + 2 * net->bands, first, net->width);
    sine_layer(net->w1, net->b1, first, net->width, second, net->width);
    for (uint32_t c = 0; c < f->channels; c++) {
        double sum = 0;
        for (uint32_t i = 0; i < net->width; i++) {
            sum += (double)net->w2[(size_t)c * net->width + i] * second[i];
        }
        to[c] = tare_scan_faded(sum * exp(-(double)tau * exp((double)net->decay[c])));
    }
}

/* FFTW leaves a factor of its length after a round trip. */
static void transform_filters(const struct tare_filters *f, struct filter *to, float *memory)
{
    size_t points = (size_t)f->n_ctx + 1;
    float scale = 1.0F / (float)(2 * (size_t)f->n_ctx);
    fftwf_complex *spectrum = (fftwf_complex *)(void *)(memory + time_floats(f->n_ctx));
    for (uint32_t c = 0; c < f->channels; c++) {
        memset(memory, 0, time_floats(f->n_ctx) * sizeof *memory);
        for (uint32_t t = 0; t < f->n_ctx; t++) {
            memory[t] = to->h[(size_t)t * f->channels + c] * scale;
        }
        fftwf_execute_dft_r2c(f->forward, memory, spectrum);
        memcpy(to->spectrum + c * points, spectrum, points * sizeof *spectrum);
    }
}

int tare_filters_generate(struct tare_filters *filters, uint32_t layer, const struct tare_filter_net *net,
                          struct tare_err *err)
{
    struct filter *to = &filters->layers[layer];
    size_t channels = filters->channels;
    void *memory = NULL;
    double *room = malloc((1 + 2 * ((size_t)net->bands + net->width)) * sizeof *room);
    to->h = malloc(filters->n_ctx * channels * sizeof *to->h);
    to->spectrum = malloc(channels * (filters->n_ctx + 1) * sizeof *to->spectrum);
    if (!room || !to->h || !to->spectrum ||
        posix_memalign(&memory, 64, slot_floats(filters->n_ctx) * sizeof(float)) != 0) {
        free(room);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for filters of %u positions", filters->n_ctx);
    }
    for (uint32_t tau = 0; tau < filters->n_ctx; tau++) {
        generate_row(filters, net, tau, room, to->h + tau * channels);
    }
    transform_filters(filters, to, memory);
    free(memory);
    free(room);
    return 0;
}

/* What the threads of one convolution share. */
struct job {
    const struct tare_filters *f;
    const struct filter *filter;
    const struct tare_convolution *c;
};

static void sum_rows(const struct job *j, uint32_t from, uint32_t to)
{
    size_t channels = j->f->channels;
    for (uint32_t i = 0; i < j->c->n; i++) {
        tare_scan_history(&(struct tare_history){.out = j->c->out + i * channels,
                                                 .h = j->filter->h,
                                                 .z = j->c->history + (j->c->start + i) * channels,
                                                 .terms = j->c->start + i + 1,
                                                 .width = (uint32_t)channels},
                          from, to);
    }
}

static void sum_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct job *j = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(j->f->channels, GRAIN, part, n_parts, &from, &to);
    sum_rows(j, from, to);
}

static void transform_channel(const struct job *j, uint32_t channel, float *memory)
{
    const struct tare_filters *f = j->f;
    size_t channels = f->channels;
    size_t points = (size_t)f->n_ctx + 1;
    size_t known = (size_t)j->c->start + j->c->n;
    const fftwf_complex *by = j->filter->spectrum + channel * points;
    fftwf_complex *spectrum = (fftwf_complex *)(void *)(memory + time_floats(f->n_ctx));
    for (size_t t = 0; t < known; t++) {
        memory[t] = j->c->history[t * channels + channel];
    }
    memset(memory + known, 0, ((size_t)2 * f->n_ctx - known) * sizeof *memory);
    fftwf_execute_dft_r2c(f->forward, memory, spectrum);
    for (size_t i = 0; i < points; i++) {
        float re = crealf(spectrum[i]) * crealf(by[i]) - cimagf(spectrum[i]) * cimagf(by[i]);
        float im = crealf(spectrum[i]) * cimagf(by[i]) + cimagf(spectrum[i]) * crealf(by[i]);
        spectrum[i] = re + im * (fftwf_complex)_Complex_I;
    }
    fftwf_execute_dft_c2r(f->backward, spectrum, memory);
    for (size_t i = 0; i < j->c->n; i++) {
        j->c->out[i * channels + channel] = memory[j->c->start + i];
    }
}

/* Slots are shared out, not channels: the memory is that of the slots. */
static void transform_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct job *j = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(SLOTS, 1, part, n_parts, &from, &to);
    for (uint32_t slot = from; slot < to; slot++) {
        for (uint32_t channel = slot; channel < j->f->channels; channel += SLOTS) {
            transform_channel(j, channel, j->c->memory + slot * slot_floats(j->f->n_ctx));
        }
    }
}

/* Two transforms of 2 n_ctx points against the terms of the sum. */
static int is_cheaper_by_fft(const struct tare_filters *f, const struct tare_convolution *c)
{
    double terms = (double)c->n * ((double)c->start + 0.5 * (c->n + 1.0));
    double length = 2.0 * f->n_ctx;
    return FFT_IN_SUMS * length * log2(length) < terms;
}

void tare_filters_convolve(const struct tare_filters *filters, struct tare_pool *pool,
                           const struct tare_convolution *convolution)
{
    struct job j = {.f = filters, .filter = &filters->layers[convolution->layer], .c = convolution};
    if (is_cheaper_by_fft(filters, convolution)) {
        tare_pool_run(pool, transform_part, &j);
    } else {
        tare_pool_run(pool, sum_part, &j);
    }
}
