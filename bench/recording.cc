// What recording costs: 4 RAPL zones of a machine made of files, 2 GPUs made up, 20 processes, at
// 10 Hz and at 1 kHz. Bars: 0.2 % and 5 % of a core. Processes are looked at each 100 ms, as `mete
// run` does: the kernel counts their time in steps of 10 ms.
//
//   build/release/bin/recording [RUNS=5] [SECONDS=5]
//
// The runs at 10 Hz take four times as long: starting and ending costs some 10 ms, whatever the
// rate.
//
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/stats.h"
#include "mete/measure/child_workload.h"
#include "mete/measure/recorder.h"
#include "mete/measure/session.h"
#include "mete/provider/rapl/rapl_provider.h"
#include "mete/provider/time/time_provider.h"
#include "mete/signal/device_processes.h"

namespace {

using namespace mete;
namespace fs = std::filesystem;

/// Two packages with their DRAM.
void make_zones(const std::string& root) {
  const auto put = [&root](const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text << "\n";
  };
  for (int i = 0; i < 2; ++i) {
    const auto package = fmt::format("/sys/class/powercap/intel-rapl:{}", i);
    for (const auto& [zone, name] :
         {std::pair{package, fmt::format("package-{}", i)},
          std::pair{fmt::format("{}/intel-rapl:{}:0", package, i), std::string("dram")}}) {
      put(zone + "/name", name);
      put(zone + "/energy_uj", "123456789");
      put(zone + "/max_energy_range_uj", "262143328850");
    }
    fs::create_directory_symlink(root + fmt::format("{}/intel-rapl:{}:0", package, i),
                                 root + fmt::format("/sys/class/powercap/intel-rapl:{}:0", i));
  }
}

class TwoGpus final : public Provider, public DeviceProcesses {
 public:
  TwoGpus() {
    info_.name = "made-up";
    for (const char* name : {"GPU_ENERGY", "GPU_POWER", "GPU_UTILIZATION"}) {
      SignalInfo row;
      row.name = name;
      row.domain = Domain::gpu;
      row.unit = name == std::string("GPU_ENERGY") ? "J" : "W";
      row.aggregation = Aggregation::sum;
      row.behavior = name == std::string("GPU_ENERGY") ? Behavior::monotone : Behavior::variable;
      info_.signals.push_back(row);
    }
  }
  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& topology) const override { topology.set_count(Domain::gpu, 2); }
  Result<int> push_signal(const Request& request) override {
    energy_.push_back(request.name == "GPU_ENERGY");
    return static_cast<int>(energy_.size()) - 1;
  }
  void read_batch(std::span<Reading> out) noexcept override {
    ++reads_;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = {energy_[i] ? 0.123 * static_cast<double>(reads_) : 0.5, std::nullopt};
    }
  }
  DeviceProcesses* device_processes() override { return this; }
  void read(std::vector<DeviceProcess>& out) noexcept override {
    out.assign({{0, ::getpid(), 0.1, 1e9}, {1, ::getpid(), 0.2, 1e9}});
  }
  [[nodiscard]] bool complete() const noexcept override { return true; }

 private:
  ProviderInfo info_;
  std::vector<bool> energy_;
  std::int64_t reads_ = 0;
};

Result<RunResult> run_once(double hertz, double seconds, const std::string& root) {
  SteadyClock clock;
  const NoInterrupt interrupt;
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_time_provider(clock, clock.now()));
  providers.push_back(make_rapl_provider(SysRoot(root), clock));
  providers.push_back(std::make_unique<TwoGpus>());
  Platform platform(std::move(providers));
  RecorderOptions recorder;
  recorder.directory = root + "/out";
  recorder.scope = ProcessScope{ProcessScope::Kind::children, ::getpid(), {}, ""};
  Recorder observer(recorder, SysRoot(), clock, nullptr);
  SessionOptions options;
  options.period = from_seconds(1 / hertz);
  options.observer = &observer;
  ChildWorkload child({"sh", "-c",
                       fmt::format("i=0; while [ $i -lt 19 ]; do sleep {0} & i=$((i+1)); done; "
                                   "sleep {0}; wait",
                                   seconds)},
                      clock, interrupt);
  return Session(platform, clock, interrupt, "").run(child, nullptr, options);
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  const double seconds = argc > 2 ? std::max(0.2, std::atof(argv[2])) : 5;
  char root[] = "/tmp/mete-bench-recording-XXXXXX";
  if (::mkdtemp(root) == nullptr) return 1;
  make_zones(root);
  int failed = 0;
  for (const double hertz : {10.0, 1000.0}) {
    std::vector<double> shares;
    for (int i = 0; i < runs; ++i) {
      const auto result = run_once(hertz, hertz < 100 ? 4 * seconds : seconds, root);
      if (!result) {
        fmt::print(stderr, "recording: {}\n", result.error().what);
        failed = 1;
        break;
      }
      if (i == 0) {
        fmt::print("{} Hz: package {:.0f} J, dram {:.0f} J, gpu {:.3f} J; {} warnings\n", hertz,
                   result->total("CPU_ENERGY"), result->total("DRAM_ENERGY"),
                   result->total("GPU_ENERGY"), result->warnings.size());
      }
      shares.push_back(100 * result->loop.cpu_share);
    }
    if (shares.empty()) continue;
    std::sort(shares.begin(), shares.end());
    fmt::print("  share of a core: median {:.3f} %   lowest {:.3f}   highest {:.3f}   bar {} %\n",
               median_of(shares), shares.front(), shares.back(), hertz > 100 ? 5.0 : 0.2);
  }
  fs::remove_all(root);
  return failed;
}
