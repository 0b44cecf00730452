/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** and SplitMix64 from their published definitions; see tare/rng.h. */
#include <tare/rng.h>

#include <string.h>

static uint64_t splitmix64(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t fnv1a(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return h;
}

void tare_rng_init(struct tare_rng *rng, uint64_t seed)
{
    rng->seed = seed;
    for (int i = 0; i < 4; i++) {
        rng->state[i] = splitmix64(&seed);
    }
}

struct tare_rng tare_rng_split(const struct tare_rng *rng, const char *label, uint64_t index)
{
    uint64_t mix = (rng->seed ^ fnv1a(label)) * UINT64_C(0x9e3779b97f4a7c15) + index;
    struct tare_rng child;
    tare_rng_init(&child, splitmix64(&mix));
    return child;
}

uint64_t tare_rng_u64(struct tare_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t tare_rng_below(struct tare_rng *rng, uint64_t n)
{
    if (n <= 1) {
        return 0;
    }
    uint64_t reject_below = (0 - n) % n; /* 2^64 mod n: the biased low part */
    uint64_t x;
    do {
        x = tare_rng_u64(rng);
    } while (x < reject_below);
    return x % n;
}

double tare_rng_unit(struct tare_rng *rng)
{
    return (double)(tare_rng_u64(rng) >> 11) * 0x1.0p-53;
}

void tare_rng_shuffle(struct tare_rng *rng, void *base, size_t n, size_t size)
{
    char *bytes = base;
    char swap[64];
    if (size > sizeof swap) {
        return;
    }
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)tare_rng_below(rng, i);
        memcpy(swap, bytes + (i - 1) * size, size);
        memmove(bytes + (i - 1) * size, bytes + j * size, size);
        memcpy(bytes + j * size, swap, size);
    }
}
