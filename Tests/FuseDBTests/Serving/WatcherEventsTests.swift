import Testing

import FuseDB

@testable import FuseDBServing

@Suite struct `A watcher's events` {
  @Test func `come to each consumer, all of them, and end when it stops`() async throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let store = try ReloadableReader(path: file.path)
    let heard = Heard()
    let watcher = try FuseWatcher(store, onReload: { heard.add($0) }, onFailure: { heard.add($0) })
    let (first, second) = (watcher.events, watcher.events)
    try file.replace(by: numbered(1), number: 1)
    eventually { heard.answers == [1] }
    try BadFile.olderVersion.replace(file.path, good: numbered(1), in: file.folder)
    eventually { heard.failures.count == 1 }
    try file.replace(by: numbered(2), number: 2)
    eventually { heard.answers == [1, 2] }
    watcher.stop()
    let expected: [FuseWatcher.Event] = [
      .reloaded(path: file.path, generation: 2, keyCount: 1), .refused(heard.failures[0]),
      .reloaded(path: file.path, generation: 3, keyCount: 1),
    ]
    for stream in [first, second] { #expect(await all(of: stream) == expected) }
    #expect(await all(of: watcher.events).isEmpty)
  }

  @Test func `wait for a consumer, the newest of them`() async {
    let streams = EventStreams<Int>()
    let slow = streams.stream()
    for number in 0..<100 { streams.send(number) }
    streams.finish()
    #expect(await all(of: slow) == Array(36..<100))
  }

  @Test func `don't wait for a consumer that is gone`() async {
    let streams = EventStreams<Int>()
    let consumer = Task { [stream = streams.stream()] in await all(of: stream) }
    var dropped: AsyncStream<Int>? = streams.stream()
    #expect(dropped != nil)
    #expect(streams.count == 2)
    dropped = nil
    #expect(streams.count == 1)
    streams.send(7)
    consumer.cancel()
    // A wait that blocks the thread could keep the consumer from running.
    for _ in 0..<10_000 where streams.count > 0 { try? await Task.sleep(for: .milliseconds(2)) }
    #expect(streams.count == 0)
    streams.send(8)
    #expect([[], [7]].contains(await consumer.value))
  }

  private func all<Event>(of stream: AsyncStream<Event>) async -> [Event] {
    var events: [Event] = []
    for await event in stream { events.append(event) }
    return events
  }
}
