/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks of series. Neighbours differ in lightness by 10 or more of L*, so that grey prints tell them apart,
 * and all eight in dash and symbol. The hues are those that Okabe and Ito chose for colour-blind readers,
 * made lighter or darker; all stand on white and on dark grey alike.
 */
#include "reports/plots/render.h"

struct tare_look tare_look_of(const struct tare_plot_series *series)
{
    static const struct tare_look looks[TARE_PLOT_MAX_LOOKS] = {
        {"#1A6EBB", "solid", 7, 6, 0.95},         /* blue */
        {"#E07000", "(10,4)", 5, 4, 0.55},        /* orange */
        {"#00795C", "(2,3)", 9, 8, 0.30},         /* green */
        {"#4FA9DD", "(9,3,2,3)", 13, 12, 0.80},   /* sky */
        {"#B03A76", "(16,4)", 11, 10, 0.40},      /* purple */
        {"#A89400", "(5,3,1,3,1,3)", 1, 1, 0.70}, /* olive */
        {"#8A4B08", "(4,2)", 2, 2, 0.25},         /* brown */
        {"#7C7C7C", "(12,3,4,3)", 3, 3, 0.15},    /* grey */
    };
    struct tare_look look = looks[(unsigned)series->look % TARE_PLOT_MAX_LOOKS];
    look.colour = series->muted ? "#8C8C8C" : look.colour;
    return look;
}
