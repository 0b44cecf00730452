/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT19937 from its published definition, and CPython's methods on top; see tare/python_random.h.
 *
 * The state is renewed and tempered by blocks, in loops that a compiler turns into vectors: a bootstrap draws
 * 5e8 numbers. Numbers do not depend on that.
 */
#include <tare/python_random.h>

#include <stdbool.h>
#include <stdlib.h>

enum { N = TARE_PYTHON_RANDOM_WORDS, M = 397, PAIRS = N / 2 };

static void init_by_number(uint32_t *words, uint32_t number)
{
    words[0] = number;
    for (uint32_t i = 1; i < N; i++) {
        words[i] = UINT32_C(1812433253) * (words[i - 1] ^ (words[i - 1] >> 30)) + i;
    }
}

void tare_python_random_init(struct tare_python_random *r, uint64_t seed)
{
    uint32_t *w = r->words, key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t n_key = key[1] ? 2 : 1, i = 1, j = 0;
    init_by_number(w, UINT32_C(19650218));
    for (uint32_t k = N; k > 0; k--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * UINT32_C(1664525))) + key[j] + j;
        j = j + 1 < n_key ? j + 1 : 0;
        if (++i == N) {
            w[0] = w[N - 1];
            i = 1;
        }
    }
    for (uint32_t k = N - 1; k > 0; k--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * UINT32_C(1566083941))) - i;
        if (++i == N) {
            w[0] = w[N - 1];
            i = 1;
        }
    }
    w[0] = UINT32_C(0x80000000);
    r->next = N;
}

/* What a word becomes, out of its upper bit, its neighbour's other bits and the word M further on. */
static uint32_t twist(uint32_t upper, uint32_t lower, uint32_t far)
{
    uint32_t y = (upper & UINT32_C(0x80000000)) | (lower & UINT32_C(0x7fffffff));
    return far ^ (y >> 1) ^ ((0 - (y & 1)) & UINT32_C(0x9908b0df));
}

/* The next N words. Written to a second array, so that no loop reads what it has just written. */
static void renew(struct tare_python_random *r)
{
    uint32_t made[N];
    const uint32_t *w = r->words;
    for (int i = 0; i < N - M; i++) {
        made[i] = twist(w[i], w[i + 1], w[i + M]);
    }
    for (int i = N - M; i < 2 * (N - M); i++) {
        made[i] = twist(w[i], w[i + 1], made[i + M - N]);
    }
    for (int i = 2 * (N - M); i < N - 1; i++) {
        made[i] = twist(w[i], w[i + 1], made[i + M - N]);
    }
    made[N - 1] = twist(w[N - 1], made[0], made[M - 1]);
    for (int i = 0; i < N; i++) {
        r->words[i] = made[i];
    }
    r->next = 0;
}

static uint32_t temper(uint32_t y)
{
    y ^= y >> 11;
    y ^= (y << 7) & UINT32_C(0x9d2c5680);
    y ^= (y << 15) & UINT32_C(0xefc60000);
    return y ^ (y >> 18);
}

static uint32_t next_word(struct tare_python_random *r)
{
    if (r->next == N) {
        renew(r);
    }
    return temper(r->words[r->next++]);
}

/* 27 and 26 bits, as random() takes them from two words; exact. */
static double unit_of(uint32_t high, uint32_t low)
{
    return ((double)(int32_t)(high >> 5) * 67108864.0 + (double)(int32_t)(low >> 6)) * 0x1.0p-53;
}

double tare_python_random_unit(struct tare_python_random *r)
{
    uint32_t high = next_word(r);
    return unit_of(high, next_word(r));
}

/* getrandbits(k), k in 1 .. 64: the lowest word first, and of the last its upper bits. */
static uint64_t bits(struct tare_python_random *r, unsigned k)
{
    if (k <= 32) {
        return next_word(r) >> (32 - k);
    }
    uint64_t low = next_word(r);
    return low | ((uint64_t)(next_word(r) >> (64 - k)) << 32);
}

