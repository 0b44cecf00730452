/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tests/stats/scan_null.c, which says how: what the rank scan passes in 1 of 1000 series
 * of n exchangeable values. */
#ifndef TARE_STATS_SCAN_TABLE_H
#define TARE_STATS_SCAN_TABLE_H

static const struct {
    double n, z;
} scan_table[] = {
    {10, 2.612},  {11, 2.739},  {12, 2.883},  {13, 3.000},   {14, 3.099},   {15, 3.182},    {16, 3.254},
    {18, 3.306},  {20, 3.382},  {25, 3.496},  {30, 3.588},   {40, 3.700},   {60, 3.826},    {80, 3.924},
    {120, 4.016}, {200, 4.093}, {400, 4.184}, {1000, 4.284}, {3000, 4.353}, {10000, 4.359}, {100000, 4.428},
};

#endif
