public import CFuseDB
public import CFuseDBStore
internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// Removes what nothing needs.
@c @implementation
public func fuse_store_gc(
  _ store: OpaquePointer?, _ options: UnsafePointer<fuse_store_gc_options>?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_gc_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let known = try FuseDBStoreC.options(options, fuse_store_gc_options(), "options")
    var options = FuseStore.CollectOptions()
    if known.has_least_live {
      guard (0...1).contains(known.least_live) else {
        throw .slip("'least_live' is \(known.least_live) and must be a share, from 0 to 1")
      }
      options.leastLiveShare = known.least_live
    }
    if known.packs_all { options.mostSmallPacks = 2 }
    let slot = try ReportSlot(report)
    let made = try longCall(call) { progress throws(FuseError) in try store.collect(options, progress: progress) }
    var found = fuse_store_gc_report()
    found.packed_loose_count = UInt64(made.packedLooseCount)
    found.live_count = UInt64(made.liveCount)
    found.live_byte_count = UInt64(made.liveByteCount)
    found.condemned_count = UInt64(made.condemnedCount)
    found.condemned_byte_count = UInt64(made.condemnedByteCount)
    found.removed_count = UInt64(made.removedCount)
    found.removed_byte_count = UInt64(made.removedByteCount)
    found.waiting_count = UInt64(made.waitingCount)
    found.swept_count = UInt64(made.sweptCount)
    slot.fill(found)
    return Status.ok
  }
}

/// Packs loose objects.
@c @implementation
public func fuse_store_pack_loose(
  _ store: OpaquePointer?, _ call: UnsafePointer<fuse_store_call>?, _ packed_count: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let count = try longCall(call) { progress throws(FuseError) in try store.packLoose(progress: progress) }
    packed_count?.pointee = UInt64(count)
    return Status.ok
  }
}

/// A function of C that is told of flaws.
private struct FlawCallback {
  let function: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fuse_store_flaw>?) -> Void)?
  let context: UnsafeMutableRawPointer?

  func tell(_ flaw: FuseStore.Verification.Flaw) {
    tell(flaw.file, flaw.message) { $0.offset = flaw.offset ?? UInt64.max }
  }

  func tell(_ lost: FuseStore.Verification.Lost) {
    tell("", "\(lost.id) is lost, which \(lost.neededBy) needs") {
      $0.is_lost = true
      $0.id = lost.id.forC
    }
  }

  private func tell(_ file: String, _ message: String, _ complete: (inout fuse_store_flaw) -> Void) {
    guard let function else { return }
    let (file, message) = (CText(file), CText(message))
    var flaw = fuse_store_flaw()
    flaw.file = UnsafePointer(file.start)
    flaw.message = UnsafePointer(message.start)
    flaw.offset = UInt64.max
    complete(&flaw)
    withExtendedLifetime((file, message)) { withUnsafePointer(to: flaw) { function(context, $0) } }
  }
}

/// Reads all, and tells of what is damaged.
@c @implementation
public func fuse_store_verify(
  _ store: OpaquePointer?, _ level: Int32,
  _ flaw: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fuse_store_flaw>?) -> Void)?,
  _ context: UnsafeMutableRawPointer?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_verify_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let levels: [FuseStore.VerifyLevel] = [.everything, .structure]
    guard levels.indices.contains(Int(level)) else {
      throw .slip("'level' is \(level); the header has constants for 0 and 1")
    }
    let slot = try ReportSlot(report)
    let callback = FlawCallback(function: flaw, context: context)
    let made = try longCall(call) { progress throws(FuseError) in
      try store.verify(levels[Int(level)], progress: progress)
    }
    for flaw in made.flaws { callback.tell(flaw) }
    for lost in made.lost { callback.tell(lost) }
    var found = fuse_store_verify_report()
    found.pack_count = UInt64(made.packCount)
    found.record_count = UInt64(made.recordCount)
    found.name_count = UInt64(made.nameCount)
    found.byte_count = UInt64(made.byteCount)
    found.flaw_count = UInt64(made.flaws.count)
    found.lost_count = UInt64(made.lost.count)
    found.superseded_count = UInt64(made.superseded.count)
    slot.fill(found)
    guard made.isSound else {
      throw FuseError(
        .corrupted,
        "\(counted(made.flaws.count, "flaw")), \(counted(made.lost.count, "object")) lost; repairing makes the best of it",
        path: store.path)
    }
    return Status.ok
  }
}

/// Makes indexes anew and keeps what is sound.
@c @implementation
public func fuse_store_repair(
  _ store: OpaquePointer?,
  _ flaw: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fuse_store_flaw>?) -> Void)?,
  _ context: UnsafeMutableRawPointer?, _ call: UnsafePointer<fuse_store_call>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let callback = FlawCallback(function: flaw, context: context)
    let made = try longCall(call) { progress throws(FuseError) in try store.repair(progress: progress) }
    for lost in made.lost { callback.tell(lost) }
    guard made.lost.isEmpty else {
      throw FuseError(
        .corrupted, "\(counted(made.lost.count, "object")) lost; put them again, or take away what needs them",
        path: store.path)
    }
    return Status.ok
  }
}

/// Counts what the store has.
@c @implementation
public func fuse_store_stats(
  _ store: OpaquePointer?, _ call: UnsafePointer<fuse_store_call>?,
  _ report: UnsafeMutablePointer<fuse_store_stats_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let slot = try ReportSlot(try slot(report, "report"))
    let made = try longCall(call) { _ throws(FuseError) in try store.statistics() }
    var found = fuse_store_stats_report()
    found.name_count = UInt64(made.nameCount)
    found.kept_count = UInt64(made.keptCount)
    found.chunk_count = UInt64(made.chunkCount)
    found.recipe_count = UInt64(made.recipeCount)
    found.loose_count = UInt64(made.looseCount)
    found.pack_count = UInt64(made.packCount)
    found.condemned_pack_count = UInt64(made.condemnedPackCount)
    found.file_count = UInt64(made.fileCount)
    found.logical_byte_count = UInt64(made.logicalByteCount)
    found.chunk_byte_count = UInt64(made.chunkByteCount)
    found.pack_byte_count = UInt64(made.packByteCount)
    found.index_byte_count = UInt64(made.indexByteCount)
    found.loose_byte_count = UInt64(made.looseByteCount)
    found.physical_byte_count = UInt64(made.physicalByteCount)
    found.savings = made.savings
    slot.fill(found)
    return Status.ok
  }
}

/// Copies what another store lacks.
@c @implementation
public func fuse_store_copy(
  _ store: OpaquePointer?, _ other: OpaquePointer?, _ call: UnsafePointer<fuse_store_call>?,
  _ object_count: UnsafeMutablePointer<UInt64>?, _ new_byte_count: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let other: FuseStore = try object(other, HandleKind.store)
    let made = try longCall(call) { progress throws(FuseError) in
      try store.copy(to: other, progress: progress.map { tell in { _ in tell(-1) } })
    }
    object_count?.pointee = UInt64(made.count)
    new_byte_count?.pointee = UInt64(made.newByteCount)
    return Status.ok
  }
}
