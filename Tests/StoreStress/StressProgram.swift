import FuseDB
import FuseDBStore
import Glibc
import ProgramSupport

/// Writers, readers and collections in processes of their own, of which one after the other is killed. What a writer was told to be done stands in
/// a file of its own, outside of the store; in the end all of that has to be there, and nothing else.
///
///     StoreStress [--kills COUNT] [--writers COUNT] [--seed NUMBER]
///     StoreStress --bits          flips every bit of small stores instead
///
/// The last line says whether all was well; so does the exit code. What the processes do is random, when they do it is not up to the program: a
/// seed brings back the first, and no more.
struct StressProgram {
  var killCount = 1000
  var writerCount = 8
  var seed = UInt64.random(in: 0...UInt64.max)

  static func run(_ arguments: [String]) -> Int32 {
    if arguments.count == 6, arguments[1] == "--worker" {
      return Worker.run(kind: arguments[2], folder: arguments[3], number: arguments[4], seed: arguments[5])
    }
    if arguments.dropFirst() == ["--bits"] {
      do {
        print("StoreStress passed: \(try EveryBit().run())")
        return 0
      } catch {
        print("StoreStress failed: \(error)")
        return 1
      }
    }
    guard let program = StressProgram(arguments) else {
      print("usage: StoreStress [--kills COUNT] [--writers COUNT] [--seed NUMBER], or --bits")
      return 64
    }
    do {
      let summary = try program.run()
      print("StoreStress passed: \(summary) (seed \(program.seed))")
      return 0
    } catch {
      print("StoreStress failed: \(error) (seed \(program.seed))")
      return 1
    }
  }

  private init?(_ arguments: [String]) {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch (name, Int(value), UInt64(value)) {
      case ("--kills", let count?, _) where count >= 1: killCount = count
      case ("--writers", let count?, _) where count >= 1: writerCount = count
      case ("--seed", _, let number?): seed = number
      default: return nil
      }
    }
  }

  /// Who is at work: a writer, a reader or a collection, and with which number.
  private struct Post {
    let kind: String
    let number: Int
    var process: pid_t = 0
  }

  private func run() throws -> String {
    let folder = StressFolder()
    _ = try FuseStore.create(path: folder.store, configuration: Material.configuration)
    var random = SeededRandom(seed: seed)
    var posts = (0..<writerCount).map { Post(kind: "write", number: $0) }
    posts += [Post(kind: "read", number: 0), Post(kind: "read", number: 1)]
    posts += [Post(kind: "collect", number: 0), Post(kind: "collect", number: 1)]
    // Whatever happens, nobody stays.
    defer { for post in posts where post.process > 0 { kill(post.process, SIGKILL) } }
    for place in posts.indices { posts[place].process = try start(posts[place], folder, random.next()) }
    for kill in 1...killCount {
      usleep(UInt32(2000 + random.below(40_000)))
      let place = random.below(posts.count)
      try end(posts[place], with: SIGKILL)
      posts[place].process = try start(posts[place], folder, random.next())
      if kill % 100 == 0 {
        print("  \(kill) kills")
        fflush(nil)
      }
    }
    // The others are asked to stop, and say whether all was well.
    folder.askToStop()
    for place in posts.indices {
      let post = posts[place]
      posts[place].process = 0
      try end(post, with: 0)
    }
    return try Inspection(folder, writerCount: writerCount).run()
  }

  private func start(_ post: Post, _ folder: StressFolder, _ seed: UInt64) throws -> pid_t {
    let words = ["/proc/self/exe", "--worker", post.kind, folder.path, "\(post.number)", "\(seed)"]
    var process = pid_t()
    // SAFETY: the words are copies that end in zero bytes and are freed after the call; the list of them ends in nil.
    var list = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { for place in unsafe list.indices { unsafe free(list[place]) } }
    let result = unsafe posix_spawn(&process, "/proc/self/exe", nil, nil, &list, environ)
    guard result == 0 else { throw Violation("cannot start a process: \(result)") }
    return process
  }

  /// Waits until a process has ended, by the signal or by itself.
  private func end(_ post: Post, with signal: Int32) throws {
    if signal != 0 { kill(post.process, signal) }
    var status: Int32 = 0
    // SAFETY: the call writes a value of the type that it takes.
    guard unsafe waitpid(post.process, &status, 0) == post.process else { throw Violation("cannot wait for a process") }
    let (code, by) = (status >> 8 & 0xFF, status & 0x7F)
    // It may have ended before it was killed; then it has to have been well.
    guard (by == 0 && code == 0) || (by == signal && signal != 0) else {
      throw Violation("\(post.kind) \(post.number) ended with code \(code), signal \(by); see what it said above")
    }
  }
}

/// The store, and beside it what the writers know.
final class StressFolder: Sendable {
  let path: String
  private let isOwner: Bool

  var store: String { path + "/store" }
  func ledger(_ number: Int) -> String { "\(path)/ledger.\(number)" }
  var material: String { path + "/material" }
  private var stop: String { path + "/stop" }

  init() {
    let scratch = Scratch.folder()
    path = scratch
    isOwner = true
    unsafe mkdir(material, 0o700)
  }

  init(_ path: String) {
    self.path = path
    isOwner = false
  }

  deinit { if isOwner { Self.remove(path) } }

  private static func remove(_ path: String) {
    for name in Scratch.names(in: path) ?? [] { remove("\(path)/\(name)") }
    if unsafe rmdir(path) != 0 { unsafe unlink(path) }
  }

  func askToStop() { unsafe close(creat(stop, 0o600)) }
  var isOver: Bool { unsafe access(stop, F_OK) == 0 }
}
