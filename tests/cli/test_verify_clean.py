# SPDX-License-Identifier: Apache-2.0
"""A right backend raises no alarm: 100 models with 100 seeds, synchronous and concurrent."""
import os

from clilib import equal, figure_line, main, strict_json, tare

RUNS = 100


def test_no_false_alarm():
    for name in ("faulty", "faulty_concurrent"):
        alarms = []
        for seed in range(1, RUNS + 1):
            path = os.path.join(os.environ["TARE_FAULTY"], name + ".so")
            told = strict_json(tare("verify", f"{path},model_seed={seed}", "--seed", str(seed), "--json", rc=None).out,
                               name)
            alarms += [(seed, check["check"], check["note"]) for check in told["checks"] if check["outcome"] == "FAIL"]
        figure_line(f"verify_false_alarms_{name}", len(alarms), "1", f"0 of {RUNS} runs", not alarms)
        equal(alarms, [], name)


main(globals())
