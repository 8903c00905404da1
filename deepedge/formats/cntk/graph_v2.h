// The functions and variables of a CNTK v2 model, read from its dictionary and checked, with blocks resolved: which
// value every name (uid) stands for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/formats/cntk/dictionary.h"

namespace deepedge::cntk {

enum class VariableKind { kInput = 0, kOutput = 1, kParameter = 2, kConstant = 3, kPlaceholder = 4 };

struct Variable {
  std::string uid;
  std::string name;  // may be empty
  VariableKind kind = VariableKind::kInput;
  Dims dims;
  bool has_batch = true;   // of inputs
  std::string_view array;  // of parameters and constants; empty otherwise
};

struct Function {
  std::string uid;
  std::string name;  // may be empty
  int64_t op = 0;
  std::string operation;  // its name for messages
  std::vector<std::string> inputs;
  Dictionary attributes;
};

// Borrows the bytes of the file.
class GraphV2 {
 public:
  // Errors: kBadInput, kUnsupported; the message lacks the file.
  static Result<GraphV2> Read(std::string_view file);

  // What an uid stands for, through the arguments and results of blocks; an uid that occurs nowhere stands for itself.
  // Errors: kBadInput when it stands for itself in a circle.
  Result<std::string> Resolve(const std::string& uid) const;

  const Variable* FindVariable(const std::string& uid) const;
  // The function that computes the value `uid`; its first output only.
  const Function* FindProducer(const std::string& uid) const;
  const Function* FindFunction(const std::string& uid) const;
  const std::string& root() const { return root_; }
  // Values that the model gives: those of the root, or those that it combines.
  std::vector<std::string> Outputs() const;

 private:
  Status AddComposite(std::string_view content, int depth);
  Status AddVariable(const Dictionary& dictionary);
  Status AddFunction(const Dictionary& dictionary, int depth);
  Status AddBlock(const Dictionary& dictionary, const Function& block, int depth);
  Status AddAlias(const std::string& uid, const std::string& stands_for);

  std::map<std::string, Variable> variables_;
  std::map<std::string, Function> functions_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::string> block_roots_;  // uid of a block to the function that computes it
  std::string root_;
};

// The name of an operation by its number, "operation 123" where there is none.
std::string OperationName(int64_t op);

}  // namespace deepedge::cntk
