/* SPDX-License-Identifier: Apache-2.0 */
#include "core/serving.h"

#include "base/buf.h"
#include "core/isolate.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int read_spec(struct tare_spec *spec, int fd, struct tare_err *err)
{
    struct tare_buf buf;
    char chunk[4096];
    ssize_t n;
    tare_buf_init(&buf, 16 << 20);
    while ((n = read(fd, chunk, sizeof chunk)) > 0) {
        tare_buf_add(&buf, chunk, (size_t)n);
    }
    int r = tare_buf_check(&buf, "cell", err);
    r = r == 0 ? tare_spec_parse(tare_buf_str(&buf), buf.used, spec, err) : r;
    tare_buf_fini(&buf);
    return r;
}

int tare_serving_load(int spec_fd, struct tare_spec *spec, struct tare_instance *instance,
                      struct tare_err *err)
{
    int r = read_spec(spec, spec_fd, err);
    r = r < 0 ? r : tare_isolate(spec, err); /* before anything can start a thread */
    if (r == 0 && spec->folder && chdir(spec->folder) != 0) {
        r = tare_err_set(err, TARE_E_IO, "folder %.300s: %s", spec->folder, strerror(errno));
    }
    r = r < 0 ? r : tare_instance_open(instance, spec, err);
    r = r < 0 ? r : tare_instance_load(instance, spec, err);
    return r < 0 ? r : tare_instance_describe(instance, err);
}
