/* SPDX-License-Identifier: Apache-2.0 */
/* Makes series, one function a family, and matches what was found with what was put there. */
#include "series_made.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <tare/rng.h>

struct maker {
    struct tare_rng rng;
    struct made *m;
    double low, high; /* steps, in noise units */
};

static double normal(struct tare_rng *rng)
{
    double u = 1 - tare_rng_unit(rng), v = tare_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static double between(struct maker *k, double low, double high)
{
    return low + (high - low) * tare_rng_unit(&k->rng);
}

static size_t whole(struct maker *k, size_t low, size_t high)
{
    return low + (size_t)tare_rng_below(&k->rng, high - low + 1);
}

/* Noise of standard deviation s: outliers excepted, which come on top. */
static void add_noise(struct maker *k, enum made_noise noise, double s)
{
    double last = normal(&k->rng);
    bool up = false;
    for (size_t i = 0; i < k->m->n; i++) {
        double z = normal(&k->rng), u = tare_rng_unit(&k->rng), e = z;
        if (noise == MADE_SKEWED) {
            e = (exp(0.8 * z) - 1.3771277643359572) / 1.3023; /* mean e^0.32, sd of e^{0.8 z} */
        } else if (noise == MADE_BIMODAL) {
            e = 0.4 * z + (u < 0.3 ? 1.4 : -0.6); /* variance 0.16 + 0.84 */
        } else if (noise == MADE_OUTLIERS) {
            e = z + (u < 0.03 ? between(k, 5, 25) : 0);
        } else if (noise == MADE_AR || noise == MADE_AR6) {
            double r = noise == MADE_AR ? 0.3 : 0.6;
            last = r * last + sqrt(1 - r * r) * z;
            e = last;
        } else if (noise == MADE_HEAVY) {
            double a = normal(&k->rng), b = normal(&k->rng), c = normal(&k->rng);
            e = z / sqrt(a * a + b * b + c * c); /* the variance of t is 3 */
        } else if (noise == MADE_KEPT) {
            up = u < 0.25 ? !up : up;
            e = 0.4 * z + (up ? 0.92 : -0.92);
        }
        k->m->x[i] += s * e;
    }
    for (size_t i = 0; noise == MADE_TIES && i < k->m->n; i++) {
        k->m->x[i] = s * round(k->m->x[i] / s); /* in logs nearly what an integer of size 1 / s does */
    }
}

static void add_level(struct made *m, size_t from, double height)
{
    for (size_t i = from; i < m->n; i++) {
        m->x[i] += height;
    }
}

static double step(struct maker *k)
{
    double size = between(k, k->low, k->high) * k->m->noise;
    return tare_rng_unit(&k->rng) < 0.5 ? -size : size;
}

static void put_change(struct made *m, size_t at, double height)
{
    m->truth[m->n_truth++] = at;
    add_level(m, at, height);
}

/* `count` places at least `apart` from each other and the ends. */
static void places(struct maker *k, size_t count, size_t apart, size_t *out)
{
    size_t spare = k->m->n - (count + 1) * apart;
    for (size_t i = 0; i < count; i++) {
        out[i] = (size_t)tare_rng_below(&k->rng, spare + 1);
    }
    for (size_t i = 1; i < count; i++) { /* insertion sort */
        for (size_t j = i; j > 0 && out[j] < out[j - 1]; j--) {
            size_t t = out[j];
            out[j] = out[j - 1];
            out[j - 1] = t;
        }
    }
    for (size_t i = 0; i < count; i++) {
        out[i] += (i + 1) * apart;
    }
}

static size_t count_of(struct maker *k, size_t low, size_t high)
{
    size_t most = k->m->n / 10 - 1;
    return whole(k, low < most ? low : most, high < most ? high : most);
}

static void steps(struct maker *k, size_t low, size_t high, double sign)
{
    size_t at[MADE_CHANGES], count = count_of(k, low, high);
    places(k, count, 10, at);
    for (size_t i = 0; i < count; i++) {
        double h = step(k);
        put_change(k->m, at[i], sign > 0 ? fabs(h) : h);
    }
}

static void plateau(struct maker *k, size_t shortest, size_t longest)
{
    size_t length = whole(k, shortest, longest), at = whole(k, 12, k->m->n - length - 12);
    double h = step(k);
    put_change(k->m, at, h);
    put_change(k->m, at + length, -h);
}

static void rise(struct made *m, size_t from, size_t end, double height)
{
    for (size_t i = from; i < m->n; i++) {
        m->x[i] += height * ((double)((i < end ? i : end) - from) / (double)(end - from));
    }
}

static void season(struct maker *k)
{
    for (size_t i = 0; i < k->m->n; i++) {
        k->m->x[i] += k->m->noise * sin(6.283185307179586 * (double)i / 7);
    }
}

static void modes(struct maker *k)
{
    double apart = 0.5 * k->low * k->m->noise;
    for (size_t i = 0, up = 0; i < k->m->n; up = !up) {
        for (size_t left = whole(k, 1, 4); left > 0 && i < k->m->n; left--, i++) {
            k->m->x[i] += up ? apart : 0;
        }
    }
}

static void saw(struct maker *k)
{
    size_t at[2], n = k->m->n;
    places(k, 2, n / 5, at);
    size_t ends[4] = {0, at[0], at[1], n};
    for (size_t part = 0; part < 3; part++) {
        double height = between(k, k->low, k->high) * k->m->noise;
        rise(k->m, ends[part], ends[part + 1], height);
        if (part < 2) {
            put_change(k->m, ends[part + 1], -height);
        }
    }
}

static void lone(struct maker *k)
{
    for (size_t i = 0; i < k->m->n; i++) {
        if (tare_rng_unit(&k->rng) < 0.02) {
            double h = between(k, 5, 25) * k->m->noise * (tare_rng_unit(&k->rng) < 0.5 ? -1 : 1);
            for (size_t left = whole(k, 1, 3); left > 0 && i < k->m->n; left--, i++) {
                k->m->x[i] += h;
            }
        }
    }
}

/* Integers about 20 to 60, in logs: noise and steps of their own. */
static void counts(struct maker *k)
{
    size_t at[MADE_CHANGES], n = k->m->n, count = count_of(k, 1, 4), next = 0;
    double level = (double)whole(k, 20, 60);
    places(k, count, 10, at);
    for (size_t i = 0; i < n; i++) {
        if (next < count && i == at[next]) {
            k->m->truth[k->m->n_truth++] = at[next++];
            level += (double)whole(k, 1, 2) * (tare_rng_unit(&k->rng) < 0.5 ? -1 : 1);
        }
        double u = tare_rng_unit(&k->rng);
        k->m->x[i] = log(level + (u < 0.005 ? -1 : u < 0.01 ? 1 : 0));
    }
}

static void louder(struct maker *k)
{
    struct made *m = k->m;
    steps(k, 1, 2, 0);
    for (size_t i = m->truth[0]; i < m->n; i++) {
        m->x[i] += 2.8 * m->noise / 3 * normal(&k->rng); /* the quiet part has a third; see made_series */
    }
}

static void quieter(struct maker *k)
{
    struct made *m = k->m;
    size_t at = whole(k, 20, m->n / 3), second = whole(k, at + 15, m->n - 15);
    put_change(m, at, step(k));
    put_change(m, second, step(k) / 5);
    for (size_t i = 0; i < at; i++) {
        m->x[i] += 4.9 * m->noise / 5 * normal(&k->rng); /* the quiet part has a fifth; see made_series */
    }
}

static void shape(struct maker *k, enum made_family family)
{
    struct made *m = k->m;
    switch (family) {
    case MADE_TREND:
        rise(m, 0, m->n, between(k, 1, 4) * m->noise * (tare_rng_unit(&k->rng) < 0.5 ? -1 : 1));
        steps(k, 1, 5, 0);
        break;
    case MADE_BUMP:
        plateau(k, 12, m->n / 3 < 40 ? m->n / 3 : 40);
        break;
    case MADE_SHORT:
        plateau(k, 6, 11);
        break;
    case MADE_END:
        put_change(m, m->n - whole(k, 6, 12), step(k));
        break;
    case MADE_LOUDER:
        louder(k);
        break;
    case MADE_STAIRS:
        steps(k, 3, 5, 1);
        break;
    case MADE_SEASON:
        season(k);
        steps(k, 1, 5, 0);
        break;
    case MADE_MODES:
        modes(k);
        steps(k, 1, 5, 0);
        break;
    case MADE_DRIFT:
        put_change(m, whole(k, m->n / 5, m->n / 2), step(k));
        rise(m, m->n - 2 * m->n / 5, m->n, 3 * m->noise);
        break;
    case MADE_SAW:
        saw(k);
        break;
    case MADE_LONE:
        lone(k);
        steps(k, 1, 5, 0);
        break;
    case MADE_QUIETER:
        quieter(k);
        break;
    case MADE_RAMP: {
        size_t at = whole(k, 15, m->n - 16);
        m->truth[m->n_truth++] = at;
        rise(m, at - 4, at + 4, step(k));
        break;
    }
    default:
        steps(k, 1, 5, 0);
    }
}

static void begin(struct maker *k, uint64_t seed, const char *label, uint64_t index)
{
    struct tare_rng root;
    tare_rng_init(&root, seed);
    k->rng = tare_rng_split(&root, label, index);
}

void made_series(enum made_family family, enum made_noise noise, size_t n, double low, double high,
                 uint64_t seed, uint64_t index, struct made *out)
{
    struct maker k = {.m = out, .low = low, .high = high};
    begin(&k, seed, made_family_name(family), index);
    memset(out, 0, sizeof *out);
    out->n = n ? n : whole(&k, 60, 500);
    double least = fmax(0.003, 0.02 / low), most = fmin(0.04, log(1.2) / high);
    out->noise = least < most ? between(&k, least, most) : most;
    for (size_t i = 0; i < out->n; i++) {
        out->x[i] = log(100);
    }
    if (family == MADE_COUNTS) {
        counts(&k);
        return;
    }
    shape(&k, family);
    add_noise(&k, noise, out->noise / (family == MADE_LOUDER ? 3 : family == MADE_QUIETER ? 5 : 1));
}

void made_quiet(enum made_noise noise, size_t n, double cv, uint64_t seed, uint64_t index, struct made *out)
{
    struct maker k = {.m = out};
    begin(&k, seed, made_noise_name(noise), index);
    memset(out, 0, sizeof *out);
    out->n = n;
    out->noise = cv;
    add_noise(&k, noise, cv);
    add_level(out, 0, log(100));
}

void made_match(const size_t *found, size_t n_found, const struct made *made, size_t margin,
                struct made_score *to)
{
    bool taken[MADE_CHANGES] = {false};
    for (size_t i = 0; i < n_found; i++) { /* the earliest truth that is free: a maximum matching on a line */
        for (size_t j = 0; j < made->n_truth; j++) {
            size_t t = made->truth[j], away = found[i] > t ? found[i] - t : t - found[i];
            if (!taken[j] && away <= margin) {
                taken[j] = true;
                to->hits++;
                break;
            }
        }
    }
    to->found += n_found;
    to->truths += made->n_truth;
}

static double share(size_t part, size_t of)
{
    return of ? (double)part / (double)of : 1;
}

double made_precision(const struct made_score *s)
{
    return share(s->hits, s->found);
}

double made_recall(const struct made_score *s)
{
    return share(s->hits, s->truths);
}

double made_f1(const struct made_score *s)
{
    return share(2 * s->hits, s->found + s->truths);
}

const char *made_family_name(enum made_family family)
{
    static const char *const names[] = {"steps",  "trend",  "bump",   "short",   "end",
                                        "louder", "stairs", "season", "modes",   "drift",
                                        "saw",    "counts", "lone",   "quieter", "ramp"};
    return names[family];
}

const char *made_noise_name(enum made_noise noise)
{
    static const char *const names[] = {"normal", "skewed", "bimodal", "outliers", "ar0.3",
                                        "ties",   "heavy",  "ar0.6",   "kept"};
    return names[noise];
}
