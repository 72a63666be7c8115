"""How mete calls an agent that is a Python class; docs/agents/python.md is its user's page.

The same text runs in two places: inside `mete` (embedded in the plugin mete_python.so), and inside
`import mete`. Standard library only. SPDX-License-Identifier: BSD-3-Clause
"""
import math
import os
import sys
import traceback
import types

HERE = __file__ if "__file__" in globals() else "<mete>"
LONGEST_LINE = 300
LONGEST_TRACEBACK = 8000
FIELD_KEYS = ("default", "min", "max", "unit", "description")


class Refused(Exception):
    """What the user asked for is not there: the message says what to do."""


class AgentError(Exception):
    """The agent broke the protocol: the message says what was expected."""


class Part:
    """One part of the agent's domain (one GPU, say), and what its control takes."""

    __slots__ = ("min", "max", "supported")

    def __init__(self, min, max, supported=()):
        self.min = min
        self.max = max
        self.supported = tuple(supported)

    def nearest(self, setting):
        """The setting that the device supports and that is nearest; the highest for NaN."""
        if math.isnan(setting):
            return self.max
        if self.supported:
            return min(self.supported, key=lambda one: (abs(one - setting), -one))
        return min(max(setting, self.min), self.max)

    def __repr__(self):
        return f"Part(min={self.min!r}, max={self.max!r}, supported={self.supported!r})"


class Observation(list):
    """One dict per part, {signal: value}; NaN where a reading failed. `time`: s since the start."""

    __slots__ = ("time",)

    def __init__(self, time, parts):
        super().__init__(parts)
        self.time = time


def _module_of(path):
    """Runs a file as a module of its own, once per process and version of the file."""
    real = os.path.realpath(path)
    try:
        stamp = (real, os.stat(real).st_mtime_ns)
        if stamp in _module_of.loaded:
            return _module_of.loaded[stamp]
        with open(real, "rb") as file:
            source = file.read()
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    folder = os.path.dirname(real)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = os.path.splitext(os.path.basename(real))[0]
    if name in sys.modules:
        name = f"mete_agent_{len(_module_of.loaded)}_{name}"
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    _module_of.loaded[stamp] = module
    return module


_module_of.loaded = {}


def load(path, class_name):
    """The class of that name in the file; its only one with a step() if no name is given."""
    module = _module_of(path)
    classes = [name for name, value in vars(module).items()
               if isinstance(value, type) and value.__module__ == module.__name__
               and callable(getattr(value, "step", None))]
    there = "it has " + ", ".join(classes[:10]) if classes else "it has no class with a step()"
    if not class_name:
        if len(classes) != 1:
            raise Refused(f"which class? {there}; expected FILE.py:CLASS")
        class_name = classes[0]
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise Refused(f"there is no class {class_name} in it; {there}")
    return found


def make(agent, model):
    """An object of the class, or the object that was given; the class gets `model` if one is given."""
    if not isinstance(agent, type):
        return agent
    return agent(model=model) if model else agent()


def _number(value, what):
    if isinstance(value, (bool, str, bytes)) or not hasattr(type(value), "__float__"):
        raise AgentError(f"{what}: expected a number, got {_short(value)}")
    return float(value)


def _short(value):
    try:
        text = repr(value)
    except Exception:  # the user's own __repr__
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"a {type(value).__name__}"


def _text(agent, name, fallback):
    value = getattr(agent, name, None)
    if value is None:
        return fallback
    if not isinstance(value, str):
        raise AgentError(f"its {name} is {_short(value)}, expected text")
    return value


def _names(agent, name):
    value = getattr(agent, name, ())
    if isinstance(value, str) or not all(isinstance(one, str) for one in value):
        raise AgentError(f"its {name} are {_short(value)}, expected a list of names, "
                         'as in ["GPU_POWER", "GPU_UTILIZATION"]')
    return list(value)


def _field(name, value):
    if not isinstance(name, str):
        raise AgentError(f"the policy field {_short(name)} has no name: expected text")
    if not isinstance(value, dict):
        value = {"default": value}
    unknown = [key for key in value if key not in FIELD_KEYS]
    if unknown:
        raise AgentError(f"the policy field {name} has {_short(unknown[0])}; "
                         f"expected some of {', '.join(FIELD_KEYS)}")
    numbers = [_number(value.get(key, fallback), f"{key} of the policy field {name}")
               for key, fallback in (("default", math.nan), ("min", -math.inf), ("max", math.inf))]
    return (name, str(value.get("description", "")), str(value.get("unit", "")), *numbers)


