"""What is there: signals, controls, domains, agents, boards. SPDX-License-Identifier: BSD-3-Clause"""
from . import _core


def _target(board, gpus, board_option, seed):
    return {"board": board, "gpus": gpus, "board_option": board_option, "seed": seed}


def _table(rows):
    import pandas
    return pandas.DataFrame(rows).set_index("name") if rows else pandas.DataFrame(rows)


def signals(*, board=None, gpus=1):
    """What can be read here, or on a board: a table by name, with unit, domain and source."""
    return _table(_core.signals(_target(board, gpus, None, 1)))


def controls(*, board=None, gpus=1):
    """What can be set, with the range and the supported settings, in SI units."""
    return _table(_core.controls(_target(board, gpus, None, 1)))


def domains(*, board=None, gpus=1):
    """{domain: how many there are}."""
    return _core.domains(_target(board, gpus, None, 1))


def read_signal(name, domain="board", index=0, *, board=None, gpus=1):
    """The value of a signal now, in SI units. Any generation of GEOPM's names is taken.

    A coarser domain than the signal's own is aggregated. A reading that fails is an Error, never 0.
    """
    return _core.read_signal(name, domain, index, _target(board, gpus, None, 1))


def agents():
    """{name: what it does} of the built-in agents."""
    return _core.agents()


def boards():
    """Names of the built-in boards."""
    return _core.boards()