uint64_t tare_python_random_below(struct tare_python_random *r, uint64_t n)
{
    unsigned length = 0;
    for (uint64_t left = n; left; left >>= 1) {
        length++;
    }
    uint64_t drawn;
    do {
        drawn = length ? bits(r, length) : 0;
    } while (drawn >= n && n);
    return drawn;
}

/* Up to this many, sample() keeps a list of what is left to draw; beyond, a set of what was drawn. */
static bool keeps_list(size_t n, size_t k)
{
    size_t most = 21;
    if (k > 5) {
        size_t power = 1;
        while (power / 3 < k && power <= SIZE_MAX / 8) { /* 4^ceil(log4(3 k)): 3 k is no power of 4 */
            power *= 4;
        }
        most += power;
    }
    return n <= most;
}

static void sample_from_list(struct tare_python_random *r, size_t *left, size_t n, size_t k, size_t *out)
{
    for (size_t i = 0; i < n; i++) {
        left[i] = i;
    }
    for (size_t i = 0; i < k; i++) {
        size_t j = (size_t)tare_python_random_below(r, n - i);
        out[i] = left[j];
        left[j] = left[n - i - 1];
    }
}

/* Whether the number was not yet in the table, of mask + 1 places; 0 marks a free one. */
static bool enter(size_t *table, size_t mask, size_t number)
{
    size_t at = (number * (size_t)UINT64_C(0x9e3779b97f4a7c15)) & mask;
    for (; table[at]; at = (at + 1) & mask) {
        if (table[at] == number + 1) {
            return false;
        }
    }
    table[at] = number + 1;
    return true;
}

static void sample_by_set(struct tare_python_random *r, size_t *table, size_t mask, size_t n, size_t k,
                          size_t *out)
{
    for (size_t i = 0; i < k; i++) {
        do {
            out[i] = (size_t)tare_python_random_below(r, n);
        } while (!enter(table, mask, out[i]));
    }
}

int tare_python_random_sample(struct tare_python_random *r, size_t n, size_t k, size_t *out,
                              struct tare_err *err)
{
    if (k > n) {
        return tare_err_set(err, TARE_E_USAGE, "a sample of %zu out of %zu: take at most all", k, n);
    }
    if (k == 0) {
        return 0;
    }
    bool list = keeps_list(n, k);
    size_t places = 4;
    while (!list && places / 2 < k) {
        places *= 2;
    }
    size_t *work = calloc(list ? n : places, sizeof *work);
    if (!work) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory to sample %zu out of %zu", k, n);
    }
    if (list) {
        sample_from_list(r, work, n, k, out);
    } else {
        sample_by_set(r, work, places - 1, n, k, out);
    }
    free(work);
    return 0;
}

void tare_python_random_shuffle(struct tare_python_random *r, void *base, size_t n, size_t size)
{
    unsigned char *bytes = base;
    for (size_t i = n; i > 1; i--) {
        unsigned char *a = bytes + (i - 1) * size;
        unsigned char *b = bytes + (size_t)tare_python_random_below(r, i) * size;
        for (size_t k = 0; k < size; k++) {
            unsigned char kept = a[k];
            a[k] = b[k];
            b[k] = kept;
        }
    }
}

/* `count` pairs of the words that are left, an even number of which is gone. */
static void choose_block(const uint32_t *words, size_t count, double n, uint32_t *out)
{
    uint32_t tempered[N] = {0};
    for (size_t i = 0; i < 2 * count; i++) {
        tempered[i] = temper(words[i]);
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = (uint32_t)(int64_t)(unit_of(tempered[2 * i], tempered[2 * i + 1]) * n);
    }
}

void tare_python_random_choices(struct tare_python_random *r, uint32_t n, size_t k, uint32_t *out)
{
    double size = n;
    while (k > 0) {
        if (r->next == N) {
            renew(r);
        }
        size_t count = (N - r->next) / 2;
        count = count < k ? count : k;
        if (count == 0) { /* the pair's second word is in the next block */
            *out = (uint32_t)(tare_python_random_unit(r) * size);
            count = 1;
        } else {
            choose_block(r->words + r->next, count, size, out);
            r->next += (uint32_t)(2 * count);
        }
        out += count;
        k -= count;
    }
}
