/* SPDX-License-Identifier: Apache-2.0 */
/* What the two logs of MLPerf LoadGen with figures share: names of the same quantity in either. */
#ifndef TARE_INTEROP_LOADGEN_H
#define TARE_INTEROP_LOADGEN_H

#define TARE_LOADGEN_TOOL "MLPerf LoadGen"

#endif
