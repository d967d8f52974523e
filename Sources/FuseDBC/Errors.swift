public import CFuseDB
internal import CFuseHandles
internal import FuseDB

/// What functions return: the constants of the header, as the numbers that they are there.
enum Status {
  static let ok = fuse_status(FUSE_OK)
  static let none = fuse_status(FUSE_NONE)
  static let invalidArgument = fuse_status(FUSE_ERROR_INVALID_ARGUMENT)

  static func of(_ code: FuseError.Code) -> fuse_status {
    let status =
      switch code {
      case .notADatabase: FUSE_ERROR_NOT_A_DATABASE
      case .unsupportedVersion: FUSE_ERROR_UNSUPPORTED_VERSION
      case .corrupted: FUSE_ERROR_CORRUPTED
      case .truncated: FUSE_ERROR_TRUNCATED
      case .limitExceeded: FUSE_ERROR_LIMIT_EXCEEDED
      case .duplicateKey: FUSE_ERROR_DUPLICATE_KEY
      case .invalidValue: FUSE_ERROR_INVALID_VALUE
      case .patchMismatch: FUSE_ERROR_PATCH_MISMATCH
      case .refused: FUSE_ERROR_REFUSED
      case .outputChanged: FUSE_ERROR_OUTPUT_CHANGED
      case .notFound: FUSE_ERROR_NOT_FOUND
      case .inputOutput: FUSE_ERROR_INPUT_OUTPUT
      case .unavailable: FUSE_ERROR_UNAVAILABLE
      case .cancelled: FUSE_ERROR_CANCELLED
      case .invalidArgument: FUSE_ERROR_INVALID_ARGUMENT
      }
    return fuse_status(status)
  }

  static func name(of status: fuse_status) -> StaticString {
    switch Int(status) {
    case Int(FUSE_OK): "ok"
    case Int(FUSE_NONE): "none"
    case Int(FUSE_ERROR_NOT_A_DATABASE): "notADatabase"
    case Int(FUSE_ERROR_UNSUPPORTED_VERSION): "unsupportedVersion"
    case Int(FUSE_ERROR_CORRUPTED): "corrupted"
    case Int(FUSE_ERROR_TRUNCATED): "truncated"
    case Int(FUSE_ERROR_LIMIT_EXCEEDED): "limitExceeded"
    case Int(FUSE_ERROR_DUPLICATE_KEY): "duplicateKey"
    case Int(FUSE_ERROR_INVALID_VALUE): "invalidValue"
    case Int(FUSE_ERROR_PATCH_MISMATCH): "patchMismatch"
    case Int(FUSE_ERROR_REFUSED): "refused"
    case Int(FUSE_ERROR_OUTPUT_CHANGED): "outputChanged"
    case Int(FUSE_ERROR_NOT_FOUND): "notFound"
    case Int(FUSE_ERROR_INPUT_OUTPUT): "inputOutput"
    case Int(FUSE_ERROR_UNAVAILABLE): "unavailable"
    case Int(FUSE_ERROR_CANCELLED): "cancelled"
    case Int(FUSE_ERROR_INVALID_ARGUMENT): "invalidArgument"
    default: "unknown"
    }
  }
}

extension FuseError {
  /// A slip of the caller's, which in Swift would be a failed precondition.
  static func slip(_ message: String) -> FuseError { FuseError(.invalidArgument, message) }
}

extension FuseError {
  /// How Swift's messages name options, and what those are called in the header.
  private static let names: KeyValuePairs = [
    "'leastKeyCount'": "'least_key_count'", "'greatestShrink'": "'greatest_shrink'", "'allowsEmpty'": "'allows_empty'",
    "'requiredKeys'": "'required_keys'", "'keptFileCount'": "'kept_file_count'",
    "or let masksHostBits do": "or let masks_host_bits do",
    "or let normalisation = .network do": "or let normalisation = FUSE_NORMALISE_NETWORK do",
  ]

