import Foundation
import Glibc
import Testing

import FuseDB

/// What the rest of a process may expect of SIGBUS while readers live in it. Each test ends a process of its own.
@Suite(.serialized)
struct `A bus error` {
  @Test func `that is not the reader's ends the process as if no reader had been there`() async {
    await #expect(processExitsWith: .signal(SIGBUS)) { try Acts.touchVanishingPages() }
  }

  @Test func `that somebody sends ends the process`() async {
    await #expect(processExitsWith: .signal(SIGBUS)) { try Acts.sendBusError() }
  }

  @Test func `that is not the reader's goes to the handler that was there before`() async {
    await #expect(processExitsWith: .exitCode(42)) {
      Acts.exit42OnBusError()
      try Acts.touchVanishingPages()
    }
  }

  @Test func `that is not the reader's goes to the handler that was there before, with its information`() async {
    await #expect(processExitsWith: .exitCode(43)) {
      Acts.exit43OnBusErrorWithAddress()
      try Acts.touchVanishingPages()
    }
  }

  @Test func `where a closed reader's file was mapped ends the process, too`() async {
    await #expect(processExitsWith: .signal(SIGBUS)) { try Acts.touchWhereReaderWas() }
  }

  @Test func `that is the reader's does not reach the handler that was there before`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      Acts.exit42OnBusError()
      try Acts.truncateUnderReader()
    }
  }

  @Test func `that is the reader's is an error also where SIGBUS was ignored before`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      Acts.ignoreBusErrors()
      try Acts.truncateUnderReader()
    }
  }
}

/// What the ending processes do.
private enum Acts {
  static let sample = `A file that is truncated while it is open`.sample

  /// Maps a new file of two pages, at `address` if that is not zero, takes its bytes away and reads the first, with a reader open.
  static func touchVanishingPages(at address: UInt = 0) throws {
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: folder.write(WorkedExamples.oneKey))
    let byteCount = 2 * Int(getpagesize())
    let path = try folder.write([UInt8](repeating: 7, count: byteCount), as: "vanishing")
    let descriptor = unsafe open(path, O_RDWR)
    let flags = address == 0 ? MAP_SHARED : MAP_SHARED | MAP_FIXED
    let mapped = unsafe mmap(UnsafeMutableRawPointer(bitPattern: address), byteCount, PROT_READ, flags, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED, ftruncate(descriptor, 0) == 0 else { exit(2) }
    let byte = unsafe mapped.load(as: UInt8.self)
    print("read \(byte) beside a reader of \(reader.keyCount) keys")
    exit(EXIT_SUCCESS)
  }

  static func sendBusError() throws {
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: folder.write(WorkedExamples.oneKey))
    kill(getpid(), SIGBUS)
    // It may be another thread that the signal is delivered to.
    sleep(10)
    print("outlived it beside a reader of \(reader.keyCount) keys")
    exit(EXIT_SUCCESS)
  }

  static func exit42OnBusError() { signal(SIGBUS) { _ in _exit(42) } }

  static func ignoreBusErrors() { signal(SIGBUS, SIG_IGN) }

  static func exit43OnBusErrorWithAddress() {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_sigaction = { number, info, _ in
      _exit(unsafe number == SIGBUS && info?.pointee.si_signo == SIGBUS ? 43 : 1)
    }
    action.sa_flags = SA_SIGINFO
    unsafe sigaction(SIGBUS, &action, nil)
  }

  static func touchWhereReaderWas() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(sample.bytes)
    var place: UInt = 0
    // Opened and closed often, so that its node in the list of regions was used again.
    for _ in 0..<3 {
      let mapping = try FileMapping(path: path)
      place = unsafe mapping.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
    try touchVanishingPages(at: place)
  }

  /// Ends with 44 when a reader of a file that vanishes throws.
  static func truncateUnderReader() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(sample.bytes)
    let reader = try FuseReader(path: path)
    guard unsafe truncate(path, 0) == 0 else { exit(2) }
    let error = failure { _ = try reader.statistics() }
    exit(error?.code == .truncated ? 44 : 1)
  }
}
