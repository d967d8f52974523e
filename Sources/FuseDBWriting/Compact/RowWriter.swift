internal import FuseDBCompact
internal import FuseDBFormat

/// Writes values as rows and parts have them. See spec/decisions/0041-compact.md.
struct RowWriter {
  let tables: CompactTables
  /// The bytes written so far.
  private(set) var out: [UInt8] = []
  private var names: [UInt8] = []

  init(_ tables: CompactTables) { self.tables = tables }

  /// Writes the value of a tape.
  ///
  /// - Parameter isPart: whether it is one of the parts, which is written as what it is made of.
  mutating func write(_ tape: ValueTape, in file: RawSpan, isPart: Bool = false) {
    out.removeAll(keepingCapacity: true)
    _ = put(0, of: tape, in: file, isPart: isPart)
  }

  /// - Returns: the node after the value.
  private mutating func put(_ number: Int, of tape: ValueTape, in file: RawSpan, isPart: Bool = false) -> Int {
    let node = tape.nodes[number]
    let range = tape.range(of: node)
    let next = Int(truncatingIfNeeded: node.next)
    if !isPart, let part = tables.part(range, in: file) {
      put(part: part)
      return next
    }
    guard node.isShortest else {
      putRaw(range, in: file)
      return next
    }
    if node.isText {
      putText(range.lowerBound + Int(node.headByteCount)..<range.upperBound, in: file)
    } else if node.isArray {
      put(CompactForm.Head.array, count: Int(node.count), below: 16, else: CompactForm.Head.arrayLong)
      var element = number + 1
      for _ in 0..<node.count { element = put(element, of: tape, in: file) }
    } else if node.isMap {
      putMap(number, of: tape, in: file)
    } else {
      putScalar(range, head: node.head, in: file)
    }
    return next
  }

  private mutating func putMap(_ number: Int, of tape: ValueTape, in file: RawSpan) {
    var shape: Int?
    if tape.readNames(ofMap: number, in: file, into: &names) { shape = tables.shape(names) }
    let count = tape.nodes[number].count
    if let shape {
      put(CompactForm.Head.shape, count: shape, below: 16, else: CompactForm.Head.shapeLong)
    } else {
      out.append(CompactForm.Head.mapLong)
      out.append(varint: UInt64(count))
    }
    var name = number + 1
    for _ in 0..<count {
      let node = tape.nodes[name]
      if shape == nil { out.append(file.extracting(tape.range(of: node))) }
      name = put(Int(truncatingIfNeeded: node.next), of: tape, in: file)
    }
  }

  private mutating func putScalar(_ range: Range<Int>, head: UInt8, in file: RawSpan) {
    switch head {
    case 0x00...0x7F: out.append(head)
    case 0xC0: out.append(CompactForm.Head.null)
    case 0xC2: out.append(CompactForm.Head.no)
    case 0xC3: out.append(CompactForm.Head.yes)
    case 0xCB:
      let value = Double(bitPattern: file.loadInside(at: range.lowerBound + 1, as: UInt64.self))
      guard let decimal = ShortDecimal(value) else { return putRaw(range, in: file) }
      let size = decimal.byteCount
      out.append(CompactForm.Head.decimal)
      out.append(decimal.exponent << 4 | UInt8(truncatingIfNeeded: size))
      put(UInt64(truncatingIfNeeded: decimal.number), byteCount: size)
    case 0xCC...0xCE:
      let number: UInt64
      let least: UInt64
      if head == 0xCC {
        number = UInt64(file.loadInside(at: range.lowerBound + 1, as: UInt8.self))
        least = 0x80
      } else if head == 0xCD {
        number = UInt64(file.loadInside(at: range.lowerBound + 1, as: UInt16.self))
        least = 0x100
      } else {
        number = UInt64(file.loadInside(at: range.lowerBound + 1, as: UInt32.self))
        least = 0x1_0000
      }
      guard number >= least else { return putRaw(range, in: file) }
      let size = (64 - number.leadingZeroBitCount + 7) / 8
      out.append(CompactForm.Head.integerBytes + UInt8(size))
      put(number, byteCount: size)
    default: putRaw(range, in: file)
    }
  }

  @inline(__always)
  private mutating func putRaw(_ range: Range<Int>, in file: RawSpan) {
    out.append(CompactForm.Head.raw)
    out.append(file.extracting(range))
  }

  @inline(__always)
  private mutating func putText(_ text: Range<Int>, in file: RawSpan) {
    put(CompactForm.Head.text, count: text.count, below: 32, else: CompactForm.Head.textLong)
    out.append(file.extracting(text))
  }

  /// A small number within the head, others after it.
  @inline(__always)
  private mutating func put(_ head: UInt8, count: Int, below limit: Int, else long: UInt8) {
    if count < limit { return out.append(head + UInt8(truncatingIfNeeded: count)) }
    out.append(long)
    out.append(varint: UInt64(count))
  }

  private mutating func put(part number: Int) {
    if number < 1 << 13 {
      out.append(CompactForm.Head.part5 | UInt8(number >> 8))
      put(UInt64(number), byteCount: 1)
    } else if number < 1 << 19 {
      out.append(CompactForm.Head.part3 | UInt8(number >> 16))
      put(UInt64(number), byteCount: 2)
    } else if number < 1 << 26 {
      out.append(CompactForm.Head.part2 | UInt8(number >> 24))
      put(UInt64(number), byteCount: 3)
    } else {
      out.append(CompactForm.Head.partLong)
      put(UInt64(number), byteCount: 4)
    }
  }

  /// The lowest bytes of a number.
  @inline(__always)
  private mutating func put(_ number: UInt64, byteCount: Int) {
    for place in (0..<byteCount).reversed() { out.append(UInt8(truncatingIfNeeded: number &>> UInt64(8 &* place))) }
  }
}

/// A double that is a number of up to 32 bits divided by a small power of ten.
struct ShortDecimal {
  private static let powers: InlineArray<7, Double> = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

  let exponent: UInt8
  let number: Int32

  /// Nil where the value is none, to the last bit. The smallest exponent that does is taken.
  init?(_ value: Double) {
    for exponent in 0..<Self.powers.count {
      let power = Self.powers[exponent]
      let scaled = value * power
      // Not where it is not a number either.
      guard abs(scaled) < 0x1p31 else { return nil }
      let rounded = scaled.rounded(.toNearestOrEven)
      // What is rounded to minus zero is divided as zero.
      if ((rounded + 0) / power).bitPattern == value.bitPattern, let number = Int32(exactly: rounded) {
        self.exponent = UInt8(exponent)
        self.number = number
        return
      }
    }
    return nil
  }

  /// How many bytes the number needs, with its sign.
  var byteCount: Int {
    if Int8(exactly: number) != nil { return 1 }
    if Int16(exactly: number) != nil { return 2 }
    return number >= -0x80_0000 && number < 0x80_0000 ? 3 : 4
  }
}

extension [UInt8] {
  /// Appends seven bits a byte, the lowest first; the top bit says that more follow.
  mutating func append(varint number: UInt64) {
    var number = number
    while number > 127 {
      append(UInt8(truncatingIfNeeded: number & 127 | 128))
      number >>= 7
    }
    append(UInt8(truncatingIfNeeded: number))
  }
}
