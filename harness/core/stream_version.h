/* SPDX-License-Identifier: Apache-2.0 */
/* Raised whenever a frame of core/stream.h changes its layout. */
#ifndef TARE_CORE_STREAM_VERSION_H
#define TARE_CORE_STREAM_VERSION_H

#define TARE_STREAM_VERSION 5u

#endif
