/// Walks that hold the lock of one shard at a time, for some buckets.
extension MemoryStore {
  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    try walk { shard, place, copies in
      shard.keys(place, now: now) { key, expires in copies.append(key, Bytes(), expires) }
    } _: { key, expires in
      SessionKey.isRecord(key) || each(key, expires)
    }
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    try walk { shard, place, copies in
      shard.owners(place) { owner in copies.append(owner, Bytes(), 0) }
    } _: { owner, _ in
      each(owner)
    }
  }

  private func walk(
    _ step: (inout MemoryShard, UInt64, inout OwnedCopies) -> UInt64, _ each: (Bytes, Int64) -> Bool
  ) throws(Failure) {
    for i in Indices(shardCount) {
      var place: UInt64 = 0
      while place < MemoryTable.end {
        var copies = OwnedCopies()
        place = locked(shards + i) { shard in step(&shard, place, &copies) }
        guard !copies.text.failed else { throw .memory }
        guard copies.all({ key, _, expires in each(key, expires) }) else { return }
      }
    }
  }
}
