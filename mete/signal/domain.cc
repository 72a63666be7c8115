// Domains, their nesting, and the three spellings of a signal.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/signal/domain.h"

#include <algorithm>
#include <utility>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::array<std::string_view, kDomainCount> kNames{"board",   "package",
                                                            "core",    "cpu",
                                                            "memory",  "package_integrated_memory",
                                                            "nic",     "package_integrated_nic",
                                                            "gpu",     "package_integrated_gpu",
                                                            "gpu_chip"};

struct OldName {
  std::string_view name;
  Domain domain;
};
constexpr std::array<OldName, 5> kOldNames{
    {{"board_memory", Domain::memory},
     {"board_nic", Domain::nic},
     {"board_accelerator", Domain::gpu},
     {"package_integrated_accelerator", Domain::package_integrated_gpu},
     {"board_accelerator_chip", Domain::gpu_chip}}};

/// Which domains lie inside which, but for `board` (holds all) and a domain in itself.
bool nests_by_kind(Domain inner, Domain outer) {
  switch (outer) {
    case Domain::package:
      return inner == Domain::core || inner == Domain::cpu ||
             inner == Domain::package_integrated_memory ||
             inner == Domain::package_integrated_nic || inner == Domain::package_integrated_gpu;
    case Domain::core:
    case Domain::memory:
      return inner == Domain::cpu;
    case Domain::gpu:
      return inner == Domain::gpu_chip;
    default:
      return false;
  }
}

}  // namespace

std::string_view domain_name(Domain domain) { return kNames[static_cast<std::size_t>(domain)]; }

Result<Domain> parse_domain(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Domain>(i);
  }
  for (const auto& old : kOldNames) {
    if (old.name == name) return old.domain;
  }
  const std::vector<std::string> known(kNames.begin(), kNames.end());
  const auto hint = did_you_mean(name, known);
  return fail(Errc::invalid, "unknown domain '{}'{}", name,
              hint.empty() ? "; domains are " + join(known, ", ") : hint);
}

Topology::Topology() { parents_count_[index(Domain::board)] = 1; }

void Topology::set_count(Domain domain, int count) { parents_count_[index(domain)] = count; }

void Topology::set_count_later(Domain domain, std::function<int()> ask) {
  asks_[index(domain)].push_back(std::move(ask));
}

int Topology::count(Domain domain) const {
  int& known = parents_count_[index(domain)];
  const auto asks = std::exchange(asks_[index(domain)], {});
  for (const auto& ask : asks) known = std::max(known, ask());
  return known;
}

void Topology::set_cpus(std::vector<Cpu> cpus) {
  cpus_ = std::move(cpus);
  int packages = 0;
  int cores = 0;
  int memories = 0;
  for (const Cpu& cpu : cpus_) {
    packages = std::max(packages, cpu.package + 1);
    cores = std::max(cores, cpu.core + 1);
    memories = std::max(memories, cpu.memory + 1);
  }
  set_count(Domain::cpu, static_cast<int>(cpus_.size()));
  set_count(Domain::package, packages);
  set_count(Domain::core, cores);
  set_count(Domain::memory, memories);
}

bool Topology::is_nested(Domain inner, Domain outer) const {
  return inner == outer || outer == Domain::board || nests_by_kind(inner, outer);
}

std::vector<int> Topology::nested(Domain inner, Domain outer, int outer_index) const {
  std::vector<int> ids;
  if (outer_index < 0 || outer_index >= count(outer) || !is_nested(inner, outer)) return ids;
  if (inner == outer) return {outer_index};
  if (outer == Domain::board) {
    for (int i = 0; i < count(inner); ++i) ids.push_back(i);
    return ids;
  }
  const auto owner = [outer](const Cpu& cpu) {
    if (outer == Domain::package) return cpu.package;
    return outer == Domain::core ? cpu.core : cpu.memory;
  };
  if (inner == Domain::cpu || inner == Domain::core) {
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
      if (owner(cpus_[i]) != outer_index) continue;
      const int id = inner == Domain::cpu ? static_cast<int>(i) : cpus_[i].core;
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  // Parts that no provider maps finer (chips of a GPU, a package's memory) are dealt out evenly, in
  // order.
  const int each = count(inner) / std::max(1, count(outer));
  for (int i = outer_index * each; i < (outer_index + 1) * each; ++i) ids.push_back(i);
  return ids;
}

std::string column_name(const Request& request) {
  if (request.domain == Domain::board) return request.name;
  return fmt::format("{}-{}-{}", request.name, domain_name(request.domain), request.index);
}

std::string report_name(const Request& request) {
  if (request.domain == Domain::board) return request.name;
  return fmt::format("{}@{}-{}", request.name, domain_name(request.domain), request.index);
}

Result<SignalSpec> parse_signal_spec(std::string_view text) {
  const auto parts = split(trim(text), '@');
  if (parts.size() > 2 || parts[0].empty()) {
    return fail(Errc::invalid, "signal '{}': expected NAME or NAME@domain", text);
  }
  SignalSpec spec{std::string(trim(parts[0])), std::nullopt};
  if (parts.size() == 2) {
    auto domain = parse_domain(trim(parts[1]));
    if (!domain) return domain.error().within(fmt::format("signal '{}'", text));
    spec.domain = *domain;
  }
  return spec;
}

}  // namespace mete
