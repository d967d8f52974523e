import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

struct `A damaged section of networks` {
  /// Of all tables: a directory, two lines and more of each kind, a tree of two levels.
  private static func model(_ lineCount: Int = 12) -> NetworkModel {
    var texts = [
      "0.0.0.0/1", "10.0.0.0/8", "10.1.2.3/32", "255.255.255.255/32", "2001:db8::/32", "ffff::/16", "::/128",
    ]
    for i in 0..<lineCount {
      texts.append("10.\(17 * i).\(i).0/24")
      texts.append("10.\(17 * i).\(i).\(i)/32")
      for j in 0..<3 {
        texts.append("2001:db8:\(i):\(j)::/64")
        texts.append("2001:db8:\(i):\(j)::\(j + 1)/128")
      }
    }
    // Far apart, so that each has a line of its own, and the lines a tree.
    for i in 1...12 { texts.append("21\(10 + i):\(i):\(i):\(i)::/64") }
    return NetworkModel(texts)
  }

  private struct Answer: Equatable {
    var match: NetworkAnswer
    var scope: FuseNetwork
  }

  private static func answers(_ table: NetworkTable, _ addresses: [FuseAddress]) throws -> [Answer] {
    try addresses.map { address in
      let match = try table.match(address)
      return Answer(match: match.answer, scope: table.scope(of: match, address))
    }
  }

  @Test(arguments: [NetworkSection.Lanes.eight, .seven])
  func `gives the right answer or an error, whatever bit is flipped [A10]`(lanes: NetworkSection.Lanes) throws {
    let model = Self.model(3)
    let bench = try NetworkBench(model, lanes)
    let sound = try bench.table()
    #expect(NetworkSection.Table.allCases.allSatisfy { sound.section.lineCounts[$0] > 1 })
    #expect(sound.section.layout.levels.isEmpty == false)
    let addresses = model.telltaleAddresses
    let expected = try Self.answers(sound, addresses)
    var errorCount = 0
    for bit in 0..<8 * bench.byteCount {
      bench.flip(bit: bit)
      defer { bench.flip(bit: bit) }
      var table: NetworkTable?
      let refusal = failure { table = try bench.table() }
      // Every bit of the header is refused, and no other bit at that time.
      #expect((refusal != nil) == (bit < 8 * NetworkSection.byteCount), "bit \(bit)")
      guard let table else { continue }
      // Others for each bit, so that the test ends.
      for i in Swift.stride(from: bit % 23, to: addresses.count, by: 23) {
        do {
          let match = try table.match(addresses[i])
          if match.answer != expected[i].match || table.scope(of: match, addresses[i]) != expected[i].scope {
            Issue.record("bit \(bit) of \(8 * bench.byteCount), \(addresses[i]): \(match) for \(expected[i])")
          }
        } catch {
          errorCount += 1
          #expect(error.code == .corrupted)
          #expect(error.offset.map { $0 >= 4096 && $0 < UInt64(4096 + bench.byteCount) } == true)
        }
      }
    }
    #expect(errorCount > bench.byteCount / 10)
  }

  @Test(arguments: [NetworkSection.Lanes.eight, .seven])
  func `tells of each flipped bit of a line`(lanes: NetworkSection.Lanes) throws {
    let bench = try NetworkBench(Self.model(2), lanes)
    let table = try bench.table()
    let layout = table.section.layout
    for kind in NetworkSection.Table.allCases {
      let start = [layout.ipv4Lines, layout.ipv6Lines, layout.deepLines][kind.rawValue]
      for line in 0..<table.section.lineCounts[kind] {
        let (base, next) = table.bases(of: kind, line)
        #expect(table.withLine(kind, line) { NetworkLine.isSound($0, base: base, next: next) })
        for bit in 0..<512 {
          bench.flip(bit: 8 * (start + 64 * line) + bit)
          #expect(
            !table.withLine(kind, line) { NetworkLine.isSound($0, base: base, next: next) }, "\(kind) \(line) \(bit)")
          bench.flip(bit: 8 * (start + 64 * line) + bit)
        }
        for bit in 0..<[32, 64, 128][kind.rawValue] {
          let flip: UInt128 = 1 << UInt128(bit)
          #expect(!table.withLine(kind, line) { NetworkLine.isSound($0, base: base ^ flip, next: next) })
          #expect(!table.withLine(kind, line) { NetworkLine.isSound($0, base: base, next: next ^ flip) })
        }
      }
    }
  }

  @Test func `never leads out of the section, whatever bytes it has after the header`() throws {
    var random = SeededRandom.announced()
    let model = Self.model()
    let addresses = model.telltaleAddresses
    for round in 0..<60 {
      let bench = try NetworkBench(model, round % 2 == 0 ? .eight : .seven)
      let share = random.element([1, 2, 8, 100])
      for offset in NetworkSection.byteCount..<bench.byteCount where random.below(share) == 0 {
        bench.put(random.element([0, 0xFF, UInt8(truncatingIfNeeded: random.next())]), at: offset)
      }
      let table = try bench.table()
      for _ in 0..<200 {
        let address = random.element(addresses)
        for isChecked in [true, false] {
          do {
            let match = try table.match(address, isChecked: isChecked)
            #expect(table.scope(of: match, address).contains(address))
          } catch { #expect(error.code == .corrupted) }
          // A walk ends, or is ended: there are no more networks than the header says.
          var walk = NetworkWalk(table, within: FuseNetwork(around: address, prefixLength: 8), isChecked: isChecked)
          for _ in 0..<50 {
            guard let next = try? walk.next(exact: { _ in nil }) else { break }
            #expect(next.network.prefixLength >= 8)
          }
        }
      }
    }
  }
}
