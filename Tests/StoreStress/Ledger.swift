import Glibc
import ProgramSupport

/// What one writer was about to do, and what it was told to be done: a line each, written in one call, so that a process that is killed leaves
/// whole ones.
struct Ledger {
  enum Line: Equatable {
    /// Objects are about to be put; or they were, for certain.
    case putting([UInt64]), put([UInt64])
    /// An object is about to be kept no more; or it is not, for certain.
    case removing(UInt64), removed(UInt64)
    /// A name is about to lead to an object, or to nothing; or it does.
    case naming(Int, UInt64?), named(Int, UInt64?)
    /// A version is about to be put; or it was.
    case adding(UInt64), added(UInt64)

    var text: String {
      switch self {
      case .putting(let all): "putting \(all.map(String.init).joined(separator: ","))"
      case .put(let all): "put \(all.map(String.init).joined(separator: ","))"
      case .removing(let one): "removing \(one)"
      case .removed(let one): "removed \(one)"
      case .naming(let name, let one): "naming \(name),\(one.map(String.init) ?? "-")"
      case .named(let name, let one): "named \(name),\(one.map(String.init) ?? "-")"
      case .adding(let one): "adding \(one)"
      case .added(let one): "added \(one)"
      }
    }

    init?(_ text: Substring) {
      let words = text.split(separator: " ")
      guard words.count == 2 else { return nil }
      let parts = words[1].split(separator: ",")
      let numbers = parts.map { UInt64($0) }
      guard let first = numbers.first else { return nil }
      switch (words[0], first) {
      case ("putting", _): self = .putting(numbers.compactMap { $0 })
      case ("put", _): self = .put(numbers.compactMap { $0 })
      case ("removing", let one?): self = .removing(one)
      case ("removed", let one?): self = .removed(one)
      case ("naming", let name?) where numbers.count == 2: self = .naming(Int(name), numbers[1])
      case ("named", let name?) where numbers.count == 2: self = .named(Int(name), numbers[1])
      case ("adding", let one?): self = .adding(one)
      case ("added", let one?): self = .added(one)
      default: return nil
      }
    }
  }

  /// What has to be there.
  struct State {
    /// Put and not removed, for certain.
    var kept: Set<UInt64> = []
    /// Perhaps there: the writer died before it knew.
    var perhaps: Set<UInt64> = []
    /// What each name leads to, for certain; of one that may be another by now, all that it may be.
    var names: [Int: [UInt64?]] = [:]
    /// Versions that were put, in order; nil for one that perhaps was.
    var versions: [(number: UInt64, isCertain: Bool)] = []
    /// All that a name ever was to lead to.
    var everNamed: Set<UInt64> = []
  }

  private let path: String
  private let file: Int32

  init(_ path: String) throws {
    self.path = path
    // SAFETY: the path ends in a zero byte and lives until the call returns.
    file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Violation("cannot open \(path)") }
  }

  func write(_ line: Line) throws {
    let text = Array((line.text + "\n").utf8)
    // SAFETY: the call reads the bytes of the array.
    guard unsafe Glibc.write(file, text, text.count) == text.count else { throw Violation("cannot write \(path)") }
  }

  static func state(_ path: String) -> State {
    var state = State()
    for text in String(decoding: Scratch.bytes(of: path) ?? [], as: UTF8.self).split(separator: "\n") {
      switch Line(text) {
      case .putting(let all): state.perhaps.formUnion(all)
      case .put(let all):
        state.kept.formUnion(all)
        state.perhaps.subtract(all)
      case .removing(let one):
        state.kept.remove(one)
        state.perhaps.insert(one)
      case .removed(let one): state.perhaps.remove(one)
      case .naming(let name, let one):
        state.names[name, default: [nil]].append(one)
        if let one { state.everNamed.insert(one) }
      case .named(let name, let one): state.names[name] = [one]
      case .adding(let one): state.versions.append((one, false))
      case .added(let one):
        if let place = state.versions.lastIndex(where: { $0.number == one }) { state.versions[place].isCertain = true }
      case nil: break
      }
    }
    return state
  }
}