  /// The same error with the names of options as the header has them.
  fileprivate var withNamesOfC: FuseError {
    // Byte by byte: what the standard library has for it would make the library a megabyte larger.
    let text = Array(message.utf8)
    for (swift, c) in Self.names {
      let name = Array(swift.utf8)
      guard text.count >= name.count,
        let start = (0...text.count - name.count).first(where: { text[$0..<$0 + name.count].elementsEqual(name) })
      else { continue }
      let renamed = String(decoding: text[..<start] + Array(c.utf8) + text[(start + name.count)...], as: UTF8.self)
      return FuseError(code, renamed, offset: offset, path: path, errno: errno, codingPath: codingPath)
    }
    return self
  }
}

/// An error with its texts as C has them.
final class ErrorBox {
  let error: FuseError
  let message: UnsafeMutablePointer<CChar>
  let description: UnsafeMutablePointer<CChar>
  let path: UnsafeMutablePointer<CChar>?
  let codingPath: UnsafeMutablePointer<CChar>?

  init(_ error: FuseError) {
    let error = error.withNamesOfC
    self.error = error
    message = Self.copy(error.message)
    description = Self.copy(error.description)
    path = error.path.map { Self.copy($0) }
    codingPath = error.codingPath.map { Self.copy($0) }
  }

  deinit {
    for text in [message, description, path, codingPath] { text?.deallocate() }
  }

  private static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = text.utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    bytes.withUnsafeBufferPointer { copy.initialize(from: $0.baseAddress!, count: bytes.count) }
    return copy
  }
}

/// Does `body`, and tells what it throws as C wants it told.
@inline(__always)
func answer(_ slot: HandleSlot?, _ body: () throws(FuseError) -> fuse_status) -> fuse_status {
  do throws(FuseError) { return try body() } catch { return report(error, to: slot) }
}

/// The status of an error, which is put where the caller wants to have it.
@inline(never)
func report(_ error: FuseError, to slot: HandleSlot?) -> fuse_status {
  if let slot { slot.pointee = try? handle(of: ErrorBox(error), HandleKind.error) }
  return Status.of(error.code)
}

private func box(_ error: OpaquePointer?) -> ErrorBox? { try? object(error, HandleKind.error) }

/// A text that is always there.
private func constant(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// The status that came with it.
@c @implementation
public func fuse_error_code(_ error: OpaquePointer?) -> fuse_status {
  box(error).map { Status.of($0.error.code) } ?? Status.ok
}

/// What failed and what to do, a sentence in UTF-8 without the path and the offset.
@c @implementation
public func fuse_error_message(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error).map { UnsafePointer($0.message) } ?? constant("")
}

/// All of it on one line: `path: offset 32: sentence`.
@c @implementation
public func fuse_error_description(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error).map { UnsafePointer($0.description) } ?? constant("")
}

/// Where, in bytes from the start of the file or the value.
@c @implementation
public func fuse_error_offset(_ error: OpaquePointer?, _ offset: UnsafeMutablePointer<UInt64>?) -> Bool {
  guard let found = box(error)?.error.offset else { return false }
  offset?.pointee = found
  return true
}

/// The file concerned; NULL where there is none.
@c @implementation
public func fuse_error_path(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error)?.path.map { UnsafePointer($0) }
}

/// Which part of a value, as `geo.city.0`; NULL where there is none.
@c @implementation
public func fuse_error_coding_path(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error)?.codingPath.map { UnsafePointer($0) }
}

/// The system's error number; 0 where there is none.
@c @implementation
public func fuse_error_errno(_ error: OpaquePointer?) -> Int32 { box(error)?.error.errno ?? 0 }

/// Frees an error.
@c @implementation
public func fuse_error_free(_ error: OpaquePointer?) { _ = close(error, HandleKind.error) }

/// The name of a status, such as "corrupted"; "unknown" for a number that is none.
@c @implementation
public func fuse_status_name(_ status: fuse_status) -> UnsafePointer<CChar>? { constant(Status.name(of: status)) }

/// The version of the library, such as "0.1.0".
@c @implementation
public func fuse_library_version() -> UnsafePointer<CChar>? { constant("0.1.0") }

/// The FUSE_ABI_VERSION that the library was built with.
@c @implementation
public func fuse_abi_version() -> UInt32 { UInt32(FUSE_ABI_VERSION) }
