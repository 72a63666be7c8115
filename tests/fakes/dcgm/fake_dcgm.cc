// A libdcgm with its host engine, played: for tests, and by hand with $METE_DCGM_LIBRARY.
//
// A script is a list of orders divided by ';':
//   gpus=2             a fresh engine that serves GPUs 0 and 1; every activity is 0.5
//   only=G             it serves GPU G alone
//   time=manual        time passes only by fake_dcgm_advance (else with the real clock)
//   value=FIELD,G,X    what the field is from now on
//   unsupported=FIELD  cannot be watched
//   blank=FIELD,N      its value is DCGM's blank + N
//   frozen             the engine goes on handing out its last values
//   fail=FUNCTION,FROM,CODE   from the FROM-th call on
//   hang=FUNCTION,FROM        does not return before fake_dcgm_release
//   lose=G             GPU G is lost
//   unplug             the engine is gone
// $METE_FAKE_DCGM holds a script for programs that cannot call fake_dcgm_script.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "mete/provider/dcgm/dcgm_abi.h"

namespace {

using namespace mete::dcgm;
using Lock = std::unique_lock<std::mutex>;

constexpr long long kStep = 100000;                  // µs between updates
constexpr long long kBegin = 1'700'000'000'000'000;  // µs since 1970 when a script begins

struct Fault {
  std::string function;
  unsigned long from;
  Return code;
  bool hang;
};

struct Engine {
  std::mutex mutex;
  std::condition_variable released;
  bool scripted = false;
  bool release = false;
  bool unplugged = false;
  bool frozen = false;
  bool manual = false;
  long long now = kBegin;
  long long shown = kBegin;  ///< when values were updated last
  std::chrono::steady_clock::time_point real = std::chrono::steady_clock::now();
  std::vector<unsigned> gpus{0, 1};
  std::set<unsigned> lost;
  std::set<int> unsupported;
  std::map<int, int> blank;
  std::map<std::pair<int, int>, double> values;
  std::vector<Fault> faults;
  std::map<std::string, unsigned long> calls;
  std::map<FieldGroup, unsigned short> groups;
  std::set<std::string> names;
  std::multiset<unsigned short> watched;
  FieldGroup next_group = 10;
};

Engine& engine() {
  static Engine* const one = new Engine;  // never destroyed: calls may hang at the end
  return *one;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == at) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

void fresh(Engine& e, unsigned gpus) {
  e.gpus.clear();
  for (unsigned i = 0; i < gpus; ++i) e.gpus.push_back(i);
  e.lost.clear();
  e.unsupported.clear();
  e.blank.clear();
  e.values.clear();
  e.faults.clear();
  e.calls.clear();
  e.unplugged = e.frozen = e.release = false;
}

bool order(Engine& e, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const auto words =
      split(equals == std::string::npos ? std::string() : text.substr(equals + 1), ',');
  const auto integer = [&](std::size_t i) {
    return i < words.size() ? std::atoi(words[i].c_str()) : 0;
  };
  if (name == "gpus") {
    fresh(e, static_cast<unsigned>(integer(0)));
  } else if (name == "only") {
    e.gpus = {static_cast<unsigned>(integer(0))};
  } else if (name == "time") {
    e.manual = words[0] == "manual";
  } else if (name == "value" && words.size() == 3) {
    e.values[{integer(0), integer(1)}] = std::atof(words[2].c_str());
  } else if (name == "unsupported") {
    e.unsupported.insert(integer(0));
  } else if (name == "blank") {
    e.blank[integer(0)] = integer(1);
  } else if (name == "frozen") {
    e.frozen = true;
  } else if (name == "lose") {
    e.lost.insert(static_cast<unsigned>(integer(0)));
  } else if (name == "unplug") {
    e.unplugged = true;
  } else if ((name == "fail" || name == "hang") && words.size() >= 2) {
    e.faults.push_back({words[0], static_cast<unsigned long>(integer(1)),
                        static_cast<Return>(integer(2)), name == "hang"});
  } else {
    return false;
  }
  return true;
}

int run_script(Engine& e, const char* script) {
  e.scripted = true;
  int at = 0;
  for (const auto& text : split(script, ';')) {
    ++at;
    if (!text.empty() && !order(e, text)) return at;
  }
  return 0;
}

void pass_time(Engine& e, long long microseconds) {
  e.now += microseconds;
  if (!e.frozen) e.shown = e.now / kStep * kStep;
}

/// What every function does first.
Return enter(Lock& lock, const char* function) {
  Engine& e = engine();
  lock = Lock(e.mutex);
  if (!e.scripted) {
    e.scripted = true;
    const char* script = std::getenv("METE_FAKE_DCGM");
    if (script != nullptr && run_script(e, script) != 0)
      std::fprintf(stderr, "METE_FAKE_DCGM: not understood\n");
  }
  const auto real = std::chrono::steady_clock::now();
  if (!e.manual)
    pass_time(e, std::chrono::duration_cast<std::chrono::microseconds>(real - e.real).count());
  e.real = real;
  const unsigned long n = ++e.calls[function];
  for (const Fault& fault : e.faults) {
    if (fault.function != function || n < fault.from) continue;
    if (!fault.hang) return fault.code;
    e.released.wait(lock, [&e] { return e.release; });
    return kTimeout;
  }
  return e.unplugged ? kConnectionNotValid : kOk;
}

}  // namespace

