// DE_CHECK stops the program when an invariant of our own code is broken. Never use it on data that comes from a
// camera, a file, the network or the user: those are errors (result.h).
#pragma once

#include <source_location>

namespace deepedge {

[[noreturn]] void CheckFailed(const char* expression, std::source_location where);

#define DE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::deepedge::CheckFailed(#condition, std::source_location::current()))

#ifdef NDEBUG
#define DE_DCHECK(condition) static_cast<void>(sizeof(condition))
#else
#define DE_DCHECK(condition) DE_CHECK(condition)
#endif

}  // namespace deepedge
