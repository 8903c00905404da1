// StrongId: an index that cannot be mixed up with another kind of index.
//
//   using StreamId = StrongId<struct StreamTag>;
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace deepedge {

template <typename Tag>
struct StrongId {
  uint32_t value = UINT32_MAX;

  constexpr bool valid() const { return value != UINT32_MAX; }
  friend auto operator<=>(const StrongId&, const StrongId&) = default;
};

using StreamId = StrongId<struct StreamTag>;
using LaneId = StrongId<struct LaneTag>;

}  // namespace deepedge

template <typename Tag>
struct std::hash<deepedge::StrongId<Tag>> {
  size_t operator()(const deepedge::StrongId<Tag>& id) const noexcept { return id.value; }
};
