// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/result.h"

namespace mete {

std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::unavailable:
      return "unavailable";
    case Errc::unsupported:
      return "unsupported";
    case Errc::denied:
      return "denied";
    case Errc::gone:
      return "gone";
    case Errc::retry:
      return "retry";
    case Errc::invalid:
      return "invalid";
    case Errc::failed:
      return "failed";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace mete
