let path = folder + "/sets.fsdb"
try makeFile(path)
let key: Key = "8.8.8.8"
let rule = ShardRule.hash(count: 4)
expect(rule.count == 4 && rule.shard(of: key) == 3 && ShardRule.mostShards == 65_536)
let keyBytes = Array("8.8.8.8".utf8)
expect(rule.shard(of: keyBytes.span.bytes) == 3)
expect(ShardRule.count(for: 1000, shardByteCount: 300) == 4)
expect(ShardRule.ranges(lowerBounds: [[], [0x38]]).shard(of: key) == 1)
let set = folder + "/set"
expect(try FuseSet.generation(in: set) == 0)
var options = FuseWriter.Options()
options.threadCount = 2
let split = try FuseSet.split(FuseReader(path: path), into: set, by: rule, options: options) { _ in }
expect(split.generation == 1 && split.shardCount == 4 && split.keptShardCount == 0 && split.keyCount == 3)
expect(split.byteCount > 0 && split.replacedKeyCount == nil && split.sweptFiles == [])
let reader = try ShardedReader(path: set)
expect(reader.path == set && reader.shardCount == 4 && reader.rule == rule && reader.generation == 1)
expect(reader.keyCount == 3 && reader.byteCount == split.byteCount && reader.checksums == .verified)
expect(reader.files.count == 4 && reader.files[3].name.hasPrefix("part-00003-of-00004-"))
expect(reader.files.reduce(0) { $0 + $1.keyCount } == 3 && reader.files.allSatisfy { $0.byteCount > 40 })
try reader.openAll(threadCount: 2)
expect(try reader.shard(at: 3).keyCount == reader.shard(holding: key).keyCount)
expect(try reader.withBytes(forKey: key) { $0.byteCount } == 24 && reader.contains(key))
expect(try reader.withBytes(forKey: keyBytes.span.bytes) { $0.byteCount } == 24 && reader.contains(keyBytes.span.bytes))
expect(try reader.withValue(forKey: key) { $0["asn"]?.int } == 15169)
expect(try reader.withValue(forKey: keyBytes.span.bytes) { $0["asn"]?.int } == 15169)
expect(try reader.value(Org.self, forKey: key)?.asn == 15169 && reader[key]?["asn"]?.int == 15169)
expect(try reader.statistics().keyCount == 3 && reader.reader.shards === reader && reader.reader.entries().count == 3)
let writer = FuseWriter()
try writer.add("8.8.8.8", ["asn": 15169])
let more = try (0..<4).map { number in
  let own = number == 3 ? writer : FuseWriter()
  return try own.buildShard(number, by: rule, in: set) { _ in }
}
let report = try FuseSet.publish(more, by: rule, in: set, after: 1, leastKeyCount: 1, greatestShrink: 0.7)
expect(report.generation == 2 && report.keyCount == 1)
expect(try FuseSet.sweep(set, olderThan: 3600) == [])
let whole = FuseWriter()
try whole.add("a", 1)
try whole.add("b", 2)
let built = try whole.buildSet(in: folder + "/built", .rule(.hash(count: 2))) { _ in }
expect(built.keyCount == 2)
expect(try whole.buildSet(in: folder + "/built", .shardByteCount(1 << 20), after: 1).shardCount == 1)
do {
  _ = try ShardedReader(path: folder + "/nowhere")
  expect(false)
} catch { expect(error.code == .notFound) }
