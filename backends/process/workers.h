/* SPDX-License-Identifier: Apache-2.0 */
/* Where the programs that come with tare lie. */
#ifndef TARE_PROCESS_WORKERS_H
#define TARE_PROCESS_WORKERS_H

#include <stdbool.h>
#include <tare/err.h>

enum { TARE_WORKERS_PATH = 4096 };

/* The folder of tare_worker.py: TARE_WORKERS if it is set, the sources for a tare in its build folder, else
 * the installed data. */
void tare_workers_folder(char out[TARE_WORKERS_PATH]);
/* The path of a program that was named by a bare "NAME.py"; false for any other word. */
bool tare_workers_is_shipped(const char *word);
TARE_MUST_CHECK int tare_workers_find(const char *name, char out[TARE_WORKERS_PATH], struct tare_err *err);

#endif
