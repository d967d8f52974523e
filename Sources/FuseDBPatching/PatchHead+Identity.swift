internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

extension PatchHead {
  /// Throws unless the patch was made from `old`. [U7]
  ///
  /// The header holds the file's checksum, which is compared with the bytes themselves when the records are read.
  func checkBelongs(to old: FuseReader, path: String) throws(FuseError) {
    guard old.byteCount == oldByteCount, old.header == oldHeader else {
      throw FuseError(
        .patchMismatch,
        """
        the patch belongs to a file of \(counted(oldByteCount, "byte")) and \(counted(oldHeader.keyCount, "key")) with checksum \
        \(oldHeader.checksum.hexadecimal), and \(old.path) has \(counted(old.byteCount, "byte")) and \(counted(old.keyCount, "key")) with \
        \(old.header.checksum.hexadecimal); take the file that the patch was made from\(isMade(old) ? " (this one is what the patch makes)" : "")
        """, path: path)
    }
  }

  /// Throws where the new file would be longer than is allowed.
  func check(mostBytes: Int, path: String) throws(FuseError) {
    guard newByteCount > mostBytes else { return }
    throw FuseError(
      .limitExceeded,
      """
      the patch makes a file of \(newByteCount) bytes, and \(mostBytes) are allowed; if you trust it, allow more \
      (option 'greatestByteCount', 'fusedb patch --max-size')
      """, path: path)
  }

  /// Whether the file is what the patch is to make.
  private func isMade(_ reader: FuseReader) -> Bool { reader.byteCount == newByteCount && reader.header == newHeader }
}
