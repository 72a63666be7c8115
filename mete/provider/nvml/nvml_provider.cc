// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_provider.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <unistd.h>

#include "mete/base/text.h"
#include "mete/provider/driver_thread.h"
#include "mete/provider/nvml/nvml_controls.h"
#include "mete/provider/nvml/nvml_source.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

constexpr const char* kDriverLibrary = "libnvidia-ml.so.1";
constexpr const char* kEverything = "GPU signals and controls (GPU_*)";

class NvmlProvider final : public Provider, public DeviceProcesses {
 public:
  explicit NvmlProvider(NvmlOptions options) : options_(std::move(options)) {
    info_.name = "nvml";
    info_.description = "NVIDIA GPUs, through the library of their driver (NVML)";
  }

  const ProviderInfo& info() const override {
    open_once();
    return info_;
  }
  void describe(Topology& topology) const override {
    topology.set_count_later(Domain::gpu, [this] { return gpu_count(); });
  }
  Result<int> push_signal(const Request& request) override;
  void read_batch(std::span<Reading> out) noexcept override;
  Controls* controls() override {
    open_once();
    return controls_ ? &*controls_ : nullptr;
  }
  DeviceProcesses* device_processes() override {
    open_once();
    return source_ != nullptr ? this : nullptr;
  }
  void read(std::vector<DeviceProcess>& out) noexcept override;
  [[nodiscard]] bool complete() const noexcept override { return processes_complete_; }

 private:
  // What is known of the GPUs is found out when first asked for; nobody sees the difference.
  void open_once() const { const_cast<NvmlProvider*>(this)->open(); }
  void open();
  Result<std::shared_ptr<NvmlSource>> open_source();
  [[nodiscard]] int gpu_count() const {
    open_once();
    return source_ != nullptr ? static_cast<int>(source_->gpus().size()) : 0;
  }
  void offer_signals();
  void offer_controls();
  [[nodiscard]] std::string describe_signal(const NvmlSignal& row) const;
  void absent(std::string what, std::string why, std::string next) {
    info_.absences.push_back({std::move(what), std::move(why), std::move(next)});
  }

  NvmlOptions options_;
  bool opened_ = false;
  ProviderInfo info_;
  std::vector<std::size_t> rows_;  // beside info_.signals: the place in the table
  DriverThread thread_;            // goes after what it works on
  std::shared_ptr<NvmlSource> source_;
  std::optional<NvmlControls> controls_;
  bool repeating_ = false;
  bool processes_complete_ = false;
};

Result<std::shared_ptr<NvmlSource>> NvmlProvider::open_source() {
  using Opened = Result<std::shared_ptr<NvmlSource>>;
  std::string library = options_.library;
  if (library.empty()) {
    if (options_.root.root() != "/") return fail(Errc::unavailable, "not this machine's root");
    library = kDriverLibrary;
    // A loader's search costs less than a thread.
    if (auto there = Library::open(library); !there) return there.error();
  }
  const auto opened = std::make_shared<std::optional<Opened>>();
  const auto patience = format_duration(to_seconds(options_.start_patience));
  const bool done = thread_.run(
      [opened, library] { *opened = NvmlSource::open(library); }, options_.start_patience,
      [&] {
        if (options_.notice) {
          options_.notice(fmt::format("waiting up to {} for the NVIDIA driver to start", patience));
        }
      });
  if (!done) {
    return fail(Errc::unavailable, "the NVIDIA driver did not start within {}", patience);
  }
  return std::move(**opened);
}

void NvmlProvider::open() {
  if (std::exchange(opened_, true)) return;
  auto source = open_source();
  if (source) {
    source_ = std::move(*source);
    offer_signals();
    offer_controls();
    return;
  }
  info_.available = false;
  const bool driver = options_.root.exists("/proc/driver/nvidia/version");
  const bool own = options_.library.empty();
  const bool loaded = source.error().what.find(kDriverLibrary) == std::string::npos;
  if (!own || (driver && loaded)) {
    absent(kEverything, source.error().what,
           "see what nvidia-smi says; a driver that was updated needs a reboot");
  } else if (driver) {
    absent(
        kEverything,
        fmt::format("an NVIDIA driver is loaded, but its library {} is not here", kDriverLibrary),
        "install it (Debian: libnvidia-ml1), or give the container the GPUs (--gpus all)");
  } else {
    absent(kEverything, "no NVIDIA driver here (no /proc/driver/nvidia/version)",
           "use a measured GPU: --board v100");
  }
}

/// What the value means depends on the GPU.
std::string NvmlProvider::describe_signal(const NvmlSignal& row) const {
  auto& gpus = source_->gpus();
  if (row.value == NvmlValue::energy_integrated && !gpus.front().has_power_samples())
    return "energy since the first reading, integrated from GPU_POWER as we read it";
  if (row.value != NvmlValue::power) return row.description;
  const auto signals = nvml_signals();
  for (std::size_t r = 0; r < signals.size(); ++r) {
    if (signals[r].value == NvmlValue::power_average && source_->tried(r, 0) == nvml::kSuccess)
      return "power of the whole board, mean of the last second";
  }
  if (gpus.front().architecture() <= nvml::kArchAmpere)
    return "power of the whole board at this moment, as its sensor shows it";
  return row.description;
}

