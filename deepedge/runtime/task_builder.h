// TaskBuilder: from what is to run, in names, to tasks and the runners of their cascades. Everything that does not fit
// is an error here, before anything runs: a model that is not loaded, a label or a zone that does not exist, a cascade
// behind a model that finds nothing to pass on.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "deepedge/pipeline/gallery/gallery.h"
#include "deepedge/runtime/cascade_runner.h"
#include "deepedge/runtime/stream_spec.h"
#include "deepedge/runtime/task_runner.h"

namespace deepedge {

// A loaded model and its places on the lanes.
struct ServedModel {
  LoadedModel* model = nullptr;
  ResourceId slots;
};

class TaskBuilder {
 public:
  struct Options {
    double max_rate = 0;  // in media time
    bool lossless = false;
    const Gallery* gallery = nullptr;  // may be null
    SnapshotRule snapshots = {};
  };

  TaskBuilder(std::span<const ServedModel> models, TaskEnvironment environment)
      : models_(models.begin(), models.end()), environment_(environment) {}

  // Errors: kBadInput naming the stream and what does not fit.
  Result<ServedModel> Find(const StreamSpec& stream, const std::string& model) const;
  Result<TaskRunner::Options> TaskOptions(const StreamSpec& stream, const TaskSpec& task, const LoadedModel& model,
                                          const Options& options) const;
  Result<std::vector<std::unique_ptr<CascadeRunner>>> Cascades(const StreamSpec& stream, const TaskSpec& task,
                                                               const LoadedModel& model, const Options& options,
                                                               TaskListener& listener) const;

 private:
  struct Above {
    const StreamSpec& stream;
    const TaskSpec& task;
    const Options& options;
    TaskListener& listener;
  };
  Result<std::unique_ptr<CascadeRunner>> Cascade(const Above& above, const LoadedModel& parent,
                                                 const CascadeSpec& spec) const;

  std::vector<ServedModel> models_;
  TaskEnvironment environment_;
};

}  // namespace deepedge
