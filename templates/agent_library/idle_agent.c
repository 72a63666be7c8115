/* An agent to copy, as a shared library: lowers a GPU's clock while it has nothing to do. See
 * README.md beside this file. SPDX-License-Identifier: BSD-3-Clause */
#include <mete/agent_abi.h>
#include <stdio.h>
#include <stdlib.h>

/* 1. Say what the agent takes, sees and sets. */
static const char* const kSignals[] = {"GPU_UTILIZATION"};
static const mete_agent_field kPolicy[] = {
    {"IDLE_BELOW", "utilisation below which a GPU is idle", "1", 0.05, 0.0, 1.0}};
static const mete_agent_info kInfo = {
    .struct_size = sizeof(mete_agent_info),
    .name = "idle_library",
    .description = "Lowers the clock of idle GPUs",
    .domain = "gpu",
    .control = "GPU_CORE_FREQUENCY_MAX_CONTROL",
    .period = 0.1,
    .signals = kSignals,
    .signal_count = 1,
    .policy = kPolicy,
    .policy_count = 1,
};

/* A pause shorter than this many steps is not worth a clock switch. */
enum { kPatience = 3 };

typedef struct {
  double bottom, top;
  int idle_steps;
} Gpu;

typedef struct {
  Gpu* gpus;
  size_t count;
  unsigned long lowered;
} Idle;

static void* make(const char* model, char* error, size_t error_size) {
  if (model != NULL) {
    snprintf(error, error_size, "needs no --model, got %s", model);
    return NULL;
  }
  return calloc(1, sizeof(Idle));
}

static const mete_agent_info* info(void* agent) {
  (void)agent;
  return &kInfo;
}

/* 2. Check the policy, forget what was, and take all the memory that step will need. */
static int start(void* agent, const mete_agent_part* parts, size_t part_count, const double* policy,
                 size_t policy_count, char* error, size_t error_size) {
  Idle* idle = agent;
  (void)policy; /* its range is in kPolicy: mete has checked it */
  (void)policy_count;
  free(idle->gpus);
  idle->gpus = calloc(part_count > 0 ? part_count : 1, sizeof(Gpu));
  idle->count = idle->gpus != NULL ? part_count : 0;
  idle->lowered = 0;
  if (idle->gpus == NULL) {
    snprintf(error, error_size, "no memory for %zu GPUs", part_count);
    return 1;
  }
  for (size_t i = 0; i < part_count; ++i) {
    idle->gpus[i].bottom = parts[i].min;
    idle->gpus[i].top = parts[i].max;
  }
  return 0;
}

/* 3. Decide: no clock, no I/O, no memory. A value that is missing is NaN. */
static int step(void* agent, const mete_agent_observation* observation, const double* policy,
                size_t policy_count, double* decisions, char* error, size_t error_size) {
  Idle* idle = agent;
  (void)policy_count;
  (void)error;
  (void)error_size;
  for (size_t i = 0; i < observation->parts && i < idle->count; ++i) {
    Gpu* gpu = &idle->gpus[i];
    const double utilization = observation->values[i * observation->columns];
    const int is_idle = utilization < policy[0]; /* false for NaN: do not slow it */
    gpu->idle_steps = !is_idle ? 0 : gpu->idle_steps < kPatience ? gpu->idle_steps + 1 : kPatience;
    decisions[i] = gpu->idle_steps >= kPatience ? gpu->bottom : gpu->top;
    if (decisions[i] < gpu->top) ++idle->lowered;
  }
  return 0;
}

static void report(void* agent, mete_agent_line line, void* to) {
  char text[32];
  snprintf(text, sizeof text, "%lu", ((const Idle*)agent)->lowered);
  line(to, "Idle Steps", text);
}

static void destroy(void* agent) {
  free(((Idle*)agent)->gpus);
  free(agent);
}

const mete_agent_functions* mete_agent(uint32_t host_abi) {
  static const mete_agent_functions functions = {
      sizeof(mete_agent_functions), METE_AGENT_ABI, make, info, start, step, report, destroy};
  return host_abi >= METE_AGENT_ABI ? &functions : NULL;
}
