public import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues

/// What the file says about itself under a name, such as `source`.
@c @implementation
public func fuse_reader_metadata(
  _ reader: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ name_size: Int, _ text: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let target = try buffer(text, "text")
    let name = try FuseDBC.text(name, name_size, "name")
    guard let found = try reader.metadata[name] else { return Status.none }
    try target.set(found)
    return Status.ok
  }
}

/// All of it, as a JSON object of texts, ordered by name; {} where it says nothing.
@c @implementation
public func fuse_reader_metadata_json(
  _ reader: OpaquePointer?, _ json: UnsafeMutablePointer<fuse_buffer>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let target = try buffer(json, "json")
    let packer = MessagePackPacker()
    let metadata = try reader.metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    packer.packMap(count: metadata.count)
    for (name, text) in metadata {
      packer.pack(text: name)
      packer.pack(text: text)
    }
    try target.set(try FuseJSON.text(from: packer.bytes))
    return Status.ok
  }
}

/// Counts what the file holds, reading all of it.
@c @implementation
public func fuse_reader_statistics(
  _ reader: OpaquePointer?, _ call: UnsafePointer<fuse_call>?, _ statistics: UnsafeMutablePointer<fuse_statistics>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let slot = try ReportSlot(try slot(statistics, "statistics"), "statistics")
    let found = try longCall(call) { _ throws(FuseError) in try reader.statistics() }
    slot.fill(fuse_statistics(found))
    return Status.ok
  }
}

extension fuse_statistics {
  init(_ found: Statistics) {
    self.init()
    key_count = UInt64(found.keyCount)
    object_count = UInt64(found.objectCount)
    byte_count = UInt64(found.byteCount)
    header_byte_count = UInt64(found.headerByteCount)
    data_byte_count = UInt64(found.dataByteCount)
    index_byte_count = UInt64(found.indexByteCount)
    extension_byte_count = UInt64(found.extensionByteCount)
    key_byte_count = UInt64(found.keyByteCount)
    object_byte_count = UInt64(found.objectByteCount)
    fewest_keys_per_object = UInt64(found.fewestKeysPerObject)
    most_keys_per_object = UInt64(found.mostKeysPerObject)
    unreached_object_count = UInt64(found.unreachedObjectCount)
    bytes_saved_by_sharing = UInt64(found.bytesSavedBySharing)
    checksum = found.checksum
    version = UInt32(found.version)
  }
}

/// What verification is asked for.
private struct VerifyRequest {
  let level: VerificationLevel
  private let callback: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fuse_damage>?) -> Int32)?
  private let context: UnsafeMutableRawPointer?

  init(_ given: UnsafePointer<fuse_verify_options>?) throws(FuseError) {
    let options = try options(given, fuse_verify_options(), "options")
    level = try choice(options.level, "level", [.full, .checksums])
    callback = options.on_damage
    context = options.context
  }

  func tell(_ damage: Damage) throws(FuseError) {
    guard let callback else { return }
    let isEnough = damage.kind.rawValue.withCString { kind in
      damage.message.withCString { message in
        var told = fuse_damage(
          size: MemoryLayout<fuse_damage>.size, kind: kind, offset: damage.offset, message: message)
        return callback(context, &told) != 0
      }
    }
    if isEnough { throw .cancelled }
  }
}

extension fuse_verification {
  init(_ summary: VerificationSummary) {
    self.init()
    byte_count = UInt64(summary.byteCount)
    key_count = UInt64(summary.keyCount)
    object_count = UInt64(summary.objectCount)
    damage_count = UInt64(summary.damageCount)
  }
}

/// Checks every byte of a file, also of one that cannot be opened, with all processors.
@c @implementation
public func fuse_verify(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_verify_options>?,
  _ call: UnsafePointer<fuse_call>?, _ summary: UnsafeMutablePointer<fuse_verification>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let path = try FuseDBC.path(path, path_size, "path")
    let request = try VerifyRequest(options)
    let slot = try ReportSlot(summary, "summary")
    let found = try longCall(call) { progress throws(FuseError) in
      try FuseReader.verify(path: path, level: request.level, progress: progress) { damage throws(FuseError) in
        try request.tell(damage)
      }
    }
    slot.fill(fuse_verification(found))
    return Status.ok
  }
}

/// The same of the file that a reader has open.
@c @implementation
public func fuse_reader_verify(
  _ reader: OpaquePointer?, _ options: UnsafePointer<fuse_verify_options>?, _ call: UnsafePointer<fuse_call>?,
  _ summary: UnsafeMutablePointer<fuse_verification>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let request = try VerifyRequest(options)
    let slot = try ReportSlot(summary, "summary")
    let found = try longCall(call) { progress throws(FuseError) in
      try reader.verify(level: request.level, progress: progress) { damage throws(FuseError) in
        try request.tell(damage)
      }
    }
    slot.fill(fuse_verification(found))
    return Status.ok
  }
}
