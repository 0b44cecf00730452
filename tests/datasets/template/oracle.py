#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks by hand that cases.jsonl is what Jinja2 does (python3-jinja2; not a part of the tests).

usage: tests/datasets/template/oracle.py [tests/datasets/template/cases.jsonl]
"""
import json
import os
import sys

import jinja2


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "cases.jsonl")
    env = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    wrong = n = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            case = json.loads(line)
            text = env.from_string(case["template"]).render(**case["doc"])
            n += 1
            if text != case["text"]:
                wrong += 1
                print(f"{case['why']}: Jinja2 says {text!r}, the case {case['text']!r}")
    print(f"Jinja2 {jinja2.__version__}: {n} cases, {wrong} differ")
    return 1 if wrong or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
