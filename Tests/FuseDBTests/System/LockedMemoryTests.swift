import Glibc
import Testing

import FuseDB

/// Serialized: the system counts what the whole process has locked.
@Suite(.serialized)
struct `Locked memory` {
  private static let sample = `A file that is truncated while it is open`.sample

  /// Whether the system lets this process lock so much.
  private static func canLock(_ byteCount: Int) throws -> Bool {
    let probe = try ZeroedMemory(byteCount: byteCount)
    return unsafe mlock(probe.start, byteCount) == 0
  }

  @Test(arguments: [FuseAccess.Memory.mapped, .copied], [FuseAccess.Prefault.none, .background])
  func `holds the whole file, or opening says why not`(memory: FuseAccess.Memory, prefault: FuseAccess.Prefault) throws
  {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let access = FuseAccess(memory: memory, prefault: prefault, isLocked: true)
    guard try Self.canLock(Self.sample.bytes.count) else {
      #expect(failure { _ = try FuseReader(path: path, access: access) }?.message.contains("ulimit -l") == true)
      return
    }
    let reader = try FuseReader(path: path, access: access)
    let use = try MemoryUse.of(reader.mapping)
    #expect(use.lockedByteCount >= reader.mapping.pagesByteCount)
    #expect(use.flags.contains("lo"))
    let asked = Self.sample.keys + Self.sample.absent
    #expect(try Answers.of(reader, asking: asked) == Answers.of(try FuseReader(path: path), asking: asked))
    #expect(try !MemoryUse.of(FuseReader(path: path).mapping).flags.contains("lo"))
  }

  @Test func `also holds bytes that came from no file`() throws {
    guard try Self.canLock(Self.sample.bytes.count) else {
      #expect(failure { _ = try FuseReader(bytes: Self.sample.bytes, isLocked: true) }?.code == .inputOutput)
      return
    }
    let reader = try FuseReader(bytes: Self.sample.bytes, isLocked: true)
    #expect(try MemoryUse.of(reader.mapping).flags.contains("lo"))
  }

  @Test func `beyond the process's limit is refused with what to do, mapped and copied`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.lockBeyondLimit(65_536, expecting: ENOMEM) }
  }

  @Test func `where none is allowed is refused with what to do, mapped and copied`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.lockBeyondLimit(0, expecting: EPERM) }
  }
}

/// What processes of their own do; they end with 44 when all is well.
private enum Acts {
  static func lockBeyondLimit(_ limit: UInt, expecting number: Int32) throws {
    let bytes = ReferenceFile(
      objects: [[0xC5, 0xFF, 0xFF] + [UInt8](repeating: 7, count: 65_535)], keys: [([0x61], 0)]
    ).bytes
    let folder = try TemporaryFolder()
    let descriptor = unsafe open(try folder.write(bytes), O_RDONLY)
    var limits = rlimit(rlim_cur: limit, rlim_max: limit)
    guard unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limits) == 0 else { exit(2) }
    // The limit does not bind the superuser.
    guard geteuid() != 0 || seteuid(65_534) == 0 else { exit(3) }
    for memory in [FuseAccess.Memory.mapped, .copied] {
      let error = failure {
        _ = try FuseReader(descriptor: descriptor, access: FuseAccess(memory: memory, isLocked: true))
      }
      guard error?.code == .inputOutput, error?.errno == number, error?.path == "descriptor \(descriptor)" else {
        exit(4)
      }
      // 65,581 bytes are 65 KiB.
      for words in ["lock \(bytes.count) bytes", "\(limit) bytes in all", "'ulimit -l 65'", "RLIMIT_MEMLOCK"] {
        guard error?.message.contains(words) == true else { exit(5) }
      }
      guard try FuseReader(descriptor: descriptor, access: FuseAccess(memory: memory)).contains("a") else { exit(6) }
    }
    _ = seteuid(getuid())
    exit44(if: true)
  }
}
