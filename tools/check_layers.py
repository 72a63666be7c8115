#!/usr/bin/env python3
"""Checks every #include against the table of rooms in ARCHITECTURE.md.

A room may include only the rooms named in its row, `base`, and itself; a heavy library appears only in the room
whose row names it; and a type's name is used once, because all rooms share one namespace and the linker silently mixes
two classes of the same name. Exit 1 with one line per violation. `--self-test` proves that it can fail.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Heavy libraries, by the headers that give them away, and the words of the table that allow them.
HEAVY = {
    "json": r"nlohmann/", "yaml": r"yaml-cpp/", "HDF5": r"(hdf5|H5public|hdf5_hl)\.h", "libtorch": r"(torch|ATen|c10)/",
    "CLI11": r"CLI/", "SQLite": r"sqlite3\.h", "oneDNN": r"(oneapi/)?dnnl", "OpenBLAS": r"cblas\.h", "onnx": r"onnx/",
    "CLP/CBC": r"coin/", "pybind11": r"pybind11/",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_table(text):
    """{room: (allowed rooms, heavy libraries)} from the rows `| `room` | one line | may use | types | library |`."""
    rooms = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"`\w+`", cells[0]):
            allowed = set(re.findall(r"\w+", cells[2])) if cells[2] not in ("–", "-") else set()
            rooms[cells[0].strip("`")] = (allowed, cells[4])
    for allowed, _ in rooms.values():
        if "all" in allowed:
            allowed.update(rooms)
    return rooms


def violations(rooms, files):
    """files: (path relative to the root, text). Yields one line each."""
    for path, text in files:
        parts = path.split("/")
        if parts[0] != "mete" or len(parts) < 3:
            continue
        room = parts[1]
        if room not in rooms:
            yield f"{path}: '{room}' is no room of ARCHITECTURE.md's table"
            continue
        allowed = rooms[room][0] | {room, "base"}
        for number, line in enumerate(text.splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            target = found.group(2)
            if target.startswith("mete/"):
                other = target.split("/")[1]
                if other not in allowed:
                    yield f"{path}:{number}: room '{room}' may not include '{target}' (its row allows: {', '.join(sorted(allowed))})"
            for library, pattern in HEAVY.items():
                if re.match(pattern, target) and library.lower() not in rooms[room][1].lower():
                    yield f"{path}:{number}: '{target}' ({library}) does not belong in room '{room}'"


TYPE = re.compile(r"(?:struct|class|enum class) (\w+)(?: final)?(?: :[^;]*)?(?: \{|$)")


def name_clashes(files):
    """Types defined twice outside unnamed namespaces. Relies on our format: such definitions start a line."""
    seen = {}
    for path, text in files:
        unnamed = False
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("namespace {"):
                unnamed = True
            elif line == "}  // namespace":
                unnamed = False
            found = TYPE.match(line)
            if not found or unnamed:
                continue
            where = f"{path}:{number}"
            if found.group(1) in seen:
                yield f"{where}: type '{found.group(1)}' is defined at {seen[found.group(1)]} too; rename one"
            seen[found.group(1)] = where


def self_test(rooms):
    good = [("mete/measure/a.cc", '#include "mete/signal/b.h"\n#include <vector>\n')]
    bad = [("mete/signal/a.cc", '#include "mete/measure/b.h"\n'), ("mete/cli/a.cc", "#include <torch/script.h>\n"),
           ("mete/nowhere/a.cc", "\n"), ("mete/base/a.h", '#include "mete/signal/info.h"\n')]
    assert not list(violations(rooms, good)), "a good file was refused"
    for one in bad:
        assert list(violations(rooms, [one])), f"{one[0]} was not refused"
    twice = [("mete/a/a.h", "struct Same {\n"), ("mete/b/b.h", "class Same final : public X {\n")]
    hidden = [("mete/a/a.cc", "namespace {\nstruct Same {\n};\n}  // namespace\n"), ("mete/b/b.h", "struct Same {\n")]
    assert list(name_clashes(twice)), "a type defined twice was not refused"
    assert not list(name_clashes(hidden)), "a type in an unnamed namespace was refused"
    print("check_layers: self-test passed")


def main():
    rooms = read_table((ROOT / "ARCHITECTURE.md").read_text())
    if len(rooms) < 10:
        sys.exit("check_layers: ARCHITECTURE.md: the table of rooms was not found")
    if "--self-test" in sys.argv[1:]:
        return self_test(rooms)
    files = [(str(p.relative_to(ROOT)), p.read_text(errors="replace"))
             for p in sorted(ROOT.glob("mete/**/*")) if p.suffix in (".cc", ".h")]
    found = list(violations(rooms, files)) + list(name_clashes(files))
    for line in found:
        print(line, file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"check_layers: {len(files)} files keep to the table of {len(rooms)} rooms")


if __name__ == "__main__":
    main()
