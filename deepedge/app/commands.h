// The verbs of the program. Each Add...Command declares its options and sets `action` to what is to be done when the
// user chose that verb; main() runs it and turns its Status into the exit code (0 done, 1 failed, 2 bad input).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "deepedge/base/result.h"

namespace deepedge {

using Action = std::function<Status()>;

void AddRunCommand(CLI::App& program, Action& action);
void AddCheckCommand(CLI::App& program, Action& action);
void AddModelCommand(CLI::App& program, Action& action);
// Verbs of `model` in files of their own.
void AddModelQuantize(CLI::App& model, Action& action);
void AddModelReshape(CLI::App& model, Action& action);
void AddGalleryCommand(CLI::App& program, Action& action);
void AddEventsCommand(CLI::App& program, Action& action);
void AddPlanCommand(CLI::App& program, Action& action);
void AddProfileCommand(CLI::App& program, Action& action);
void AddBenchCommand(CLI::App& program, Action& action);
// Verbs of `bench` in files of their own.
void AddBenchProfiler(CLI::App& bench, Action& action);
void AddBenchStages(CLI::App& bench, Action& action);
void AddVersionCommand(CLI::App& program, Action& action);

}  // namespace deepedge
