#include <fmt/format.h>
#include <hwloc.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "deepedge/profiler/meter/proc_text.h"
#include "deepedge/profiler/meter/topology.h"

namespace deepedge {
namespace {

using Handle = std::unique_ptr<hwloc_topology, void (*)(hwloc_topology_t)>;

Error Failed(std::string_view what) {
  return {ErrorCode::kUnavailable, fmt::format("hwloc: {}: {}", what, std::strerror(errno))};
}

std::vector<int> CpusOf(hwloc_obj_t object) {
  std::vector<int> cpus;
  if (object->cpuset == nullptr) return cpus;
  for (int cpu = hwloc_bitmap_first(object->cpuset); cpu >= 0 && cpu < kMostCpus;
       cpu = hwloc_bitmap_next(object->cpuset, cpu)) {
    cpus.push_back(cpu);
  }
  return cpus;
}

Result<Handle> Load(const std::string& synthetic) {
  const unsigned version = hwloc_get_api_version();
  if (version >> 16 != HWLOC_API_VERSION >> 16) {
    return Error{ErrorCode::kUnavailable, fmt::format("hwloc: library of interface {:#x}, built for {:#x}", version,
                                                      static_cast<unsigned>(HWLOC_API_VERSION))};
  }
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return Failed("cannot begin");
  Handle topology(raw, hwloc_topology_destroy);
  // Fails where this library has no such part.
  hwloc_topology_set_components(raw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
  if (!synthetic.empty() && hwloc_topology_set_synthetic(raw, synthetic.c_str()) != 0) {
    return Failed(fmt::format("description '{}'", synthetic));
  }
  if (hwloc_topology_load(raw) != 0) return Failed("cannot read this box");
  return topology;
}

void AddCaches(hwloc_topology_t topology, hwloc_obj_type_t type, int level, std::vector<CacheInfo>& caches) {
  for (hwloc_obj_t cache = nullptr; (cache = hwloc_get_next_obj_by_type(topology, type, cache)) != nullptr;) {
    caches.push_back({.level = level, .bytes = static_cast<int64_t>(cache->attr->cache.size), .cpus = CpusOf(cache)});
  }
}

}  // namespace

Result<Topology> TopologyFromHwloc(const std::string& synthetic) {
  DE_TRY(const Handle handle, Load(synthetic));
  hwloc_topology_t raw = handle.get();
  Topology topology = {.source = TopologySource::kHwloc, .cpus = CpusOf(hwloc_get_root_obj(raw))};
  if (topology.cpus.empty()) return Error{ErrorCode::kUnavailable, "hwloc: names no CPU"};
  for (hwloc_obj_t core = nullptr; (core = hwloc_get_next_obj_by_type(raw, HWLOC_OBJ_CORE, core)) != nullptr;) {
    topology.cores.push_back(CpusOf(core));
  }
  AddCaches(raw, HWLOC_OBJ_L1CACHE, 1, topology.caches);
  AddCaches(raw, HWLOC_OBJ_L2CACHE, 2, topology.caches);
  AddCaches(raw, HWLOC_OBJ_L3CACHE, 3, topology.caches);
  for (hwloc_obj_t node = nullptr; (node = hwloc_get_next_obj_by_type(raw, HWLOC_OBJ_NUMANODE, node)) != nullptr;) {
    topology.nodes.push_back({.id = static_cast<int>(node->os_index),
                              .bytes = static_cast<int64_t>(node->attr->numanode.local_memory),
                              .cpus = CpusOf(node)});
  }
  return topology;
}

}  // namespace deepedge
