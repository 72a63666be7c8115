// Agents that users bring from outside the tree: a class in a Python file (docs/agents/python.md),
// or a shared library with a C interface (docs/agents/library.md).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "mete/base/result.h"
#include "mete/control/agent.h"

namespace mete {

/// Whether a name given to --agent is a file: "my_agent.py:MyAgent" or "./my_agent.so".
bool names_outside_agent(std::string_view name);

/// Makes it. invalid: no such file, no such class; unavailable: this build has no Python; failed:
/// the agent's own code refused, in words that name it (of a Python class with its traceback, in
/// further lines).
Result<std::unique_ptr<Agent>> make_outside_agent(std::string_view name,
                                                  const AgentContext& context);

/// The two kinds.
Result<std::unique_ptr<Agent>> make_python_agent(const std::string& path,
                                                 const std::string& class_name,
                                                 const AgentContext& context);
Result<std::unique_ptr<Agent>> make_library_agent(const std::string& path,
                                                  const AgentContext& context);

/// One value per field, or the words that the agent suite expects.
Result<void> check_policy_size(const AgentInfo& info, PolicyValues policy);

/// What agents of both kinds say of themselves is checked alike: names, ranges, the period, and
/// nothing twice. The error says what was expected, without the agent's name.
Result<void> check_agent_info(const AgentInfo& info);

}  // namespace mete
