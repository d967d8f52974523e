import Glibc
import Testing

import FuseDB

/// A store of the file `served/geo.fsdb` in a folder of its own. Each file has keys whose objects all say the file's number.
struct ServingBench {
  enum Kind: Sendable, CaseIterable { case reader, pool }

  let folder: TemporaryFolder
  let store: any Reloadable
  var path: String { folder.path("served/geo.fsdb") }

  /// Opens file number 1.
  init(
    _ kind: Kind = .reader, layout: FuseWriter.Layout = .indexed, size: Int = 3,
    _ change: (inout ServingOptions) -> Void = { _ in }
  ) throws {
    var options = ServingOptions()
    change(&options)
    folder = try TemporaryFolder()
    let path = folder.path("served/geo.fsdb")
    let made = unsafe mkdir(folder.path("served"), 0o755)
    try #require(made == 0)
    try folder.write(layout == .plain ? Self.firstPlain : Self.first, as: "served/geo.fsdb")
    store =
      switch kind {
      case .reader: try ReloadableReader(path: path, options: options)
      case .pool: try FusePool(path: path, size: size, options: options)
      }
  }

  static let keyCount = 40

  private static let first = file(1)
  private static let firstPlain = file(1, layout: .plain)

  /// The bytes of the file with a number.
  static func file(
    _ number: UInt8, keyCount: Int = keyCount, layout: FuseWriter.Layout = .indexed, metadata: [String: String] = [:]
  ) -> [UInt8] {
    var mapping: [Key: [UInt8]] = [:]
    for key in 0..<keyCount { mapping[Key("key \(key)")] = [0x92, number, UInt8(key & 0x7F)] }
    let plain = ReferenceFile(canonical: mapping)
    return layout == .plain ? plain.bytes : ReferenceBlock(after: plain, metadata: metadata).bytes
  }

  /// Puts a new file under the store's path.
  func put(_ bytes: [UInt8]) throws { try folder.write(bytes, as: "served/geo.fsdb") }

  /// Takes away what is under the store's path.
  func clear() throws { try folder.remove("served/geo.fsdb") }

  /// What all keys say, each in a call of its own; -1 for one that is not there.
  var said: Set<Int> {
    get throws {
      var said: Set<Int> = []
      for key in 0..<Self.keyCount { said.insert(try Self.say(store, "key \(key)")) }
      return said
    }
  }

  /// What one key says.
  static func say(_ store: some Reloadable, _ key: String = "key 0") throws -> Int {
    try store.withBytes(forKey: key) { Int($0.byte(at: 1)) } ?? -1
  }

  /// How many mappings of files in the folder this process has.
  var mappingCount: Int {
    let name = folder.path.split(separator: "/").last ?? "?"
    return String(decoding: procFile("maps"), as: UTF8.self).split(separator: "\n").count { $0.contains(name) }
  }
}

/// Writes into a file in place.
func overwrite(_ path: String, _ bytes: [UInt8], at offset: Int) {
  let descriptor = unsafe open(path, O_WRONLY)
  let count = unsafe pwrite(descriptor, bytes, bytes.count, off_t(offset))
  #expect(count == bytes.count)
  close(descriptor)
}

/// Makes a file's content seem to be of the second after the beginning of 1970.
func makeOld(_ path: String) {
  let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
  let result = unsafe utimensat(AT_FDCWD, path, times, 0)
  #expect(result == 0)
}

extension ServingBench {
  /// What the first key of a reader says.
  static func says(_ reader: FuseReader) throws -> Int {
    try reader.withBytes(forKey: "key 0") { Int($0.byte(at: 1)) } ?? -1
  }
}

/// Renames, replacing what has the name. Returns 0, or -1 when that fails.
func rename(_ path: String, to newPath: String) -> Int32 { unsafe Glibc.rename(path, newPath) }
