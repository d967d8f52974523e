public import CFuseDB
public import CFuseDBStore
internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// How an object is put.
private struct PutArguments {
  var options = StoreWriter.PutOptions()
  var destination = FuseStore.Destination.automatic

  init(_ given: UnsafePointer<fuse_store_put_options>?) throws(FuseError) {
    let known = try FuseDBStoreC.options(given, fuse_store_put_options(), "options")
    options.chunking = try chunking(known.chunking)
    options.compression = try compression(known.compression)
    if known.name.size != 0 { options.name = try path(known.name.data, known.name.size, "name") }
    switch known.keep {
    case Int32(FUSE_STORE_KEEP_AUTOMATIC): break
    case Int32(FUSE_STORE_KEEP): options.isKept = true
    case Int32(FUSE_STORE_KEEP_NOT): options.isKept = false
    default: throw .slip("'keep' is \(known.keep); the header has constants for 0 to 2")
    }
    switch known.to {
    case Int32(FUSE_STORE_TO_AUTOMATIC): destination = .automatic
    case Int32(FUSE_STORE_TO_LOOSE): destination = .loose
    case Int32(FUSE_STORE_TO_PACKS): destination = .packs
    default: throw .slip("'to' is \(known.to); the header has constants for 0 to 2")
    }
  }

  /// Whether it is put as the store says, kept and without a name: then it may be a file of its own.
  var isPlain: Bool {
    options.name == nil && options.chunking == nil && options.compression == nil && options.isKept != false
  }
}

extension fuse_store_put_report {
  fileprivate init(_ stored: FuseStore.Stored) {
    self.init()
    id = stored.id.forC
    is_new = stored.isNew
    byte_count = UInt64(stored.byteCount)
    new_byte_count = UInt64(stored.newByteCount)
  }
}

/// The bytes that a function of C gives.
private struct StreamCallback {
  let function: fuse_store_reading
  let context: UnsafeMutableRawPointer?

  init(_ function: fuse_store_reading?, _ context: UnsafeMutableRawPointer?) throws(FuseError) {
    guard let function else { throw .slip("'reading' is NULL") }
    (self.function, self.context) = (function, context)
  }

  private static let pieceByteCount = 1 << 20

  /// nil at the end.
  func next() throws(FuseError) -> [UInt8]? {
    var count: Int64 = 0
    let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceByteCount) { room, initializedCount in
      count = function(context, room.baseAddress, room.count)
      initializedCount = max(0, min(Int(clamping: count), room.count))
    }
    guard count >= 0 else { throw .cancelled }
    guard count <= Self.pieceByteCount else { throw .slip("'reading' says that it wrote more than it had room for") }
    return count == 0 ? nil : piece
  }
}

/// Puts with a writer of its own, and commits.
private func putDurably(
  _ store: OpaquePointer?, _ body: (StoreWriter) throws(FuseError) -> FuseStore.Stored
) throws(FuseError) -> FuseStore.Stored {
  let writer = try StoreWriter(try object(store, HandleKind.store))
  let stored = try body(writer)
  try writer.commit()
  return stored
}

/// Puts bytes, durably.
@c @implementation
public func fuse_store_put(
  _ store: OpaquePointer?, _ data: UnsafeRawPointer?, _ size: Int, _ options: UnsafePointer<fuse_store_put_options>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let found: FuseStore = try object(store, HandleKind.store)
    let bytes = Array(try given(data, size, "data"))
    let arguments = try PutArguments(options)
    let slot = try ReportSlot(report)
    guard arguments.isPlain || arguments.destination != .loose else {
      throw .slip("what goes to a file of its own is kept, and has no name nor other options")
    }
    if arguments.isPlain {
      slot.fill(fuse_store_put_report(try found.put(bytes, to: arguments.destination)))
    } else {
      let stored = try putDurably(store) { writer throws(FuseError) in try writer.put(bytes, arguments.options) }
      slot.fill(fuse_store_put_report(stored))
    }
    return Status.ok
  }
}

/// Puts the file at a path, durably.
@c @implementation
public func fuse_store_put_file(
  _ store: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ path_size: Int,
  _ options: UnsafePointer<fuse_store_put_options>?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let path = try FuseDBStoreC.path(path, path_size, "path")
    let arguments = try PutArguments(options)
    let slot = try ReportSlot(report)
    let stored = try putDurably(store) { writer throws(FuseError) in
      try putFile(writer, path, arguments.options, call)
    }
    slot.fill(fuse_store_put_report(stored))
    return Status.ok
  }
}

private func putFile(
  _ writer: StoreWriter, _ path: String, _ options: StoreWriter.PutOptions, _ call: UnsafePointer<fuse_store_call>?
) throws(FuseError) -> FuseStore.Stored {
  let whole = Double(max(1, FileStatus(at: path)?.byteCount ?? 1))
  return try longCall(call) { progress throws(FuseError) in
    try writer.put(path: path, options, progress: progress.map { tell in { tell(min(1, Double($0) / whole)) } })
  }
}

