// Writing that is still there after the power went: each step is on the disk before the next begins. Any thread.
#pragma once

#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/unique_fd.h"

namespace deepedge {

// Puts a file's or folder's own content on the disk.
Status SyncPath(const Path& path);

// The same for every file and folder below.
Status SyncTree(const Path& folder);

// Readers see the old or the new content, also after a power cut. A full disk (kExhausted) leaves the old one.
Status WriteDurably(const Path& path, std::string_view content);

// Renames within one file system, and puts the folders' entries on the disk.
Status RenameDurably(const Path& from, const Path& to);

// Copies a regular file to a new one. A full disk is kExhausted.
Status CopyContent(const Path& from, const Path& to);

// Creates a folder and those above it. Errors name the folder.
Status CreateFolders(const Path& folder);

// An advisory lock that ends with the process, however it ends. `wait`: for at most so many milliseconds; kUnavailable
// when somebody else has it.
Result<UniqueFd> LockFile(const Path& path, int wait_ms);

// Locks an open file that another process may be filling: waits as long as the file grows, and says so in the log.
// kUnavailable when it has not grown for `stall_ms`.
Status LockWhileItGrows(int fd, const Path& path, int stall_ms);

}  // namespace deepedge
