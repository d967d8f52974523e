import FuseDB
import FuseDBStore
import Glibc
import ProgramSupport

/// What is put: made of a number alone, so that every process knows what has to come back.
enum Material {
  static let configuration = FuseStore.Configuration(
    chunking: .contentDefined(least: 512, average: 2048, most: 8192), packByteCount: 1 << 18)

  /// The bytes of an object. Parts are shared by many, so that writers rely on what others stored; no two numbers have the same.
  static func bytes(_ number: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: number)
    var bytes = Array("object \(number)\n".utf8)
    for _ in 0..<random.below(4) {
      var shared = SeededRandom(seed: UInt64(random.below(12)))
      bytes += shared.bytes(1000 + shared.below(20_000))
    }
    if random.bool() { bytes += Array(repeating: UInt8(random.below(256)), count: random.below(3000)) }
    return bytes + random.bytes(random.below(600))
  }

  static func id(_ number: UInt64) throws -> FuseStore.ObjectID { try FuseStore.id(of: bytes(number)) }

  /// A look-up file, of which each number has a little of its own. It is made once, by whoever needs it first.
  static func lookupFile(_ number: UInt64, in folder: StressFolder) throws -> String {
    let path = "\(folder.material)/\(number).fsdb"
    // SAFETY: the path ends in a zero byte and lives until the call returns.
    guard unsafe access(path, F_OK) != 0 else { return path }
    let writer = FuseWriter(FuseWriter.Options(sharing: .none))
    for key in 0..<150 {
      var random = SeededRandom(seed: UInt64(key) &* 7919 &+ (UInt64(key) % 50 == number % 50 ? number : 0))
      _ = try writer.add(["key \(key)"], messagePack: [0xC4, 60] + random.bytes(60))
    }
    try writer.build(to: path)
    return path
  }

  static let lookupFileCount: UInt64 = 40
}
