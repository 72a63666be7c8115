/* An agent for mete as a shared library, in C or anything that can export C functions.
 *
 * Build it with one command, anywhere (templates/agent_library has one to copy):
 *
 *     cc -shared -fPIC -O2 -o my_agent.so my_agent.c
 *     mete run --agent ./my_agent.so --policy NAME=VALUE -- COMMAND
 *
 * The library exports one function, mete_agent, that returns its functions. mete calls them from
 * one thread: make, info, start, then step once per period, report, destroy; several agents of one
 * library may live one after the other. All text is UTF-8, zero-terminated, one line, at most 1000
 * bytes; text and arrays stay the library's and must stay valid until the next call into it (those
 * of info until destroy). All values are SI units: Hz, W, J, s; fractions 0 to 1.
 *
 * A step must be pure: no clock, no I/O, no randomness; the same observations give the same
 * decisions, so that a recorded trace replays. It runs between two samples: it should take
 * microseconds and no memory.
 *
 * Compatibility: METE_AGENT_ABI counts up when anything here changes its meaning, and mete refuses
 * a library of another version in words. Members are only ever added at a struct's end; struct_size
 * says which ones the writer knew. docs/agents/library.md says more.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef METE_AGENT_ABI_H
#define METE_AGENT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define METE_AGENT_ABI 1u

/* As a decision: leave this part's setting as it is. Decisions hold it when step is called. */
#define METE_AGENT_LEAVE (-1e300)

/* A number that the owner of the run may give: `--policy NAME=VALUE`. */
typedef struct mete_agent_field {
  const char* name;        /* one word: "GPU_PHI" */
  const char* description; /* one line; may be NULL */
  const char* unit;        /* "Hz", "W", "s"; "1" for a fraction; may be NULL */
  double fallback;         /* if the policy says nothing; NaN: step and start get NaN */
  double min;
  double max;
} mete_agent_field;

typedef struct mete_agent_info {
  uint32_t struct_size;    /* sizeof(mete_agent_info) */
  const char* name;        /* as in reports */
  const char* description; /* one line; may be NULL */
  const char* domain;      /* "gpu", "package", "board", ..: one row and one decision per part */
  const char* control; /* what it sets, "GPU_CORE_FREQUENCY_MAX_CONTROL"; NULL: it only watches */
  double period;       /* s between steps, 1e-5 to 86400 */
  const char* const* signals; /* columns of an observation; a machine that lacks one is refused */
  size_t signal_count;
  const char* const* optional_signals; /* columns after those: NaN on machines that lack them */
  size_t optional_signal_count;
  const mete_agent_field* policy;
  size_t policy_count;
} mete_agent_info;

/* What a part's control takes. */
typedef struct mete_agent_part {
  double min;
  double max;
  const double* supported; /* ascending; none: anything from min to max */
  size_t supported_count;
} mete_agent_part;

typedef struct mete_agent_observation {
  uint32_t struct_size; /* sizeof(mete_agent_observation) as mete knows it */
  double time;          /* s since the start of the run */
  size_t parts;
  size_t columns;       /* signal_count + optional_signal_count */
  const double* values; /* [part * columns + column]; NaN where a reading failed */
} mete_agent_observation;

/* Given by mete: adds a line to the run's report. */
typedef void (*mete_agent_line)(void* report, const char* key, const char* value);

/* Functions that return int: 0, or another number for a failure; then they write why, one line, to
 * `error` (`error_size` bytes, zero-terminated). A failure ends the run, controls restored. */
typedef struct mete_agent_functions {
  uint32_t struct_size; /* sizeof(mete_agent_functions) */
  uint32_t abi;         /* METE_AGENT_ABI */
  /* An agent; NULL for a failure. `model`: the path given to --model, or NULL. */
  void* (*make)(const char* model, char* error, size_t error_size);
  const mete_agent_info* (*info)(void* agent);
  /* Once before the first step, and again before another run: forget what was, check the policy. */
  int (*start)(void* agent, const mete_agent_part* parts, size_t part_count, const double* policy,
               size_t policy_count, char* error, size_t error_size);
  /* Fills decisions[0 .. parts-1]: finite settings, which mete moves to the nearest supported one,
   * or METE_AGENT_LEAVE. */
  int (*step)(void* agent, const mete_agent_observation* observation, const double* policy,
              size_t policy_count, double* decisions, char* error, size_t error_size);
  void (*report)(void* agent, mete_agent_line line, void* report); /* may be NULL */
  void (*destroy)(void* agent);                                    /* may be NULL */
} mete_agent_functions;

/* What the library exports. `host_abi` is the version that this mete speaks; return NULL if that is
 * too old for the library. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const mete_agent_functions*
mete_agent(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

#endif
