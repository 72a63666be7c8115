// An agent in a shared library, behind include/mete/agent_abi.h. What the library says is checked
// before it is used, because it was written by others; what it may still do is crash, which the
// state file of ControlGuard covers. SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "include/mete/agent_abi.h"

#include "mete/base/files.h"
#include "mete/base/library.h"
#include "mete/control/outside_agent.h"

namespace mete {
namespace {

constexpr std::size_t kLongestText = 1000;
constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kErrorSize = 512;
constexpr std::size_t kMostReportLines = 1000;
constexpr const char* kSymbol = "mete_agent";
using AgentLibraryEntry = const mete_agent_functions*(std::uint32_t);

/// Up to a struct's last member that version 1 has.
constexpr std::size_t kInfoSize = sizeof(mete_agent_info);
constexpr std::size_t kFunctionsSize = sizeof(mete_agent_functions);

/// The library's text: one line, bounded, whatever it holds.
std::string text_of(const char* text) {
  if (text == nullptr) return {};
  std::string out(text, ::strnlen(text, kLongestText));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

/// What a failing function wrote, or that it wrote nothing.
std::string reason_of(std::array<char, kErrorSize>& error) {
  error.back() = '\0';
  std::string text = text_of(error.data());
  return text.empty() ? "it failed and gave no reason" : text;
}

Result<std::vector<std::string>> names_of(const char* const* names, std::size_t count,
                                          std::string_view what) {
  if (count > kMostNames) {
    return fail(Errc::failed, "it has {} {}, expected at most {}", count, what, kMostNames);
  }
  if (count > 0 && names == nullptr) return fail(Errc::failed, "its {} are NULL", what);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == nullptr) return fail(Errc::failed, "number {} of its {} is NULL", i, what);
    out.push_back(text_of(names[i]));
  }
  return out;
}

Result<AgentInfo> info_of(const mete_agent_info* told) {
  if (told == nullptr) return fail(Errc::failed, "info() returned NULL");
  if (told->struct_size < kInfoSize) {
    return fail(Errc::failed,
                "info() returned a struct of {} bytes, expected {}: set struct_size to "
                "sizeof(mete_agent_info)",
                told->struct_size, kInfoSize);
  }
  if (told->name == nullptr) return fail(Errc::failed, "info() gave no name");
  if (told->domain == nullptr) return fail(Errc::failed, "info() gave no domain");
  AgentInfo info;
  info.name = text_of(told->name);
  info.description =
      told->description == nullptr ? "an agent in a shared library" : text_of(told->description);
  info.control = text_of(told->control);
  info.period_seconds = told->period;
  METE_TRY(info.domain, parse_domain(text_of(told->domain)));
  METE_TRY(info.signals, names_of(told->signals, told->signal_count, "signals"));
  METE_TRY(info.optional_signals,
           names_of(told->optional_signals, told->optional_signal_count, "optional signals"));
  if (told->policy_count > kMostNames) {
    return fail(Errc::failed, "it has {} policy fields, expected at most {}", told->policy_count,
                kMostNames);
  }
  if (told->policy_count > 0 && told->policy == nullptr) {
    return fail(Errc::failed, "its policy is NULL");
  }
  for (std::size_t i = 0; i < told->policy_count; ++i) {
    const mete_agent_field& field = told->policy[i];
    info.policy.push_back({text_of(field.name), text_of(field.description), text_of(field.unit),
                           field.fallback, field.min, field.max});
  }
  METE_TRY_VOID(check_agent_info(info));
  return info;
}

Result<const mete_agent_functions*> functions_of(const Library& library) {
  METE_TRY(auto* entry, library.function<AgentLibraryEntry>(kSymbol));
  const mete_agent_functions* functions = entry(METE_AGENT_ABI);
  if (functions == nullptr) {
    return fail(Errc::failed, "it does not work with version {} of mete's agent interface",
                METE_AGENT_ABI);
  }
  if (functions->abi != METE_AGENT_ABI) {
    return fail(Errc::failed,
                "it was built for version {} of mete's agent interface, and this mete ({}) has "
                "version {}; build it again with this mete's mete/agent_abi.h",
                functions->abi, METE_VERSION, METE_AGENT_ABI);
  }
  if (functions->struct_size < kFunctionsSize) {
    return fail(Errc::failed,
                "its functions are a struct of {} bytes, expected {}: set struct_size to "
                "sizeof(mete_agent_functions)",
                functions->struct_size, kFunctionsSize);
  }
  const std::array<std::pair<bool, std::string_view>, 4> needed{
      {{functions->make != nullptr, "make"},
       {functions->info != nullptr, "info"},
       {functions->start != nullptr, "start"},
       {functions->step != nullptr, "step"}}};
  for (const auto& [there, name] : needed) {
    if (!there) return fail(Errc::failed, "its function {} is NULL", name);
  }
  return functions;
}

using ReportLines = std::vector<std::pair<std::string, std::string>>;

/// The library's way back into the report.
void add_report_line(void* report, const char* key, const char* value) {
  auto* lines = static_cast<ReportLines*>(report);
  if (lines == nullptr || lines->size() >= kMostReportLines || key == nullptr) return;
  lines->emplace_back(text_of(key), text_of(value));
}

class LibraryAgent final : public Agent {
 public:
  LibraryAgent(Library library, const mete_agent_functions* functions, std::string label)
      : library_(std::move(library)), functions_(functions), label_(std::move(label)) {}
  LibraryAgent(const LibraryAgent&) = delete;
  LibraryAgent& operator=(const LibraryAgent&) = delete;
  ~LibraryAgent() override {
    if (agent_ != nullptr && functions_->destroy != nullptr) functions_->destroy(agent_);
  }

