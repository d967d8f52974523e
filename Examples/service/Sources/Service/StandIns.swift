// The shape of swift-log and swift-metrics, as far as the example uses it, where they are not there.

#if !canImport(Logging)
  /// Prints, as swift-log's own handler does.
  struct Logger: Sendable {
    typealias Metadata = [String: String]

    let label: String

    init(label: String) { self.label = label }

    func debug(_ message: String, metadata: Metadata = [:]) {}
    func info(_ message: String, metadata: Metadata = [:]) { log("info", message, metadata) }
    func error(_ message: String, metadata: Metadata = [:]) { log("error", message, metadata) }

    private func log(_ level: String, _ message: String, _ metadata: Metadata) {
      let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      print("\(level) \(label):\(pairs) \(message)")
    }
  }
#endif

#if !canImport(Metrics)
  /// Prints what is recorded.
  struct Gauge: Sendable {
    let label: String

    init(label: String) { self.label = label }

    func record(_ value: Int) { print("\(label) \(value)") }
    func record(_ value: Double) { print("\(label) \(Int(value))") }
  }
#endif
