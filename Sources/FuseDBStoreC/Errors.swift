public import CFuseDB
internal import CFuseDBStore
internal import CFuseHandles
internal import FuseDBFormat

/// What functions return: the constants of fusedb.h.
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
}

/// A text as C has it, for as long as this object lives.
final class CText {
  let start: UnsafeMutablePointer<CChar>
  let byteCount: Int

  convenience init(_ text: String) { self.init(bytes: Array(text.utf8)) }

  /// The bytes of a name or a path, whatever they are.
  init(bytes: [UInt8]) {
    byteCount = bytes.count
    start = .allocate(capacity: bytes.count + 1)
    for (number, byte) in bytes.enumerated() { start[number] = CChar(bitPattern: byte) }
    start[bytes.count] = 0
  }

  deinit { start.deallocate() }
}

/// An error with its texts as C has them.
final class ErrorBox {
  let error: FuseError
  let message: CText
  let description: CText
  let path: CText?

  init(_ error: FuseError) {
    self.error = error
    message = CText(error.message)
    description = CText(error.description)
    path = error.path.map { CText($0) }
  }
}

/// Does `body`, and tells what it throws as C wants it told.
func answer(_ slot: HandleSlot?, _ body: () throws(FuseError) -> fuse_status) -> fuse_status {
  do throws(FuseError) { return try body() } catch {
    if let slot { slot.pointee = try? handle(of: ErrorBox(error), HandleKind.error) }
    return Status.of(error.code)
  }
}

private func box(_ error: OpaquePointer?) -> ErrorBox? { try? object(error, HandleKind.error) }

/// A text that is always there.
private func constant(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// The status that came with it.
@c @implementation
public func fuse_store_error_code(_ error: OpaquePointer?) -> fuse_status {
  box(error).map { Status.of($0.error.code) } ?? Status.ok
}

/// What failed and what to do.
@c @implementation
public func fuse_store_error_message(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error).map { UnsafePointer($0.message.start) } ?? constant("")
}

/// All of it on one line.
@c @implementation
public func fuse_store_error_description(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error).map { UnsafePointer($0.description.start) } ?? constant("")
}

/// Where in the file.
@c @implementation
public func fuse_store_error_offset(_ error: OpaquePointer?, _ offset: UnsafeMutablePointer<UInt64>?) -> Bool {
  guard let found = box(error)?.error.offset else { return false }
  offset?.pointee = found
  return true
}

/// The file concerned.
@c @implementation
public func fuse_store_error_path(_ error: OpaquePointer?) -> UnsafePointer<CChar>? {
  box(error)?.path.map { UnsafePointer($0.start) }
}

/// The system's error number.
@c @implementation
public func fuse_store_error_errno(_ error: OpaquePointer?) -> Int32 { box(error)?.error.errno ?? 0 }

/// Frees an error.
@c @implementation
public func fuse_store_error_free(_ error: OpaquePointer?) { _ = close(error, HandleKind.error) }

/// The version of the library.
@c @implementation
public func fuse_store_library_version() -> UnsafePointer<CChar>? { constant("0.1.0") }

/// Frees the bytes of a buffer, which is empty then.
@c @implementation
public func fuse_store_buffer_free(_ buffer: UnsafeMutablePointer<fuse_buffer>?) {
  guard let buffer else { return }
  fuse_memory_free(buffer.pointee.data)
  buffer.pointee = fuse_buffer()
}
