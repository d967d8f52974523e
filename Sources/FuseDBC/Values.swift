public import CFuseDB
internal import CFuseHandles
internal import FuseDB
internal import FuseDBReading
internal import FuseDBValues

/// A way into a value, taken apart once.
final class PathBox {
  let steps: PathSteps

  init(_ text: UnsafeRawBufferPointer) { steps = PathSteps(FusePath(Array(text))) }

  deinit { steps.deallocate() }
}

/// The steps of a way, in memory that nobody counts references to: many threads may use one.
struct PathSteps {
  private struct Step {
    let name: UnsafeRawBufferPointer
    /// Which element of an array; -1 for none.
    let number: Int
  }

  private let steps: UnsafeBufferPointer<Step>

  fileprivate init(_ path: FusePath) {
    let steps = UnsafeMutableBufferPointer<Step>.allocate(capacity: path.steps.count)
    for (number, step) in path.steps.enumerated() {
      let name = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, step.name.count), alignment: 1)
      name.copyBytes(from: step.name)
      steps.initializeElement(
        at: number,
        to: Step(
          name: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(name)[..<step.name.count]),
          number: step.number ?? -1))
    }
    self.steps = UnsafeBufferPointer(steps)
  }

  fileprivate func deallocate() {
    for step in steps { step.name.deallocate() }
    steps.deallocate()
  }

  /// The part of a value that it leads to; nil where it leads nowhere.
  @_lifetime(copy view)
  func part(of view: FuseView) -> FuseView? {
    var view = view
    var number = 0
    while number < steps.count {
      guard let next = Self.part(of: view, steps[number]) else { return nil }
      view = next
      number += 1
    }
    return view
  }

  @_lifetime(copy view)
  private static func part(of view: FuseView, _ step: Step) -> FuseView? {
    // Of anything else than a map there is no part by name, and of anything but an array none by number.
    if let part = view[name: step.name.bytes] { return part }
    return view[step.number]
  }
}

/// Makes a path of its text.
@c @implementation
public func fuse_path_make(
  _ text: UnsafePointer<CChar>?, _ text_size: Int, _ path: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(path, "path")
    slot.pointee = try handle(of: PathBox(try given(text, text_size, "text")), HandleKind.path)
    return Status.ok
  }
}

/// Frees a path.
@c @implementation
public func fuse_path_free(_ path: OpaquePointer?) -> fuse_status { close(path, HandleKind.path) }

extension fuse_value {
  /// What a view says, and where it stands.
  init(_ view: FuseView) {
    self.init()
    message_pack = fuse_span(view.messagePack)
    switch view.kind {
    case .null: kind = Int32(FUSE_KIND_NULL)
    case .bool:
      kind = Int32(FUSE_KIND_BOOL)
      boolean = view.bool ?? false
    case .integer: setInteger(view)
    case .float:
      kind = Int32(FUSE_KIND_FLOAT32)
      float64 = Double(view.float ?? 0)
    case .double:
      kind = Int32(FUSE_KIND_FLOAT64)
      float64 = view.double ?? 0
    case .string:
      kind = Int32(FUSE_KIND_STRING)
      if let text = view.stringBytes { bytes = fuse_span(text) }
    case .bytes:
      kind = Int32(FUSE_KIND_BYTES)
      if let payload = view.bytes { bytes = fuse_span(payload) }
    case .array:
      kind = Int32(FUSE_KIND_ARRAY)
      count = UInt64(view.count ?? 0)
    case .map:
      kind = Int32(FUSE_KIND_MAP)
      count = UInt64(view.count ?? 0)
    case .timestamp:
      kind = Int32(FUSE_KIND_TIMESTAMP)
      setExtension(view)
      int64 = view.timestamp?.seconds ?? 0
      nanoseconds = view.timestamp?.nanoseconds ?? 0
    case .extension:
      kind = Int32(FUSE_KIND_EXTENSION)
      setExtension(view)
    }
  }

