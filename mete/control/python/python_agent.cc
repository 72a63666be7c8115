// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/python/python_agent.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include "mete/control/outside_agent.h"

namespace py = pybind11;

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

py::list list_of(std::span<const double> values) {
  py::list list(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) list[i] = values[i];
  return list;
}

int raise_interrupt(void* /*unused*/) {
  PyErr_SetString(PyExc_KeyboardInterrupt, "it did not return, and was ended");
  return -1;
}

Result<AgentInfo> info_of(const py::dict& told) {
  AgentInfo info;
  info.name = told["name"].cast<std::string>();
  info.description = told["description"].cast<std::string>();
  info.control = told["control"].cast<std::string>();
  info.signals = told["signals"].cast<std::vector<std::string>>();
  info.optional_signals = told["optional_signals"].cast<std::vector<std::string>>();
  info.period_seconds = told["period"].cast<double>();
  METE_TRY(info.domain, parse_domain(told["domain"].cast<std::string>()));
  for (const auto& one : told["policy"].cast<py::list>()) {
    const auto field = one.cast<py::tuple>();
    info.policy.push_back({field[0].cast<std::string>(), field[1].cast<std::string>(),
                           field[2].cast<std::string>(), field[3].cast<double>(),
                           field[4].cast<double>(), field[5].cast<double>()});
  }
  METE_TRY_VOID(check_agent_info(info));
  return info;
}

/// A method of the user's is called through `guarded`, which turns what it throws into the agent's
/// fault. After a fault nothing of the agent is called any more.
class PythonAgent final : public Agent {
 public:
  PythonAgent(py::object host, py::object driver, std::string label, AgentInfo info)
      : host_(std::move(host)),
        driver_(std::move(driver)),
        label_(std::move(label)),
        info_(std::move(info)) {}
  PythonAgent(const PythonAgent&) = delete;
  PythonAgent& operator=(const PythonAgent&) = delete;
  ~PythonAgent() override {
    const py::gil_scoped_acquire lock;
    try {
      host_.attr("flush")();
      driver_ = py::object();
      host_ = py::object();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): nobody is left to tell
    }
  }

  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    METE_TRY_VOID(check_policy_size(info_, policy));
    fault_.reset();
    guarded("start", [&] {
      py::list all;
      for (const auto& part : parts) {
        all.append(py::make_tuple(part.min, part.max, list_of(part.supported)));
      }
      driver_.attr("start")(all, list_of(policy));
    });
    if (fault_) return *fault_;
    return {};
  }

  void step(const Observation& observation, PolicyValues policy,
            std::span<double> decisions) noexcept override {
    if (fault_ || decisions.empty()) return;
    guarded("step", [&] {
      // A row that is cut short reads as missing, not as its neighbour.
      const std::size_t width = info_.signals.size() + info_.optional_signals.size();
      values_.assign(width * decisions.size(), kNan);
      for (std::size_t part = 0; part < std::min(observation.parts, decisions.size()); ++part) {
        const auto row = observation.row(part);
        std::copy_n(row.begin(), std::min(row.size(), width),
                    values_.begin() + static_cast<std::ptrdiff_t>(part * width));
      }
      const py::list told = driver_.attr("step")(observation.time, list_of(values_),
                                                 list_of(policy), decisions.size());
      for (std::size_t i = 0; i < std::min(decisions.size(), told.size()); ++i) {
        decisions[i] = told[i].cast<double>();
      }
    });
  }

  std::vector<std::pair<std::string, std::string>> report_lines() const override {
    std::vector<std::pair<std::string, std::string>> lines;
    if (fault_) return lines;
    guarded("report", [&] {
      lines = driver_.attr("report")().cast<std::vector<std::pair<std::string, std::string>>>();
    });
    return lines;
  }

  std::optional<Error> fault() const override { return fault_; }
  bool may_hang() const override { return true; }
  /// Raised in the thread that runs Python between two of its instructions: a call into C that does
  /// not return cannot be ended so.
  void interrupt() noexcept override {
    Py_AddPendingCall(&raise_interrupt, nullptr);
    // Python 3.11 looks for such calls only when something else makes it look up: here, a thread
    // that asks for the lock. Of its own, because C code that hangs may keep the lock for ever.
    try {
      std::thread([] { PyGILState_Release(PyGILState_Ensure()); }).detach();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): no thread to be had
    }
  }

 private:
  template <class Call>
  void guarded(const char* what, const Call& call) const noexcept {
    try {
      const py::gil_scoped_acquire lock;
      try {
        call();
      } catch (py::error_already_set& error) {
        fault_ = python_error(host_, error, label_ + ": " + what);
      }
    } catch (const std::exception& error) {
      fault_ = fail(Errc::failed, "{}: {}: {}", label_, what, error.what());
    }
  }

  py::object host_;
  py::object driver_;
  std::string label_;
  AgentInfo info_;
  std::vector<double> values_;          // the observation's rows, each of the promised width
  mutable std::optional<Error> fault_;  // report_lines() is const and may find one
};

}  // namespace

Error python_error(const py::object& host, py::error_already_set& error, const std::string& where) {
  // Taken before anything else runs: what the user's own code left is not to be mixed with ours.
  const py::object value = error.value();
  if (error.trace()) PyException_SetTraceback(value.ptr(), error.trace().ptr());
  const bool refused = error.matches(host.attr("Refused"));
  const auto [line, trace] =
      host.attr("explain")(value).cast<std::pair<std::string, std::string>>();
  host.attr("flush")();
  return fail(refused ? Errc::invalid : Errc::failed, "{}: {}{}{}", where, line,
              trace.empty() ? "" : "\n", trace);
}

Result<std::unique_ptr<Agent>> wrap_python_agent(const py::object& host, const py::object& agent,
                                                 const std::string& label,
                                                 const std::string& model) {
  try {
    py::object driver = host.attr("Driver")(host.attr("make")(agent, model));
    auto info = info_of(driver.attr("info").cast<py::dict>());
    if (!info) return Error{Errc::failed, info.error().within(label).what};
    return std::unique_ptr<Agent>(
        std::make_unique<PythonAgent>(host, std::move(driver), label, std::move(*info)));
  } catch (py::error_already_set& error) {
    return python_error(host, error, label);
  } catch (const std::exception& error) {
    return fail(Errc::failed, "{}: {}", label, error.what());
  }
}

}  // namespace mete
