public import CFuseDB
internal import FuseDB
internal import FuseDBPatching
internal import FuseDBReading

/// A walk through the differences of two files, which keeps both open.
final class DifferencesBox {
  private let old: FuseReader
  private let new: FuseReader
  private var walk: Differences
  private var failure: FuseError?
  /// Of compact files, what holds the entries that were handed out.
  private var kept: [FuseReader] = []

  init(from old: FuseReader, to new: FuseReader) throws(FuseError) {
    self.old = old
    self.new = new
    walk = try new.differences(from: old)
  }

  var equalCount: Int { walk.equalCount }

  /// The next difference; nil after the last.
  func next() throws(FuseError) -> fuse_difference? {
    if let failure { throw failure }
    do throws(FuseError) {
      guard let difference = try walk.next() else { return nil }
      var told = fuse_difference()
      keep(difference.entry)
      told.key = fuse_span(try difference.entry.keyBytes)
      switch difference {
      case .added(let entry):
        told.kind = Int32(FUSE_ADDED)
        try Self.set(&told.new_value, &told.new_object, entry)
      case .removed(let entry):
        told.kind = Int32(FUSE_REMOVED)
        try Self.set(&told.old_value, &told.old_object, entry)
      case .changed(let from, let to):
        keep(from)
        keep(to)
        told.kind = Int32(FUSE_CHANGED)
        try Self.set(&told.old_value, &told.old_object, from)
        try Self.set(&told.new_value, &told.new_object, to)
      }
      return told
    } catch {
      failure = error
      throw error
    }
  }

  private func keep(_ entry: Entry) {
    let owner = entry.reader
    guard owner !== old, owner !== new, !kept.suffix(2).contains(where: { $0 === owner }) else { return }
    kept.append(owner)
  }

  private static func set(_ value: inout fuse_span, _ object: inout UInt64, _ entry: Entry) throws(FuseError) {
    value = fuse_span(try entry.bytes)
    object = entry.objectOffset
  }
}

/// Begins a comparison.
@c @implementation
public func fuse_differences_open(
  _ old_reader: OpaquePointer?, _ new_reader: OpaquePointer?, _ differences: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let old: FuseReader = try object(old_reader, HandleKind.reader)
    let new: FuseReader = try object(new_reader, HandleKind.reader)
    let slot = try slot(differences, "differences")
    slot.pointee = try handle(of: try DifferencesBox(from: old, to: new), HandleKind.differences)
    return Status.ok
  }
}

/// The next difference.
@c @implementation
public func fuse_differences_next(
  _ differences: OpaquePointer?, _ call: UnsafePointer<fuse_call>?,
  _ difference: UnsafeMutablePointer<fuse_difference>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: DifferencesBox = try object(differences, HandleKind.differences)
    let slot = try slot(difference, "difference")
    guard let next = try longCall(call, { _ throws(FuseError) in try box.next() }) else { return Status.none }
    slot.pointee = next
    return Status.ok
  }
}

/// How many keys were passed over because both files have the same object.
@c @implementation
public func fuse_differences_equal_count(
  _ differences: OpaquePointer?, _ count: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: DifferencesBox = try object(differences, HandleKind.differences)
    try slot(count, "count").pointee = UInt64(box.equalCount)
    return Status.ok
  }
}

/// Closes it.
@c @implementation
public func fuse_differences_close(_ differences: OpaquePointer?) -> fuse_status {
  close(differences, HandleKind.differences)
}
