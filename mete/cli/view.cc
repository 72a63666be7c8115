// mete view: an interactive page of any result, in one file.
// SPDX-License-Identifier: BSD-3-Clause
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/outputs.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/view_data.h"

namespace mete {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string output;
  std::string title;
  bool json = false;
};

/// "." and "/" are no names for a file.
std::string usual_output(const std::string& path) {
  const auto name = base_name(path);
  const bool dots = name.find_first_not_of("./") == std::string::npos;
  return (dots ? "view" : name) + ".html";
}

Result<ExitCode> run(const Options& options) {
  const auto output = options.output.empty() ? usual_output(options.paths.front()) : options.output;
  METE_TRY_VOID(check_outputs(options.paths, {output}));
  ExplorerDocument document;
  METE_TRY_VOID(add_views(options.paths, document));
  std::vector<std::string> names;
  for (const auto& path : options.paths) names.push_back(base_name(path));
  document.title = options.title.empty() ? join(names, ", ") : options.title;
  METE_TRY(const auto page, explorer_html(document));
  METE_TRY_VOID(write_file_atomically(output, page));
  if (options.json) {
    Json tables = Json::array();
    for (const auto& table : document.tables) {
      const auto rows =
          table.columns.empty() ? std::size_t{0} : table.columns.front().column.size();
      tables.push(Json::object({{"name", table.name}, {"rows", rows}}));
    }
    fmt::print(
        "{}\n",
        Json::object({{"page", output}, {"bytes", page.size()}, {"tables", std::move(tables)}})
            .dump());
  } else {
    fmt::print("{}: open it in a browser; it needs no network\n", output);
  }
  return 0;
}

}  // namespace

Runner add_view_verb(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option(
         "PATH", options->paths,
         "Studies (.study.db, folders of .data logs), sweeps, runs (reports, traces), "
         "recordings, plans, placement problems, training tables (.h5), CSV files; folders of "
         "them")
      ->required();
  app.add_option("-o,--output", options->output, "The page [PATH.html]");
  app.add_option("--title", options->title, "Its heading [the names of the paths]");
  app.add_flag("--json", options->json, "Tell what was written as JSON");
  return [options](const Context& /*context*/) { return run(*options); };
}

}  // namespace mete
