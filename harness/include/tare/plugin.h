/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every loadable object begins with.
 *
 * A plug-in is a shared object that exports one data symbol, `tare_plugin`, whose first member is the
 * struct below. The loader reads it before anything else and refuses, with a reason, an object that
 * is foreign (magic), built against another contract (abi), shorter than it claims (size) or lacks a
 * mandatory hook. `abi` changes only when old plug-ins would break; hooks are appended, and `size`
 * tells the loader how many of them the plug-in knows.
 */
#ifndef TARE_PLUGIN_H
#define TARE_PLUGIN_H

#include <stdint.h>
#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TARE_PLUGIN_MAGIC  0x65726174u /* "tare" in little-endian memory */
#define TARE_PLUGIN_SYMBOL "tare_plugin"

enum tare_plugin_kind { TARE_PLUGIN_BACKEND = 1, TARE_PLUGIN_METER, TARE_PLUGIN_TASK, TARE_PLUGIN_FORMAT };

struct tare_plugin_header {
    uint32_t magic; /* TARE_PLUGIN_MAGIC */
    uint32_t kind;  /* enum tare_plugin_kind */
    uint32_t abi;   /* TARE_BACKEND_ABI, TARE_METER_ABI, ... of the header built against */
    uint32_t size;  /* sizeof the whole ops struct built against */
};

#ifdef __cplusplus
}
#endif
#endif
