"""Results as pandas tables; files are read by mete's own readers. SPDX-License-Identifier: BSD-3-Clause"""
import os

from . import _core
from ._errors import Error

TABLE = "_training_data"  # after the node's name


def read_trace(path, columns=None):
    """A trace, row by row: columns under the file's names, .attrs["units"] {column: SI unit}.

    `columns`: only these, whichever generation's names they have. The traces of GEOPM, of its Python
    tutorial and of mete are read. Absolute times and counters in all of them.
    """
    import pandas
    told = _core.read_trace(os.fspath(path), list(columns or []))
    table = pandas.DataFrame({name: values for name, _, values in told})
    table.attrs["units"] = {name: unit for name, unit, _ in told}
    return table


def read_report(path):
    """A report's figures: one row per host and section ("Application Totals", a region's name, ..).

    .attrs has what the report says before any figure: agent, policy, profile, start_time, version,
    header, and `hosts` {host: {key: value}} with what the agent added.
    """
    import pandas
    told = _core.read_report(os.fspath(path))
    rows = [{"host": host["name"], "section": section, **figures}
            for host in told["hosts"] for section, figures in host["sections"]]
    table = pandas.DataFrame(rows, columns=None if rows else ["host", "section"])
    table = table.set_index(["host", "section"])
    table.attrs.update({key: value for key, value in told.items() if key != "hosts"})
    table.attrs["hosts"] = {host["name"]: host["agent"] for host in told["hosts"]}
    return table


def load_sweep(path, node=None):
    """A sweep's folder: one row per run (settings in SI units, trial, runtime, energy, files).
    The .h5 that `mete process` makes of sweeps: one row per sample, under the tutorial's names."""
    path = os.fspath(path)
    return _load_folder(path) if os.path.isdir(path) else _load_table(path, node)


def _load_folder(path):
    import pandas
    told = _core.read_sweep(path)
    table = pandas.json_normalize(told.pop("points"), max_level=1)
    table.attrs.update(told)
    return table


def _load_table(path, node):
    import warnings
    import pandas
    if not os.path.exists(path):
        raise _invalid(f"{path}: there is no such file or folder")
    try:
        with warnings.catch_warnings(), pandas.HDFStore(path, mode="r") as store:
            # The tutorial's column names ("app-config") are no Python identifiers, and need not be.
            warnings.filterwarnings("ignore", message="object name is not a valid Python identifier")
            nodes = [key[1:-len(TABLE)] for key in store.keys() if key.endswith(TABLE)]
            wanted = node or (nodes[0] if len(nodes) == 1 else None)
            if wanted not in nodes:
                raise _invalid(f"{path}: " + (f"it has the nodes {', '.join(nodes)}; say which one"
                                              if nodes else "it has no training table"))
            return store[wanted + TABLE]
    except ImportError:
        raise Error(f"{path}: pandas reads HDF5 with PyTables: apt install python3-tables") from None
    except (OSError, TypeError, ValueError) as error:
        raise _invalid(f"{path}: is no training table: {str(error).splitlines()[0]}") from None


def _invalid(line):
    error = Error(line)
    error.code = "invalid"
    return error


def process(folders, output, *, node="", compat=False):
    """Sweeps' reports and traces into one training table (HDF5), as `mete process` does.

    Folders of mete's sweeps, or with reports and traces named as GEOPM's tutorial names them. Returns
    a summary; its `problems` name files that were left out.
    """
    if isinstance(folders, (str, os.PathLike)):
        folders = [folders]
    return _core.process([os.fspath(folder) for folder in folders], os.fspath(output), node, compat)
