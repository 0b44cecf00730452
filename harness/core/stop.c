/* SPDX-License-Identifier: Apache-2.0 */
/* A search of the new bytes and of the few old ones that a stop string may have begun in. */
#include "core/stop.h"

#include <string.h>

bool tare_stop_match(const char *text, size_t n, size_t n_new, const struct tare_bytes *stops, size_t n_stops,
                     size_t *out_cut)
{
    bool found = false;
    for (size_t i = 0; i < n_stops; i++) {
        if (stops[i].n == 0 || stops[i].n > n) {
            continue;
        }
        size_t old = n - n_new;
        size_t from = old >= stops[i].n - 1 ? old - (stops[i].n - 1) : 0;
        const char *at = memmem(text + from, n - from, stops[i].data, stops[i].n);
        if (at && (!found || (size_t)(at - text) < *out_cut)) {
            *out_cut = (size_t)(at - text);
            found = true;
        }
    }
    return found;
}
