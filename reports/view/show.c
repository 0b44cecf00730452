/* SPDX-License-Identifier: Apache-2.0 */
/* What a view asks for, by its kind. Builds nothing itself. */
#include "survey.h"

int tare_survey_view(const struct tare_report_input *input, const struct tare_view *view,
                     struct tare_survey *out, struct tare_err *err)
{
    switch (view->kind) {
    case TARE_VIEW_FULL:
        return tare_survey_build_full(input, out, err);
    case TARE_VIEW_RESOURCES:
        return tare_survey_build_resources(input, view, out, err);
    case TARE_VIEW_ARCHITECTURES:
        return tare_survey_build_architectures(input, view, out, err);
    default:
        return tare_survey_build(input, view, out, err);
    }
}
