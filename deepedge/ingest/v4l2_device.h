// What a Video4Linux device offers, by its own ioctls: libavdevice can use a mode but not list them.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/ingest/camera_mode.h"

namespace deepedge {

// The modes that we can use. Opens and closes the device; does not disturb a program that is using it. Errors:
// kNotFound (no such device), kUnavailable (busy, no permission), kBadInput (not a camera), kUnsupported (no format
// that we know).
Result<std::vector<CameraMode>> ListCameraModes(const std::string& device);

}  // namespace deepedge
