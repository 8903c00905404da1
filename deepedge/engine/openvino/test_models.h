// Small networks written by the tests themselves, as OpenVINO IR.
#pragma once

#include "deepedge/model/model_files.h"

namespace deepedge::test_models {

// x f32 [1,3,4,6] -> y = 2x + 1, same shape.
ModelFiles WriteAffine(const Path& folder);
// x f32 [?,3,?,?] -> y = 2x + 1, same shape.
ModelFiles WriteDynamic(const Path& folder);
// x f32 [?,?] -> y: x as rows of six. Fails in a run whose elements are no multiple of six.
ModelFiles WriteRowsOfSix(const Path& folder);
// a, b f32 [1,3,4,6] -> sum = a + b.
ModelFiles WriteTwoInputs(const Path& folder);
// x f32 [1,2200] -> y [1,4096]: a fully connected layer of 36 MB, x times a matrix of ones.
ModelFiles WriteLarge(const Path& folder);

// x f32 [1,3,4,6] -> y = x + mean of x over its first dimension: of several pictures it gives a mixture.
ModelFiles WriteMixing(const Path& folder);
// x f32 [1,3,4,6] -> y [1,72], by a Reshape that says 1x72 or, with `open`, 1x?.
ModelFiles WriteOneRow(const Path& folder, bool open);
// x f32 [1,3,4,6] -> y [3,4,6].
ModelFiles WriteWithoutBatch(const Path& folder);
// Picture 1x3x16x16 to 5 numbers: a convolution, a depthwise one, another with a residual sum, a product; weights are
// always the same.
ModelFiles WriteConvolutions(const Path& folder);

}  // namespace deepedge::test_models