  Result<void> make(const std::string& model) {
    std::array<char, kErrorSize> error{};
    agent_ = functions_->make(model.empty() ? nullptr : model.c_str(), error.data(), error.size());
    if (agent_ == nullptr) return fail(Errc::failed, "make: {}", reason_of(error));
    METE_TRY(info_, info_of(functions_->info(agent_)));
    return {};
  }

  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    METE_TRY_VOID(check_policy_size(info_, policy));
    fault_.reset();
    std::vector<mete_agent_part> told;
    for (const auto& part : parts) {
      told.push_back({part.min, part.max, part.supported.data(), part.supported.size()});
    }
    std::array<char, kErrorSize> error{};
    if (functions_->start(agent_, told.data(), told.size(), policy.data(), policy.size(),
                          error.data(), error.size()) != 0) {
      return fail(Errc::failed, "{}: start: {}", label_, reason_of(error));
    }
    columns_ = info_.signals.size() + info_.optional_signals.size();
    values_.assign(columns_ * parts.size(), kNan);
    wanted_.assign(parts.size(), METE_AGENT_LEAVE);
    return {};
  }

  void step(const Observation& observation, PolicyValues policy,
            std::span<double> decisions) noexcept override {
    const std::size_t parts = std::min(wanted_.size(), decisions.size());
    if (fault_ || parts == 0) return;
    take_in(observation, parts);
    std::fill(wanted_.begin(), wanted_.end(), METE_AGENT_LEAVE);
    const mete_agent_observation seen{sizeof(mete_agent_observation), observation.time, parts,
                                      columns_, values_.data()};
    std::array<char, kErrorSize> error{};
    try {
      const int code = functions_->step(agent_, &seen, policy.data(), policy.size(), wanted_.data(),
                                        error.data(), error.size());
      if (code != 0) {
        fault_ = fail(Errc::failed, "{}: step: {}", label_, reason_of(error));
      } else {
        take_over(parts, decisions);
      }
    } catch (...) {  // a library in C++ that breaks the interface's word
      fault_ = fail(Errc::failed, "{}: step: it threw an exception", label_);
    }
  }

  ReportLines report_lines() const override {
    ReportLines lines;
    if (!fault_ && functions_->report != nullptr) {
      functions_->report(agent_, add_report_line, &lines);
    }
    return lines;
  }

  std::optional<Error> fault() const override { return fault_; }
  bool may_hang() const override { return true; }

 private:
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

  /// Rows of the promised width, whatever the observation has.
  void take_in(const Observation& observation, std::size_t parts) noexcept {
    std::fill(values_.begin(), values_.end(), kNan);
    for (std::size_t part = 0; part < std::min(parts, observation.parts); ++part) {
      const auto row = observation.row(part);
      std::copy_n(row.begin(), std::min(row.size(), columns_),
                  values_.begin() + static_cast<std::ptrdiff_t>(part * columns_));
    }
  }

  void take_over(std::size_t parts, std::span<double> decisions) {
    for (std::size_t part = 0; part < parts; ++part) {
      if (wanted_[part] == METE_AGENT_LEAVE) continue;
      if (info_.control.empty()) {
        fault_ = fail(Errc::failed, "{}: step: it decided {}, but it has no control", label_,
                      wanted_[part]);
      } else if (!std::isfinite(wanted_[part])) {
        fault_ = fail(Errc::failed,
                      "{}: step: decision {} is {}, expected a setting or METE_AGENT_LEAVE", label_,
                      part, wanted_[part]);
      }
      if (fault_) return;
      decisions[part] = wanted_[part];
    }
  }

  Library library_;
  const mete_agent_functions* functions_;
  std::string label_;
  void* agent_ = nullptr;
  AgentInfo info_;
  std::size_t columns_ = 0;
  std::vector<double> values_;
  std::vector<double> wanted_;
  std::optional<Error> fault_;
};

}  // namespace

Result<std::unique_ptr<Agent>> make_library_agent(const std::string& path,
                                                  const AgentContext& context) {
  if (!path_exists(path)) {
    return fail(Errc::invalid,
                "{}: there is no such file; an agent as a shared library is ./FILE.so", path);
  }
  // Without a slash the loader would look among the system's libraries.
  METE_TRY(auto library, Library::open(path.find('/') == std::string::npos ? "./" + path : path));
  const auto functions = functions_of(library);
  if (!functions)
    return functions.error().code == Errc::unavailable
               ? fail(Errc::failed, "{}: it has no function {}; is it an agent for mete?", path,
                      kSymbol)
               : functions.error().within(path);
  auto agent = std::make_unique<LibraryAgent>(std::move(library), *functions, path);
  if (auto made = agent->make(context.model_path); !made) {
    return Error{Errc::failed, made.error().within(path).what};
  }
  return std::unique_ptr<Agent>(std::move(agent));
}

}  // namespace mete
