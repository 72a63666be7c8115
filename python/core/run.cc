// Sessions from Python. Python's lock is released while one runs, and an agent in Python takes it
// for each step. Ctrl-C is mete's while it runs (it ends the workload and gives the controls back)
// and is handed to Python's own handler afterwards. SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/core/convert.h"
#include "python/core/node.h"
#include <pybind11/stl.h>

#include "mete/cli/run_work.h"
#include "mete/control/python/python_agent.h"

namespace py = pybind11;

namespace mete {
namespace {

/// Signal handlers belong to the process: one session at a time.
class OneSession {
 public:
  OneSession() : mine_(!busy.test_and_set()) {
    if (!mine_)
      raise_error(fail(Errc::failed, "another session runs in this process; wait for it"));
  }
  OneSession(const OneSession&) = delete;
  OneSession& operator=(const OneSession&) = delete;
  ~OneSession() {
    if (mine_) busy.clear();
  }

 private:
  inline static std::atomic_flag busy = ATOMIC_FLAG_INIT;
  bool mine_;
};

RunOptions run_options(const py::dict& options) {
  RunOptions out;
  out.target = target_options(options);
  const auto take = [&](const char* key, std::string& into) {
    if (options.contains(key) && !options[key].is_none()) into = options[key].cast<std::string>();
  };
  take("agent", out.agent);
  take("policy", out.policy);
  take("model", out.model);
  take("frequency_map", out.frequency_map);
  take("period", out.period);
  take("grace", out.grace);
  take("report", out.report);
  take("trace", out.trace);
  take("profile", out.profile);
  if (options.contains("append_trace")) out.append_trace = options["append_trace"].cast<bool>();
  out.words = options["command"].cast<std::vector<std::string>>();
  out.settings = options["set"].cast<std::vector<std::string>>();
  out.signals = options["signals"].cast<std::vector<std::string>>();
  return out;
}

/// `agent`: a class or an object with a step(), or None for the one that the options name.
py::object run(const py::dict& options, const py::object& agent, const std::string& label) {
  const RunOptions wanted = run_options(options);
  std::unique_ptr<Agent> made;
  if (!agent.is_none()) {
    const py::object host = py::module_::import("mete._agent_host");
    made = value_or_raise(wrap_python_agent(host, agent, label, wanted.model));
  }
  const OneSession alone;
  std::vector<std::string> notices;
  std::optional<Result<RunDone>> done;
  int signal = 0;
  {
    const py::gil_scoped_release unlocked;
    const SignalInterrupt interrupt;
    done.emplace(run_workload(wanted, std::move(made), python_context(interrupt), notices));
    signal = interrupt.signal();
  }
  if (signal != 0) {
    std::raise(signal);  // its usual meaning, now that all is given back: KeyboardInterrupt
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  const RunDone result = value_or_raise(std::move(*done));
  py::dict told = to_python(run_json(result)).cast<py::dict>();
  told["notices"] = notices;
  return told;
}

}  // namespace

void add_run_functions(py::module_& module) { module.def("run", run); }

}  // namespace mete
