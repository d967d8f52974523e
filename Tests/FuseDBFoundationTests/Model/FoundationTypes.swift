import Foundation
import ProgramSupport

struct FoundationTypes: Codable, Equatable, Randomized {
  var data: Data
  var date: Date
  var dates: [Date?]
  var byDate: [String: Date]
  var url: URL
  var relative: URL?
  var uuid: UUID
  var byUUID: [UUID: Int]
  var decimal: Decimal
  var index: IndexPath
  var indices: IndexSet
  var part: DateComponents
  var size: CGFloat
  var locale: Locale
  var zone: TimeZone
  var range: NSRange

  init(random: inout SeededRandom) {
    data = random.data()
    date = random.date()
    dates = random.list { $0.optional { $0.date() } }
    byDate = random.map({ $0.text() }, { $0.date() })
    url = Self.links[random.below(Self.links.count)]
    relative = random.optional { $0.element(Self.links) }
    uuid = random.uuid()
    byUUID = random.map({ $0.uuid() }, { $0.integer() })
    decimal = Decimal(
      sign: random.bool() ? .plus : .minus, exponent: random.below(20) - 10, significand: Decimal(random.below(1 << 40))
    )
    index = IndexPath(indexes: random.list { $0.below(100) })
    indices = IndexSet(random.list { $0.below(100) })
    part = DateComponents(year: random.below(3000), month: random.optional { 1 + $0.below(12) })
    size = random.double()
    locale = Locale(identifier: random.element(["en_US", "de_DE"]))
    zone = random.element([.gmt])
    range = NSRange(location: random.below(100), length: random.below(100))
  }

  private static let links = ["https://example.com/a?b=c#d", "file:///tmp/x%20y", "mailto:a@b.c"].compactMap(
    URL.init(string:))
}

extension SeededRandom {
  /// A date far enough from 2001 that a `Date` has no smaller parts of a second than nanoseconds.
  mutating func date() -> Date {
    let seconds = Double.random(in: 0x1p24...4e9, using: &self)
    return Date(timeIntervalSinceReferenceDate: bool() ? seconds : -seconds)
  }

  mutating func uuid() -> UUID {
    let text = (0..<16).map { _ in String(UInt8.random(in: 16...255, using: &self), radix: 16) }.joined()
    let parts = [
      text.prefix(8), text.dropFirst(8).prefix(4), text.dropFirst(12).prefix(4), text.dropFirst(16).prefix(4),
      text.suffix(12),
    ]
    return UUID(uuidString: parts.joined(separator: "-")) ?? UUID()
  }
}
