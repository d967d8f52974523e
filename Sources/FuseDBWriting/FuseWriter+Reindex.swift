public import FuseDBFormat
internal import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

/// What ``FuseWriter/reindex(_:output:outputLink:leastKeyCount:greatestShrink:metadata:progress:)`` did.
public struct ReindexReport: Sendable, Equatable {
  /// Keys in the file.
  public var keyCount: Int
  /// Objects in the file.
  public var objectCount: Int
  /// The file's length before,
  public var byteCountBefore: Int
  /// and now.
  public var byteCount: Int
  /// Of this: the extension block.
  public var extensionByteCount: Int
  /// Whether the file had no extension block.
  public var wasPlain: Bool
  /// Keys of the database that the new file replaced, mostly itself; nil where there was none.
  public var replacedKeyCount: Int?
}

extension FuseWriter {
  /// Gives the file at `path` a new extension block: adds one to a plain file, such as `fusedb` 0.3.0 writes, and
  /// replaces the one that a file has.
  ///
  ///     let report = try FuseWriter.reindex("geo.fsdb")
  ///     report.wasPlain             // true
  ///     report.extensionByteCount   // some 11 bytes a key
  ///
  /// Data and key index stay as they are, byte for byte. Sections of a kind that this library does not know are left
  /// out. The file is replaced in one step, as by ``build(to:progress:)``, unless it was replaced in the meantime;
  /// readers that have it open keep the old one.
  ///
  /// New checksums would hide damage, so all of the file is verified before anything is written, and one with damage is
  /// left alone. Only a block that was written wrong, under a right checksum of the file, is no obstacle: it is made anew.
  ///
  /// - Parameters:
  ///   - output: where the new file is to appear; nil for `path`. What is neither a database nor empty is not replaced.
  ///   - outputLink: what happens to a symbolic link there.
  ///   - leastKeyCount: the fewest keys that the new file may have, as for ``Options/leastKeyCount``.
  ///   - greatestShrink: how many of its keys another file that is replaced may lose, as for ``Options/greatestShrink``.
  ///   - metadata: what the file is to say about itself; nil keeps what it says.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``FuseReader/init(path:checksums:access:)``; `corrupted` or `truncated` also when
  ///   ``FuseReader/verify(level:progress:)`` finds damage in the header, the data or the key index, or another checksum of
  ///   the file; `corrupted` when the metadata are damaged and none are given; `limitExceeded` when `metadata` needs more
  ///   than a megabyte; `refused` when there are fewer keys than allowed; `outputChanged` when the file is no longer what was read; `inputOutput` when it cannot be written,
  ///   or is a symbolic link and `outputLink` does not say what is to become of that. The file is as before then, unless
  ///   the very last step failed, as there.
  /// - Complexity: O(bytes of the file); 16 bytes of memory a key, at most half a gigabyte, and 12 an object. Further
  ///   keys wait in a temporary file beside it.
  @discardableResult
  public static func reindex(
    _ path: String, output: String? = nil, outputLink: OutputLink = .refused, leastKeyCount: Int = 0,
    greatestShrink: Double? = nil, metadata: [String: String]? = nil, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> ReindexReport {
    // Before the work.
    let place = try OutputPlace(PinnedPath(output ?? path), links: outputLink)
    let rules = ReplacementRules(
      links: outputLink, leastKeyCount: leastKeyCount, greatestShrink: greatestShrink, kind: .database)
    do {
      let given = try metadata.map { metadata throws(FuseError) in try MetadataSection.bytes(of: metadata) }
      let source = try ReindexSource(path, replacedAt: place, isItself: output == nil || output == path) { share in
        progress?(ReindexSource.shareOfProof * share)
      }
      // What is given replaces also what cannot be read.
      let bytes = if let given { given } else { try source.metadata() }
      return try source.write(metadata: bytes, rules, progress)
    } catch {
      throw error.at(path: path)
    }
  }
}
