/* SPDX-License-Identifier: Apache-2.0 */
/* Stop strings, matched on bytes as they arrive, so that all backends stop alike. */
#ifndef TARE_CORE_STOP_H
#define TARE_CORE_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/task.h>

/*
 * Looks for a stop string that ends within the last n_new bytes of text[0 .. n). On a match *out_cut
 * is where the earliest such string begins: the output ends there. Inside the timed path.
 */
bool tare_stop_match(const char *text, size_t n, size_t n_new, const struct tare_bytes *stops, size_t n_stops,
                     size_t *out_cut);

#endif
