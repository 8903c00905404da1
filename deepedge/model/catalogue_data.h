// The files of catalogue/ as text; the definition is made by cmake/embed_catalogue.cmake.
#pragma once

#include <span>
#include <string_view>

namespace deepedge {

struct CatalogueFile {
  std::string_view name;  // "yolox_nano.yaml", "coco80.txt"
  std::string_view text;
};

std::span<const CatalogueFile> CatalogueFiles();

}  // namespace deepedge
