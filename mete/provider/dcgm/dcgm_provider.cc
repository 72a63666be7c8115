// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/dcgm/dcgm_provider.h"

#include <optional>
#include <utility>

#include "mete/base/text.h"
#include "mete/provider/dcgm/dcgm_source.h"
#include "mete/provider/driver_thread.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

constexpr std::array kLibraries{"libdcgm.so.4", "libdcgm.so.3"};

class DcgmProvider final : public Provider {
 public:
  explicit DcgmProvider(DcgmOptions options) : options_(std::move(options)) {
    info_.name = "dcgm";
    info_.description = "Activities of NVIDIA GPUs, through the host engine of DCGM";
  }

  const ProviderInfo& info() const override {
    open_once();
    return info_;
  }
  void describe(Topology& topology) const override {
    topology.set_count_later(Domain::gpu, [this] {
      open_once();
      return source_ != nullptr ? source_->gpu_count() : 0;
    });
  }
  Result<int> push_signal(const Request& request) override;
  void read_batch(std::span<Reading> out) noexcept override {
    if (source_ == nullptr) return;
    if (options_.wait > Nanoseconds(0)) thread_.pass_now(options_.wait);
    source_->take(out, options_.patience);
  }

 private:
  // Found out when first asked for; nobody sees the difference.
  void open_once() const { const_cast<DcgmProvider*>(this)->open(); }
  void open();
  Result<std::shared_ptr<DcgmSource>> open_source();
  void offer();
  void absent_altogether(const Error& error);

  DcgmOptions options_;
  bool opened_ = false;
  ProviderInfo info_;
  std::vector<std::size_t> rows_;  // beside info_.signals: the place in the table
  DriverThread thread_;            // goes after what it works on
  std::shared_ptr<DcgmSource> source_;
  bool repeating_ = false;
};

Result<std::shared_ptr<DcgmSource>> DcgmProvider::open_source() {
  using Opened = Result<std::shared_ptr<DcgmSource>>;
  std::string library = options_.library;
  if (library.empty()) {
    const bool here = options_.root.root() == "/";
    for (const char* name : kLibraries) {
      if (here && library.empty() && Library::open(name)) library = name;
    }
    if (library.empty()) return fail(Errc::unavailable, "DCGM is not installed (no libdcgm)");
  }
  const auto opened = std::make_shared<std::optional<Opened>>();
  const auto patience = format_duration(to_seconds(options_.start_patience));
  const bool done =
      thread_.run([opened, library,
                   address = options_.address] { *opened = DcgmSource::open(library, address); },
                  options_.start_patience,
                  [&] {
                    if (options_.notice) {
                      options_.notice(fmt::format("waiting up to {} for DCGM to answer", patience));
                    }
                  });
  if (!done) {
    return fail(Errc::unavailable, "DCGM did not answer within {}", patience);
  }
  return std::move(**opened);
}

void DcgmProvider::absent_altogether(const Error& error) {
  std::vector<std::string> names;
  for (const auto& signal : dcgm_signals()) names.emplace_back(signal.name);
  info_.available = false;
  const bool installed = error.what.find("not installed") == std::string::npos;
  info_.absences.push_back(
      {join(names, ", "), error.what,
       installed ? "start it: sudo systemctl start nvidia-dcgm (or: sudo nv-hostengine)"
                 : "for a data-centre GPU install datacenter-gpu-manager-4-core; or use a "
                   "measured GPU: --board v100"});
}

void DcgmProvider::open() {
  if (std::exchange(opened_, true)) return;
  auto source = open_source();
  if (!source) {
    absent_altogether(source.error());
    return;
  }
  source_ = std::move(*source);
  offer();
}

void DcgmProvider::offer() {
  const auto signals = dcgm_signals();
  for (std::size_t row = 0; row < signals.size(); ++row) {
    const dcgm::Return tried = source_->tried(row);
    if (tried == dcgm::kOk) {
      info_.signals.push_back({signals[row].name, signals[row].description, "1", Domain::gpu,
                               Aggregation::average, Behavior::variable, Source::sampled,
                               Format::number});
      rows_.push_back(row);
      continue;
    }
    const bool rights = errc_of(tried) == Errc::denied;
    info_.absences.push_back(
        {signals[row].name, fmt::format("DCGM says: {}", source_->library().words(tried)),
         rights ? "run the host engine (nv-hostengine) as root"
                : "it needs a data-centre GPU, and no other profiler at work on it"});
  }
  info_.available = !info_.signals.empty();
}

Result<int> DcgmProvider::push_signal(const Request& request) {
  const ProviderInfo& known = info();
  METE_TRY(const std::size_t at,
           find_signal(known, request, source_ != nullptr ? source_->gpu_count() : 0));
  const std::size_t row = rows_[at];
  const auto first = std::make_shared<std::optional<Result<Reading>>>();
  const bool done = thread_.run(
      [first, row, gpu = request.index, source = source_] { *first = source->begin(row, gpu); },
      options_.patience);
  if (!done) {
    return fail(Errc::unavailable, "{}: gpu {}: DCGM does not answer; does dcgmi dmon?",
                request.name, request.index);
  }
  METE_TRY(const Reading reading, std::move(**first));
  const int handle = source_->add(row, request.index, reading);
  if (!std::exchange(repeating_, true))
    thread_.repeat([source = source_](bool) { return source->pass(); });
  return handle;
}

}  // namespace

std::unique_ptr<Provider> make_dcgm_provider(DcgmOptions options) {
  return std::make_unique<DcgmProvider>(std::move(options));
}

}  // namespace mete
