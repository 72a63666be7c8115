// mete view: an interactive page of any result, in one file.
// SPDX-License-Identifier: BSD-3-Clause
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
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

std::string usual_output(const std::string& path) { return base_name(path) + ".html"; }

Result<ExitCode> run(const Options& options) {
  ExplorerDocument document;
  for (const auto& path : options.paths) METE_TRY_VOID(add_view(path, document));
  document.title = options.title.empty() ? join(options.paths, ", ") : options.title;
  METE_TRY(const auto page, explorer_html(document));
  const auto output = options.output.empty() ? usual_output(options.paths.front()) : options.output;
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
  app.add_option("PATH", options->paths,
                 "Studies (.study.db, folders of .data logs), traces, CSV files")
      ->required();
  app.add_option("-o,--output", options->output, "The page [PATH.html]");
  app.add_option("--title", options->title, "Its heading [the paths]");
  app.add_flag("--json", options->json, "Tell what was written as JSON");
  return [options](const Context& /*context*/) { return run(*options); };
}

}  // namespace mete