  private mutating func setInteger(_ view: FuseView) {
    if let number = view.int64 {
      kind = Int32(FUSE_KIND_INT64)
      int64 = number
      uint64 = UInt64(exactly: number) ?? 0
      float64 = Double(number)
    } else {
      kind = Int32(FUSE_KIND_UINT64)
      uint64 = view.uint64 ?? 0
      int64 = Int64(bitPattern: uint64)
      float64 = Double(uint64)
    }
  }

  private mutating func setExtension(_ view: FuseView) {
    extension_type = Int32(view.extensionType ?? 0)
    if let payload = view.extensionPayload { bytes = fuse_span(payload) }
  }
}

/// Puts the part that a path leads to where it is wanted.
private func find(
  _ path: PathSteps?, in view: FuseView, _ slot: UnsafeMutablePointer<fuse_value>
) -> fuse_status {
  guard let path else {
    slot.pointee = fuse_value(view)
    return Status.ok
  }
  guard let part = path.part(of: view) else { return Status.none }
  slot.pointee = fuse_value(part)
  return Status.ok
}

/// The steps of a path's handle, which stays open meanwhile; nil for NULL.
private func path(_ handle: OpaquePointer?) throws(FuseError) -> PathSteps? {
  guard let handle else { return nil }
  guard let box = fuse_shell_object(UnsafeRawPointer(handle), HandleKind.path) else {
    throw badHandle(handle, HandleKind.path)
  }
  return Unmanaged<PathBox>.fromOpaque(box)._withUnsafeGuaranteedRef { $0.steps }
}

/// The part of a value that a path leads to.
@c @implementation
public func fuse_value_find(
  _ data: UnsafeRawPointer?, _ size: Int, _ path: OpaquePointer?, _ value: UnsafeMutablePointer<fuse_value>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(value, "value")
    let path = try FuseDBC.path(path)
    let bytes = try given(data, size, "data")
    if let view = FuseView(plain: bytes.bytes) { return find(path, in: view, slot) }
    return find(path, in: try FuseView(validating: bytes.bytes), slot)
  }
}

/// The same of the object under a key.
@c @implementation
public func fuse_get_field(
  _ reader: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int, _ path: OpaquePointer?,
  _ value: UnsafeMutablePointer<fuse_value>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let slot = try slot(value, "value")
    let path = try FuseDBC.path(path)
    let key = try given(key, key_size, "key")
    return try field(path, underKey: key, of: reader, slot)
  }
}

private func field(
  _ path: PathSteps?, underKey key: UnsafeRawBufferPointer, of reader: FuseReader,
  _ slot: UnsafeMutablePointer<fuse_value>
) throws(FuseError) -> fuse_status {
  guard let object = try reader.bytes(forKey: key.bytes) else { return Status.none }
  let status = find(path, in: try reader.view(of: object), slot)
  try reader.checkNotShrunk()
  return status
}

/// A MessagePack value as JSON on one line, in the reversible spelling of spec/json.md.
@c @implementation
public func fuse_value_to_json(
  _ data: UnsafeRawPointer?, _ size: Int, _ json: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let target = try buffer(json, "json")
    let bytes = try given(data, size, "data")
    try target.set(try FuseJSON.text(from: bytes.bytes))
    return Status.ok
  }
}

/// The MessagePack bytes of the value that JSON text spells.
@c @implementation
public func fuse_value_from_json(
  _ text: UnsafePointer<CChar>?, _ text_size: Int, _ value: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let target = try buffer(value, "value")
    try target.set(try messagePack(ofJSON: text, text_size))
    return Status.ok
  }
}

/// The bytes of the value that JSON text spells.
func messagePack(ofJSON text: UnsafePointer<CChar>?, _ size: Int) throws(FuseError) -> [UInt8] {
  let bytes = try given(text, size, "text")
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw FuseError(.invalidValue, "the text is not UTF-8, and so no JSON")
  }
  return try FuseJSON.messagePack(from: text)
}
