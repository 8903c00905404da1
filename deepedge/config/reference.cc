#include "deepedge/config/reference.h"

#include "deepedge/config/edge_config.h"

namespace deepedge {
namespace {

constexpr const char* kIntroduction = R"(# Configuration: `edge.yaml`

<!-- Made from the program's own declarations (deepedge/config/edge_config.h). Do not edit; see reference_test.cc. -->

`deepedge check edge.yaml` checks a file and starts nothing; `deepedge run edge.yaml` runs it. `deepedge.example.yaml`
is a file to start from. `edge.schema.json` beside this page is the same as a JSON Schema (draft 7), for editors.

All mistakes of a file are reported at once, each with file, line, path and what is allowed:

```
edge.yaml:12: streams.gate.tasks[0].max_rat: unknown key; did you mean max_rate?
edge.yaml:15: objective: 'fastest' is not allowed; allowed: accuracy, fair, proportional, throughput, latency
```

- Relative paths start from the folder of the configuration file.
- `${NAME}` in the source of a stream or model and in the address of a broker stands for a variable of the environment.
  A variable that is not set is an error; its value is never printed. `$${` stands for `${` itself.
- Of YAML, anchors, aliases, tags and several documents are not used. Only `true` and `false` are booleans; text that
  looks like a number or a boolean needs quotes. A key may stand once. The largest file is 1 MiB.
)";

}  // namespace

std::string ConfigurationPage() { return kIntroduction + ToMarkdown(SchemaOf<EdgeConfig>()); }

std::string ConfigurationJsonSchema() { return ToJsonSchema(SchemaOf<EdgeConfig>(), "DeepEdge configuration"); }

}  // namespace deepedge
