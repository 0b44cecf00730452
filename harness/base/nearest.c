/* SPDX-License-Identifier: Apache-2.0 */
/* Levenshtein distance over short words; '-' and '_' count as equal. */
#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

enum { max_word = 63 };

static int same(char a, char b)
{
    return (a == '-' ? '_' : a) == (b == '-' ? '_' : b);
}

static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > max_word || m > max_word) {
        return SIZE_MAX;
    }
    size_t row[max_word + 1];
    for (size_t j = 0; j <= m; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t swap = diagonal + !same(a[i - 1], b[j - 1]);
            diagonal = row[j];
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = swap < step ? swap : step;
        }
    }
    return row[m];
}

void tare_nearest_offer(struct tare_nearest *nearest, const char *known)
{
    size_t d = distance(nearest->word, known);
    if (!nearest->best || d < nearest->distance) {
        nearest->best = known;
        nearest->distance = d;
    }
}

const char *tare_nearest_best(const struct tare_nearest *nearest)
{
    if (!nearest->best) {
        return NULL;
    }
    size_t n = strlen(nearest->best);
    size_t most = n < 4 ? 1 : n < 6 ? 2 : n / 3;
    return nearest->distance <= most ? nearest->best : NULL;
}
