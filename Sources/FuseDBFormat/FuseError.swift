/// What went wrong, where, and what to do about it: the one error type of the library.
///
/// An absent key is no error (`nil`), and a slip of the caller, such as an ``ObjectID`` of another writer, is a
/// failed precondition.
///
///     do { _ = try FuseReader(path: "geo.fsdb") } catch {
///       error.code      // .corrupted
///       error.offset    // 32
///       print(error)    // geo.fsdb: offset 32: the file's checksum is …
///     }
public struct FuseError: Error, Sendable, Hashable {
  /// The kinds of failure. See spec/format.md §14.
  public enum Code: String, Sendable, Hashable {
    /// The file does not begin as an FSDB file does.
    case notADatabase
    /// The file is of a format version that this library does not read.
    case unsupportedVersion
    /// The bytes at `offset` break the format or differ from their checksum.
    case corrupted
    /// The file ends before its content does, or became shorter or was overwritten while it was open.
    case truncated
    /// A key, an object or a count is larger than the format can hold, or a file longer than is allowed.
    case limitExceeded
    /// A key was added twice and the writer was told to refuse that; `offset` counts calls of `addKey`, from 0.
    case duplicateKey
    /// A value is not what it should be: MessagePack, JSON or a typed field; `offset` counts within the value.
    case invalidValue
    /// A patch was made from another file than the one it is to be applied to.
    case patchMismatch
    /// A file is sound, and a rule does not let it take the place of another: one of the ``SwapRules``, or
    /// `leastKeyCount` or `greatestShrink` of what writes it.
    case refused
    /// The file that was read to make a new one was replaced or written to meanwhile, so the new one, made of the old
    /// content, does not take its place.
    case outputChanged
    /// There is no such file, or it may not be read.
    case notFound
    /// A system call failed; `errno` says how.
    case inputOutput
    /// A remote gives no answer, or none that is of use; it may later.
    case unavailable
    /// The call was ended before it was done, as a program in another language can have it. Nothing was left behind.
    case cancelled
    /// A caller in another language made a slip that in Swift is a failed precondition.
    case invalidArgument
  }

  // One reference, so that a throwing look-up returns its error in a register.
  //
  // It is never nil, and optional for the compiler's sake: LLVM then holds an integer. In top-level and async code,
  // where all errors end in one place that does not return, Swift 6.3's LLVM merges the store of an error that is a
  // pointer with the one that clears the error register, and crashes (its pull request 217372). Tests/Dependent
  // compiles such code.
  private let reference: Details?
  private var details: Details { reference! }

  private final class Details: Sendable {
    let code: Code
    let message: String
    let offset: UInt64?
    let path: String?
    let errno: Int32?
    let codingPath: String?

    init(code: Code, message: String, offset: UInt64?, path: String?, errno: Int32?, codingPath: String?) {
      self.code = code
      self.message = message
      self.offset = offset
      self.path = path
      self.errno = errno
      self.codingPath = codingPath
    }
  }

  /// Makes an error; `message` is a sentence without the path, the offset and a final full stop.
  public init(
    _ code: Code, _ message: String, offset: UInt64? = nil, path: String? = nil, errno: Int32? = nil,
    codingPath: String? = nil
  ) {
    reference = Details(
      code: code, message: message, offset: offset, path: path, errno: errno, codingPath: codingPath)
  }

  /// The kind of failure.
  public var code: Code { details.code }
  /// What failed and what to do, as a sentence for people.
  public var message: String { details.message }
  /// Where: in bytes from the start of the file or value, unless the code says otherwise.
  public var offset: UInt64? { details.offset }
  /// The file concerned.
  public var path: String? { details.path }
  /// The system's error number of `inputOutput` and `notFound`.
  public var errno: Int32? { details.errno }
  /// Which part of a value, for `invalidValue`: names and numbers with dots between them, as `fusedb get --field` takes
  /// them. Empty for the whole value.
  public var codingPath: String? { details.codingPath }

  /// Two errors are equal when all that they say is.
  public static func == (left: FuseError, right: FuseError) -> Bool {
    left.code == right.code && left.message == right.message && left.offset == right.offset
      && left.path == right.path && left.errno == right.errno
      && left.codingPath == right.codingPath
  }

  /// Feeds code, message and offset.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(code)
    hasher.combine(message)
    hasher.combine(offset)
  }

  /// The same error, naming the file unless it names one already.
  package func at(path: String) -> FuseError {
    FuseError(code, message, offset: offset, path: self.path ?? path, errno: errno, codingPath: codingPath)
  }
}

extension FuseError: CustomStringConvertible {
  /// `path: offset n: codingPath: message`, without the parts that are unknown or empty.
  public var description: String {
    var text = ""
    if let path { text += "\(path): " }
    if let offset, code != .duplicateKey {
      text += codingPath != nil && path != nil ? "offset \(offset) of the value: " : "offset \(offset): "
    }
    if let codingPath, codingPath != "" { text += "\(codingPath): " }
    return text + message
  }
}

extension FuseError: CustomDebugStringConvertible, CustomReflectable {
  /// The code and the description: `FuseError.corrupted(geo.fsdb: offset 32: the file's checksum is …)`.
  public var debugDescription: String { "FuseError.\(code.rawValue)(\(description))" }

  /// All that the error says.
  public var customMirror: Mirror {
    var children: [(String, Any)] = [("code", code.rawValue), ("message", message)]
    if let offset { children.append(("offset", offset)) }
    if let path { children.append(("path", path)) }
    if let errno { children.append(("errno", errno)) }
    if let codingPath { children.append(("codingPath", codingPath)) }
    return Mirror(self, children: children.map { (label: $0.0, value: $0.1) })
  }
}

extension FuseError {
  @inline(never)
  package static func corrupted(_ message: String, at offset: some BinaryInteger) -> FuseError {
    FuseError(.corrupted, message, offset: UInt64(clamping: offset))
  }

  @inline(never)
  package static func truncated(_ message: String, at offset: some BinaryInteger) -> FuseError {
    FuseError(.truncated, message, offset: UInt64(clamping: offset))
  }

  @inline(never)
  package static func invalidValue(_ message: String, at offset: some BinaryInteger) -> FuseError {
    FuseError(.invalidValue, message, offset: UInt64(clamping: offset))
  }
}

extension FuseError {
  /// The call was to end.
  package static var cancelled: FuseError {
    FuseError(.cancelled, "the call was ended before it was done; nothing was left behind")
  }
}

extension FuseError {
  /// Memory is short.
  ///
  /// - Parameter action: what was tried, to stand after "cannot".
  @usableFromInline package static func outOfMemory(_ action: String) -> FuseError {
    // Linux and Darwin give ENOMEM this number.
    FuseError(.inputOutput, "cannot \(action): Cannot allocate memory", errno: 12)
  }
}
