import ProgramSupport

struct Customs: Codable, Equatable, Randomized {
  @Clamped var clamped: Int
  @Stored var stored: [String]
  var meters: Meters
  var rights: Rights
  var range: Range<Int>
  var closed: ClosedRange<Double>
  var vector: SIMD4<Float>
  var mixed: Mixed
  var pair: TwoInOne
  var word: Word
  var wide: Int128
  var half: Float16
  var nothing: Nothing
  var result: CollectionDifference<Int>

  init(random: inout SeededRandom) {
    _clamped = Clamped(wrappedValue: random.integer())
    _stored = Stored(wrappedValue: random.list { $0.text() })
    meters = Meters(rawValue: random.double())
    rights = Rights(rawValue: random.integer())
    let low = random.below(1000)
    range = low..<low + random.below(5)
    closed = Double(low)...Double(low + random.below(5))
    vector = SIMD4(random.float(), random.float(), random.float(), random.float())
    mixed = Mixed(flat: random.integer(), deep: random.text(), list: random.list { $0.integer() })
    pair = TwoInOne(first: random.integer(), second: random.text())
    word = random.bool() ? .text(random.text()) : .number(random.integer())
    wide = Int128(random.integer(Int64.self))
    half = Float16(random.below(1000))
    nothing = Nothing()
    result = random.list { $0.below(5) }.difference(from: random.list { $0.below(5) })
  }
}

struct Nothing: Codable, Equatable {}

@propertyWrapper
struct Clamped: Codable, Equatable {
  var wrappedValue: Int
}

/// Coded as what it wraps.
@propertyWrapper
struct Stored: Codable, Equatable {
  var wrappedValue: [String]

  init(wrappedValue: [String]) { self.wrappedValue = wrappedValue }
  init(from decoder: any Decoder) throws { wrappedValue = try decoder.singleValueContainer().decode([String].self) }
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

struct Meters: RawRepresentable, Codable, Equatable {
  var rawValue: Double
}

struct Rights: OptionSet, Codable {
  let rawValue: UInt32
}

/// Members in other places than they stand in its map.
struct Mixed: Codable, Equatable {
  var flat: Int
  var deep: String
  var list: [Int]

  private enum Key: String, CodingKey { case flat, inside = "in.side", list, more }

  init(flat: Int, deep: String, list: [Int]) {
    self.flat = flat
    self.deep = deep
    self.list = list
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    var numbers = try container.nestedUnkeyedContainer(forKey: .list)
    list = []
    while !numbers.isAtEnd { list.append(try numbers.decode(Int.self)) }
    let inside = try container.nestedContainer(keyedBy: Key.self, forKey: .inside)
    deep = try inside.nestedContainer(keyedBy: Key.self, forKey: .more).decode(String.self, forKey: .flat)
    flat = try container.decode(Int.self, forKey: .flat)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    var numbers = container.nestedUnkeyedContainer(forKey: .list)
    var inside = container.nestedContainer(keyedBy: Key.self, forKey: .inside)
    try container.encode(flat, forKey: .flat)
    for number in list { try numbers.encode(number) }
    var more = inside.nestedContainer(keyedBy: Key.self, forKey: .more)
    try more.encode(deep, forKey: .flat)
  }
}

/// An array of two types.
struct TwoInOne: Codable, Equatable {
  var first: Int
  var second: String

  init(first: Int, second: String) {
    self.first = first
    self.second = second
  }

  init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    first = try container.decode(Int.self)
    second = try container.decode(String.self)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(first)
    try container.encode(second)
  }
}

/// Whatever stands there, by trying.
enum Word: Codable, Equatable {
  case text(String)
  case number(Int)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    }
  }
}
