import Foundation
import Glibc
import Testing

import FuseDB

struct `A command that a signal ends` {
  @Test func `says that nothing was published, and ends by that signal`() async throws {
    let result = await #expect(processExitsWith: .signal(SIGTERM), observing: [\.standardErrorContent]) {
      Interruption.write("as it was\n", whenPublished: "complete\n")
      send(SIGTERM)
    }
    #expect(try #require(result).standardErrorContent == Array("as it was\n".utf8))
  }

  @Test func `says that a file was published, until it begins another`() async throws {
    let first = await #expect(processExitsWith: .signal(SIGINT), observing: [\.standardErrorContent]) {
      Interruption.write("as it was\n", whenPublished: "complete\n")
      try publish()
      send(SIGINT)
    }
    #expect(try #require(first).standardErrorContent == Array("complete\n".utf8))
    let second = await #expect(processExitsWith: .signal(SIGHUP), observing: [\.standardErrorContent]) {
      Interruption.write("the first\n", whenPublished: "complete\n")
      try publish()
      Interruption.write("the second\n", whenPublished: "complete\n")
      send(SIGHUP)
    }
    #expect(try #require(second).standardErrorContent == Array("the second\n".utf8))
  }

  @Test func `is left to its own plans where it has some`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      signal(SIGTERM) { _ in _exit(44) }
      signal(SIGINT, SIG_IGN)
      Interruption.write("never\n", whenPublished: "never\n")
      kill(getpid(), SIGINT)
      send(SIGTERM)
    }
  }

  @Test func `leaves the signals of a process that only uses the library alone`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      var before = sigset_t()
      var after = sigset_t()
      unsafe pthread_sigmask(SIG_BLOCK, nil, &before)
      try publish()
      unsafe pthread_sigmask(SIG_BLOCK, nil, &after)
      for number in [SIGHUP, SIGINT, SIGTERM] {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0, unsafe action.__sigaction_handler.sa_handler == nil,
          unsafe sigismember(&before, number) == sigismember(&after, number)
        else { exit(1) }
      }
      exit(44)
    }
  }
}

/// Sends a signal to this process, as a terminal does, and waits to be ended by it.
private func send(_ number: Int32) {
  kill(getpid(), number)
  sleep(60)
}

/// Publishes a database in a folder of its own.
private func publish() throws {
  let folder = try TemporaryFolder()
  let writer = FuseWriter()
  try writer.add(["a"], messagePack: [0xC0])
  try writer.build(to: folder.path("a.fsdb"))
}
