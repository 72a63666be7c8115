// The plugin mete_clp.so: linear programs on CLP, integer programs on CBC. The only file that
// includes their headers. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstring>
#include <exception>

#include <coin/CbcConfig.h>
#include <coin/Cbc_C_Interface.h>
#include <coin/ClpConfig.h>
#include <coin/ClpEventHandler.hpp>
#include <coin/ClpSimplex.hpp>

#include "mete/placement/clp/child_answer.h"
#include "mete/placement/lp.h"

namespace mete {
namespace {

constexpr int kStop = 5;             // CLP: "stopped by event handler"
constexpr int kContinue = -1;        // CLP: go on
constexpr int kKeepFactors = 1 + 2;  // CLP: keep the work areas, start from the old factorisation
constexpr int kOptimal = 0;
constexpr int kInfeasible = 1;

/// Lets Ctrl-C end a long solve.
class StopOnInterrupt final : public ClpEventHandler {
 public:
  explicit StopOnInterrupt(const Interrupt* interrupt) : interrupt_(interrupt) {}
  int event(Event /*which*/) override {
    return interrupt_ != nullptr && interrupt_->signal() != 0 ? kStop : kContinue;
  }
  [[nodiscard]] ClpEventHandler* clone() const override { return new StopOnInterrupt(*this); }

 private:
  const Interrupt* interrupt_;
};

std::vector<double> copied(const double* values, std::size_t n) { return {values, values + n}; }

class ClpSession final : public LpSession {
 public:
  explicit ClpSession(const LpModel& model) : columns_(model.columns()), rows_(model.rows()) {
    clp_.setLogLevel(0);
    clp_.loadProblem(static_cast<int>(columns_), static_cast<int>(rows_), model.start.data(),
                     model.row.data(), model.value.data(), model.lower.data(), model.upper.data(),
                     model.cost.data(), model.row_lower.data(), model.row_upper.data());
    clp_.setPerturbation(50);  // CLP's own choice: these programs are very degenerate
  }

  void set_row_upper(int row, double upper) override {
    clp_.setRowBounds(row, clp_.rowLower()[row], upper);
  }
  void set_column_bounds(int column, double lower, double upper) override {
    clp_.setColumnBounds(column, lower, upper);
  }

  Result<LpSolution> solve(const Interrupt& interrupt) override {
    try {
      StopOnInterrupt handler(&interrupt);
      clp_.passInEventHandler(&handler);
      if (solved_) {
        clp_.setPerturbation(100);  // none: the last basis is nearly optimal
        clp_.dual(0, kKeepFactors);
      } else {
        clp_.dual();
      }
      solved_ = true;
      StopOnInterrupt none(nullptr);  // `interrupt` need not outlive this call
      clp_.passInEventHandler(&none);
    } catch (const std::exception& error) {
      return fail(Errc::internal, "CLP threw: {}", error.what());
    } catch (...) {  // CLP throws classes and pointers of its own
      return fail(Errc::internal, "CLP refused the linear program");
    }
    if (interrupt.signal() != 0) return fail(Errc::gone, "interrupted");
    if (clp_.status() == kInfeasible) {
      return fail(Errc::unsupported, "nothing satisfies the linear program");
    }
    if (clp_.status() != kOptimal) {
      return fail(Errc::failed, "CLP gave up on the linear program (status {})", clp_.status());
    }
    return LpSolution{.x = copied(clp_.primalColumnSolution(), columns_),
                      .row_price = copied(clp_.dualRowSolution(), rows_),
                      .iterations = clp_.numberIterations()};
  }

 private:
  ClpSimplex clp_;
  bool solved_ = false;
  std::size_t columns_;
  std::size_t rows_;
};

class CbcHandle {
 public:
  CbcHandle() : model_(Cbc_newModel()) {}
  CbcHandle(const CbcHandle&) = delete;
  CbcHandle& operator=(const CbcHandle&) = delete;
  ~CbcHandle() { Cbc_deleteModel(model_); }
  [[nodiscard]] Cbc_Model* get() const { return model_; }

 private:
  Cbc_Model* model_;
};

class ClpRuntime final : public LpRuntime {
 public:
  [[nodiscard]] std::string version() const override {
    return fmt::format("CLP {}, CBC {}", CLP_VERSION, CBC_VERSION);
  }

  Result<std::unique_ptr<LpSession>> start(const LpModel& model) override {
    try {
      return std::unique_ptr<LpSession>(std::make_unique<ClpSession>(model));
    } catch (const std::exception& error) {
      return fail(Errc::internal, "CLP threw: {}", error.what());
    } catch (...) {
      return fail(Errc::internal, "CLP refused the linear program");
    }
  }

  Result<IntegerSolution> solve_integer(const LpModel& model, const std::vector<bool>& integer,
                                        double gap, double seconds,
                                        const Interrupt& interrupt) override {
    return answer_of_child([&] { return branch_and_bound(model, integer, gap, seconds); },
                           interrupt);
  }

 private:
  static Result<IntegerSolution> branch_and_bound(const LpModel& model,
                                                  const std::vector<bool>& integer, double gap,
                                                  double seconds) {
    try {
      const CbcHandle handle;
      Cbc_Model* cbc = handle.get();
      Cbc_setParameter(cbc, "log", "0");
      Cbc_loadProblem(cbc, static_cast<int>(model.columns()), static_cast<int>(model.rows()),
                      model.start.data(), model.row.data(), model.value.data(), model.lower.data(),
                      model.upper.data(), model.cost.data(), model.row_lower.data(),
                      model.row_upper.data());
      for (std::size_t c = 0; c < integer.size(); ++c) {
        if (integer[c]) Cbc_setInteger(cbc, static_cast<int>(c));
      }
      Cbc_setParameter(cbc, "ratioGap", fmt::format("{:g}", gap).c_str());
      Cbc_setParameter(cbc, "timeMode", "elapsed");
      Cbc_setParameter(cbc, "seconds", fmt::format("{:g}", seconds).c_str());
      Cbc_solve(cbc);
      if (Cbc_isProvenInfeasible(cbc) != 0) {
        return fail(Errc::unsupported, "nothing satisfies the integer program");
      }
      IntegerSolution out;
      out.bound = Cbc_getBestPossibleObjValue(cbc);
      out.nodes = Cbc_getNodeCount(cbc);
      const double cost = Cbc_getObjValue(cbc);
      if (std::abs(cost) < 1e50) out.x = copied(Cbc_getColSolution(cbc), model.columns());
      return out;
    } catch (const std::exception& error) {
      return fail(Errc::internal, "CBC threw: {}", error.what());
    } catch (...) {
      return fail(Errc::internal, "CBC refused the integer program");
    }
  }
};

}  // namespace
}  // namespace mete

extern "C" __attribute__((visibility("default"))) mete::LpRuntime* mete_lp_runtime(
    int abi, const char* mete_version) {
  if (abi != mete::kLpPluginAbi || std::strcmp(mete_version, METE_VERSION) != 0) return nullptr;
  static mete::ClpRuntime runtime;
  return &runtime;
}
