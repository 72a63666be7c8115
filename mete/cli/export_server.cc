// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/export_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kPath = "/metrics";
/// What a client may still send after it was answered, before it is hung up on.
constexpr std::size_t kMostDrained = std::size_t{64} << 10U;
constexpr int kBacklog = 64;

std::string answer(std::string_view status, std::string_view type, std::string_view body,
                   std::string_view more = {}) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n"
      "X-Content-Type-Options: nosniff\r\n{}\r\n{}",
      status, type, body.size(), more, body);
}

std::string refusal(std::string_view status, std::string_view why, std::string_view more = {}) {
  return answer(status, "text/plain; charset=utf-8", fmt::format("{}\n", why), more);
}

/// The value of the header of that name, or "".
std::string_view header(std::string_view head, std::string_view name) {
  for (auto line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && iequals(line.substr(0, colon), name)) {
      return trim(line.substr(colon + 1));
    }
  }
  return {};
}

bool is_complete(std::string_view in) {
  return in.find("\r\n\r\n") != std::string_view::npos || in.find("\n\n") != std::string_view::npos;
}

bool is_loopback(const sockaddr* address) {
  constexpr std::uint32_t kLoopbackNet = 127;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return ntohl(v4->sin_addr.s_addr) >> 24U == kLoopbackNet;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

std::string shown(const std::string& host, int port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Error refused_address(const ListenAddress& address, int error) {
  const std::string where = shown(address.host, address.port);
  switch (error) {
    case EADDRINUSE:
      return fail(Errc::failed,
                  "{} is in use by another program; choose another port, as in --listen {}", where,
                  shown(address.host, address.port == 65535 ? 0 : address.port + 1));
    case EADDRNOTAVAIL:
      return fail(Errc::invalid, "--listen {}: this machine has no such address", where);
    case EACCES:
      return fail(Errc::denied, "--listen {}: ports below 1024 are root's; choose a higher one",
                  where);
    default:
      return fail(Errc::failed, "--listen {}: {}", where, errno_text(error));
  }
}

int port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return bound.ss_family == AF_INET
             ? ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port)
             : ntohs(reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port);
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  constexpr std::int64_t kMostPort = 65535;
  const auto wrong = [text](std::string_view why) {
    return fail(Errc::invalid,
                "--listen '{}': {}; expected ADDRESS:PORT, as in 127.0.0.1:9464, [::1]:9464, or "
                "0.0.0.0:9464 for every interface",
                text, why);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("has no port");
  const auto port = parse_int(text.substr(colon + 1));
  if (!port || *port < 0 || *port > kMostPort) return wrong("a port is a number up to 65535");
  std::string_view host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong("an IPv6 address goes in brackets");
  }
  if (host.empty()) return wrong("has no address");
  ListenAddress out{std::string(iequals(host, "localhost") ? "127.0.0.1" : host),
                    static_cast<std::uint16_t>(*port)};
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (::inet_pton(AF_INET, out.host.c_str(), ignored.data()) != 1 &&
      ::inet_pton(AF_INET6, out.host.c_str(), ignored.data()) != 1) {
    return wrong("an address is numeric");
  }
  return out;
}

std::string http_answer(std::string_view head, const MetricsPage& page) {
  const auto line = trim(head.substr(0, head.find('\n')));
  const auto words = split(line, ' ');
  const bool plain =
      std::all_of(line.begin(), line.end(), [](char c) { return c > 31 && c < 127; });
  if (!plain || words.size() != 3 || words[0].empty() || !words[2].starts_with("HTTP/1.")) {
    return refusal("400 Bad Request", "expected: GET /metrics HTTP/1.1");
  }
  if (words[0] != "GET") {
    return refusal("405 Method Not Allowed", "only GET /metrics is answered", "Allow: GET\r\n");
  }
  // A query is the collector's own business (`params` in Prometheus): it changes nothing.
  if (words[1].substr(0, words[1].find('?')) != kPath) {
    return refusal("404 Not Found", "only /metrics is here");
  }
  const bool open =
      header(head, "Accept").find("application/openmetrics-text") != std::string_view::npos;
  const auto format = open ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
  return answer("200 OK", content_type(format), page(format), "Cache-Control: no-store\r\n");
}

