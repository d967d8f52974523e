/// The first 40 bytes of a file. See spec/format.md §3.
@usableFromInline package struct Header: Equatable, Sendable {
  @inlinable package static var byteCount: Int { 40 }
  package static let magic: UInt32 = 0x4653_4442  // "FSDB"
  package static let version: UInt8 = 2

  /// Where each field stands.
  package enum Field {
    package static let magic = 0
    package static let version = 4
    package static let flags = 5
    package static let padding = 6
    package static let keyCount = 8
    package static let objectCount = 12
    static let indexOffset = 16
    static let dataOffset = 24
    package static let checksum = 32
    package static let reserved = 36
  }

  package var flags: UInt8 = 0
  package var padding: UInt16 = 0
  package var keyCount: UInt32
  package var objectCount: UInt32
  package var indexOffset: UInt64
  var dataOffset = UInt64(Header.byteCount)
  package var checksum: UInt32
  package var reserved: UInt32 = 0

  package init(keyCount: UInt32, objectCount: UInt32, indexOffset: UInt64, checksum: UInt32) {
    self.keyCount = keyCount
    self.objectCount = objectCount
    self.indexOffset = indexOffset
    self.checksum = checksum
  }

  /// Reads the fields as they stand; ``faults(fileByteCount:)`` tells whether they make sense.
  ///
  /// - Parameter known: the version that the caller reads.
  package init(parsing file: RawSpan, version known: UInt8 = Self.version) throws(FuseError) {
    guard file.byteCount >= Self.byteCount else {
      let advice = FileKind(of: file).advice.map { ": " + $0 } ?? "; copy or build the file again"
      throw .truncated(
        "the file has \(counted(file.byteCount, "byte")) and a header has \(Self.byteCount)\(advice)",
        at: file.byteCount)
    }
    guard file.loadInside(at: Field.magic, as: UInt32.self) == Self.magic else {
      let advice = FileKind(of: file).advice.map { ": " + $0 } ?? "; is it a FuseDB file?"
      throw FuseError(.notADatabase, "the file does not begin with \"FSDB\"\(advice)", offset: 0)
    }
    let version = file.loadInside(at: Field.version, as: UInt8.self)
    guard version == known else {
      throw FuseError(
        .unsupportedVersion, "the file is of format version \(version), and this library reads version \(known)",
        offset: UInt64(Field.version))
    }
    self.init(fieldsOf: file)
  }

  /// Reads the fields after the version.
  /// - Precondition: `file` holds a whole header.
  package init(fieldsOf file: RawSpan) {
    flags = file.loadInside(at: Field.flags, as: UInt8.self)
    padding = file.loadInside(at: Field.padding, as: UInt16.self)
    keyCount = file.loadInside(at: Field.keyCount, as: UInt32.self)
    objectCount = file.loadInside(at: Field.objectCount, as: UInt32.self)
    indexOffset = file.loadInside(at: Field.indexOffset, as: UInt64.self)
    dataOffset = file.loadInside(at: Field.dataOffset, as: UInt64.self)
    checksum = file.loadInside(at: Field.checksum, as: UInt32.self)
    reserved = file.loadInside(at: Field.reserved, as: UInt32.self)
  }

  /// What is wrong with the offsets in a file of this length. [H5] [H6]
  package func faults(fileByteCount: Int) -> [FuseError] {
    var faults: [FuseError] = []
    if dataOffset != UInt64(Self.byteCount) {
      faults.append(.corrupted("the data offset is \(dataOffset) and must be \(Self.byteCount)", at: Field.dataOffset))
    }
    if indexOffset < UInt64(Self.byteCount) {
      faults.append(.corrupted("the index offset \(indexOffset) lies inside the header", at: Field.indexOffset))
    }
    if indexOffset > UInt64(fileByteCount) {
      faults.append(
        .truncated(
          "the index begins at \(indexOffset) and the file ends at \(fileByteCount); it was cut short or its header is damaged",
          at: Field.indexOffset))
    }
    return faults
  }

  /// Throws the first of the ``faults(fileByteCount:)``.
  package func check(fileByteCount: Int) throws(FuseError) {
    if let fault = faults(fileByteCount: fileByteCount).first { throw fault }
  }

  /// The 40 bytes.
  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(Self.byteCount)
    out.append(bigEndian: Self.magic)
    out.append(Self.version)
    out.append(flags)
    out.append(bigEndian: padding)
    out.append(bigEndian: keyCount)
    out.append(bigEndian: objectCount)
    out.append(bigEndian: indexOffset)
    out.append(bigEndian: dataOffset)
    out.append(bigEndian: checksum)
    out.append(bigEndian: reserved)
    return out
  }
}

extension [UInt8] {
  /// Appends an integer's bytes, the most significant first.
  @usableFromInline package mutating func append<T: FixedWidthInteger>(bigEndian value: T) {
    for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }
}
