// The strings by which a test pulls at the fake libnvidia-ml: found with dlsym in the library that
// the provider has open too.
//
// A script is a list of orders divided by ';' or newlines:
//   gpus=2                      a fresh machine with so many GPUs (each: 100 W + 50 W per index)
//   time=manual                 time passes only by fake_nvml_advance (else with the real clock)
//   power=G,WATTS  clock=G,MHZ  utilization=G,PERCENT  memory=G,MIB  temperature=G,CELSIUS
//   counter=G,FACTOR            the energy counter runs by so much too fast
//   no_samples=G                GPU G has no buffer of power samples
//   mig=G                       GPU G is divided into MIG instances
//   process=G,PID,MIB,PERCENT   somebody computes
//   root=0                      settings are refused
//   fail=FUNCTION,G,FROM,CODE   from the FROM-th call on for GPU G (* for any): NVML's CODE
//   fail_once=FUNCTION,G,AT,CODE
//   hang=FUNCTION,G,FROM        the call does not return before fake_nvml_release
//   delay=FUNCTION,MICROSECONDS
//   lose=G                      GPU G falls off the bus
//   unplug                      no driver any more
// $METE_FAKE_NVML holds a script for programs that cannot call these (the shell).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mete::fake {

/// 0, or the number of the first order that was not understood, from 1.
using ScriptFunction = int(const char* script);             // fake_nvml_script
using AdvanceFunction = void(long long microseconds);       // fake_nvml_advance
using CallsFunction = unsigned long(const char* function);  // fake_nvml_calls
using ReleaseFunction = void();                             // fake_nvml_release
/// 1 and the range in MHz if the GPU's clocks are locked.
using LockedFunction = int(unsigned gpu, unsigned* min, unsigned* max);  // fake_nvml_locked
using LimitFunction = unsigned(unsigned gpu);                            // fake_nvml_limit, mW

}  // namespace mete::fake
