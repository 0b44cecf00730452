/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain scalar of YAML 1.1 is, by the rules of PyYAML. Private to interop/. */
#ifndef TARE_INTEROP_YAML_SCALAR_H
#define TARE_INTEROP_YAML_SCALAR_H

enum tare_yaml_scalar {
    TARE_YAML_TEXT,
    TARE_YAML_NULL,
    TARE_YAML_TRUE,
    TARE_YAML_FALSE,
    TARE_YAML_INTEGER, /* decimal */
    TARE_YAML_FLOAT,
    TARE_YAML_ODD /* a number or date in a form that is not read here */
};

enum tare_yaml_scalar tare_yaml_scalar_of(const char *text);

#endif
