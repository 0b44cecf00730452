/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table that uses everything a table can hold: the input of the format tests and of the golden
 * files. Its figures are invented for the tests; they were measured nowhere.
 */
#ifndef TARE_TESTS_REPORTS_FIXED_TABLE_H
#define TARE_TESTS_REPORTS_FIXED_TABLE_H

#include <tare/report.h>

enum { fixed_columns = 8, fixed_rows = 10 };

extern const struct tare_table fixed_table;

#endif
