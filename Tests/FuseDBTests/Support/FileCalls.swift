import Glibc

// System calls that throw when they fail.

/// A system call of a test failed.
struct CallFailure: Error {
  var errno: Int32
}

func succeed(_ result: Int32) throws {
  if result != 0 { throw CallFailure(errno: errno) }
}

func renameFile(_ old: String, to new: String) throws { try succeed(unsafe rename(old, new)) }
func unlinkFile(_ path: String) throws { try succeed(unsafe unlink(path)) }
func makeFolder(_ path: String) throws { try succeed(unsafe mkdir(path, 0o755)) }
func makeLink(to target: String, at path: String) throws { try succeed(unsafe symlink(target, path)) }
