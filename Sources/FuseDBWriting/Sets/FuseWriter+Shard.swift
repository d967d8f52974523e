public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension FuseWriter {
  /// Writes all that was added as one shard of a set, into the folder at `path`, which is made where it is missing. It belongs to no set until it is
  /// published: see ``FuseSet``.
  ///
  /// Its name has its checksum, so no job disturbs another, nor the set that stands there. An attempt that is repeated writes the same file again.
  ///
  /// - Parameters:
  ///   - number: which shard it is, counted from 0.
  ///   - rule: which keys belong to it. All that were added must.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Returns: what ``FuseSet/publish(_:by:in:after:leastKeyCount:greatestShrink:)`` needs to know of the file.
  /// - Throws: ``FuseError`` as ``build(to:progress:)``; with code `invalidValue` when a key belongs to another shard, which the message names. No file is
  ///   left behind then.
  /// - Precondition: there is a shard of this number.
  /// - Complexity: as ``build(to:progress:)``.
  @discardableResult
  public func buildShard(
    _ number: Int, by rule: ShardRule, in path: String, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> ShardFile {
    precondition((0..<rule.count).contains(number), "the rule has no shard of this number")
    if let flaw = rule.flaw { throw FuseError(.invalidValue, flaw, path: path) }
    let folder = PinnedPath(path)
    try FolderFiles.make(folder.absolute)
    let beginning = ShardName.beginning(number: number, of: rule.count)
    let random = String(UInt64.random(in: 0 ... .max), radix: 16)
    let temporary = SetPlace.join(folder.absolute, ".\(beginning).\(random).tmp")
    do throws(FuseError) {
      try build(to: temporary, progress: progress)
      return try finishShard(temporary, number, rule, folder)
    } catch {
      try? FolderFiles.remove(temporary)
      guard let own = error.path, own == temporary else { throw error }
      throw FuseError(
        error.code, error.message, offset: error.offset, path: SetPlace.join(path, beginning), errno: error.errno)
    }
  }

  /// Looks at what was built, and gives it its name. [GP2]
  private func finishShard(
    _ temporary: String, _ number: Int, _ rule: ShardRule, _ folder: PinnedPath
  ) throws(FuseError) -> ShardFile {
    let mapping = try FileMapping(path: temporary)
    let reader = try FuseReader(mapping, checksums: .verified, expecting: .few)
    try Self.checkKeys(of: reader, number, rule)
    let name = ShardName(number: number, count: rule.count, checksum: try FuseReader.shardChecksum(of: mapping))
    let file = ShardFile(
      name: name.text, byteCount: mapping.byteCount, keyCount: reader.keyCount,
      header: mapping.bytes.extracting(first: Header.byteCount).array())
    let standing = try? SetManifest.inFolder(folder.absolute)
    let place = SetPlace.join(folder.absolute, name.text)
    // A file that the manifest names stays where it is, if it is whole.
    if standing?.shards.contains(file) == true, let there = try? FileMapping(path: place),
      (try? file.check(there)) != nil
    {
      try FolderFiles.remove(temporary)
    } else {
      try FolderFiles.move(temporary, to: place)
    }
    return file
  }

  /// Throws unless all keys of a shard belong there. [GR4]
  private static func checkKeys(of reader: FuseReader, _ number: Int, _ rule: ShardRule) throws(FuseError) {
    var scan = try reader.entries().keysOnly
    while let entry = try scan.next() {
      let key = try entry.keyBytes
      let right = rule.shard(of: key)
      guard right == number else {
        throw FuseError(
          .invalidValue,
          "the key \(quoted(key)) belongs to shard \(right) of \(rule.count), and was added to shard \(number); see spec/sharding.md, [GR1]"
        )
      }
    }
  }
}
