// The parts of a node that signals and controls belong to, with GEOPM's names and numbers
// (geopm_domain_e, GEOPM 3.1), and how they nest on this node.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

enum class Domain {
  board = 0,
  package = 1,
  core = 2,
  cpu = 3,
  memory = 4,
  package_integrated_memory = 5,
  nic = 6,
  package_integrated_nic = 7,
  gpu = 8,
  package_integrated_gpu = 9,
  gpu_chip = 10,
};
inline constexpr int kDomainCount = 11;

std::string_view domain_name(Domain domain);
/// Takes GEOPM's names of before 2.0 too (board_memory, board_accelerator, board_accelerator_chip).
/// The error offers the nearest names.
Result<Domain> parse_domain(std::string_view name);

/// How many there are of each domain, and which lies inside which.
class Topology {
 public:
  Topology();  ///< one board, nothing else

  [[nodiscard]] int count(Domain domain) const;
  /// Sets how many there are of a domain whose parts all lie in the board (gpu, memory, nic).
  void set_count(Domain domain, int count);
  /// The same for parts whose counting is slow (a driver must be started): `ask` is called when
  /// first needed, and at most once. Of several, the largest count holds. What `ask` uses must live
  /// as long as this and its copies.
  void set_count_later(Domain domain, std::function<int()> ask);
  /// Describes the CPUs: element i is logical CPU i (dense ids) and says its package, core and
  /// memory node, as dense ids of their own.
  struct Cpu {
    int package = 0;
    int core = 0;
    int memory = 0;
  };
  void set_cpus(std::vector<Cpu> cpus);
  /// The ids of `inner` parts that lie in part `outer_index` of `outer`; empty if they do not nest.
  /// A domain nests in itself and everything in the board.
  [[nodiscard]] std::vector<int> nested(Domain inner, Domain outer, int outer_index) const;
  [[nodiscard]] bool is_nested(Domain inner, Domain outer) const;

 private:
  static std::size_t index(Domain domain) { return static_cast<std::size_t>(domain); }
  // Changed by count(), when it asks: a Topology belongs to one thread.
  mutable std::array<int, kDomainCount> parents_count_{};
  mutable std::array<std::vector<std::function<int()>>, kDomainCount> asks_;
  std::vector<Cpu> cpus_;
};

/// One signal or control of one part: `NAME DOMAIN INDEX`.
struct Request {
  std::string name;
  Domain domain = Domain::board;
  int index = 0;

  friend bool operator==(const Request&, const Request&) = default;
};

/// "GPU_POWER-gpu-0"; board signals are the bare name, as in GEOPM's traces.
std::string column_name(const Request& request);
/// "GPU_POWER@gpu-0"; board signals are the bare name, as in GEOPM's reports.
std::string report_name(const Request& request);

/// "NAME" or "NAME@domain": an element of --signals, before it is expanded over the domain's parts.
struct SignalSpec {
  std::string name;
  std::optional<Domain> domain;
};
Result<SignalSpec> parse_signal_spec(std::string_view text);

}  // namespace mete
