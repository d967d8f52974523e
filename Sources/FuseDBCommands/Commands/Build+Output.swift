internal import FuseDB
internal import Glibc

extension Build {
  /// Why ``output`` must not be overwritten: a file is there that is neither a database nor empty.
  var refusalToOverwrite: String? {
    var status = stat()
    // Only a file has content to lose; whether anything else can be replaced is for the writer to say.
    guard unsafe stat(output, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return nil }
    guard !beginsLikeDatabase(output) else { return nil }
    return """
      '\(output)' is a file of \(Humans.size(Int(status.st_size))) that is no database, and would be overwritten; \
      OUTPUT comes first: give it another name, or remove that file
      """
  }

  /// Whether the file at `path` has a database's first bytes. One that cannot be read is not known to have them.
  private func beginsLikeDatabase(_ path: String) -> Bool {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let magic = Array("FSDB".utf8)
    var head = [UInt8](repeating: 0, count: magic.count)
    // SAFETY: read writes at most as many bytes as the array has.
    return unsafe read(descriptor, &head, head.count) == magic.count && head == magic
  }
}
