/* SPDX-License-Identifier: Apache-2.0 */
/* The user's wish to stop: signals that set a flag, which whoever waits looks at. */
#ifndef TARE_CORE_INTERRUPT_H
#define TARE_CORE_INTERRUPT_H

#include <stdbool.h>

/* Installs handlers for SIGINT and SIGTERM; a closed pipe is an error of writing, not a death. */
void tare_interrupt_catch(void);
/* Has one of them come? */
bool tare_interrupted(void);

#endif
