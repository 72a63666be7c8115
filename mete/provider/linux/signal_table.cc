// Signals of the linux provider, as a table.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/signal_table.h"

#include <array>

namespace mete {
namespace {

constexpr double kKilohertz = 1e3;
constexpr double kMillidegree = 1e-3;
constexpr double kKibibyte = 1024;

using A = Aggregation;
using B = Behavior;
using K = LinuxKind;

constexpr std::array kSignals{
    LinuxSignal{"CPU_UTILIZATION",
                "Share of the time since the last reading that the CPU ran something; the kernel "
                "counts in steps "
                "of 10 ms",
                "1", Domain::cpu, A::average, B::variable, Source::sampled, K::usage, 1},
    LinuxSignal{"CPU_FREQUENCY_STATUS", "Frequency of the CPU's core, as cpufreq tells it", "Hz",
                Domain::cpu, A::average, B::variable, Source::sampled, K::file, kKilohertz},
    LinuxSignal{"CPU_FREQUENCY_MIN_AVAIL", "Lowest frequency the CPU can run at", "Hz", Domain::cpu,
                A::min, B::constant, Source::sampled, K::file, kKilohertz},
    LinuxSignal{"CPU_FREQUENCY_MAX_AVAIL", "Highest frequency the CPU can run at, turbo included",
                "Hz", Domain::cpu, A::max, B::constant, Source::sampled, K::file, kKilohertz},
    LinuxSignal{"CPU_FREQUENCY_STICKER",
                "Frequency the CPU is sold with: the highest it sustains without turbo", "Hz",
                Domain::cpu, A::max, B::constant, Source::sampled, K::file, kKilohertz},
    LinuxSignal{"CPU_FREQUENCY_MAX_CONTROL", "Highest frequency that cpufreq may choose now", "Hz",
                Domain::cpu, A::expect_same, B::variable, Source::sampled, K::file, kKilohertz},
    LinuxSignal{"CPU_FREQUENCY_MIN_CONTROL", "Lowest frequency that cpufreq may choose now", "Hz",
                Domain::cpu, A::expect_same, B::variable, Source::sampled, K::file, kKilohertz},
    LinuxSignal{"CPU_CORE_TEMPERATURE", "Temperature of the core", "°C", Domain::core, A::average,
                B::variable, Source::sampled, K::file, kMillidegree},
    LinuxSignal{"CPU_PACKAGE_TEMPERATURE", "Temperature of the package", "°C", Domain::package,
                A::average, B::variable, Source::sampled, K::file, kMillidegree},
    LinuxSignal{"MEMORY_TOTAL", "Memory that the kernel manages", "B", Domain::board, A::sum,
                B::constant, Source::sampled, K::memory_total, kKibibyte},
    LinuxSignal{"MEMORY_AVAILABLE",
                "Memory that programs could take without swapping, by the kernel's estimate", "B",
                Domain::board, A::sum, B::variable, Source::sampled, K::memory_available,
                kKibibyte},
    LinuxSignal{"MEMORY_USED",
                "Memory that programs could not take: MEMORY_TOTAL less MEMORY_AVAILABLE", "B",
                Domain::board, A::sum, B::variable, Source::sampled, K::memory_used, kKibibyte},
    LinuxSignal{"LOAD_AVERAGE",
                "Processes running or waiting for a CPU or a disk, over the last minute", "",
                Domain::board, A::select_first, B::variable, Source::sampled, K::load, 1},
};

}  // namespace

SignalInfo LinuxSignal::info() const {
  return {name, description, unit, domain, aggregation, behavior, source, Format::number};
}

std::span<const LinuxSignal> linux_signals() { return kSignals; }

const LinuxSignal& linux_signal(const char* name) {
  for (const LinuxSignal& signal : kSignals) {
    if (std::string_view(signal.name) == name) return signal;
  }
  return kSignals.front();
}

}  // namespace mete