/// Puts a stream, durably.
@c @implementation
public func fuse_store_put_stream(
  _ store: OpaquePointer?, _ reading: fuse_store_reading?, _ context: UnsafeMutableRawPointer?,
  _ options: UnsafePointer<fuse_store_put_options>?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let stream = try StreamCallback(reading, context)
    let arguments = try PutArguments(options)
    let slot = try ReportSlot(report)
    let stored = try putDurably(store) { writer throws(FuseError) in
      try putStream(writer, stream, arguments.options, call)
    }
    slot.fill(fuse_store_put_report(stored))
    return Status.ok
  }
}

private func putStream(
  _ writer: StoreWriter, _ stream: StreamCallback, _ options: StoreWriter.PutOptions,
  _ call: UnsafePointer<fuse_store_call>?
) throws(FuseError) -> FuseStore.Stored {
  try longCall(call) { progress throws(FuseError) in
    try writer.put(options, progress: progress.map { tell in { _ in tell(-1) } }) { () throws(FuseError) in
      try stream.next()
    }
  }
}

// MARK: Writers

/// Begins to write.
@c @implementation
public func fuse_store_writer_open(
  _ store: OpaquePointer?, _ writer: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(writer, "writer")
    slot.pointee = try handle(of: StoreWriter(try object(store, HandleKind.store)), HandleKind.writer)
    return Status.ok
  }
}

/// Puts bytes with the next commit.
@c @implementation
public func fuse_store_writer_put(
  _ writer: OpaquePointer?, _ data: UnsafeRawPointer?, _ size: Int, _ options: UnsafePointer<fuse_store_put_options>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    let bytes = Array(try given(data, size, "data"))
    let arguments = try PutArguments(options)
    let slot = try ReportSlot(report)
    slot.fill(fuse_store_put_report(try writer.put(bytes, arguments.options)))
    return Status.ok
  }
}

/// Puts a file with the next commit.
@c @implementation
public func fuse_store_writer_put_file(
  _ writer: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ path_size: Int,
  _ options: UnsafePointer<fuse_store_put_options>?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    let path = try FuseDBStoreC.path(path, path_size, "path")
    let arguments = try PutArguments(options)
    let slot = try ReportSlot(report)
    slot.fill(fuse_store_put_report(try putFile(writer, path, arguments.options, call)))
    return Status.ok
  }
}

/// Puts a stream with the next commit.
@c @implementation
public func fuse_store_writer_put_stream(
  _ writer: OpaquePointer?, _ reading: fuse_store_reading?, _ context: UnsafeMutableRawPointer?,
  _ options: UnsafePointer<fuse_store_put_options>?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    let stream = try StreamCallback(reading, context)
    let arguments = try PutArguments(options)
    let slot = try ReportSlot(report)
    slot.fill(fuse_store_put_report(try putStream(writer, stream, arguments.options, call)))
    return Status.ok
  }
}

/// Puts the files of a folder with the next commit.
@c @implementation
public func fuse_store_writer_put_folder(
  _ writer: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ path_size: Int,
  _ options: UnsafePointer<fuse_store_put_options>?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_put_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    let path = try FuseDBStoreC.path(path, path_size, "path")
    let arguments = try PutArguments(options)
    guard let name = arguments.options.name else { throw .slip("a folder needs the 'name' of the options") }
    let slot = try ReportSlot(report)
    let stored = try longCall(call) { progress throws(FuseError) in
      try writer.putFolder(
        path: path, named: name, arguments.options, progress: progress.map { tell in { _ in tell(-1) } })
    }
    slot.fill(fuse_store_put_report(stored))
    return Status.ok
  }
}

/// Has a name lead to an object with the next commit.
@c @implementation
public func fuse_store_writer_set_name(
  _ writer: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ name_size: Int, _ id: UnsafePointer<fuse_store_id>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    try writer.setName(try path(name, name_size, "name"), to: try identifier(id))
    return Status.ok
  }
}

/// Takes a name away with the next commit.
@c @implementation
public func fuse_store_writer_remove_name(
  _ writer: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ name_size: Int,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    try writer.removeName(try path(name, name_size, "name"))
    return Status.ok
  }
}

/// Makes all that was put durable.
@c @implementation
public func fuse_store_writer_commit(
  _ writer: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let writer: StoreWriter = try object(writer, HandleKind.writer)
    try writer.commit()
    return Status.ok
  }
}

/// Ends a writer.
@c @implementation
public func fuse_store_writer_close(_ writer: OpaquePointer?) -> fuse_status { close(writer, HandleKind.writer) }
