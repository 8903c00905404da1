# OpenVINO from its pinned PyPI wheel: downloaded once, checked against its hash, unpacked, not installed.
# The unpacked copy lives outside the build folders, so all presets share it and a clean build does not fetch it again.
set(OV_VERSION 2026.4.1)
set(OV_WHEEL openvino-2026.4.1-22982-cp311-cp311-manylinux_2_28_x86_64.whl)
set(OV_SHA256 2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf)

if(DEFINED ENV{DEEPEDGE_CACHE})
  set(_cache_default $ENV{DEEPEDGE_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache_default $ENV{XDG_CACHE_HOME}/deepedge)
else()
  set(_cache_default $ENV{HOME}/.cache/deepedge)
endif()
set(DEEPEDGE_CACHE ${_cache_default} CACHE PATH "Where downloads are kept between builds")
set(OV_ROOT ${DEEPEDGE_CACHE}/openvino-${OV_VERSION})

# One build at a time fills the cache; each step writes beside its goal and renames, so an interrupted one leaves nothing
# that looks whole.
file(MAKE_DIRECTORY ${DEEPEDGE_CACHE}/download)
file(LOCK ${DEEPEDGE_CACHE}/download/openvino.lock GUARD FILE TIMEOUT 900)
if(NOT EXISTS ${OV_ROOT}/.complete)
  set(_wheel ${DEEPEDGE_CACHE}/download/${OV_WHEEL})
  if(NOT EXISTS ${_wheel})
    # Debian's own Python first: others may come without pip.
    find_program(PYTHON3 NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
    find_program(PYTHON3 NAMES python3 REQUIRED)
    message(STATUS "Downloading OpenVINO ${OV_VERSION} (59 MB)")
    file(REMOVE_RECURSE ${_wheel}.part)
    # The platform is named, so that the choice does not depend on the local Python.
    execute_process(COMMAND ${PYTHON3} -m pip download --quiet --no-deps --only-binary=:all:
        --disable-pip-version-check --retries 5
        --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64
        -d ${_wheel}.part openvino==${OV_VERSION} RESULT_VARIABLE _failed)
    if(_failed)
      message(FATAL_ERROR "OpenVINO ${OV_VERSION} could not be downloaded with '${PYTHON3} -m pip'. Is the network "
        "reachable? On a machine without one, put ${OV_WHEEL} into ${DEEPEDGE_CACHE}/download and run again.")
    endif()
    file(RENAME ${_wheel}.part/${OV_WHEEL} ${_wheel})
    file(REMOVE_RECURSE ${_wheel}.part)
  endif()
  file(SHA256 ${_wheel} _hash)
  if(NOT _hash STREQUAL OV_SHA256)
    file(REMOVE ${_wheel})
    message(FATAL_ERROR "${OV_WHEEL}: SHA-256 is ${_hash}, expected ${OV_SHA256}; the file was removed, run again")
  endif()
  file(REMOVE_RECURSE ${OV_ROOT} ${OV_ROOT}.part)
  file(ARCHIVE_EXTRACT INPUT ${_wheel} DESTINATION ${OV_ROOT}.part)
  # libtbb would bind threads through this library and undo the pinning of our lanes. It loads it only if it can; an
  # empty file stands in for it because the wheel's own CMake files check that it exists.
  file(GLOB _tbbbind ${OV_ROOT}.part/openvino/libs/libtbbbind*)
  foreach(_library ${_tbbbind})
    file(WRITE ${_library} "")
  endforeach()
  file(TOUCH ${OV_ROOT}.part/.complete)
  file(RENAME ${OV_ROOT}.part ${OV_ROOT})
endif()

find_package(OpenVINO ${OV_VERSION} EXACT REQUIRED COMPONENTS Runtime Threading
             PATHS ${OV_ROOT}/openvino/cmake NO_DEFAULT_PATH)