def describe(agent):
    """What an agent says of itself, checked and with the defaults filled in."""
    if not callable(getattr(agent, "step", None)):
        raise AgentError("it has no step(observation, policy)")
    policy = getattr(agent, "policy", None) or {}
    if not isinstance(policy, dict):
        raise AgentError(f"its policy is {_short(policy)}, expected a dict, "
                         'as in {"GPU_PHI": {"default": 0.5, "min": 0, "max": 1}}')
    kind = type(agent)
    doc = (kind.__doc__ or "").strip().splitlines()
    return {
        "name": _text(agent, "name", kind.__name__),
        "description": _text(agent, "description", doc[0] if doc else "an agent in Python"),
        "domain": _text(agent, "domain", "gpu"),
        "control": _text(agent, "control", ""),
        "signals": _names(agent, "signals"),
        "optional_signals": _names(agent, "optional_signals"),
        "period": _number(getattr(agent, "period", 0.05), "its period"),
        "policy": [_field(name, value) for name, value in policy.items()],
    }


class Driver:
    """One agent at work: what C++ holds."""

    def __init__(self, agent):
        self.agent = agent
        self.info = describe(agent)
        self.columns = self.info["signals"] + self.info["optional_signals"]
        self.fields = [field[0] for field in self.info["policy"]]
        self.policy = None
        self.values = None

    def _policy(self, values):
        if values != self.values:  # NaN differs from itself: then it is made again, no harm
            self.values = values
            self.policy = types.MappingProxyType(dict(zip(self.fields, values)))
        return self.policy

    def start(self, parts, policy):
        """parts: (min, max, supported) each."""
        if callable(getattr(self.agent, "start", None)):
            self.agent.start([Part(*part) for part in parts], self._policy(policy))

    def step(self, time, values, policy, count):
        """values: part after part, in the order of the columns. One setting per part; NaN: leave it."""
        width = len(self.columns)
        rows = [dict(zip(self.columns, values[i * width:(i + 1) * width])) for i in range(count)]
        answer = self.agent.step(Observation(time, rows), self._policy(policy))
        if answer is None:
            return [math.nan] * count
        if not self.info["control"]:
            raise AgentError(f"step() returned {_short(answer)}, but the agent has no control; "
                             "expected None")
        if isinstance(answer, (str, bytes, dict, set)):
            raise AgentError(f"step() returned {_short(answer)}, expected a list of {count} "
                             "settings, one number for all, or None")
        if not hasattr(type(answer), "__len__") or getattr(answer, "shape", None) == ():
            return [self._setting(answer, "step()")] * count
        if len(answer) != count:
            raise AgentError(f"step() returned {len(answer)} settings, expected {count}: one per "
                             f"{self.info['domain']}")
        return [math.nan if one is None else self._setting(one, f"setting {i} of step()")
                for i, one in enumerate(answer)]

    @staticmethod
    def _setting(value, what):
        number = _number(value, what)
        if not math.isfinite(number):
            raise AgentError(f"{what} is {number}, expected a setting, or None to leave it as it is")
        return number

    def report(self):
        """Lines for the report: [(key, value)], all text."""
        tell = getattr(self.agent, "report", None)
        lines = tell() if callable(tell) else None
        if lines is None:
            return []
        if not isinstance(lines, dict):
            raise AgentError(f"report() returned {_short(lines)}, expected a dict or None")
        return [(_line(key), _line(value)) for key, value in lines.items()]


def _line(value):
    """One line of a report's text."""
    return " ".join(str(value).split())[:LONGEST_LINE]


def explain(error):
    """(what happened, in one line; the traceback of the user's own code, or "")."""
    if isinstance(error, (Refused, AgentError)):
        return str(error), ""
    what = _line(error)
    line = f"{type(error).__name__}: {what}" if what else type(error).__name__
    told = traceback.TracebackException.from_exception(error)
    seen = set()
    chain = [told]
    while chain:  # our own frames say nothing to the user
        one = chain.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        one.stack[:] = [frame for frame in one.stack if frame.filename != HERE]
        chain += [other for other in (one.__cause__, one.__context__) if other is not None]
    text = "".join(told.format()).rstrip()
    return line, text if len(text) <= LONGEST_TRACEBACK else "..\n" + text[-LONGEST_TRACEBACK:]


def flush():
    """What the agent printed comes out now: the process may end without Python's knowing."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
