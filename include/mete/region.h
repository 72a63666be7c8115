// Marks parts of your program, so that `mete run` can tell what each cost:
//
//   #include <mete/region.h>          // link with -lmete_region
//   for (int i = 0; i < epochs; ++i) {
//     mete::Region region("epoch");   // until the end of the block
//     ..
//     mete::progress();               // one more is done
//   }
//
// Without a session that listens a mark costs a load and a branch. Regions nest; each thread has
// its own; a region ends in the thread that began it. What was begun before a fork is the parent's.
// No call allocates after a thread's first, throws, or waits for anybody. docs/regions.md has the
// rest. SPDX-License-Identifier: BSD-3-Clause
#ifndef METE_REGION_H_
#define METE_REGION_H_

#include <stdint.h>  // NOLINT(modernize-deprecated-headers): C reads this too

#ifdef __cplusplus
extern "C" {
#endif

/* Begins a region in the calling thread; the result is for mete_region_end and is 0 if nobody
   listens. Names longer than 55 bytes are cut. */
uint64_t mete_region_begin(const char* name);
void mete_region_end(uint64_t mark);
/* n more steps of the program's own count (epochs, batches) are done. */
void mete_progress(uint64_t n);
/* 1 if a session listens. */
int mete_region_listening(void);

#ifdef __cplusplus
}

namespace mete {

class Region {
 public:
  explicit Region(const char* name) noexcept : mark_(mete_region_begin(name)) {}
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region() { mete_region_end(mark_); }

 private:
  uint64_t mark_;
};

inline void progress(uint64_t n = 1) noexcept { mete_progress(n); }

}  // namespace mete
#endif

#endif  // METE_REGION_H_
