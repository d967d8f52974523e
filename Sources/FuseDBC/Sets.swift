public import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBWriting

/// A rule of so many shards.
private func rule(_ number: UInt64, _ name: StaticString) throws(FuseError) -> ShardRule {
  guard (1...UInt64(ShardRule.mostShards)).contains(number) else {
    throw .slip("'\(name)' is \(number), and a set has 1 to \(ShardRule.mostShards) shards")
  }
  return .hash(count: Int(number))
}

extension fuse_set_report {
  init(_ published: FuseSet.Report) {
    self.init()
    generation = UInt64(published.generation)
    shard_count = UInt64(published.shardCount)
    kept_shard_count = UInt64(published.keptShardCount)
    key_count = UInt64(published.keyCount)
    byte_count = UInt64(published.byteCount)
    replaced_key_count = UInt64(published.replacedKeyCount ?? 0)
    replaced = published.replacedKeyCount != nil
    swept_count = UInt64(published.sweptFiles.count)
  }
}

/// Which of some shards holds a key.
@c @implementation
public func fuse_shard_of(
  _ key: UnsafeRawPointer?, _ key_size: Int, _ count: UInt64, _ shard: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(shard, "shard")
    slot.pointee = UInt64(try rule(count, "count").shard(of: try given(key, key_size, "key").bytes))
    return Status.ok
  }
}

/// Writes all that was added as one shard of a set.
@c @implementation
public func fuse_writer_build_shard(
  _ writer: OpaquePointer?, _ number: UInt64, _ count: UInt64, _ folder: UnsafePointer<CChar>?, _ folder_size: Int,
  _ call: UnsafePointer<fuse_call>?, _ shard: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let folder = try path(folder, folder_size, "folder")
    let rule = try rule(count, "count")
    guard number < count else { throw .slip("'number' is \(number), and there are \(count) shards, counted from 0") }
    let buffer = try buffer(shard, "shard")
    let built = try box.use { writer throws(FuseError) in
      try longCall(call) { progress throws(FuseError) in
        try writer.buildShard(Int(number), by: rule, in: folder, progress: progress)
      }
    }
    try buffer.set(built.json)
    return Status.ok
  }
}

/// How often the set in a folder was published.
@c @implementation
public func fuse_set_generation(
  _ folder: UnsafePointer<CChar>?, _ folder_size: Int, _ generation: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(generation, "generation")
    slot.pointee = UInt64(try FuseSet.generation(in: try path(folder, folder_size, "folder")))
    return Status.ok
  }
}

/// Publishes all shards of a set.
@c @implementation
public func fuse_set_publish(
  _ folder: UnsafePointer<CChar>?, _ folder_size: Int, _ shards: UnsafePointer<fuse_span>?, _ count: Int,
  _ options: UnsafePointer<fuse_set_options>?, _ report: UnsafeMutablePointer<fuse_set_report>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let folder = try path(folder, folder_size, "folder")
    let options = try FuseDBC.options(options, fuse_set_options(), "options")
    var files: [ShardFile] = []
    for span in try array(shards, count, "shards") {
      files.append(try ShardFile(json: try text(span.data, span.size, "shards")))
    }
    let slot = try ReportSlot(report, "report")
    let shrink = try share(options.greatest_shrink, isGiven: options.has_greatest_shrink, "greatest_shrink")
    let least = try FuseDBC.count(options.least_key_count, "least_key_count")
    let after = try FuseDBC.count(options.after, "after")
    let published = try FuseSet.publish(
      files, by: try rule(UInt64(count), "count"), in: folder, after: after, leastKeyCount: least,
      greatestShrink: shrink)
    slot.fill(fuse_set_report(published))
    return Status.ok
  }
}

/// Removes what no manifest names.
@c @implementation
public func fuse_set_sweep(
  _ folder: UnsafePointer<CChar>?, _ folder_size: Int, _ age: Double, _ removed: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let folder = try path(folder, folder_size, "folder")
    guard age >= 0 else { throw .slip("'age' is \(age) and must not be negative") }
    let swept = try FuseSet.sweep(folder, olderThan: age)
    removed?.pointee = UInt64(swept.count)
    return Status.ok
  }
}

/// Makes a set of a file, or of another set, and publishes it.
@c @implementation
public func fuse_set_split(
  _ source: UnsafePointer<CChar>?, _ source_size: Int, _ folder: UnsafePointer<CChar>?, _ folder_size: Int,
  _ shard_count: UInt64, _ shard_bytes: UInt64, _ options: UnsafePointer<fuse_writer_options>?,
  _ call: UnsafePointer<fuse_call>?, _ report: UnsafeMutablePointer<fuse_set_report>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let source = try path(source, source_size, "source")
    let folder = try path(folder, folder_size, "folder")
    var options = try FuseWriter.Options(try FuseDBC.options(options, fuse_writer_options(), "options"))
    guard options.order == .key, options.sharing == .identicalObjects else {
      throw .slip("shards are in the order of keys and store objects once, and 'options' asks for something else")
    }
    options.onDuplicate = .last
    let slot = try ReportSlot(report, "report")
    guard (shard_count == 0) != (shard_bytes == 0) else {
      throw .slip("one of 'shard_count' and 'shard_bytes' says how many shards there are, and the other is 0")
    }
    let wanted = shard_count == 0 ? nil : try rule(shard_count, "shard_count")
    let shardBytes = try FuseDBC.count(shard_bytes, "shard_bytes")
    let writing = options
    let published = try longCall(call) { progress throws(FuseError) in
      let reader = try FuseReader(path: source)
      let rule = wanted ?? .hash(count: ShardRule.count(for: reader.byteCount, shardByteCount: shardBytes))
      return try FuseSet.split(reader, into: folder, by: rule, options: writing, progress: progress)
    }
    slot.fill(fuse_set_report(published))
    return Status.ok
  }
}
