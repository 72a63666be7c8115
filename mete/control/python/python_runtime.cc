// The plugin: starts Python without taking anything from mete (no signal handlers, no command
// line), and never ends it. SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/python/python_runtime.h"

#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <dlfcn.h>
#include <pybind11/embed.h>

#include "mete/base/files.h"
#include "mete/control/python/python_agent.h"

namespace py = pybind11;

namespace mete {

/// The text of python/mete/_agent_host.py, put in by the build.
extern const char* const kAgentHostSource;

namespace {

/// The loader opened us, and with us libpython, for ourselves alone; modules in C (numpy) look for
/// its symbols among those that everyone sees.
bool show_libpython_to_everyone() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(&Py_InitializeFromConfig), &info) == 0) return false;
  return ::dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD) != nullptr;
}

bool start_python() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.install_signal_handlers = 0;  // Ctrl-C is mete's: it ends the workload and restores
  config.parse_argv = 0;
  // Else Python takes its own place from whatever python3 comes first in $PATH.
  PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, METE_PYTHON_EXECUTABLE);
  if (PyStatus_Exception(status) == 0) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  return PyStatus_Exception(status) == 0;
}

/// The packages of an active virtual environment of the same Python.
void add_virtual_environment() {
  const char* folder = std::getenv("VIRTUAL_ENV");  // NOLINT(concurrency-mt-unsafe): see the header
  if (folder == nullptr || *folder == '\0') return;
  const auto packages =
      fmt::format("{}/lib/python{}.{}/site-packages", folder, PY_MAJOR_VERSION, PY_MINOR_VERSION);
  if (is_directory(packages)) py::module_::import("site").attr("addsitedir")(packages);
}

py::object make_host() {
  const py::object host = py::module_::import("types").attr("ModuleType")("mete_agent_host");
  const py::object builtins = py::module_::import("builtins");
  const py::object code = builtins.attr("compile")(kAgentHostSource, "<mete>", "exec");
  builtins.attr("exec")(code, host.attr("__dict__"));
  return host;
}

class Runtime final : public PythonRuntime {
 public:
  explicit Runtime(py::object host) : host_(std::move(host)) {}

  std::string version() const override { return PY_VERSION; }

  Result<std::unique_ptr<Agent>> make_agent(const std::string& path, const std::string& class_name,
                                            const AgentContext& context) override {
    const py::gil_scoped_acquire lock;
    try {
      const py::object found = host_.attr("load")(path, class_name);
      return wrap_python_agent(host_, found, path + ":" + class_name, context.model_path);
    } catch (py::error_already_set& error) {
      return python_error(host_, error, path);
    } catch (const std::exception& error) {
      return fail(Errc::failed, "{}: {}", path, error.what());
    }
  }

 private:
  py::object host_;
};

/// Python ends with the process, not before: objects of the user's may outlive everything of ours.
PythonRuntime* start() {
  if (!show_libpython_to_everyone() || Py_IsInitialized() != 0 || !start_python()) return nullptr;
  add_virtual_environment();
  auto* runtime = new Runtime(make_host());
  PyEval_SaveThread();  // from here on whoever calls takes the lock
  return runtime;
}

}  // namespace
}  // namespace mete

extern "C" __attribute__((visibility("default"))) mete::PythonRuntime* mete_python_runtime(
    int abi, const char* mete_version) {
  if (abi != mete::kPythonPluginAbi || std::strcmp(mete_version, METE_VERSION) != 0) return nullptr;
  try {
    static mete::PythonRuntime* const runtime = mete::start();
    return runtime;
  } catch (const std::exception&) {
    return nullptr;
  }
}
