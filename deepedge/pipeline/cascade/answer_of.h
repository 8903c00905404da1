// The one thing that a model of a cascade says of the object it was shown, in a word and a score: what is written
// beside the object and decides whether the model is asked again. Pure.
#pragma once

#include <string>
#include <vector>

#include "deepedge/model/inference_result.h"
#include "deepedge/pipeline/cascade/answer_book.h"

namespace deepedge {

// Who it is, where the gallery knows (`identity`, with its similarity); else the best class, the best object, the first
// number ("age 31 years"). No label, and the score 0, where nothing was found: an answer that does not hold if the
// operator wants sure ones. A model that says none of these (a mask, points, an embedding of nobody known) has answered
// with the score 1.
Answer AnswerOf(const InferenceResult& result, const std::vector<std::string>& labels, const std::string& identity,
                float similarity);

}  // namespace deepedge
