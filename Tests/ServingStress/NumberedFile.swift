import FuseDB
import ProgramSupport

/// Files whose every answer says which build it is of.
enum NumberedFile {
  static let keys = (0..<60).map { "key \($0)" }
  static let absentKeys = (0..<60).map { "no key \($0)" }

  /// There are two kinds: even builds are indexed, odd ones plain, and have fewer keys.
  static func keyCount(ofBuild build: Int) -> Int { build.isMultiple(of: 2) ? 60 : 45 }
  /// So many keys are in all files.
  static let leastKeyCount = 45

  static func write(_ build: Int, to path: String) throws {
    let writer = FuseWriter(
      FuseWriter.Options(layout: build.isMultiple(of: 2) ? .indexed : .plain, memory: 16 << 20, threadCount: 1))
    for number in 0..<keyCount(ofBuild: build) {
      try writer.addKey(keys[number], for: try writer.addObject(object(of: build, key: number)))
    }
    try writer.build(to: path)
  }

  /// Two numbers, the build's and the key's.
  private static func object(of build: Int, key: Int) -> [UInt8] {
    [0x92, 0xCE] + (0..<4).map { UInt8(truncatingIfNeeded: build >> (24 - 8 * $0)) } + [UInt8(key)]
  }

  /// The build that the object of a key says it is of.
  static func build(saidBy bytes: RawSpan, key: Int) throws -> Int {
    guard bytes.byteCount == 7 else { throw Violation("the object of key \(key) has \(bytes.byteCount) bytes") }
    var build = 0
    for offset in 2..<6 { build = build << 8 | Int(byte(of: bytes, at: offset)) }
    guard byte(of: bytes, at: 1) == 0xCE, byte(of: bytes, at: 6) == UInt8(key) else {
      throw Violation("the object of key \(key) is another's, \(byte(of: bytes, at: 6)), or damaged")
    }
    return build
  }

  private static func byte(of bytes: RawSpan, at offset: Int) -> UInt8 {
    // SAFETY: this load checks its bounds, and any byte is a UInt8.
    unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
