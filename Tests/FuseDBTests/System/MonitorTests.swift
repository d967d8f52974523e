import Testing

import FuseDB

struct MonitorTests {
  @Test func `whoever waits sees every change`() {
    let monitor = Monitor([Int]())
    let taker = BackgroundWork(isWorthThread: true) {
      (0..<1000).map { _ in monitor.wait { $0.isEmpty ? nil : $0.removeFirst() } }
    }
    for number in 0..<1000 {
      monitor.wait { $0.count < 3 ? () : nil }
      monitor.change { $0.append(number) }
    }
    #expect(taker.wait() == Array(0..<1000))
  }
}
