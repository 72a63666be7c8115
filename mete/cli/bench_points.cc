// The grid of `mete bench gemm`. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/bench_parts.h"
#include "mete/kernel/gemm.h"
#include "mete/study/efficiency/board_bench.h"

namespace mete {
namespace {

/// "1024" or "1024x96".
Result<std::pair<std::uint64_t, std::uint64_t>> parse_size(const std::string& text) {
  const auto cross = text.find('x');
  const auto rows = parse_int(text.substr(0, cross));
  const auto depth = cross == std::string::npos ? rows : parse_int(text.substr(cross + 1));
  constexpr std::int64_t kLargest = 1 << 20;
  if (!rows || !depth || *rows < 1 || *depth < 1 || *rows > kLargest || *depth > kLargest) {
    return fail(Errc::invalid, "--size {}: expected N, or ROWSxDEPTH, each from 1 to {}", text,
                kLargest);
  }
  return std::pair(static_cast<std::uint64_t>(*rows), static_cast<std::uint64_t>(*depth));
}

Result<bool> tensor_named(const std::string& text) {
  if (text == "on" || text == "tensor") return true;
  if (text == "off" || text == "nontensor") return false;
  return fail(Errc::invalid, "--tensor {}: there are on and off", text);
}

/// A CPU's small types run on its matrix units where there are any: nothing to ask for.
bool on_matrix_units(GemmType type) { return type != GemmType::f32 && type != GemmType::f64; }

/// "tensor" and "nontensor" as they are to be asked for with this type.
Result<std::vector<std::string>> tensor_settings(const BenchOptions& options, GemmType type) {
  const bool cpu = options.device == "cpu";
  if (options.tensor.empty()) {
    if (cpu) return std::vector<std::string>{on_matrix_units(type) ? "tensor" : "nontensor"};
    if (type == GemmType::tf32) return std::vector<std::string>{"tensor"};
    return std::vector<std::string>{"nontensor", "tensor"};
  }
  std::vector<std::string> out;
  for (const auto& text : options.tensor) {
    METE_TRY(const bool on, tensor_named(text));
    if (cpu && on != on_matrix_units(type)) {
      return fail(Errc::unsupported,
                  "--tensor {}: on a CPU the type decides (bf16 and int8 take its matrix units, "
                  "float and double do not); leave --tensor out",
                  text);
    }
    if (!on && type == GemmType::tf32)
      return fail(Errc::unsupported,
                  "--tensor off: tf32 is what tensor cores make of floats; use float");
    out.emplace_back(on ? "tensor" : "nontensor");
  }
  return out;
}

}  // namespace

std::string device_label(const BenchOptions& options) {
  return options.library == "auto" ? options.device : options.device + ":" + options.library;
}

Result<int> cuda_index(const std::string& device) {
  if (device == "cuda") return 0;
  const auto index = device.starts_with("cuda:") ? parse_int(device.substr(5)) : std::nullopt;
  if (!index || *index < 0 || *index > 1023)
    return fail(Errc::invalid, "no device '{}': GPUs are cuda:0, cuda:1, ..", device);
  return static_cast<int>(*index);
}

Result<std::vector<GemmPoint>> machine_points(const BenchOptions& options,
                                              const std::vector<double>& clocks) {
  const bool cpu = options.device == "cpu";
  const auto usual =
      cpu ? std::vector<std::string>{"float", "double"}
          : std::vector<std::string>{"half", "bf16", "float", "tf32", "double", "int8"};
  const auto types = options.types.empty() ? usual : options.types;
  const auto sizes = options.sizes.empty() ? std::vector<std::string>{"256", "512", "1024", "2048"}
                                           : options.sizes;
  std::vector<GemmPoint> points;
  for (const auto& type : types) {
    METE_TRY(const auto known, gemm_type_named(type));
    METE_TRY(const auto settings, tensor_settings(options, known));
    for (const auto& size : sizes) {
      METE_TRY(const auto shape, parse_size(size));
      for (const auto& tensor : settings) {
        for (const double clock : clocks.empty() ? std::vector<double>{0} : clocks)
          points.push_back({device_label(options), type, tensor, shape.first, shape.second, clock});
      }
    }
  }
  return points;
}

Result<std::vector<GemmPoint>> board_points(const BenchOptions& options, const Machine& machine) {
  auto points = board_gemm_points(machine.board(), machine.clocks());
  if (points.empty())
    return fail(Errc::invalid, "board {} has no matrix multiplies", machine.board().name);
  std::vector<double> clocks;
  for (const auto& text : options.frequencies) {
    METE_TRY(const double hertz, parse_quantity(text, "Hz"));
    const auto& known = machine.clocks();
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](double c) { return std::abs(c - hertz) <= 0.5e6; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const double c : known) names.push_back(fmt::format("{:.2f}", c / 1e6));
      return fail(Errc::invalid, "--frequency {}: board {} has, in MHz: {}", text,
                  machine.board().name, join(names, " "));
    }
    clocks.push_back(*found);
  }
  std::vector<std::string> sizes;
  for (const auto& text : options.sizes) {
    METE_TRY(const auto shape, parse_size(text));
    sizes.push_back(GemmPoint{"", "", "", shape.first, shape.second, 0}.size_text());
  }
  for (const auto& tensor : options.tensor) {
    METE_TRY(const bool on, tensor_named(tensor));
    if (on) {
      return fail(Errc::unsupported,
                  "--tensor on: board {} has no tensor cores that ran: its "
                  "makers' study never reached them; leave --tensor off",
                  machine.board().name);
    }
  }
  const auto wanted = [](const auto& list, const auto& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  std::erase_if(points, [&](const GemmPoint& point) {
    return !wanted(options.types, point.dtype) || !wanted(sizes, point.size_text()) ||
           !wanted(clocks, point.frequency);
  });
  if (points.empty()) {
    return fail(Errc::invalid,
                "board {} measured none of these types and sizes; `mete list kernels --board {}` "
                "shows what",
                machine.board().name, machine.board().name);
  }
  return points;
}

}  // namespace mete
