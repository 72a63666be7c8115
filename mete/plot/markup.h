// Small parts of drawing text and shapes: numbers for paths, widths of words, markers.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/plot/figure.h"

namespace mete {

/// A coordinate to a tenth of a pixel, in the fewest characters: 12.50 → "12.5", -0.04 → "0".
std::string coordinate(double value);

/// An estimate of the width of `text` in a sans-serif type of `size` pixels, on the large side.
double text_width(std::string_view text, double size);

/// `text` cut to `width` pixels, ending in "…" if cut.
std::string fit_text(std::string_view text, double size, double width);

/// `text` broken at blanks into lines of at most `width` pixels.
std::vector<std::string> wrap_text(std::string_view text, double size, double width);

/// The class that gives a role its colour: "r-agent".
std::string_view role_class(Role role);

/// The role's shape around (x, y), `size` pixels from its centre to its edge.
std::string marker(Role role, double x, double y, double size);

/// The style of figures: colours as custom properties for light and dark, classes for lines and
/// words.
std::string_view figure_style();
/// The style of the rest of a page.
std::string_view page_style();
/// The script of a page: read-outs and highlighting. Nothing depends on it.
std::string_view page_script();

}  // namespace mete
