// Linear programs, and the seam between mete and the library that solves them. CLP and CBC pull in
// OpenBLAS, so they live in a plugin, lib/mete_clp.so, which is opened when a solver needs it
// (docs/adr/0002 has the reasons; the same hold here). Nothing below throws; everything runs on the
// calling thread. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mete/base/interrupt.h"
#include "mete/base/result.h"

namespace mete {

inline constexpr int kLpPluginAbi = 2;  ///< counts up whenever anything in this header changes
inline constexpr double kLpInfinity = std::numeric_limits<double>::max();

/// Minimise cost · x with row_lower ≤ A x ≤ row_upper and lower ≤ x ≤ upper. A by columns.
struct LpModel {
  std::vector<double> cost, lower, upper;
  std::vector<double> row_lower, row_upper;
  std::vector<int> start;  ///< one more than columns
  std::vector<int> row;
  std::vector<double> value;

  [[nodiscard]] std::size_t columns() const { return cost.size(); }
  [[nodiscard]] std::size_t rows() const { return row_lower.size(); }
};

/// Collects a model's entries in any order.
class LpBuilder {
 public:
  int add_column(double cost, double lower, double upper);
  int add_row(double lower, double upper);
  void add(int row, int column, double value);
  void add_cost(int column, double cost);
  void set_row_lower(int row, double lower);
  /// The model; the builder is spent.
  LpModel finish();

 private:
  struct Entry {
    int row;
    int column;
    double value;
  };
  LpModel model_;
  std::vector<Entry> entries_;
};

struct LpSolution {
  std::vector<double> x;
  std::vector<double> row_price;  ///< dual values: ≥ 0 where the lower bound holds, ≤ 0 the upper
  std::int64_t iterations = 0;    ///< of the simplex method, in this solve
};

/// The least that cost · x can be, proven by any row prices whatever: the Lagrangian bound. It
/// trusts nothing of the library that found them. Every column needs finite bounds.
double proven_bound(const LpModel& model, std::span<const double> row_price);

/// A model under solution; later solves start from the last basis.
class LpSession {
 public:
  virtual ~LpSession() = default;
  virtual void set_row_upper(int row, double upper) = 0;
  virtual void set_column_bounds(int column, double lower, double upper) = 0;
  /// `unsupported` if nothing satisfies the rows, `gone` if interrupted.
  virtual Result<LpSolution> solve(const Interrupt& interrupt) = 0;
};

struct IntegerSolution {
  std::vector<double> x;  ///< empty if none was found in time
  double bound = 0;       ///< no integer solution costs less
  std::int64_t nodes = 0;
};

class LpRuntime {
 public:
  virtual ~LpRuntime() = default;
  [[nodiscard]] virtual std::string version() const = 0;  ///< "CLP 1.17.6, CBC 2.10.8"
  virtual Result<std::unique_ptr<LpSession>> start(const LpModel& model) = 0;
  /// Branch and bound over the columns marked in `integer`, until (cost - bound) / cost is below
  /// `gap` or `seconds` have passed. In a process of its own: `gone`, at once, if interrupted.
  virtual Result<IntegerSolution> solve_integer(const LpModel& model,
                                                const std::vector<bool>& integer, double gap,
                                                double seconds, const Interrupt& interrupt) = 0;
};

/// The plugin's one function: nullptr if it was built for another ABI or another mete.
inline constexpr const char* kLpPluginSymbol = "mete_lp_runtime";

/// Opens the plugin, looked for in $METE_PLUGIN_DIR, then beside the program. It stays open until
/// the process ends. `unavailable`, with the next step, where there is none. Call it before other
/// threads are started: while loading, the environment tells OpenBLAS to start no threads.
Result<LpRuntime*> open_lp_runtime();

}  // namespace mete
