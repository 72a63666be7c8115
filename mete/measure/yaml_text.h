// Scalars of the YAML that report and trace preamble are made of, written so that YAML 1.1 readers
// (PyYAML, which GEOPM's Python modules use) give back what went in: numbers as numbers, text as
// text. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

#include "mete/base/json.h"

namespace mete {

/// The shortest form that reads back equal, always with a point ("1380000000.0", "1.0e-07"):
/// without one, YAML 1.1 takes "1e+09" for text. ".nan", ".inf", "-.inf".
std::string yaml_number(double value);
/// The text as it is where no reader can take it for anything else, otherwise in double quotes.
/// Bytes that are not UTF-8 become U+FFFD: a report must stay readable whatever a command line
/// holds.
std::string yaml_text(std::string_view text);
/// The value of "key: value" lines that others make (an agent's): a number if it reads as one,
/// otherwise text.
std::string yaml_value(std::string_view text);
/// An object as one line. Missing numbers become "NAN", as GEOPM's policies have them, and what is
/// no scalar becomes text: GEOPM's reader takes one level of scalars, and fails on null.
std::string yaml_flow(const Json& object);

}  // namespace mete
