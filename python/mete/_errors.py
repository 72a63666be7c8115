"""SPDX-License-Identifier: BSD-3-Clause"""


class Error(Exception):
    """What mete refuses or could not do, in one line that says what to do next; of an agent in
    Python that failed, its traceback follows in further lines.

    `code`: "invalid" (the input is wrong), "unavailable", "unsupported", "denied", "gone", "retry",
    "failed" (the work itself failed) or "internal".
    """

    code = "failed"
