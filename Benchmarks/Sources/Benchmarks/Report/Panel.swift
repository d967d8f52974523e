import Foundation

/// One diagram of the picture: a line for each subject, named at its right end.
struct Panel {
  static let width = 530
  static let height = 380

  private struct Point {
    var keys: Double
    var nanoseconds: Double
  }

  private struct Line {
    var subject: Subject
    var points: [Point]
  }

  private let title: String
  private let left: Double
  private let lines: [Line]
  private let keyExponents: ClosedRange<Int>
  private let timeExponents: ClosedRange<Int>

  private let plotTop = 48.0
  private let plotBottom = Double(Panel.height) - 46
  private let plotLeft = 62.0
  private let plotRight = Double(Panel.width) - 150

  /// - Parameter scale: nanoseconds in the unit of the rows.
  init(_ results: Results, title: String, what: String, scale: Double, left: Int) {
    self.title = title
    self.left = Double(left)
    lines = Subject.allCases.filter { $0.isPictured }.compactMap { subject in
      let points = results.sizes.compactMap { keys -> Point? in
        guard let row = results.row(keys, what, subject) else { return nil }
        return Point(keys: Double(keys), nanoseconds: max(row.median * scale, 1))
      }
      return points.isEmpty ? nil : Line(subject: subject, points: points)
    }
    let times = lines.flatMap { $0.points.map(\.nanoseconds) }
    timeExponents = Self.exponents(times)
    keyExponents = Self.exponents(results.sizes.map { Double($0) })
  }

  private static func exponents(_ values: [Double]) -> ClosedRange<Int> {
    let low = Int(log10(values.min() ?? 1).rounded(.down))
    return low...max(low + 1, Int(log10(values.max() ?? 1).rounded(.up)))
  }

  var svg: String {
    var out = [text(plotLeft, 24, title, "text", extra: "font-size=\"15\" font-weight=\"600\"")]
    for exponent in timeExponents {
      let y = self.y(pow(10, Double(exponent)))
      out.append(rule(plotLeft, y, plotRight, y))
      out.append(text(plotLeft - 8, y + 4, Self.time(exponent), "faint", extra: "text-anchor=\"end\""))
    }
    for exponent in keyExponents {
      let x = self.x(pow(10, Double(exponent)))
      out.append(rule(x, plotTop, x, plotBottom))
      out.append(text(x, plotBottom + 18, Self.count(exponent), "faint", extra: "text-anchor=\"middle\""))
    }
    out.append(text((plotLeft + plotRight) / 2, plotBottom + 36, "keys", "faint", extra: "text-anchor=\"middle\""))
    // Ours last, and so on top.
    for line in lines.reversed() {
      let style = Style(line.subject)
      let places = line.points.map { "\(place(x($0.keys))),\(place(y($0.nanoseconds)))" }.joined(separator: " ")
      let ours = line.subject == .fuseDB || line.subject == .fuseDBSkipped ? " ours" : ""
      out.append("<polyline class=\"\(style.name) line\(ours)\" points=\"\(places)\"/>")
      for point in line.points {
        let (x, y) = (place(x(point.keys)), place(y(point.nanoseconds)))
        out.append("<circle class=\"\(style.name)\" cx=\"\(x)\" cy=\"\(y)\" r=\"2.5\"/>")
      }
    }
    for (subject, y) in labelPlaces() {
      out.append(text(plotRight + 10, y + 4, Style(subject).label, "\(Style(subject).name) label"))
    }
    return "<g transform=\"translate(\(place(left)) 0)\">\n\(out.joined(separator: "\n"))\n</g>"
  }

  /// Where the names stand: at the ends of the lines, pushed apart where they would overlap.
  private func labelPlaces() -> [(Subject, Double)] {
    let gap = 15.0
    var places = lines.map { ($0.subject, y($0.points[$0.points.count - 1].nanoseconds)) }
    places.sort { $0.1 < $1.1 }
    for _ in 0..<100 {
      for i in places.indices.dropFirst() where places[i].1 - places[i - 1].1 < gap {
        let push = (gap - (places[i].1 - places[i - 1].1)) / 2
        places[i - 1].1 -= push
        places[i].1 += push
      }
    }
    return places
  }

  private func x(_ keys: Double) -> Double {
    let span = Double(keyExponents.upperBound - keyExponents.lowerBound)
    return plotLeft + (log10(keys) - Double(keyExponents.lowerBound)) / span * (plotRight - plotLeft)
  }

  private func y(_ nanoseconds: Double) -> Double {
    let span = Double(timeExponents.upperBound - timeExponents.lowerBound)
    return plotBottom - (log10(nanoseconds) - Double(timeExponents.lowerBound)) / span * (plotBottom - plotTop)
  }

  private static func time(_ exponent: Int) -> String {
    let units = ["ns", "µs", "ms", "s"]
    let unit = min(max(exponent, 0) / 3, 3)
    return String(format: "%g ", pow(10, Double(exponent - 3 * unit))) + units[unit]
  }

  private static func count(_ exponent: Int) -> String {
    switch exponent {
    case 6...: grouped(Int(pow(10, Double(exponent - 6)))) + " M"
    case 3...: grouped(Int(pow(10, Double(exponent - 3)))) + " k"
    default: grouped(Int(pow(10, Double(exponent))))
    }
  }

  private func text(_ x: Double, _ y: Double, _ text: String, _ style: String, extra: String = "") -> String {
    "<text class=\"\(style)\" x=\"\(place(x))\" y=\"\(String(format: "%.1f", y))\" \(extra)>\(text)</text>"
  }

  private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
    let (y1, y2) = (String(format: "%.1f", y1), String(format: "%.1f", y2))
    return "<line class=\"grid\" x1=\"\(place(x1))\" y1=\"\(y1)\" x2=\"\(place(x2))\" y2=\"\(y2)\"/>"
  }

  private func place(_ value: Double) -> String { String(format: "%.1f", value) }
}
