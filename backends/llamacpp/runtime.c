/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices lie beside libllama as shared objects. ggml_backend_load_all() looks beside the executable and in
 * the current folder only, finds nothing elsewhere and says nothing: the folder is asked of the dynamic
 * linker instead. A libllama that was built with its devices inside has them already.
 */
#include "runtime.h"

#include "log.h"

#include <dlfcn.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int tare_llamacpp_check_version(const char *headers, const char *library, struct tare_err *err)
{
    if (!library || strcmp(headers, library) != 0) {
        return tare_err_set(
            err, TARE_E_PLUGIN,
            "llamacpp: built with the headers of libllama %.60s, but the library that was found "
            "is %.60s; rebuild tare with -Dllama_prefix, or set LD_LIBRARY_PATH to the right one",
            headers, library ? library : "without a version");
    }
    return 0;
}

/* The folder that libllama was loaded from. */
static int library_folder(char *out, size_t cap, struct tare_err *err)
{
    Dl_info info;
    const char *(*inside)(void) = llama_version;
    void *address = NULL;
    memcpy(&address, &inside, sizeof address); /* ISO C has no cast from a function */
    const char *slash = dladdr(address, &info) != 0 && info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
    if (!slash || (size_t)(slash - info.dli_fname) >= cap) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "llamacpp: the folder of libllama cannot be found");
    }
    memcpy(out, info.dli_fname, (size_t)(slash - info.dli_fname));
    out[slash - info.dli_fname] = '\0';
    return 0;
}

int tare_llamacpp_start(struct tare_err *err)
{
    char folder[PATH_MAX];
    tare_llamacpp_log_take();
    int rc = tare_llamacpp_check_version(TARE_LLAMA_VERSION, llama_version(), err);
    if (rc < 0 || ggml_backend_dev_count() > 0) {
        return rc;
    }
    rc = library_folder(folder, sizeof folder, err);
    if (rc < 0) {
        return rc;
    }
    ggml_backend_load_all_from_path(folder);
    if (!ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)) {
        return tare_err_set(
            err, TARE_E_ENVIRONMENT,
            "llamacpp: no device of ggml (libggml-cpu*.so) that this processor runs lies in %.300s", folder);
    }
    llama_backend_init();
    return 0;
}

typedef ggml_threadpool_t pool_new(struct ggml_threadpool_params *params);
typedef void pool_free(ggml_threadpool_t pool);

/* A function of the CPU device, which is a plug-in of ggml and not linked. */
static void *cpu_function(const char *name)
{
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    return cpu ? ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name) : NULL;
}

static ggml_threadpool_t make_pool(int threads)
{
    void *found = cpu_function("ggml_threadpool_new");
    pool_new *make = NULL;
    memcpy(&make, &found, sizeof make);
    struct ggml_threadpool_params params = ggml_threadpool_params_default(threads);
    return make ? make(&params) : NULL;
}

int tare_llamacpp_pools(struct tare_llamacpp_runtime *runtime, int threads, int threads_batch,
                        struct tare_err *err)
{
    void *found = cpu_function("ggml_threadpool_free");
    memcpy(&runtime->pool_free, &found, sizeof runtime->pool_free);
    bool two = threads_batch != threads;
    runtime->pool = runtime->pool_free ? make_pool(threads) : NULL;
    runtime->pool_batch = runtime->pool && two ? make_pool(threads_batch) : NULL;
    if (!runtime->pool || (two && !runtime->pool_batch)) {
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "llamacpp: this libllama gives no pool of %d threads (ggml_threadpool_new)",
                            threads);
    }
    return 0;
}

void tare_llamacpp_pools_free(struct tare_llamacpp_runtime *runtime)
{
    if (runtime->pool) {
        runtime->pool_free(runtime->pool);
    }
    if (runtime->pool_batch) {
        runtime->pool_free(runtime->pool_batch);
    }
    memset(runtime, 0, sizeof *runtime);
}
