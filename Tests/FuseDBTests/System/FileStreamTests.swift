import Glibc
import ProgramSupport
import Testing

@testable import FuseDBFormat
@testable import FuseDBSystem

struct `A stream into a file` {
  @Test(arguments: [false, true])
  func `writes all bytes in their order, and knows their checksum, with a thread of its own or without`(isBehind: Bool)
    throws
  {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(replacing: PinnedPath(folder.path("a")))
    let start = 1_000_003
    let stream = try file.stream(at: start, behind: isBehind)
    var model: [UInt8] = []
    let block = 2 << 20
    for (number, byteCount) in [0, 1, 77, block, block - 1, 3 * block + 5, 9, 0, 2 * block, 5].enumerated() {
      // A pattern that is another at each multiple of a block.
      let part = (0..<byteCount).map { UInt8(truncatingIfNeeded: ($0 >> 12) &+ 31 &* number &+ $0) }
      try stream.write(part.rawSpan)
      try stream.write(entry: [0x6B].rawSpan, object: UInt64(number))
      model += part + [0, 1, 0x6B] + ReferenceFile.big(number, 8)
      // Flushed at any place, it goes on there.
      guard number.isMultiple(of: 3) else { continue }
      try stream.flush()
      let checksum = Checksum.of(model.rawSpan)
      #expect(stream.checksum.value == checksum)
      #expect(stream.byteCount == model.count)
      #expect(stream.position == start + model.count)
    }
    try stream.flush()
    var found = [UInt8](repeating: 0, count: model.count)
    try unsafe found.withUnsafeMutableBytes { bytes in try unsafe file.read(into: bytes, at: start) }
    #expect(found == model)
  }

  @Test(arguments: [false, true])
  func `that finds no room says so, again and again`(isBehind: Bool) async {
    if isBehind {
      await #expect(processExitsWith: .exitCode(44)) { try Acts.writeWithoutRoom(behind: true) }
    } else {
      await #expect(processExitsWith: .exitCode(44)) { try Acts.writeWithoutRoom(behind: false) }
    }
  }

  @Test func `that is given up in the middle ends its thread first`() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<20 {
      let file = try AtomicFile(replacing: PinnedPath(folder.path("a")))
      let stream = try file.stream(at: 40, behind: true)
      let part = [UInt8](repeating: 7, count: 5 << 20)
      try stream.write(part.rawSpan)
    }
    #expect(try folder.names == [])
  }
}

private enum Acts {
  static func writeWithoutRoom(behind isBehind: Bool) throws {
    let folder = try TemporaryFolder()
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: 3_000_000, rlim_max: 3_000_000)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
    let path = folder.path("a")
    let file = try AtomicFile(replacing: PinnedPath(path))
    let stream = try file.stream(at: 40, behind: isBehind)
    let part = [UInt8](repeating: 7, count: 1 << 20)
    var errors = 0
    for _ in 0..<20 {
      let error = failure {
        try stream.write(part.rawSpan)
        try stream.flush()
      }
      if let error {
        guard error.code == .inputOutput, error.errno == EFBIG, error.path == path else { exit(3) }
        errors += 1
      }
    }
    exit(withExtendedLifetime(file) { errors } >= 17 ? 44 : 1)
  }
}
