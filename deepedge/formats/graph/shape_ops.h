// Shapes inside a graph, taken from the values themselves and not from what they are now: a network built with these
// can be given pictures of another size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {

// The rank of a value. Throws std::invalid_argument when it is not known.
size_t RankOf(const GraphValue& value);
// One dimension. Throws when it is not known.
int64_t DimensionOf(const GraphValue& value, size_t axis);
// An axis from 0 on; negative ones count from the last. Throws when there is none such.
size_t AxisOf(int64_t axis, size_t rank);

// The dimensions [begin, end) as a value of the graph, i64 [end - begin].
GraphValue DimensionsOf(const GraphValue& value, size_t begin, size_t end);
// Parts one after the other as one shape; empty parts are left out.
GraphValue JoinShape(const std::vector<GraphValue>& parts);

// The values along `axis` from `begin` on, as many as `size` says: i64 [1].
GraphValue SliceAxis(const GraphValue& value, size_t axis, int64_t begin, const GraphValue& size);

// [.., axis.., end_axis.., ..] with the dimensions from axis to end_axis (both included) as one.
GraphValue FlattenAxes(const GraphValue& value, size_t axis, size_t end_axis);

// A limit for values of hostile files: at most 2^27 numbers, what is not known counted as 1, and rank 8. Throws.
void CheckSize(const GraphValue& value);

}  // namespace deepedge