void NvmlProvider::offer_signals() {
  const auto signals = nvml_signals();
  auto& gpus = source_->gpus();
  for (std::size_t r = 0; r < signals.size(); ++r) {
    std::size_t having = 0;
    bool divided = false;
    nvml::Return why = nvml::kNotSupported;
    for (std::size_t g = 0; g < gpus.size(); ++g) {
      if (source_->tried(r, g) == nvml::kSuccess) {
        ++having;
      } else {
        why = source_->tried(r, g);
        divided = divided || gpus[g].divided();
      }
    }
    if (having > 0) {
      SignalInfo info = signals[r].info();
      info.description = describe_signal(signals[r]);
      info_.signals.push_back(std::move(info));
      rows_.push_back(r);
      continue;
    }
    if (divided) {
      absent(signals[r].name,
             "the GPUs are divided into MIG instances, and NVML tells this of none of them",
             "read GPU_POWER and GPU_ENERGY, which are the whole board's; or DCGM's activities");
    } else {
      absent(signals[r].name,
             fmt::format("the NVIDIA driver says: {}", source_->library().words(why)),
             "a newer GPU or driver may have it; docs/providers/nvml.md says which");
    }
  }
  info_.available = !info_.signals.empty();
  if (!info_.available) {
    absent(kEverything, "no GPU answers",
           "see what nvidia-smi and dmesg say; a lost GPU needs a reset");
  }
}

void NvmlProvider::offer_controls() {
  if (!info_.available) return;
  const auto& gpus = source_->gpus();
  const NvmlLibrary& lib = source_->library();
  const bool clocks = lib.lock_clocks != nullptr && lib.unlock_clocks != nullptr &&
                      std::any_of(gpus.begin(), gpus.end(),
                                  [](const NvmlGpu& gpu) { return !gpu.clocks().empty(); });
  const bool power = lib.set_power_limit != nullptr &&
                     std::any_of(gpus.begin(), gpus.end(),
                                 [](const NvmlGpu& gpu) { return gpu.highest_limit() > 0; });
  if (clocks) {
    info_.controls.push_back({kGpuMinClockControl,
                              "lower end of the range the core clock is locked to", "Hz",
                              Domain::gpu, Aggregation::expect_same});
    info_.controls.push_back({kGpuMaxClockControl,
                              "upper end of the range the core clock is locked to", "Hz",
                              Domain::gpu, Aggregation::expect_same});
  } else {
    absent(fmt::format("{}, {}", kGpuMinClockControl, kGpuMaxClockControl),
           "these GPUs' clocks cannot be locked", "it needs a Volta GPU or newer");
  }
  if (power) {
    info_.controls.push_back(
        {kGpuPowerLimitControl, "power limit of the board", "W", Domain::gpu, Aggregation::sum});
  }
  if (info_.controls.empty()) return;
  controls_.emplace(thread_, source_, info_, options_.patience);
  if (::geteuid() != 0) {
    absent("the right to set GPU clocks and power limits",
           "the NVIDIA driver lets root alone set them",
           "run mete with sudo, or in a container with the capability SYS_ADMIN");
  }
}

Result<int> NvmlProvider::push_signal(const Request& request) {
  METE_TRY(const std::size_t at, find_signal(info(), request, gpu_count()));
  const std::size_t row = rows_[at];
  const NvmlSignal& signal = nvml_signals()[row];
  const auto g = static_cast<std::size_t>(request.index);
  const auto answer = std::make_shared<NvmlAnswer>();
  const bool done = thread_.run(
      [answer, value = signal.value, g, source = source_] {
        NvmlGpu& gpu = source->gpus()[g];
        const nvml::Return there = gpu.status() != nvml::kSuccess ? gpu.status() : gpu.alive();
        *answer = there == nvml::kSuccess ? gpu.read(value) : NvmlAnswer{there, 0};
      },
      options_.patience);
  const std::string& name = source_->gpus()[g].name();
  if (!done) {
    return fail(Errc::unavailable,
                "{}: gpu {} ({}): the NVIDIA driver does not answer; does nvidia-smi?",
                request.name, g, name);
  }
  if (!answer->ok() && errc_of(answer->status) != Errc::retry) {
    const bool divided = source_->gpus()[g].divided() && answer->status == nvml::kNotSupported;
    return fail(errc_of(answer->status), "{}: gpu {} ({}): {}", request.name, g, name,
                divided ? "it is divided into MIG instances, of which NVML does not tell it"
                        : "the NVIDIA driver says: " + source_->library().words(answer->status));
  }
  const int handle = source_->add(signal, g, reading_of(*answer));
  if (!std::exchange(repeating_, true))
    thread_.repeat([source = source_](bool asked) { return source->pass(asked); });
  return handle;
}

void NvmlProvider::read_batch(std::span<Reading> out) noexcept {
  if (source_ == nullptr) return;
  if (options_.wait > Nanoseconds(0)) thread_.pass_now(options_.wait);
  source_->take(out, options_.patience);
}

void NvmlProvider::read(std::vector<DeviceProcess>& out) noexcept {
  if (source_ == nullptr) return;
  source_->watch_processes(options_.wait > Nanoseconds(0));
  if (!std::exchange(repeating_, true))
    thread_.repeat([source = source_](bool asked) { return source->pass(asked); });
  if (options_.wait > Nanoseconds(0)) thread_.pass_now(options_.wait);
  processes_complete_ = source_->take_processes(out, options_.patience);
}

}  // namespace

std::unique_ptr<Provider> make_nvml_provider(NvmlOptions options) {
  return std::make_unique<NvmlProvider>(std::move(options));
}

}  // namespace mete
