/* SPDX-License-Identifier: Apache-2.0 */
/* One series of a history as a picture: its sessions, levels and changes. */
#ifndef TARE_CMD_HISTORY_PLOT_H
#define TARE_CMD_HISTORY_PLOT_H

#include "cmd/history_judge.h"

/* The format goes by the end of the path: .svg, .pdf, .png, .tikz, .tex (tikz), .gp (gnuplot's script). */
TARE_MUST_CHECK int tare_history_plot_write(const struct tare_history_found *found, const char *path,
                                            struct tare_arena *arena, struct tare_err *err);

#endif
