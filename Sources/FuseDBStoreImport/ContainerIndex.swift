internal import CFuseSQLite
internal import FuseDBFormat
internal import FuseDBSystem

/// The rows of a container's `packs.idx`, an SQLite database that others may be writing to. Nothing of it is written: not the database, its
/// log, nor the file that its users share.
@safe
final class ContainerIndex {
  /// Where an object is.
  struct Row {
    var key: String
    var isCompressed: Bool
    var size: Int64
    var offset: Int64
    var length: Int64
    var pack: Int64
  }

  private let path: String
  // SAFETY: made in init, closed in deinit and used by this object alone.
  private var database: OpaquePointer
  /// What the files were when they were opened; nil where SQLite itself looks after changes.
  private let before: [FileIdentity]?

  private static let question =
    "SELECT hashkey, compressed, size, \"offset\", length, pack_id FROM db_object ORDER BY pack_id, \"offset\""

  /// nil where the container has none.
  ///
  /// - Throws: ``FuseError`` with code `notFound` where libsqlite3 is missing, `corrupted` where this is no index.
  init?(_ container: String) throws(FuseError) {
    path = "\(container)/packs.idx"
    guard let status = FileStatus(at: path) else { return nil }
    guard status.kind == .regular else { throw FuseError(.notFound, "this is no regular file", path: path) }
    guard fuse_sqlite_is_there() != 0 else {
      throw FuseError(
        .notFound,
        "the index of the container is an SQLite database, and \(fuse_sqlite_library) is not there; install it: apt-get install libsqlite3-0",
        path: path)
    }
    let name = PinnedPath(path).absolute
    let hasLog = (FileStatus(at: path + "-wal")?.byteCount ?? 0) > 0
    let hasJournal = (FileStatus(at: path + "-journal")?.byteCount ?? 0) > 0
    let uri: String
    if !hasLog, !hasJournal {
      // All of it is in the one file, which nobody writes to but a user who puts a log into it: that is looked for afterwards.
      before = Self.identities(path)
      uri = Self.uri(name) + "?mode=ro&immutable=1"
    } else if hasJournal || FileStatus(at: path + "-shm") != nil {
      // SQLite's own locks. What its users share is read, and a log that nobody minds is indexed in memory.
      before = nil
      uri = Self.uri(name) + "?mode=ro&readonly_shm=1"
    } else {
      throw FuseError(
        .refused,
        """
        the index has a log and lacks the file 'packs.idx-shm' beside it, so it can't be read without writing there: copy the container \
        with all files, or open it once with the program that it is of
        """, path: path)
    }
    // SAFETY: both texts end in a zero byte and live until the call returns.
    guard let opened = unsafe fuse_sqlite_open(uri, Self.question) else { throw .outOfMemory("open the index") }
    unsafe database = opened
    try check()
  }

  // SAFETY: this object alone has the database, and ends here.
  deinit { unsafe fuse_sqlite_close(database) }

  private static func identities(_ path: String) -> [FileIdentity] {
    [FileIdentity(path: path), FileIdentity(path: path + "-wal")]
  }

  /// A path as SQLite's URIs have it.
  private static func uri(_ path: String) -> String {
    var text = "file:"
    for byte in path.pathBytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        var digits: [UInt8] = []
        Hex.append(byte, to: &digits)
        text += "%" + String(decoding: digits, as: UTF8.self)
      }
    }
    return text
  }

  private func check() throws(FuseError) {
    // SAFETY: the text is copied before the next call.
    guard let message = unsafe fuse_sqlite_message(database) else { return }
    throw FuseError(
      .corrupted, "SQLite can't read the index of the packs: \(EscapedText.harmless(unsafe String(cString: message)))",
      path: path)
  }

  /// The next row, by packs and places in them; nil at the end.
  func next() throws(FuseError) -> Row? {
    // SAFETY: the database is open until deinit.
    let result = unsafe fuse_sqlite_step(database)
    guard result >= 0 else {
      try check()
      return nil
    }
    guard result == 1 else { return nil }
    var numbers = [Int64](repeating: 0, count: 6)
    for column in 1..<6 {
      // SAFETY: there is a row; the call writes one number.
      guard unsafe fuse_sqlite_integer(database, Int32(column), &numbers[column]) != 0 else {
        throw FuseError(.corrupted, "a row of the index has no whole number where one belongs", path: path)
      }
    }
    var count = 0
    // SAFETY: there is a row; the bytes are copied before the next step.
    let bytes = unsafe fuse_sqlite_text(database, 0, &count)
    let key = unsafe UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : min(count, 128))
    return Row(
      key: String(decoding: unsafe Array(key), as: UTF8.self), isCompressed: numbers[1] != 0, size: numbers[2],
      offset: numbers[3], length: numbers[4], pack: numbers[5])
  }

  /// Throws where somebody wrote to the index while it was read.
  func checkUnchanged() throws(FuseError) {
    guard let before, before != Self.identities(path) else { return }
    throw FuseError(
      .outputChanged, "the index was written to while it was read; import once more to have all of it", path: path)
  }
}
