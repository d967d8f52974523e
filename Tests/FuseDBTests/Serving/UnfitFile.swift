import Glibc
import Testing

import FuseDB

/// Something that must not take a file's place.
struct UnfitFile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// The codes of which its error has one.
  let codes: Set<FuseError.Code>
  /// Words of the error's sentence.
  let says: String
  /// The least check that finds it.
  var check: VerificationLevel?
  /// Puts it under the store's path, from where the file that served is gone.
  let put: @Sendable (ServingBench) throws -> Void

  static let all = cut + changed + absent

  private static let good = ServingBench.file(2)
  private static let plain = ServingBench.file(2, layout: .plain)

  private static let cut = cuts(of: plain, "plain") + cuts(of: good, "with a block")

  private static func cuts(of bytes: [UInt8], _ name: String) -> [UnfitFile] {
    let half = bytes.count / 2
    var all: [UnfitFile] = []
    for byteCount in [1, 39, 40, 41, half, bytes.count - 49, bytes.count - 1] {
      let file = UnfitFile(
        testDescription: "\(name), cut after \(byteCount) bytes", codes: [.truncated, .corrupted], says: "offset"
      ) { try $0.put([UInt8](bytes.prefix(byteCount))) }
      all.append(file)
    }
    let halfCopied = UnfitFile(testDescription: "\(name), half copied", codes: [.corrupted], says: "offset") {
      try $0.put(bytes.prefix(half) + [UInt8](repeating: 0, count: bytes.count - half))
    }
    return all + [halfCopied]
  }

  private static let changed: [UnfitFile] = [
    UnfitFile(testDescription: "empty", codes: [.truncated], says: "the file is empty") { try $0.put([]) },
    UnfitFile(testDescription: "zeros", codes: [.notADatabase], says: "FSDB") {
      try $0.put([UInt8](repeating: 0, count: good.count))
    },
    UnfitFile(testDescription: "of an older version", codes: [.unsupportedVersion], says: "version 1") {
      var bytes = good
      bytes[4] = 1
      try $0.put(bytes)
    },
    flipped("the plain index", of: plain, in: ReferenceFile(plain).entryRange, nil),
    flipped("the data section", of: good, in: 48..<49, .checksums),
    flipped("the index", of: good, in: ReferenceFile(good).entryRange, .checksums),
    flipped("the hash section", of: good, in: (ReferenceBlock(good).range("HASH") ?? 0..<0).dropFirst(80), .checksums),
    flipped("the order section", of: good, in: ReferenceBlock(good).range("ORDR") ?? 0..<0, .checksums),
    UnfitFile(testDescription: "written wrong", codes: [.corrupted], says: "fusedb verify", check: .full) {
      try $0.put(try contents(Fixtures.path(bad: "block-entry-of-b.fsdb")))
    },
  ]

  private static func flipped(
    _ part: String, of bytes: [UInt8], in range: Range<Int>, _ check: VerificationLevel?
  ) -> UnfitFile {
    UnfitFile(testDescription: "a bit in \(part)", codes: [.corrupted], says: "checksum", check: check) {
      try $0.put(bytes.flipping(bit: 8 * range.lowerBound + 3))
    }
  }

  private static let absent: [UnfitFile] = [
    UnfitFile(testDescription: "nothing", codes: [.notFound], says: "No such file") { _ in },
    linked("a link to itself", to: "geo.fsdb", says: "symbolic links"),
    linked("a link to nothing", to: "nothing", says: "No such file"),
    linked("a link to a name that is too long", to: String(repeating: "x", count: 300), says: "too long"),
    linked("a link through a file", to: "../file/geo.fsdb", says: "Not a directory"),
    linked("a device", to: "/dev/zero", says: "not a regular file"),
    linked("a device of random bytes", to: "/dev/urandom", says: "not a regular file"),
    UnfitFile(testDescription: "a folder", codes: [.notFound], says: "this is a folder") {
      unsafe mkdir($0.path, 0o755)
    },
    UnfitFile(testDescription: "a pipe that nobody writes to", codes: [.notFound], says: "not a regular file") {
      unsafe mkfifo($0.path, 0o644)
    },
    UnfitFile(testDescription: "a folder with a file in place of its own", codes: [.notFound], says: "Not a directory")
    {
      unsafe rmdir($0.folder.path("served"))
      try $0.folder.write([1], as: "served")
    },
  ]

  private static func linked(_ what: String, to target: String, says: String) -> UnfitFile {
    UnfitFile(testDescription: what, codes: [.notFound], says: says) {
      try $0.folder.write([1], as: "file")
      unsafe symlink(target, $0.path)
    }
  }
}

extension ReferenceFile {
  /// Where the first key stands.
  fileprivate var entryRange: Range<Int> { Int(indexOffset) + 2..<Int(indexOffset) + 3 }
}
