# embed_catalogue(output): writes a .cc that holds every file of catalogue/ as text. A changed or new file is noticed by
# the next build.
function(embed_catalogue output)
  set(folder ${CMAKE_SOURCE_DIR}/catalogue)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.yaml ${folder}/*.txt)
  list(SORT files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(entries "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    string(APPEND entries "    {\"${name}\", R\"~~~(${text})~~~\"},\n")
  endforeach()
  set(content "// Made from catalogue/ by cmake/embed_catalogue.cmake.\n\
#include \"deepedge/model/catalogue_data.h\"\n\n\
namespace deepedge {\nnamespace {\n\n\
constexpr CatalogueFile kFiles[] = {\n${entries}};\n\n\
}  // namespace\n\n\
std::span<const CatalogueFile> CatalogueFiles() { return kFiles; }\n\n\
}  // namespace deepedge\n")
  # Unchanged content keeps its time, so that nothing is compiled again.
  if(EXISTS ${output})
    file(READ ${output} old)
  endif()
  if(NOT "${old}" STREQUAL "${content}")
    file(WRITE ${output} "${content}")
  endif()
endfunction()
