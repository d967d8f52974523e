internal import FuseDBFormat

/// How a reader holds its file in memory.
///
///     try FuseReader(path: "geo.fsdb")                                              // mapped, pages read when needed
///     try FuseReader(path: "geo.fsdb", access: .copied)                             // in memory of its own
///     try FuseReader(path: "geo.fsdb", access: FuseAccess(prefault: .background))   // mapped, and soon all there
///
/// The answers are the same with every choice. What changes is when the file is read, and whose memory it takes.
public struct FuseAccess: Sendable, Hashable {
  /// Where the bytes are.
  public enum Memory: Sendable, Hashable {
    /// In the system's page cache, shared by all processes that open the file. Its pages are read when they are first
    /// needed, and the system may drop them when memory is short.
    case mapped
    /// In memory of this reader alone, as large as the file, filled when it is opened: whatever happens to the file
    /// afterwards, truncation included, the reader does not see. In large pages where the system has them.
    case copied
  }

  /// What the system expects of the next access to the file.
  public enum Advice: Sendable, Hashable {
    /// That it is near the last: the system reads ahead. Where the whole file is wanted at once, it is asked for large
    /// pages.
    case normal
    /// That it may be anywhere: only pages that are asked for are read. For files larger than memory on fast disks.
    /// What reads the whole file in order, such as the comparison of its checksum, reads ahead all the same.
    case random
  }

  /// Whether the pages of a mapped file are brought in before they are needed.
  public enum Prefault: Sendable, Hashable {
    /// Never.
    case none
    /// By a thread of its own, which ends when all is there or the reader goes away. Opening does not wait for it.
    case background
    /// Before opening returns.
    case atOpen
  }

  /// Where the bytes are.
  public var memory: Memory
  /// What the system expects of the next access; without effect on copied memory.
  public var advice: Advice
  /// When pages are brought in unasked; without effect on copied or locked memory, which is there from the start.
  public var prefault: Prefault
  /// Whether the bytes stay in memory for as long as the reader lives: brought in when it is opened, never dropped and
  /// never swapped. The process needs a limit for locked memory (`ulimit -l`) that allows it.
  public var isLocked: Bool

  /// Chooses; without arguments, a reader's default.
  public init(
    memory: Memory = .mapped, advice: Advice = .normal, prefault: Prefault = .none, isLocked: Bool = false
  ) {
    self.memory = memory
    self.advice = advice
    self.prefault = prefault
    self.isLocked = isLocked
  }

  /// Mapped, nothing read before it is needed: the default.
  public static let mapped = FuseAccess()
  /// In memory of its own.
  public static let copied = FuseAccess(memory: .copied)
}
