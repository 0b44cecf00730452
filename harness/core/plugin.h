/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading shared objects, with suspicion. A file is checked as ELF before the dynamic loader sees it,
 * then its symbol, magic, contract, size and hooks; each refusal names the fault. Load untrusted
 * objects in a process of their own: the dynamic loader itself can crash on a damaged one.
 */
#ifndef TARE_CORE_PLUGIN_H
#define TARE_CORE_PLUGIN_H

#include <tare/backend.h>

/* Opens a backend: *out is a copy in the caller's memory with hooks it does not have as NULL. The
 * object stays loaded until the process ends, because its threads may outlive any unloading. */
TARE_MUST_CHECK int tare_backend_open(const char *path, struct tare_backend *out, struct tare_err *err);
/* The checks on a header and its hooks alone; `symbol_bytes` is the symbol's size in the object. */
TARE_MUST_CHECK int tare_backend_check(const char *path, const struct tare_plugin_header *header,
                                       size_t symbol_bytes, struct tare_backend *out, struct tare_err *err);

/* The same for a meter out of the tree. */
TARE_MUST_CHECK int tare_meter_load(const char *path, struct tare_meter *out, struct tare_err *err);
TARE_MUST_CHECK int tare_meter_check(const char *path, const struct tare_plugin_header *header,
                                     size_t symbol_bytes, struct tare_meter *out, struct tare_err *err);

#endif