#define FAKE_ENTER(name)                    \
  Lock lock;                                \
  const Return entered = enter(lock, name); \
  if (entered != kOk) return entered

extern "C" {

int fake_dcgm_script(const char* script) {
  const Lock lock(engine().mutex);
  return run_script(engine(), script);
}
void fake_dcgm_advance(long long microseconds) {
  const Lock lock(engine().mutex);
  pass_time(engine(), microseconds);
}
void fake_dcgm_release() {
  const Lock lock(engine().mutex);
  engine().release = true;
  engine().released.notify_all();
}
/// How many watches there are just now.
int fake_dcgm_watches() {
  const Lock lock(engine().mutex);
  return static_cast<int>(engine().watched.size());
}

Return dcgmInit() {
  Lock lock;
  const Return entered = enter(lock, "dcgmInit");
  return entered == kConnectionNotValid ? kOk : entered;  // the library needs no engine
}
Return dcgmConnect(const char*, Handle* handle) {
  FAKE_ENTER("dcgmConnect");
  *handle = 42;
  return kOk;
}
Return dcgmDisconnect(Handle) {
  FAKE_ENTER("dcgmDisconnect");
  return kOk;
}
const char* errorString(Return status) {
  switch (status) {
    case kOk:
      return "Success";
    case kConnectionNotValid:
      return "The connection to the host engine is not valid any longer";
    case kProfilingNotSupported:
      return "Profiling is not supported for this group of GPUs or GPU";
    case kRequiresRoot:
      return "This operation cannot be performed when the host engine is running as non-root";
    default:
      return "Generic unspecified error";
  }
}
Return dcgmGetAllSupportedDevices(Handle, unsigned* ids, int* count) {
  FAKE_ENTER("dcgmGetAllSupportedDevices");
  std::copy(engine().gpus.begin(), engine().gpus.end(), ids);
  *count = static_cast<int>(engine().gpus.size());
  return kOk;
}
Return dcgmFieldGroupCreate(Handle, int count, const unsigned short* fields, const char* name,
                            FieldGroup* group) {
  FAKE_ENTER("dcgmFieldGroupCreate");
  if (count != 1 || name == nullptr || std::strlen(name) > 255) return kBadParameter;
  *group = engine().next_group++;
  engine().groups[*group] = fields[0];
  return kOk;
}
Return dcgmFieldGroupDestroy(Handle, FieldGroup group) {
  FAKE_ENTER("dcgmFieldGroupDestroy");
  return engine().groups.erase(group) == 1 ? kOk : kBadParameter;
}
Return dcgmWatchFields(Handle, GpuGroup gpus, FieldGroup group, long long period, double, int) {
  FAKE_ENTER("dcgmWatchFields");
  const auto at = engine().groups.find(group);
  if (gpus != kAllGpus || period < 1000 || at == engine().groups.end()) return kBadParameter;
  if (engine().unsupported.count(at->second) != 0) return kProfilingNotSupported;
  engine().watched.insert(at->second);
  return kOk;
}
Return dcgmUnwatchFields(Handle, GpuGroup, FieldGroup group) {
  FAKE_ENTER("dcgmUnwatchFields");
  const auto at = engine().groups.find(group);
  if (at == engine().groups.end()) return kBadParameter;
  const auto watch = engine().watched.find(at->second);
  if (watch != engine().watched.end()) engine().watched.erase(watch);
  return kOk;
}
Return dcgmUpdateAllFields(Handle, int) {
  FAKE_ENTER("dcgmUpdateAllFields");
  return kOk;
}
Return dcgmGetLatestValuesForFields(Handle, int gpu, const unsigned short* fields, unsigned count,
                                    LatestValue* values) {
  FAKE_ENTER("dcgmGetLatestValuesForFields");
  Engine& e = engine();
  for (unsigned i = 0; i < count; ++i) {
    const int field = fields[i];
    values[i].field = fields[i];
    values[i].type = 'd';
    values[i].timestamp = e.shown;
    values[i].status = e.lost.count(static_cast<unsigned>(gpu)) != 0 ? kGpuIsLost
                       : e.watched.count(fields[i]) == 0             ? kNotWatched
                                                                     : kOk;
    const auto known = e.values.find({field, gpu});
    values[i].value.real = known != e.values.end() ? known->second : 0.5;
    if (const auto blank = e.blank.find(field); blank != e.blank.end())
      values[i].value.real = kBlank + blank->second;
  }
  return kOk;
}

}  // extern "C"
