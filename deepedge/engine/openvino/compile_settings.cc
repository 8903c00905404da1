#include "deepedge/engine/openvino/compile_settings.h"

#include <openvino/runtime/properties.hpp>

#include "deepedge/base/check.h"

namespace deepedge {

CopyPlan PlanCopies(int64_t weight_bytes, int concurrency) {
  DE_CHECK(concurrency >= 1);
  if (concurrency == 1 || weight_bytes * concurrency <= kPrivateCopyLimitBytes)
    return {.copies = concurrency, .streams = 0};
  return {.copies = 1, .streams = concurrency};
}

ov::AnyMap CompileProperties(int streams, const CompileOptions& options) {
  DE_CHECK(options.cores == 1 || streams <= 1);
  const bool wide = options.cores > 1;
  const bool bf16 = options.precision == Precision::kBf16;
  ov::AnyMap properties{
      ov::num_streams(wide ? 1 : streams),
      ov::hint::enable_cpu_pinning(false),  // binding threads is our business; it would also undo a lane's own
      // Where the CPU has bf16 it is the default, and results would differ between boxes.
      ov::hint::inference_precision(bf16 ? ov::element::bf16 : ov::element::f32),
  };
  if (wide || streams > 0) properties.insert(ov::inference_num_threads(wide ? options.cores : streams));
  if (options.time_layers) properties.insert(ov::enable_profiling(true));
  return properties;
}

}  // namespace deepedge
