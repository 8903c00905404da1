// Paddle models that keep every parameter in a file of its own, named like the parameter, beside the program. The
// engine reads them from one file: all parameters one behind the other in the order of their names.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

// Names of the parameters of a program, sorted. Errors: kNotFound, kBadInput when the file is no program.
Result<std::vector<std::string>> PaddleParameterNames(const Path& program);

// Writes `target`, which must not exist, from the files in `folder`. Errors: kNotFound (a parameter has no file),
// kBadInput (a file that is no parameter, or is cut off; a name that leaves the folder), kExhausted.
Status CombinePaddleParameters(const Path& program, const Path& folder, const Path& target);

}  // namespace deepedge
