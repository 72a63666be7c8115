// MetricsServer: just enough HTTP/1.1 for a collector to GET /metrics, and nothing that a hostile
// client could use: fixed limits on connections, bytes and time, one thread, one poll. It answers
// from text that it is given; no request reaches a device.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/cli/export_text.h"

namespace mete {

struct ListenAddress {
  std::string host;  ///< numeric
  std::uint16_t port = 0;
};
/// "127.0.0.1:9464", "localhost:9464", "[::1]:9464"; port 0 is any free one.
Result<ListenAddress> parse_listen_address(std::string_view text);

using MetricsPage = std::function<std::string(MetricsFormat)>;

/// The whole answer to the head of a request (up to and with its empty line). Anything but
/// GET /metrics gets a status of 4xx.
std::string http_answer(std::string_view head, const MetricsPage& page);

class MetricsServer {
 public:
  static constexpr std::size_t kMostConnections = 32;
  static constexpr std::size_t kMostHeadBytes = 8192;
  static constexpr Nanoseconds kPatience = std::chrono::seconds(5);  ///< for a whole exchange

  /// Binds at once, so that a port in use is told before anything else happens.
  static Result<MetricsServer> listen(const ListenAddress& address);
  MetricsServer(MetricsServer&& other) noexcept;
  MetricsServer& operator=(MetricsServer&&) = delete;
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  /// Answers requests until `deadline`, or until `interrupt` asks to stop.
  void serve_until(Nanoseconds deadline, const Clock& clock, const Interrupt& interrupt,
                   const MetricsPage& page);

  /// "http://127.0.0.1:9464/metrics", with the port that was found.
  [[nodiscard]] const std::string& url() const { return url_; }
  /// False: others on the network can read it.
  [[nodiscard]] bool loopback() const { return loopback_; }

 private:
  struct Connection {
    int fd = -1;
    Nanoseconds deadline{0};
    std::string in;
    std::string out;
    std::size_t sent = 0;
    std::size_t drained = 0;  // bytes thrown away after the answer
    bool done = false;
  };
  MetricsServer(int fd, std::string url, bool loopback)
      : fd_(fd), url_(std::move(url)), loopback_(loopback) {}
  void accept_all(Nanoseconds now);
  static void receive(Connection& connection, const MetricsPage& page);
  static void send(Connection& connection);
  void sweep(Nanoseconds now);

  int fd_ = -1;
  std::string url_;
  bool loopback_ = true;
  Nanoseconds accept_after_{0};
  std::vector<Connection> connections_;  // oldest first
};

}  // namespace mete