Result<MetricsServer> MetricsServer::listen(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* list = nullptr;
  const int bad =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (bad != 0 || list == nullptr) {
    return fail(Errc::invalid, "--listen {}: {}", shown(address.host, address.port),
                ::gai_strerror(bad));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  const int fd = ::socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return refused_address(address, errno);
  const int on = 1;  // a port of which only old connections are left may be taken again
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, list->ai_addr, list->ai_addrlen) != 0 || ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return refused_address(address, error);
  }
  return MetricsServer(fd, fmt::format("http://{}{}", shown(address.host, port_of(fd)), kPath),
                       is_loopback(list->ai_addr));
}

MetricsServer::MetricsServer(MetricsServer&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      url_(std::move(other.url_)),
      loopback_(other.loopback_),
      accept_after_(other.accept_after_),
      connections_(std::exchange(other.connections_, {})) {}

MetricsServer::~MetricsServer() {
  for (const auto& connection : connections_) ::close(connection.fd);
  if (fd_ >= 0) ::close(fd_);
}

void MetricsServer::accept_all(Nanoseconds now) {
  constexpr Nanoseconds kPause = std::chrono::milliseconds(100);
  for (std::size_t i = 0; i < kMostConnections; ++i) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      const int error = errno;
      // Out of descriptors: a look at once would only find the same.
      if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) {
        accept_after_ = now + kPause;
      }
      return;
    }
    // The one that has waited longest goes: clients that never finish must not keep others out.
    if (connections_.size() == kMostConnections) {
      ::close(connections_.front().fd);
      connections_.erase(connections_.begin());
    }
    connections_.push_back({.fd = fd, .deadline = now + kPatience, .in = {}, .out = {}});
  }
}

void MetricsServer::receive(Connection& connection, const MetricsPage& page) {
  std::array<char, 4096> buffer;
  const ssize_t n = ::recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    connection.done = true;
    return;
  }
  const auto got = static_cast<std::size_t>(n);
  if (!connection.out.empty()) {  // answered: what still comes is read, so that the answer arrives
    connection.drained += got;
    connection.done = connection.drained > kMostDrained;
    return;
  }
  connection.in.append(buffer.data(), got);
  if (connection.in.size() > kMostHeadBytes) {
    connection.out = refusal("431 Request Header Fields Too Large", "more than 8 KiB of headers");
  } else if (is_complete(connection.in)) {
    connection.out = http_answer(connection.in, page);
  } else {
    return;
  }
  connection.in.clear();
  send(connection);
}

void MetricsServer::send(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const ssize_t n = ::send(connection.fd, connection.out.data() + connection.sent,
                             connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR) connection.done = true;
      return;
    }
    connection.sent += static_cast<std::size_t>(n);
  }
  ::shutdown(connection.fd, SHUT_WR);
}

void MetricsServer::sweep(Nanoseconds now) {
  std::erase_if(connections_, [now](const Connection& connection) {
    const bool over = connection.done || now >= connection.deadline;
    if (over) ::close(connection.fd);
    return over;
  });
}

void MetricsServer::serve_until(Nanoseconds deadline, const Clock& clock,
                                const Interrupt& interrupt, const MetricsPage& page) {
  constexpr double kMostMilliseconds = 1000;
  std::vector<pollfd> waits;
  for (Nanoseconds now = clock.now(); now < deadline && interrupt.signal() == 0;
       now = clock.now()) {
    sweep(now);
    waits.clear();
    waits.push_back({interrupt.descriptor(), POLLIN, 0});
    waits.push_back({now >= accept_after_ ? fd_ : -1, POLLIN, 0});
    for (const auto& connection : connections_) {
      const bool sending = connection.sent < connection.out.size();
      waits.push_back({connection.fd, static_cast<short>(sending ? POLLOUT : POLLIN), 0});
    }
    const double left = to_seconds(deadline - now) * 1e3;
    const double most = connections_.empty() ? kMostMilliseconds : 50;  // their deadlines
    const int timeout = static_cast<int>(std::clamp(left + 1, 1.0, most));
    if (::poll(waits.data(), waits.size(), timeout) <= 0) continue;
    for (std::size_t i = 2; i < waits.size(); ++i) {
      Connection& connection = connections_[i - 2];
      if (waits[i].revents == 0) continue;
      if ((waits[i].revents & POLLOUT) != 0) {
        send(connection);
      } else {
        receive(connection, page);
      }
    }
    if (waits[1].revents != 0) accept_all(clock.now());
  }
}

}  // namespace mete
